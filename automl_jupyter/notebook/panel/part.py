"""What the parts of the panel have in common."""

from __future__ import annotations

import ipywidgets as ipw

from automl_jupyter.notebook.markup import el
from automl_jupyter.notebook.panel.state import State
from automl_jupyter.notebook.panel.widgets import html
from automl_jupyter.notebook.panel.work import Question, Worker


class Part:
    """Shows something of what the panel knows, and changes it.

    What it is about, and what went wrong with it, stands beside its own heading: near the button that was
    pressed, and in a line that is there anyway, so that nothing moves below a hand that is about to click.

    Parameters
    ----------
    state : State
        What the panel knows.
    worker : Worker
        Asks the server.
    status : ipywidgets.HTML, optional
        Where its sentences stand; that of the part that it belongs to, or one of its own unless given.
    """

    def __init__(self, state: State, worker: Worker, status: ipw.HTML | None = None) -> None:
        self._state = state
        self._worker = worker
        self.status = ipw.HTML() if status is None else status

    def ask(self, question: Question, doing: str = "") -> None:
        """Ask something in the background; `doing` is the code of the sentence that is shown meanwhile."""
        self._worker.ask(question, doing, self.say)

    def say(self, sentence: str, trouble: bool) -> None:
        """Say what is going on, or went wrong; nothing instead of what was said where it is empty."""
        kind = "bad" if trouble else "quiet"
        self.status.value = html(el("p", sentence, class_=kind, role="status")) if sentence else ""

    def complain(self, sentence: str) -> None:
        """Say what is wrong with what was filled in."""
        self.say(sentence, trouble=True)
