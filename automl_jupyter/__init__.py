"""AutoML inside Jupyter: upload a table, watch models compete, put the winner into service."""

from __future__ import annotations

__version__ = "0.1.0"


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Tell Jupyter Server which application to load; called at its start, so nothing heavy is imported."""
    import gc

    # What is loaded by now lives as long as the server. The collector need not go through all of it each time
    # that our own imports make it run.
    gc.freeze()
    from automl_jupyter.server.app import AutoML

    return [{"module": "automl_jupyter", "app": AutoML}]
