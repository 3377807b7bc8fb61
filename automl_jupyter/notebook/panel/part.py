"""What the parts of the panel have in common."""

from __future__ import annotations

from automl_jupyter.notebook.panel.state import State
from automl_jupyter.notebook.panel.work import Worker


class Part:
    """Shows something of what the panel knows, and changes it.

    Parameters
    ----------
    state : State
        What the panel knows.
    worker : Worker
        Asks the server.
    """

    def __init__(self, state: State, worker: Worker) -> None:
        self._state = state
        self._worker = worker
