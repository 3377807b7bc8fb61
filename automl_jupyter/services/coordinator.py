"""What runs on a worker for a job: starts the search, watches it, keeps the record in MLflow.

The coordinator itself fits nothing. It ends with the job: whatever the search does, its process group is gone
by then.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automl_jupyter.backends.child import ChildOutcome, run_child
from automl_jupyter.backends.storage import Storage, open_storage
from automl_jupyter.errors import AutoMLError, Unavailable, from_wire
from automl_jupyter.services.control import CANCEL, STOP, control_key
from automl_jupyter.services.recording import Recorder, Report, open_tracking

RECORD_SECONDS = 1.5
"""Kept of the budget for writing the model into MLflow (0.3 s measured, more where it is busy)."""
STOP_GRACE = 10.0
"""How long a search that was asked to stop may take to make its model, in seconds."""
OVERRUN = 2.0
"""How far past its time a search is let to end by itself, in seconds."""
CONCLUDE_SECONDS = 20.0
"""How long making a model of finished trials may take, where their search came to no end."""
FLOOR_SECONDS = 15.0
"""How long a search may take at least until it is ended, on a machine too busy to begin it in time."""
LEAST_SECONDS = 3.0
"""A search is not started again for less than this."""


@dataclass
class Attempt:
    """One attempt at a job: what its search has told so far."""

    payload: Mapping[str, Any]
    report: Report
    storage: Storage
    recorder: Recorder
    model: dict[str, Any] | None = None
    error: AutoMLError | None = None
    wish: str | None = None
    finished: int = 0
    told_run: bool = False
    plots: list[str] = field(default_factory=list)

    def heard(self, line: dict[str, Any]) -> None:
        """Take a line that the search printed."""
        match line.get("kind"):
            case "trial":
                self.finished += line["trial"]["state"] == "done"
                self.recorder.trial(line["trial"])
                self.report("trial", line)
            case "progress":
                self.report("progress", line)
            case "model":
                self.model = line
            case "plots":
                self.plots = line["keys"]
            case "error":
                self.error = from_wire(line["error"])

    def asked(self) -> str | None:
        """What the person wishes of this attempt; a moment to tell what became known beside the search."""
        if self.recorder.run_id is not None and not self.told_run:
            self.told_run = True
            self.report("tracking", {"run_id": self.recorder.run_id})
        for wish in (CANCEL, STOP):
            if self.storage.exists(control_key(self.payload["job_id"], self.payload["attempt"], wish)):
                self.wish = wish
                return wish
        return None

    def search(self, deadline: float) -> ChildOutcome:
        """Run the search until ``deadline`` (monotonic seconds); once more where it came to no end.

        A process that died goes on from the trials it had finished, as long as there is time. One that had to
        be ended, or died too late, leaves them as well: making a model of them is worth a little more time.
        """
        outcome = self._search_once(deadline, max(deadline + OVERRUN, time.monotonic() + FLOOR_SECONDS))
        if self.model is not None or self.error is not None or outcome.exit in ("ended", "cancelled"):
            return outcome
        now = time.monotonic()
        if self.finished or deadline - now > LEAST_SECONDS:
            outcome = self._search_once(deadline, max(deadline + OVERRUN, now + CONCLUDE_SECONDS))
        return outcome

    def _search_once(self, deadline: float, end: float) -> ChildOutcome:
        # The clock is the machine's: the child reads the same one, so that its own start counts as well.
        return run_child(
            "automl_jupyter.services.search_process",
            {**self.payload, "deadline": deadline - RECORD_SECONDS},
            on_line=self.heard,
            poll=self.asked,
            deadline=end,
            stop_grace=STOP_GRACE,
        )


def run(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Do a job and say how it ended.

    Parameters
    ----------
    payload : dict
        What :mod:`automl_jupyter.services.training` wrote down of the job.
    report : callable
        Takes a kind of event and its data while the job runs.

    Returns
    -------
    dict
        ``outcome`` is done, stopped or cancelled; with ``model`` unless cancelled.

    Raises
    ------
    AutoMLError
        If no model came of it.
    """
    deadline = time.monotonic() + payload["time_budget"]
    storage = open_storage(payload["storage_url"])
    recorder = Recorder(open_tracking(payload), payload, storage)
    attempt = Attempt(payload, report, storage, recorder)
    recorder.start()
    outcome = attempt.search(deadline)
    if outcome.exit == "cancelled":
        recorder.end("KILLED")
        return {"outcome": "cancelled", "mlflow_run_id": recorder.run_id}
    if attempt.model is None:
        recorder.end("FAILED")
        late = outcome.exit == "deadline"
        raise attempt.error or Unavailable("services.search_late" if late else "services.search_died")
    return {
        "outcome": "stopped" if attempt.wish == STOP else "done",
        "model": attempt.model,
        **recorder.model(attempt.model, attempt.plots),
    }
