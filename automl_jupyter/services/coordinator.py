"""What runs on a worker for a job: starts the search, watches it, keeps the record in MLflow.

The coordinator itself fits nothing. It ends with the job: whatever the search does, its process group is gone
by then.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl_jupyter.backends.child import ChildOutcome, run_child
from automl_jupyter.backends.mlflow_tracking import MlflowTracking
from automl_jupyter.backends.storage import Storage, open_storage
from automl_jupyter.backends.tracking import (
    LoggedModel,
    Status,
    TrackedColumn,
    TrackedData,
    TrackedModel,
    Tracking,
)
from automl_jupyter.errors import AutoMLError, Unavailable, from_wire
from automl_jupyter.services.control import CANCEL, STOP, control_key
from automl_jupyter.services.spreading import Spread, Tell, clear

log = logging.getLogger(__name__)

Report = Callable[[str, dict[str, Any]], None]

RECORD_SECONDS = 1.5
"""Kept of the budget for writing the model into MLflow (0.3 s measured, more where it is busy)."""
RECORDER_SECONDS = 20.0
"""How long MLflow may keep a model waiting that is ready; then it goes without."""
STOP_GRACE = 10.0
"""How long a search that was asked to stop may take to make its model, in seconds."""
OVERRUN = 2.0
"""How far past its time a search is let to end by itself, in seconds."""
CONCLUDE_SECONDS = 20.0
"""How long making a model of finished trials may take, where their search came to no end."""
LOADER = "automl_jupyter.engine.pyfunc"
PACKAGE = Path(__file__).parents[1]
PORTABLE = ("__init__.py", "errors.py", "messages.py", "engine", "data", "locale")
"""What a model needs of this package where it is loaded without it."""
FLOOR_SECONDS = 15.0
"""How long a search may take at least until it is ended, on a machine too busy to begin it in time."""
LEAST_SECONDS = 3.0
"""A search is not started again for less than this."""
MOST_RESTARTS = 4
"""So often a search whose process died is taken up again; then a model is made of what was finished."""


@dataclass
class Recorder:
    """Writes to MLflow in a thread of its own, so that the search is never held up by it."""

    tracking: Tracking
    payload: Mapping[str, Any]
    run_id: str | None = None
    failure: AutoMLError | None = None
    _waiting: queue.Queue[dict[str, Any] | None] = field(default_factory=queue.Queue)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin the run; returns at once."""
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def trial(self, trial: dict[str, Any]) -> None:
        """Note a trial."""
        self._waiting.put(trial)

    def join(self, timeout: float) -> None:
        """Wait until all that was noted is written, ``timeout`` seconds at most."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(timeout)

    def _work(self) -> None:
        payload = self.payload
        try:
            self.tracking.warm()
            self.run_id = self.tracking.begin(
                payload["experiment"],
                payload["model_name"],
                payload["tags"],
                payload["params"],
                data=TrackedData(name=payload["dataset_name"], digest=payload["table_digest"]),
            )
            while (trial := self._waiting.get()) is not None:
                low, high = trial["interval"]
                self.tracking.log_trial(
                    self.run_id, {**trial, "low": low, "high": high}, metric=payload["metric"]
                )
        except AutoMLError as error:
            self.failure = error


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
                self.finished += trial["state"] == "done"
                # A process that takes a search up again tells of what was finished before as well.
                if trial["name"] not in self.noted:
                    self.noted.add(trial["name"])
                    self.recorder.trial(trial)
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
        """What the person wishes of this attempt."""
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
        making a model of them is worth a little more time, once.
        """
        end = max(deadline + OVERRUN, time.monotonic() + FLOOR_SECONDS)
        try:
            outcome = self._search_once(deadline, end)
            while self._may_go_on(outcome) and deadline - time.monotonic() > LEAST_SECONDS:
                outcome = self._search_once(deadline, end)
            if self._is_without_end(outcome) and self.finished:
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

    def _search_once(self, deadline: float, end: float, *, conclude: bool = False) -> ChildOutcome:
        self.under_way.clear()
        try:
            # The clock is the machine's: the child reads the same one, so that its own start counts as well.
            outcome = run_child(
                "automl_jupyter.services.search_process",
                {
                    **self.payload,
                    "deadline": deadline - RECORD_SECONDS,
                    "crashes": self.crashes,
                    "conclude": conclude,
                },
                on_line=self.heard,
                poll=self.asked,
                deadline=end,
                stop_grace=STOP_GRACE,
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

    def log_model(self, run_id: str, model: Mapping[str, Any]) -> LoggedModel:
        """Put the model into MLflow and register it."""
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            file = scratch / "model.bin"
            self.storage.get_file(self.payload["model_key"], file)
            plots = []
            for key in self.plots:
                plots.append(scratch / key.rpartition("/")[2])
                self.storage.get_file(key, plots[-1])
            tracked = TrackedModel(
                owner=self.payload["owner"],
                name=self.payload["model_name"],
                file=file,
                loader_module=LOADER,
                package=PACKAGE,
                parts=PORTABLE,
                requirements=model["requirements"],
                inputs=[TrackedColumn(**column) for column in model["inputs"]],
                outputs=[TrackedColumn(**column) for column in model["outputs"]],
                example=model["example"],
                leaderboard=model["leaderboard"],
                plots=plots,
                tags={"automl.digest": model["digest"], "automl.data": self.payload["table_digest"]},
            )
            return self.recorder.tracking.log_model(run_id, tracked)


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
    recorder = Recorder(_tracking(payload), payload)
    attempt = Attempt(payload, report, open_storage(payload["storage_url"]), recorder)
    recorder.start()
    outcome = attempt.search(deadline)
    recorder.join(RECORDER_SECONDS)
    if outcome.exit == "cancelled":
        _finish(recorder, "KILLED")
        return {"outcome": "cancelled", "mlflow_run_id": recorder.run_id}
    if attempt.model is None:
        _finish(recorder, "FAILED")
        late = outcome.exit == "deadline"
        raise attempt.error or Unavailable("services.search_late" if late else "services.search_died")
    return {
        "outcome": "stopped" if attempt.wish == STOP else "done",
        "model": attempt.model,
        **_record(attempt, attempt.model),
    }


def _record(attempt: Attempt, model: Mapping[str, Any]) -> dict[str, Any]:
    recorder = attempt.recorder
    if recorder.run_id is None:
        failure = recorder.failure or Unavailable("services.tracking_slow")
        return {"mlflow_run_id": None, "tracking_error": {"code": failure.code, "params": failure.params}}
    try:
        logged = attempt.log_model(recorder.run_id, model)
        recorder.tracking.finish(recorder.run_id, "FINISHED", {attempt.payload["metric"]: model["score"]})
    except AutoMLError as error:
        _finish(recorder, "FAILED")
        return {
            "mlflow_run_id": recorder.run_id,
            "tracking_error": {"code": error.code, "params": error.params},
        }
    return {"mlflow_run_id": recorder.run_id, "mlflow": {"uri": logged.uri, "version": logged.version}}


def _finish(recorder: Recorder, status: Status) -> None:
    if recorder.run_id is not None:
        # The job has ended without a model; that MLflow does not know is nothing to add to that.
        with contextlib.suppress(AutoMLError):
            recorder.tracking.finish(recorder.run_id, status, {})


def _tracking(payload: Mapping[str, Any]) -> Tracking:
    return MlflowTracking(payload["tracking_uri"], payload["registry_uri"], payload["artifact_root"])


def warm(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Begin what takes long the first time on a worker, so that a first job need not; returns at once."""

    def work() -> None:
        # A store that is away is the job's to tell of, where somebody reads it.
        with contextlib.suppress(AutoMLError):
            _tracking(payload).warm()

    threading.Thread(target=work, name="warm", daemon=True).start()
    return {}


def mirror_aliases(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Set and remove MLflow's aliases so that they say what our database says."""
    tracking, owner, name = _tracking(payload), payload["owner"], payload["model_name"]
    for alias, version in payload["aliases"].items():
        if version is None:
            tracking.delete_alias(owner, name, alias)
        else:
            tracking.set_alias(owner, name, alias, version)
    return {}


def erase(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Remove runs and registered versions, with their artefacts."""
    versions = [(name, version) for name, version in payload["versions"]]
    _tracking(payload).erase(payload["owner"], payload["run_ids"], versions)
    return {}
