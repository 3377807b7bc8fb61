"""Explanations of a fitted model: what its columns are worth, how an answer comes about, where it is weak."""
