"""What the panel says at the end of what it does in the background."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl_jupyter.client import Client
from automl_jupyter.notebook.panel.state import State
from automl_jupyter.notebook.panel.work import Worker


class Line:
    """Where sentences stand; of several, the last."""

    sentence, trouble = "never said", False

    def __call__(self, sentence: str, trouble: bool) -> None:
        self.sentence, self.trouble = sentence, trouble


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    """One whose server is named, and never asked."""
    monkeypatch.setenv("JUPYTER_SERVER_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("JUPYTER_TOKEN", "none")
    return Worker(State(), "en")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nothing_is_said_to_be_under_way_after_a_fault(worker: Worker) -> None:
    def fault(_: Client) -> None:
        raise ZeroDivisionError

    line = Line()
    worker.ask(fault, "notebook.doing.reading", line).join(30)
    assert line.trouble
    assert line.sentence == "Something went wrong in the panel itself; Jupyter’s log says what."


def test_a_file_that_cannot_be_read_is_named(worker: Worker) -> None:
    def read(_: Client) -> None:
        Path("/no/such/file").read_bytes()

    line = Line()
    worker.ask(read, "", line).join(30)
    assert line.trouble
    assert "/no/such/file" in line.sentence


def test_what_has_ended_well_leaves_no_sentence(worker: Worker) -> None:
    line = Line()
    worker.ask(lambda _: None, "notebook.doing.reading", line).join(30)
    assert (line.trouble, line.sentence) == (False, "")
