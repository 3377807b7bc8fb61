"""Use cases, each a few verbs, and the entry points of the processes that do the work."""
