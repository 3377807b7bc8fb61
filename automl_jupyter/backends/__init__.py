"""Third-party systems, one a module, each behind a small interface of ours."""
