"""The Jupyter Server extension: configuration, handlers, pages."""
