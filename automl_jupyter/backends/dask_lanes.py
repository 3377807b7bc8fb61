"""Further lanes for a task that runs on a Dask worker: tasks of its own on the other workers, and messages.

A lane is a task bound to one worker that leaves the worker's pool of threads as soon as it has begun: what
comes to that worker next is never kept waiting by it. It takes messages from a queue and answers with
reports, until its owner closes it or is gone.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from automl_jupyter.backends import dask_task
from automl_jupyter.backends.dask_task import ENDED, FAILED, OVER, STARTED, NotWanted
from automl_jupyter.backends.lines import clean

_LOG = logging.getLogger(__name__)
_PREFIX = "automl-lane-"
_PRIORITY = -10
_POLL = 0.5
_LISTEN = 0.05
_ENDING_SECONDS = 2.0

LOST = "lost"
"""The event after which nothing more comes of a lane: its worker is gone, or whatever it ran has failed."""

OnEvent = Callable[[str, str, dict[str, Any]], None]
"""Takes the name of a lane, a kind (``started``, what it reports, ``lost``) and its data."""


class Lanes:
    """The lanes of one task; made, used and closed in the thread of the task, but for :meth:`send`.

    Parameters
    ----------
    entry : str
        ``module:function``, called on each worker as ``function(payload, report)``; the payload has
        ``inbox``, the name for :class:`Inbox`, besides what is given here.
    payload : mapping
        Plain JSON.
    on_event : callable
        Called by a thread of the client's; quick.
    """

    def __init__(self, entry: str, payload: Mapping[str, Any], on_event: OnEvent) -> None:
        from distributed import get_client

        self._client: Any = get_client()
        self._topic = f"automl-lanes-{secrets.token_hex(8)}"
        self._entry, self._payload, self._on_event = entry, dict(payload), on_event
        self._lock = threading.Lock()
        self._open: dict[str, _Lane] = {}
        self._closing: dict[str, _Lane] = {}
        self._over = threading.Event()
        self._outbox: queue.SimpleQueue[tuple[str, dict[str, Any]] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name="lanes", daemon=True) for work in (self._watch, self._post)
        ]

    def open(self, most: int) -> int:
        """Open a lane for each free thread of the cluster, ``most`` at most; returns how many."""
        self._client.subscribe_topic(self._topic, self._heard)
        for address in self._free_threads()[:most]:
            self._submit(address)
        for thread in self._threads:
            thread.start()
        return len(self._open)

    def send(self, lane: str, message: Mapping[str, Any]) -> None:
        """Write a lane a message, plain JSON; returns at once, from any thread."""
        self._outbox.put((lane, dict(message)))

    def close(self) -> None:
        """End the lanes and what they run; returns when they have ended, or after two seconds."""
        self._over.set()
        self._outbox.put(None)
        with self._lock:
            closing, self._open = list(self._open.values()), {}
            self._closing = {lane.key: lane for lane in closing}
        until = time.monotonic() + _ENDING_SECONDS
        # The scheduler may be gone, and then so are the lanes.
        with contextlib.suppress(OSError, ValueError):
            for lane in closing:
                lane.future.release()
            for lane in closing:
                if lane.begun:
                    lane.ended.wait(max(0.0, until - time.monotonic()))
                lane.inbox.close()
            self._client.unsubscribe_topic(self._topic)

    def _free_threads(self) -> list[str]:
        """The addresses of workers, once for each thread that runs nothing of anybody's; in turn."""
        busy = self._client.processing()
        free = {
            address: threads - len(busy.get(address, ()))
            for address, threads in self._client.nthreads().items()
        }
        rounds = range(max(free.values(), default=0))
        return [address for n in rounds for address in sorted(free) if free[address] > n]

    def _submit(self, address: str) -> None:
        from distributed import Queue

        key = f"{_PREFIX}{secrets.token_hex(8)}"
        payload = {**self._payload, "inbox": key}
        lane = _Lane(key, address, Queue(key, client=self._client))
        with self._lock:
            self._open[key] = lane
        lane.future = self._client.submit(
            dask_task.run,
            *(key, self._topic, key, self._entry, payload),
            leave=True,
            key=key,
            pure=False,
            retries=0,
            priority=_PRIORITY,
            workers=[address],
            allow_other_workers=False,
        )

    def _heard(self, event: tuple[float, dict[str, Any]]) -> None:
        message = event[1]
        key, kind = message["key"], message["kind"]
        with self._lock:
            lane, closing = self._open.get(key), self._closing.get(key)
        if kind == OVER and closing is not None:
            closing.ended.set()
        elif kind in (ENDED, FAILED, OVER) and lane is not None:
            self._lose(key)
        elif kind == STARTED and lane is not None and lane.begun:
            # Its worker died, came back under the same address, and was given the task once more.
            self._lose(key)
        elif lane is not None:
            lane.begun = True
            self._on_event(key, kind, {**message["payload"], "worker": lane.address})

    def _lose(self, key: str) -> None:
        with self._lock:
            lane = self._open.pop(key, None)
        if lane is not None:
            lane.future.release()
            self._on_event(key, LOST, {"worker": lane.address})

    def _watch(self) -> None:
        """Notice workers that leave: a task that is bound to one waits for its return for ever."""
        while not self._over.wait(_POLL):
            try:
                present = set(self._client.nthreads())
            except (OSError, ValueError):
                present = set()
            with self._lock:
                gone = [key for key, lane in self._open.items() if lane.address not in present]
            for key in gone:
                self._lose(key)

    def _post(self) -> None:
        while (posted := self._outbox.get()) is not None:
            key, message = posted
            with self._lock:
                lane = self._open.get(key)
            if lane is not None:
                try:
                    lane.inbox.put(clean(message))
                except (OSError, ValueError):
                    _LOG.warning("a lane cannot be reached")
                    self._lose(key)


class _Lane:
    """A lane as its owner knows it."""

    def __init__(self, key: str, address: str, inbox: Any) -> None:
        self.key, self.address, self.inbox = key, address, inbox
        self.future: Any = None
        self.begun = False
        self.ended = threading.Event()


class Inbox:
    """What a lane is told, on the lane's own side.

    Parameters
    ----------
    name : str
        The ``inbox`` of its payload.
    """

    def __init__(self, name: str) -> None:
        from distributed import Queue, get_client, get_worker

        self._name = name
        self._messages: list[dict[str, Any]] = []
        self._state: Any = get_worker().state
        self._queue: Any = Queue(name, client=get_client())

    def check(self) -> None:
        """Raise NotWanted once the owner has closed the lane or is gone."""
        task = self._state.tasks.get(self._name)
        if task is None or task.state == "cancelled":
            raise NotWanted

    def next(self, seconds: float) -> dict[str, Any] | None:
        """Give the next message; None if none came within some seconds.

        Raises
        ------
        NotWanted
            If the owner has closed the lane or is gone.
        """
        until = time.monotonic() + seconds
        while not self._messages:
            self.check()
            try:
                self._messages += self._queue.get(batch=True)
            except (OSError, ValueError, KeyError) as error:
                raise NotWanted from error
            if time.monotonic() > until:
                return None
            if not self._messages:
                time.sleep(_LISTEN)
        return dict(self._messages.pop(0))
