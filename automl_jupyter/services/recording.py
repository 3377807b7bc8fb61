"""What is written into MLflow of a job, on a worker: beside the search, or later where MLflow was away."""

from __future__ import annotations

import contextlib
import queue
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automl_jupyter.backends.mlflow_tracking import MlflowTracking
from automl_jupyter.backends.storage import Storage, open_storage
from automl_jupyter.backends.tracking import Status, TrackedData, Tracking
from automl_jupyter.errors import AutoMLError, Unavailable, to_wire
from automl_jupyter.services.tracked import tracked_model

Report = Callable[[str, dict[str, Any]], None]

RECORDER_SECONDS = 20.0
"""How long MLflow may keep a model waiting that is ready; then it goes without, and MLflow is told later."""
WHERE = ("tracking_uri", "registry_uri", "artifact_root", "storage_url")
"""What of a payload says where things are. It may hold a password: it is never kept."""


def open_tracking(payload: Mapping[str, Any]) -> Tracking:
    """MLflow, as a payload says."""
    return MlflowTracking(payload["tracking_uri"], payload["registry_uri"], payload["artifact_root"])


def begin_run(tracking: Tracking, payload: Mapping[str, Any]) -> str:
    """Begin the run of a job; returns its id."""
    return tracking.begin(
        payload["experiment"],
        payload["model_name"],
        payload["tags"],
        payload["params"],
        data=TrackedData(name=payload["dataset_name"], digest=payload["table_digest"]),
    )


def note_trial(tracking: Tracking, run_id: str, trial: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
    """Write a trial below the run of its job."""
    low, high = trial["interval"] or (None, None)
    tracking.log_trial(run_id, {**trial, "low": low, "high": high}, metric=payload["metric"])


def note_model(
    tracking: Tracking,
    run_id: str,
    payload: Mapping[str, Any],
    model: Mapping[str, Any],
    plots: list[str],
    storage: Storage,
) -> dict[str, Any]:
    """Write the model into MLflow, register it and end its run; returns its ``uri`` and ``version``."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        file = scratch / "model.bin"
        storage.get_file(payload["model_key"], file)
        pictures = []
        for key in filter(storage.exists, plots):
            pictures.append(scratch / key.rpartition("/")[2])
            storage.get_file(key, pictures[-1])
        tracked = replace(
            tracked_model(payload["owner"], payload["model_name"], file, model),
            leaderboard=model["leaderboard"],
            plots=pictures,
            tags={"automl.digest": model["digest"], "automl.data": payload["table_digest"]},
        )
        logged = tracking.log_model(run_id, tracked)
    tracking.finish(run_id, "FINISHED", {payload["metric"]: model["score"]})
    return {"uri": logged.uri, "version": logged.version}


@dataclass
class Recorder:
    """Writes to MLflow in a thread of its own, so that neither the search nor the job waits for it."""

    tracking: Tracking
    payload: Mapping[str, Any]
    storage: Storage
    run_id: str | None = None
    failure: AutoMLError | None = None
    logged: dict[str, Any] | None = None
    _waiting: queue.Queue[Callable[[str], None] | None] = field(default_factory=queue.Queue)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin the run; returns at once."""
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def trial(self, trial: dict[str, Any]) -> None:
        """Note a trial; returns at once."""
        self._waiting.put(lambda run_id: note_trial(self.tracking, run_id, trial, self.payload))

    def model(self, model: Mapping[str, Any], plots: list[str]) -> dict[str, Any]:
        """Note the model, and wait until all is written, within reason.

        Returns
        -------
        dict
            ``mlflow_run_id``, and ``mlflow`` with the model's ``uri`` and ``version``. Where MLflow was
            away or slow, ``tracking_error`` instead, and ``record``: what :func:`record` needs to make up
            for it.
        """

        def write(run_id: str) -> None:
            self.logged = note_model(self.tracking, run_id, self.payload, model, plots, self.storage)

        self._waiting.put(write)
        self._join()
        if self.logged is not None:
            return {"mlflow_run_id": self.run_id, "mlflow": self.logged}
        failure = self.failure or Unavailable("services.tracking_slow")
        kept = {key: value for key, value in self.payload.items() if key not in WHERE}
        return {
            "mlflow_run_id": None,
            "tracking_error": to_wire(failure),
            "record": {**kept, "model": dict(model), "plots": plots, "spoilt_run": self.run_id},
        }

    def end(self, status: Status) -> None:
        """End the run of a job that came to no model; that MLflow does not know is nothing to add to that."""
        self._waiting.put(lambda run_id: self.tracking.finish(run_id, status, {}))
        self._join()

    def _join(self) -> None:
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(RECORDER_SECONDS)

    def _work(self) -> None:
        try:
            self.tracking.warm()
            self.run_id = begin_run(self.tracking, self.payload)
            while (work := self._waiting.get()) is not None:
                work(self.run_id)
        except AutoMLError as error:
            self.failure = error


# --- tasks on a worker; each may be run again after it failed


def record(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Write a job into MLflow that ended while MLflow was away.

    Returns
    -------
    dict
        ``mlflow_run_id``, ``uri`` and ``version``, and whose model of which name it is.
    """
    tracking, model = open_tracking(payload), payload["model"]
    tracking.warm()
    if payload["spoilt_run"] is not None:
        tracking.erase(payload["owner"], [payload["spoilt_run"]])
    run_id = begin_run(tracking, payload)
    try:
        for trial in model["leaderboard"]:
            note_trial(tracking, run_id, trial, payload)
        storage = open_storage(payload["storage_url"])
        logged = note_model(tracking, run_id, payload, model, payload["plots"], storage)
    except AutoMLError:
        # It is done all over again the next time.
        with contextlib.suppress(AutoMLError):
            tracking.erase(payload["owner"], [run_id])
        raise
    whose = {"owner": payload["owner"], "model_name": payload["model_name"]}
    return {"mlflow_run_id": run_id, **logged, **whose}


def close_run(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Say of a run whose job was interrupted that it does not go on."""
    tracking = open_tracking(payload)
    tracking.finish(payload["run_id"], "KILLED", {})
    return {}


def warm(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Begin what takes long the first time on a worker, so that a first job need not; returns at once."""

    def work() -> None:
        # A store that is away is the job's to tell of, where somebody reads it.
        with contextlib.suppress(AutoMLError):
            open_tracking(payload).warm()

    threading.Thread(target=work, name="warm", daemon=True).start()
    return {}


def mirror_aliases(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Set and remove MLflow's aliases so that they say what our database says."""
    tracking, owner, name = open_tracking(payload), payload["owner"], payload["model_name"]
    for alias, version in payload["aliases"].items():
        if version is None:
            tracking.delete_alias(owner, name, alias)
        else:
            tracking.set_alias(owner, name, alias, version)
    return {}


def erase(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Remove runs and registered versions, with their artefacts."""
    versions = [(name, version) for name, version in payload["versions"]]
    open_tracking(payload).erase(payload["owner"], payload["run_ids"], versions)
    return {}
