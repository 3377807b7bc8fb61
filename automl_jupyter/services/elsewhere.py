"""A search's fits on other workers, as the search itself and the processes that fit see it.

What they hand each other goes through the storage in the engine's own format; a file is read only after its
digest is checked against what its writer told on the way that only coordinator and workers share.
"""

from __future__ import annotations

import itertools
import math
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from automl_jupyter.backends.storage import Storage, open_storage
from automl_jupyter.engine import persist
from automl_jupyter.engine.fitting import Material, Part
from automl_jupyter.engine.lanes import Fitted, Fitter, LaneLost, UnitLost, fit_here, is_lack_of_memory
from automl_jupyter.engine.learners import Clock, OutOfTime
from automl_jupyter.engine.portfolio import Candidate
from automl_jupyter.errors import AutoMLError

_POLL = 0.1
_GRACE = 2.0
"""How long after its end the word of a unit is waited for, in seconds."""

Emit = Callable[[dict[str, Any]], None]


class FitFailed(Exception):
    """A learner failed on another worker; the message is its error there."""


@dataclass
class Elsewhere:
    """The search's side: each lane of the coordinator's becomes a fitter.

    Attributes
    ----------
    storage : Storage
        Where material and parts go.
    folder : str
        The folder for them.
    emit : callable
        Speaks to the coordinator.
    """

    storage: Storage
    folder: str
    emit: Emit
    _names: queue.SimpleQueue[str | None] = field(default_factory=queue.SimpleQueue)
    _answers: dict[int, queue.SimpleQueue[dict[str, Any]]] = field(default_factory=dict)
    _lanes: dict[int, str] = field(default_factory=dict)
    _lost: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, line: Mapping[str, Any]) -> None:
        """Take a line of the coordinator's."""
        match line["verb"]:
            case "lane":
                self._names.put(line["lane"])
            case "lost":
                with self._lock:
                    self._lost.add(line["lane"])
                    waiting = [n for n, name in self._lanes.items() if name == line["lane"]]
                    for number in waiting:
                        self._answers[number].put({"error": "lost"})
            case "unit":
                with self._lock:
                    answer = self._answers.get(line["id"])
                if answer is not None:
                    answer.put(dict(line))

    def lanes(self, material: Material) -> Iterator[Fitter]:
        """Put the material into the storage, ask for lanes, and give each as it comes."""
        try:
            key, digest = keep(material.bare(), f"{self.folder}/material", self.storage)
        except (AutoMLError, MemoryError):
            # Then this process does it alone.
            return
        self.emit({"kind": "spread", "material": {"key": key, "digest": digest}})
        while (name := self._names.get()) is not None:
            yield self._fitter(name)

    def over(self) -> None:
        """Tell that no lane is needed any more."""
        self._names.put(None)
        self.emit({"kind": "together"})

    def _fitter(self, lane: str) -> Fitter:
        def fit(material: Material, candidate: Candidate, number: int, clock: Clock) -> Fitted:
            return self._fit(lane, candidate, number, clock)

        return fit

    def _fit(self, lane: str, candidate: Candidate, number: int, clock: Clock) -> Fitted:
        now = time.monotonic()
        answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        with self._lock:
            if lane in self._lost:
                raise LaneLost
            unit = next(self._numbers)
            self._answers[unit], self._lanes[unit] = answers, lane
        self.emit(
            {
                "kind": "unit",
                "lane": lane,
                "unit": {
                    "id": unit,
                    "family": candidate.family,
                    "params": dict(candidate.params),
                    "number": number,
                    # Seconds and no moments: the clocks of two machines have nothing in common.
                    "share": clock.share - now if math.isfinite(clock.share) else None,
                    "seconds": clock.end - now,
                },
            }
        )
        try:
            return self._taken(self._wait(answers, clock))
        finally:
            with self._lock:
                del self._answers[unit], self._lanes[unit]

    def _wait(self, answers: queue.SimpleQueue[dict[str, Any]], clock: Clock) -> dict[str, Any]:
        while not clock.stopped.is_set() and time.monotonic() < clock.end + _GRACE:
            try:
                return answers.get(timeout=_POLL)
            except queue.Empty:
                continue
        raise OutOfTime

    def _taken(self, answer: Mapping[str, Any]) -> Fitted:
        match answer.get("error"):
            case None:
                pass
            case "lost":
                raise LaneLost
            case "died":
                raise UnitLost
            case "time":
                raise OutOfTime
            case "memory":
                raise MemoryError(answer["detail"])
            case _:
                raise FitFailed(answer["detail"])
        try:
            part = fetch(answer["key"], answer["digest"], self.storage)
            self.storage.delete(answer["key"])
        except AutoMLError as error:
            raise UnitLost from error
        if not isinstance(part, Part):
            raise UnitLost
        return Fitted(part, answer["seconds"])


@dataclass
class Bench:
    """The side of a process that fits: the material, read once."""

    storage: Storage
    folder: str
    material: Material

    @classmethod
    def open(cls, payload: Mapping[str, Any]) -> Bench:
        """Read what is fitted to."""
        storage = open_storage(payload["storage_url"])
        material = fetch(payload["material"]["key"], payload["material"]["digest"], storage)
        if not isinstance(material, Material):
            raise TypeError("what is fitted to is a Material")
        return cls(storage, payload["folder"], material)

    def fit(self, unit: Mapping[str, Any]) -> dict[str, Any]:
        """Fit a unit, and tell where its part is or why there is none."""
        began = time.monotonic()
        share = math.inf if unit["share"] is None else began + unit["share"]
        # JSON knows no tuples, and a learner may tell them from lists.
        params = {k: tuple(v) if isinstance(v, list) else v for k, v in unit["params"].items()}
        candidate = Candidate("", unit["family"], params)
        try:
            with threadpool_limits(1):
                fitted = fit_here(self.material, candidate, unit["number"], Clock(share, unit["end"]))
            key, digest = keep(fitted.part, f"{self.folder}/{unit['id']}", self.storage)
        except OutOfTime:
            return {"id": unit["id"], "error": "time"}
        except Exception as error:  # noqa: BLE001 - a learner that fails, however, costs its own place only
            kind = "memory" if is_lack_of_memory(error) else "failed"
            return {"id": unit["id"], "error": kind, "detail": f"{type(error).__name__}: {error}"}
        return {"id": unit["id"], "key": key, "digest": digest, "seconds": fitted.seconds}


def keep(what: Material | Part, key: str, storage: Storage) -> tuple[str, str]:
    """Put something into the storage; returns its key and digest."""
    with tempfile.TemporaryDirectory() as scratch:
        local = Path(scratch) / "file"
        digest = persist.save(what, local)
        whole = f"{key}-{digest[:16]}.bin"
        storage.put_file(local, whole)
    return whole, digest


def fetch(key: str, digest: str, storage: Storage) -> object:
    """Read something from the storage, if it is what its digest says."""
    with tempfile.TemporaryDirectory() as scratch:
        local = Path(scratch) / "file"
        storage.get_file(key, local)
        return persist.load(local, digest)
