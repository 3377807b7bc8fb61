"""Following a job without keeping anybody waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import TYPE_CHECKING

from automl_jupyter.client.transport import ServerFault
from automl_jupyter.errors import AutoMLError, Unavailable
from automl_jupyter.notebook.boards import is_over

if TYPE_CHECKING:
    from automl_jupyter.client import Client
    from automl_jupyter.schemas import Job

PAUSE = 0.2
"""Seconds between two looks at a job, however fast its events come."""

TICK = 1.0
"""Seconds after which the clock is moved on, though nothing happened."""

ATTEMPTS = 20
"""How often in a row a job is asked for in vain before it is given up."""


class Follower:
    """Hears in a thread of its own that something happens in a job, so that its reader need not wait.

    Parameters
    ----------
    client : Client
        The connection.
    job : Job
        The job as it was last seen.
    """

    def __init__(self, client: Client, job: Job) -> None:
        self._client = client
        self._job = job
        self._changed = threading.Event()
        self._left = threading.Event()
        self._over = is_over(job)
        self._problem: AutoMLError | None = None

    def states(self) -> Generator[tuple[Job, float]]:
        """The job as it becomes, until it is over, or until it is left.

        Yields
        ------
        job : Job
            As it is now; an older one is replaced, never added to: a job may tell of a trial twice.
        since : float
            Seconds since the server was asked, for a clock that goes on.

        Raises
        ------
        AutoMLError
            If the server cannot be followed any more.
        """
        if not self._over:
            threading.Thread(target=self._listen, name="automl-follower", daemon=True).start()
        seen, failures = time.monotonic(), 0
        yield self._job, 0.0
        while not self._over and not self._left.is_set():
            if not self._changed.wait(TICK):
                yield self._job, time.monotonic() - seen
                continue
            self._changed.clear()
            if self._problem is not None:
                raise self._problem
            if self._left.is_set():
                return
            try:
                self._job, seen, failures = self._client.job(self._job.id), time.monotonic(), 0
            except (Unavailable, ServerFault):
                # A server that starts again answers soon.
                failures += 1
                if failures > ATTEMPTS:
                    raise
                self._left.wait(TICK)
                self._changed.set()
                continue
            self._over = is_over(self._job)
            yield self._job, 0.0
            self._left.wait(PAUSE)

    def leave(self) -> None:
        """Stop following; the job goes on."""
        self._left.set()
        self._changed.set()

    def _listen(self) -> None:
        try:
            for event in self._client.events(self._job):
                self._changed.set()
                if self._left.is_set() or event.kind == "done":
                    break
        except AutoMLError as problem:
            self._problem = problem
        self._changed.set()
