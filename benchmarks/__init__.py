"""Measurements of the whole product against a bare Jupyter server, side by side in one run."""
