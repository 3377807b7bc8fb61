"""AutoML inside Jupyter: upload a table, watch models compete, put the winner into service."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from automl_jupyter.notebook.panel import Panel

__version__ = "0.1.0"
__all__ = ["Panel", "__version__"]


def __getattr__(name: str) -> type[Panel]:
    # The panel's widgets are imported by who wants it, not by a server or a script.
    if name != "Panel":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from automl_jupyter.notebook.panel import Panel

    return Panel


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Tell Jupyter Server which application to load; called at its start, so nothing heavy is imported."""
    import gc

    # What is loaded by now lives as long as the server. The collector need not go through all of it each time
    # that our own imports make it run.
    gc.freeze()
    from automl_jupyter.server.app import AutoML

    return [{"module": "automl_jupyter", "app": AutoML}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab's tools where the build of the application is; for work on it in place."""
    return [{"src": "labextension", "dest": "automl_jupyter"}]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Bring ``%automl`` into a notebook: what ``%load_ext automl_jupyter`` calls."""
    from automl_jupyter.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take ``%automl`` out of a notebook: what ``%unload_ext automl_jupyter`` calls."""
    from automl_jupyter.notebook.extension import unload

    unload(shell)
