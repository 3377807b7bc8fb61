"""Where jobs run: a few worker processes beside the server, or a Dask cluster elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from automl_jupyter import errors
from automl_jupyter.backends.process import HelperProcess

_START_SECONDS = 60.0
_CLOSE_SECONDS = 5.0
_ABANDON_SECONDS = 30.0
_OUTCOMES = ("ended", "failed")

OnEvent = Callable[[str, str, dict[str, Any]], None]
"""Takes the key of a task, a kind and its data."""


class Compute(ABC):
    """Runs functions on workers and hears from them.

    Every implementation keeps this contract:

    - All methods belong to one event loop; ``on_event`` is called in it and must not raise.
    - A task is an entry function ``"module:function"`` of the worker's own Python path, called once, as
      ``function(payload, report)``: never twice, whatever dies. Payload, reports and result are plain JSON.
    - Tasks begin in the order in which they were submitted, each as soon as a worker is free.
    - The events of one task come in order: ``started``, then what it reports, then exactly one of ``ended``,
      with its result, and ``failed``, with the error as :func:`automl_jupyter.errors.to_wire` writes it.
      What was reported is heard within 0.2 s.
    - A worker that dies takes one task along, which fails with ``backends.worker_died``, and is replaced.
      A scheduler elsewhere may be set up to run such a task again: that run is taken back as it begins.
      If what drives the workers dies, each task that was not at its end fails with
      ``backends.compute_died``, and the next ``submit`` starts anew.
    - ``close``, and the death of the server, end the workers of this machine and all they started.
    - When nobody waits for a task any more, its ``report`` raises
      :class:`automl_jupyter.backends.dask_task.NotWanted`.
    """

    @abstractmethod
    async def submit(self, key: str, entry: str, payload: Mapping[str, Any]) -> None:
        """Take a task in; returns as soon as it waits for a worker.

        Parameters
        ----------
        key : str
            Names the task in events; not in use by another one.
        entry : str
            ``module:function``.
        payload : mapping
            Plain JSON.

        Raises
        ------
        Unprocessable
            ``backends.scheduler_insecure``, for a scheduler without TLS.
        Unavailable
            ``backends.scheduler_unreachable``, or the part that drives the workers does not answer.
        """

    @abstractmethod
    async def withdraw(self, key: str) -> bool:
        """Take a task back: True if it had not begun; it never will, and no event follows."""

    @abstractmethod
    async def abandon(self, key: str) -> None:
        """Give up a task that does not end when it should; no event follows.

        A worker of this machine that runs it is ended, and replaced; one elsewhere is asked to drop it.
        """

    @abstractmethod
    async def close(self) -> None:
        """End workers and tasks; no event follows."""


@dataclass(frozen=True, kw_only=True)
class DaskOptions:
    """How jobs are run.

    Attributes
    ----------
    scratch : str
        A private folder for the workers' own files.
    workers : int
        Worker processes, each with one job at a time, where no scheduler is given.
    memory_limit : int
        Bytes beyond which such a worker is ended; 0 for no limit. The search runs in a child of the worker
        and is not counted.
    scheduler_address : str or None
        ``tls://host:port`` of a running scheduler.
    allow_insecure : bool
        Take a scheduler without TLS: whoever reaches its port can run code as its workers.
    tls_ca, tls_cert, tls_key : str or None
        Files: the authority that signed the scheduler's certificate; our certificate and key.
    """

    scratch: str
    workers: int = 2
    memory_limit: int = 0
    scheduler_address: str | None = None
    allow_insecure: bool = False
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None


class DaskCompute(Compute):
    """Workers driven by Dask, whose client and cluster live in a helper process.

    Parameters
    ----------
    options : DaskOptions
        How.
    on_event : callable
        Called with each event.
    """

    def __init__(self, options: DaskOptions, on_event: OnEvent) -> None:
        self._options = options
        self._on_event = on_event
        self._pending: set[str] = set()
        self._host = HelperProcess(
            "automl_jupyter.backends.dask_host",
            name="jobs",
            arguments=asdict(options),
            on_event=self._heard,
            on_exit=self._host_ended,
        )

    @property
    def pid(self) -> int | None:
        """The id of the process that drives the workers, while it runs."""
        return self._host.pid

    async def submit(self, key: str, entry: str, payload: Mapping[str, Any]) -> None:
        """See :meth:`Compute.submit`."""
        self._refuse_insecure()
        self._pending.add(key)
        task = {"key": key, "entry": entry, "payload": dict(payload)}
        try:
            await self._host.call("submit", task, timeout=_START_SECONDS)
        except errors.AutoMLError:
            self._pending.discard(key)
            raise

    async def withdraw(self, key: str) -> bool:
        """See :meth:`Compute.withdraw`."""
        if key not in self._pending or self._host.pid is None:
            return False
        answer = await self._host.call("withdraw", {"key": key}, timeout=_START_SECONDS)
        if answer["withdrawn"]:
            self._pending.discard(key)
        return bool(answer["withdrawn"])

    async def abandon(self, key: str) -> None:
        """See :meth:`Compute.abandon`."""
        if key not in self._pending:
            return
        self._pending.discard(key)
        if self._host.pid is not None:
            # If the process that drives the workers does not answer either, its end is theirs as well.
            with suppress(errors.AutoMLError):
                await self._host.call("abandon", {"key": key}, timeout=_ABANDON_SECONDS)

    async def close(self) -> None:
        """See :meth:`Compute.close`."""
        self._pending.clear()
        if self._host.pid is not None:
            # What does not end in good order is ended by closing the process, below.
            with suppress(errors.AutoMLError):
                await self._host.call("close", {}, timeout=_CLOSE_SECONDS)
        await self._host.close()

    def _refuse_insecure(self) -> None:
        address = self._options.scheduler_address
        if address is not None and not address.startswith("tls://") and not self._options.allow_insecure:
            raise errors.Unprocessable("backends.scheduler_insecure", address=address)

    def _heard(self, event: dict[str, Any]) -> None:
        key, kind = event["key"], event["kind"]
        if key not in self._pending:
            return
        if kind in _OUTCOMES:
            self._pending.discard(key)
        self._on_event(key, kind, event["payload"])

    def _host_ended(self) -> None:
        lost, self._pending = self._pending, set()
        reason = errors.to_wire(errors.Unavailable("backends.compute_died"))
        for key in sorted(lost):
            self._on_event(key, "failed", reason)
