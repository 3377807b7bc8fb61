"""A job's search: the engine on the job's table, each finished trial kept in the storage.

Every trial that ends is in the storage before it is told of, so that whatever happens to this process,
nothing that was finished is lost.
"""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from automl_jupyter.backends.storage import Storage, open_storage
from automl_jupyter.data.table import load_table
from automl_jupyter.engine import (
    AutoMLClassifier,
    AutoMLClusterer,
    AutoMLRegressor,
    persist,
)
from automl_jupyter.engine.contract import ColumnContract
from automl_jupyter.engine.fitting import Material
from automl_jupyter.engine.lanes import Crash, Fitter
from automl_jupyter.engine.outlook import Outlook
from automl_jupyter.engine.plots import figures
from automl_jupyter.engine.trials import FinishedTrial, Observer
from automl_jupyter.errors import AutoMLError, Conflict
from automl_jupyter.services.control import spread_key
from automl_jupyter.services.elsewhere import Elsewhere
from automl_jupyter.services.tracked import described

TOLD_CATEGORIES = 200
TOLD_STEP = 0.01
LEAST_SECONDS = 1.0
"""What a search takes at least, however late it begins: enough for the baseline and a first model."""

Emit = Callable[[dict[str, Any]], None]
Model = AutoMLClassifier | AutoMLRegressor | AutoMLClusterer


@dataclass(frozen=True)
class Kept:
    """A finished trial of an earlier process: its number, its file, and what the file holds."""

    number: int
    key: str
    finished: FinishedTrial


@dataclass
class StoredTrials:
    """An observer of the search: keeps each trial in the storage, then tells of it.

    Attributes
    ----------
    storage : Storage
        Where trials are kept.
    folder : str
        The folder for them.
    emit : callable
        Speaks to the coordinator.
    stopped : Event
        Set when the person asks to stop.
    kept : sequence of Kept
        What earlier processes of this job finished. Each keeps its number, whatever becomes of it now.
    ended : sequence of Crash
        How those processes ended.
    elsewhere : Elsewhere or None
        Further lanes, on a cluster.
    """

    storage: Storage
    folder: str
    emit: Emit
    stopped: threading.Event
    kept: Sequence[Kept] = ()
    ended: Sequence[Crash] = ()
    elsewhere: Elsewhere | None = None
    _kept: dict[str, Kept] = field(init=False)
    _last: int = field(init=False)
    _told: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._kept = {kept.finished.trial.name: kept for kept in self.kept}
        self._last = max((kept.number for kept in self.kept), default=0)

    def trial_finished(self, finished: FinishedTrial) -> None:
        """Keep the trial and everything an ensemble needs of it, then tell."""
        name = finished.trial.name
        kept = self._kept.get(name)
        if kept is None:
            self._last += 1
        number = self._last if kept is None else kept.number
        # The same predictions, not equal ones: it was not fitted anew, and its file is as it should be.
        if (
            kept is None
            or kept.finished.predictions is None
            or finished.predictions is not kept.finished.predictions
        ):
            key = self._keep(finished, number)
            if kept is not None and kept.key != key:
                self.storage.delete(kept.key)
            self._kept[name] = Kept(number, key, finished)
        self.emit({"kind": "trial", "number": number, "trial": asdict(finished.trial)})

    def _keep(self, finished: FinishedTrial, number: int) -> str:
        with tempfile.TemporaryDirectory() as scratch:
            local = Path(scratch) / "trial.bin"
            digest = persist.save(finished, local)
            key = f"{self.folder}/{number:04d}-{digest}.trial"
            self.storage.put_file(local, key)
        return key

    def progress(self, done: float, message_code: str) -> None:
        """Tell how far the search is, from 0 to 1, in steps worth telling."""
        if done - self._told >= TOLD_STEP:
            self._told = done
            self.emit({"kind": "progress", "done": done, "code": message_code})

    def outlook(self, ahead: Outlook) -> None:
        """Tell what more time would bring."""
        self.emit({"kind": "outlook", **asdict(ahead)})

    def should_stop(self) -> bool:
        """Whether the person asked to stop and keep the best so far."""
        return self.stopped.is_set()

    def known_trials(self) -> Sequence[FinishedTrial]:
        """What earlier processes finished."""
        return [kept.finished for kept in self.kept]

    def lanes(self, material: Material) -> Iterator[Fitter]:
        """Lanes on other workers, where there are any."""
        return iter(()) if self.elsewhere is None else self.elsewhere.lanes(material)

    def lanes_over(self) -> None:
        """Let the other workers go."""
        if self.elsewhere is not None:
            self.elsewhere.over()

    def unit_begun(self, name: str, number: int) -> None:
        """Tell what this process is about to fit: it may not live to tell what came of it."""
        self.emit({"kind": "begun", "name": name, "number": number})

    def unit_ended(self, name: str, number: int) -> None:
        """Tell that it has lived."""
        self.emit({"kind": "ended", "name": name, "number": number})

    def crashes(self) -> Sequence[Crash]:
        """How earlier processes of this job ended."""
        return self.ended


def stored_trials(storage: Storage, folder: str) -> list[Kept]:
    """What an earlier process finished; a file that is not what its digest says costs its own place only."""
    found: list[Kept] = []
    for key in storage.list(folder):
        number, _, digest = key.rpartition("/")[2].removesuffix(".trial").partition("-")
        with tempfile.TemporaryDirectory() as scratch:
            local = Path(scratch) / "trial.bin"
            storage.get_file(key, local)
            try:
                trial = persist.load(local, digest)
            except AutoMLError:
                continue
        if isinstance(trial, FinishedTrial):
            found.append(Kept(int(number), key, trial))
    return found


def make_estimator(payload: Mapping[str, Any]) -> Model:
    """The estimator for a job's task: the same for each of its attempts."""
    options = payload["options"]
    common = {
        "time_budget": payload["planned_budget"],
        "n_jobs": payload["threads"],
        "random_state": payload["seed"],
        "max_trials": options.get("max_trials"),
    }
    if payload["task"] == "clustering":
        return AutoMLClusterer(**common)
    kind = AutoMLRegressor if payload["task"] == "regression" else AutoMLClassifier
    return kind(metric=payload["metric"], max_predict_ms=options.get("max_predict_ms"), **common)


def fetch_table(payload: Mapping[str, Any], storage: Storage, scratch: Path) -> pd.DataFrame:
    """The job's columns of its data set, after its digest was checked.

    Raises
    ------
    Conflict
        If the file in the storage is not the one that was taken in.
    """
    if storage.digest(payload["table_key"]) != payload["table_digest"]:
        raise Conflict("services.dataset_tampered", dataset=payload["dataset_name"])
    local = storage.local_path(payload["table_key"])
    if local is None:
        local = scratch / "table.parquet"
        storage.get_file(payload["table_key"], local)
    options = payload["options"]
    beside = (payload["target"], options.get("groups"), options.get("time_column"))
    return load_table(local, list(dict.fromkeys([*payload["features"], *(name for name in beside if name)])))


def fit(
    model: Model, table: pd.DataFrame, payload: Mapping[str, Any], observer: Observer, seconds: float
) -> None:
    """Have the estimator search in the job's table for some seconds, as the job's options say."""
    options, X = payload["options"], table[payload["features"]]
    marks = {name: values for name, values in options.get("missing_values", {}).items() if name in table}
    once = options.get("drop_duplicates", False)
    if isinstance(model, AutoMLClusterer):
        model.fit(
            X,
            missing_values=marks,
            drop_duplicates=once,
            observer=observer,
            kinds=payload["kinds"],
            seconds=seconds,
        )
        return
    groups, moments = options.get("groups"), options.get("time_column")
    model.fit(
        X,
        table[payload["target"]],
        groups=None if groups is None else table[groups],
        time=None if moments is None else table[moments],
        missing_values=marks,
        drop_duplicates=once,
        observer=observer,
        kinds=payload["kinds"],
        seconds=seconds,
    )


def search(
    payload: Mapping[str, Any],
    emit: Emit,
    stopped: threading.Event,
    others: queue.SimpleQueue[dict[str, Any]],
) -> None:
    """Search for a model, keep it in the storage and tell of it as the last line.

    Parameters
    ----------
    payload : mapping
        What the coordinator knows of the job.
    emit : callable
        Speaks to the coordinator.
    stopped : Event
        Set when the person asks to stop.
    others : SimpleQueue
        The coordinator's lines about lanes on other workers.
    """
    storage = open_storage(payload["storage_url"])
    if payload.get("conclude"):
        stopped.set()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        table = fetch_table(payload, storage, scratch)
        observer = StoredTrials(
            storage,
            payload["trials_key"],
            emit,
            stopped,
            stored_trials(storage, payload["trials_key"]),
            [Crash(tuple(crash["under_way"]), crash["killed"]) for crash in payload.get("crashes", ())],
            elsewhere_of(payload, storage, emit, others),
        )
        # The figures come when time is short: their library is loaded beside the search.
        threading.Thread(target=import_module, args=("matplotlib.figure",), daemon=True).start()
        model = make_estimator(payload)
        seconds = max(LEAST_SECONDS, payload["deadline"] - time.monotonic())
        fit(model, table, payload, observer, seconds)
        emit({"kind": "model", **keep_model(model, payload, storage, scratch)})
        emit({"kind": "plots", "keys": keep_plots(model, payload["job_key"], storage, scratch)})


def elsewhere_of(
    payload: Mapping[str, Any], storage: Storage, emit: Emit, others: queue.SimpleQueue[dict[str, Any]]
) -> Elsewhere | None:
    """Lanes on other workers, if the job runs on a cluster."""
    if not payload.get("spread"):
        return None
    elsewhere = Elsewhere(storage, spread_key(payload["job_key"]), emit)

    def listen() -> None:
        while True:
            elsewhere.heard(others.get())

    threading.Thread(target=listen, name="elsewhere", daemon=True).start()
    return elsewhere


def keep_model(model: Model, payload: Mapping[str, Any], storage: Storage, scratch: Path) -> dict[str, Any]:
    """Put the model and what describes it into the storage; returns what the coordinator needs of it."""
    local = scratch / "model.bin"
    digest = persist.save(model, local)
    size = local.stat().st_size
    storage.put_file(local, payload["model_key"])
    return {
        "digest": digest,
        "bytes": size,
        "leaderboard": [asdict(trial) for trial in model.trials_],
        "columns": [expected(column) for column in model.contract_.used],
        "score": model.score_,
        "interval": list(model.interval_),
        **described(model.contract_),
    }


def keep_plots(model: Model, folder: str, storage: Storage, scratch: Path) -> list[str]:
    """Put figures of the model into the storage; returns their keys."""
    keys = []
    for name, figure in figures(model).items():
        path, key = scratch / f"{name}.png", f"{folder}/plots/{name}.png"
        figure.savefig(path)
        storage.put_file(path, key)
        keys.append(key)
    return keys


def expected(column: ColumnContract) -> dict[str, Any]:
    """What people are told of a column: enough to fill in a form."""
    return {
        "name": column.name,
        "kind": column.kind,
        "categories": list(column.categories[:TOLD_CATEGORIES]) if column.kind == "category" else None,
        "minimum": column.lowest,
        "maximum": column.highest,
    }
