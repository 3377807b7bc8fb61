"""A search's fits on other workers of a cluster, as its coordinator and those workers see it.

The search puts what is fitted to into the storage once and asks for lanes. The coordinator opens them on the
workers that are free and carries messages between the search and them; each lane keeps one warm process that
fits, and puts what came of it into the storage. Nothing but names and numbers goes through Dask.

See :mod:`automl_jupyter.services.elsewhere` for the search's side.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from automl_jupyter.backends.child import END, Child, started
from automl_jupyter.backends.dask_lanes import LOST, Inbox, Lanes
from automl_jupyter.backends.storage import Storage
from automl_jupyter.services.control import spread_key

log = logging.getLogger(__name__)

ENTRY = "automl_jupyter.services.spreading:lane"
PROCESS = "automl_jupyter.services.unit_process"
MOST_LANES = 64
"""Beyond that, reading what is fitted to from the storage costs more than it gives."""
IDLE_SECONDS = 30.0
"""After so long without a unit the process of a lane is ended, to give its memory back."""
OVERRUN = 1.0
"""How far past its end a unit is let to end by itself, in seconds."""

_POLL = 0.1

Tell = Callable[[Mapping[str, Any]], None]
Report = Callable[[str, dict[str, Any]], None]


@dataclass
class Spread:
    """The coordinator's side: carries messages between one search process and its lanes."""

    payload: Mapping[str, Any]
    tell: Tell
    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    _ready: set[str] = field(default_factory=set)
    _lanes: Lanes | None = None

    def open(self, material: Mapping[str, Any]) -> None:
        """Open lanes for what the search has put into the storage."""
        told = {
            "storage_url": self.payload["storage_url"],
            "memory_bytes": self.payload.get("memory_bytes"),
            "folder": spread_key(self.payload["job_key"]),
            "material": dict(material),
        }
        self._lanes = Lanes(ENTRY, told, self._heard)
        log.info("job %s: %d lanes on other workers", self.payload["job_id"], self._lanes.open(MOST_LANES))

    def send(self, lane_name: str, unit: Mapping[str, Any]) -> None:
        """Have a lane fit a unit."""
        if self._lanes is not None:
            self._lanes.send(lane_name, unit)

    def close(self) -> None:
        """End the lanes and all that they run."""
        if self._lanes is not None:
            self._lanes.close()
            self._lanes = None
            for (worker, pid), n in sorted(self.counts.items()):
                log.info(
                    "job %s: %d units were fitted by %s in process %d", self.payload["job_id"], n, worker, pid
                )

    def _heard(self, lane_name: str, kind: str, data: dict[str, Any]) -> None:
        if kind == "ready" and lane_name not in self._ready:
            self._ready.add(lane_name)
            self.tell({"verb": "lane", "lane": lane_name})
        elif kind == LOST:
            self.tell({"verb": "lost", "lane": lane_name})
        elif kind == "unit":
            if "key" in data:
                self.counts[data["worker"], data["pid"]] += 1
            self.tell({"verb": "unit", "lane": lane_name, **data})


def clear(storage: Storage, job_key: str) -> None:
    """Remove what a search and its lanes have left in the storage."""
    storage.delete_tree(spread_key(job_key))


def lane(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """What runs on another worker: fits the units that it is told, in one process, until it is withdrawn.

    It offers itself once its process is warm: no unit waits for imports while another lane could fit it.
    """
    inbox = Inbox(payload["inbox"])
    unit, fitted = None, 1
    # A process that ends before it has fitted anything would do so again: this worker is of no use.
    while fitted:
        with started(PROCESS, {}) as child:
            child.tell({"payload": payload})
            if not _is_warm(child, inbox):
                break
            report("ready", {})
            fitted = _serve(child, inbox, unit or inbox.next(IDLE_SECONDS), report)
        unit = None
        while fitted and unit is None:
            unit = inbox.next(IDLE_SECONDS)
    return {}


def _is_warm(child: Child, inbox: Inbox) -> bool:
    while True:
        inbox.check()
        line = child.next_line(_POLL)
        if line is not None:
            return line is not END


def _serve(child: Child, inbox: Inbox, unit: dict[str, Any] | None, report: Report) -> int:
    """Fit units in a process until it has died or nothing came for a while; 0 if it died at its first."""
    fitted = 0
    while unit is not None:
        # The clock is the machine's: the process reads the same one.
        end = time.monotonic() + unit["seconds"]
        child.tell({"verb": "fit", **unit, "end": end})
        answer = _answer(child, inbox, end + OVERRUN)
        report("unit", {"id": unit["id"], **answer})
        if answer.get("error") == "died":
            return fitted
        fitted += 1
        unit = inbox.next(IDLE_SECONDS)
    return max(fitted, 1)


def _answer(child: Child, inbox: Inbox, until: float) -> dict[str, Any]:
    while time.monotonic() < until:
        inbox.check()
        line = child.next_line(_POLL)
        if line is END:
            return {"error": "died", "code": child.wait()}
        if line is not None:
            return line
    child.kill()
    return {"error": "died", "code": 0}
