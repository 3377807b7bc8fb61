"""What runs on a worker for a job: starts the search, watches it, keeps the record in MLflow.

The coordinator itself fits nothing. It ends with the job: whatever the search does, its process group is gone
by then.
"""

from __future__ import annotations

import logging
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automl_jupyter.backends.child import ChildOutcome, Limits, run_child
from automl_jupyter.backends.storage import Storage, open_storage
from automl_jupyter.errors import AutoMLError, Unavailable, from_wire
from automl_jupyter.services.control import CANCEL, STOP, control_key
from automl_jupyter.services.recording import Recorder, Report, open_tracking
from automl_jupyter.services.spreading import Spread, Tell, clear

log = logging.getLogger(__name__)

RECORD_SECONDS, RECORD_SHARE = 1.5, 0.1
"""Kept of the budget for keeping the model and writing it into MLflow: so long, or this part of it up to
twice as long, since the model of a longer search is larger."""
STOP_GRACE = 10.0
"""How long a search that has begun and was asked to stop may take to make its model, in seconds."""
OVERRUN = 2.0
"""How far past its time a search is let to end by itself, in seconds."""
CONCLUDE_SECONDS = 20.0
"""How long making a model of finished trials may take, where their search came to no end."""
BEGIN_SECONDS = 60.0
"""How long a search may take to begin, on a machine too busy to begin it in time."""
FLOOR_SECONDS = 15.0
"""How long a search that has begun may take at least until it is ended: a late model is better than none."""
LEAST_SECONDS = 3.0
"""A search is not started again for less than this."""
MOST_RESTARTS = 4
"""So often a search whose process died is taken up again; then a model is made of what was finished."""


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
    told_run: bool = False
    plots: list[str] = field(default_factory=list)
    noted: set[str] = field(default_factory=set)
    under_way: Counter[str] = field(default_factory=Counter)
    crashes: list[dict[str, Any]] = field(default_factory=list)
    spread: Spread | None = None

    def heard(self, line: dict[str, Any]) -> None:
        """Take a line that the search printed."""
        match line.get("kind"):
            case "begun":
                self.under_way[line["name"]] += 1
            case "ended":
                self.under_way[line["name"]] -= 1
            case "spread" | "unit" | "together":
                self._spread_out(line)
            case "trial":
                trial = line["trial"]
                # A process that takes a search up again tells of what was finished before as well.
                if trial["name"] not in self.noted:
                    self.noted.add(trial["name"])
                    self.recorder.trial(trial)
                self.report("trial", line)
            case "progress" | "outlook" as kind:
                self.report(kind, line)
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

    def _spread_out(self, line: dict[str, Any]) -> None:
        if self.spread is None:
            return
        match line["kind"]:
            case "spread":
                self.spread.open(line["material"])
            case "unit":
                self.spread.send(line["lane"], line["unit"])
            case _:
                self.spread.close()

    def search(self, deadline: float) -> ChildOutcome:
        """Run the search until ``deadline`` (monotonic seconds), and again where its process died.

        A process that died goes on from the trials it had finished, as long as there is time, and knows what
        was under way. One that had to be ended, or died too late or too often, leaves its trials as well:
        making a model of them is worth a little more time, once. So do those of earlier attempts at the job.
        """
        end = deadline + OVERRUN
        try:
            outcome = self._search_once(deadline, end)
            while self._may_go_on(outcome) and deadline - time.monotonic() > LEAST_SECONDS:
                outcome = self._search_once(deadline, end)
            if self._is_without_end(outcome) and self.storage.list(self.payload["trials_key"]):
                end = max(end, time.monotonic() + CONCLUDE_SECONDS)
                outcome = self._search_once(deadline, end, conclude=True)
        finally:
            clear(self.storage, self.payload["job_key"])
        return outcome

    def _is_without_end(self, outcome: ChildOutcome) -> bool:
        return self.model is None and self.error is None and outcome.exit in ("crashed", "deadline")

    def _may_go_on(self, outcome: ChildOutcome) -> bool:
        """Whether a process that died may be followed by another one that knows better.

        It may not if nothing was under way twice in a row: then it is no candidate that ends it.
        """
        if not self._is_without_end(outcome) or outcome.exit != "crashed" or self.wish == STOP:
            return False
        idle = [not crash["under_way"] for crash in self.crashes[-2:]]
        return len(self.crashes) <= MOST_RESTARTS and idle != [True, True]

    def _recording(self) -> float:
        """Seconds that are kept for what follows the search."""
        return min(2 * RECORD_SECONDS, max(RECORD_SECONDS, RECORD_SHARE * float(self.payload["time_budget"])))

    def _search_once(self, deadline: float, end: float, *, conclude: bool = False) -> ChildOutcome:
        self.under_way.clear()
        try:
            # The clock is the machine's: the child reads the same one, so that its own start counts as well.
            outcome = run_child(
                "automl_jupyter.services.search_process",
                {
                    **self.payload,
                    "deadline": deadline - self._recording(),
                    "crashes": self.crashes,
                    "conclude": conclude,
                },
                on_line=self.heard,
                poll=self.asked,
                limits=Limits(
                    end,
                    stop_grace=CONCLUDE_SECONDS if conclude else STOP_GRACE,
                    begin_within=BEGIN_SECONDS,
                    least=FLOOR_SECONDS,
                ),
                on_start=self._started,
            )
        finally:
            if self.spread is not None:
                self.spread.close()
        if self.spread is not None:
            for (worker, pid), n in sorted(self.spread.counts.items()):
                self.report("fitted_elsewhere", {"worker": worker, "pid": pid, "units": n})
        if outcome.exit == "crashed":
            under_way = sorted(name for name, n in self.under_way.items() if n > 0)
            self.crashes.append({"under_way": under_way, "killed": outcome.code == -signal.SIGKILL})
            log.warning(
                "job %s: the search died with code %d while it fitted %s",
                self.payload["job_id"], outcome.code, ", ".join(under_way) or "nothing",
            )  # fmt: skip
        return outcome

    def _started(self, tell: Tell) -> None:
        self.spread = Spread(self.payload, tell) if self.payload.get("spread") else None


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
