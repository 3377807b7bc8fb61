# ruff: noqa: ASYNC109 - a call that takes too long is not just given up: the process is ended
"""The outer side of a helper process: start it, call it, notice its end, leave nothing behind.

The server loads no table and no model itself; it asks helper processes over pipes. They are plain
subprocesses and not multiprocessing's, whose way of starting imports the main script of the parent again.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from automl_jupyter import errors
from automl_jupyter.backends.lines import LONGEST_LINE, from_line, to_line
from automl_jupyter.backends.process_main import SETUP

_LOG = logging.getLogger(__name__)
_SECRET = re.compile(r"(JUPYTER|JPY|CONFIGPROXY).*(TOKEN|SECRET|PASSWORD|KEY|CRYPT)", re.IGNORECASE)
_GRACE = 2.0
_START_SECONDS = 120.0
_BEATS = 12
"""So many beats in a row that a helper at work may miss until it is given up."""
_MEMORY_POLL = 0.5


def command(module: str) -> list[str]:
    """How a module of ours is run as a process of its own.

    ``-P`` keeps the working directory, which may be a folder of notebooks, out of the import path.
    """
    return [sys.executable, "-P", "-m", module]


def environment() -> dict[str, str]:
    """Our own environment without what would let a process speak to Jupyter in somebody's name."""
    return {name: value for name, value in os.environ.items() if not _SECRET.match(name)}


def resident_bytes(pid: int) -> int | None:
    """Memory that a process holds, in bytes; None where the system does not tell or it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


class _Connection:
    """One running process and the calls that wait for its answers."""

    def __init__(
        self, process: Process, *, name: str, on_event: Callable[[dict[str, Any]], None] | None
    ) -> None:
        self.process = process
        self.ended: errors.Unavailable | None = None
        self._name = name
        self._on_event = on_event
        self._numbers = itertools.count(SETUP)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._missed = 0
        self.tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._log())]

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def beats_missed(self) -> int:
        """Count one more beat as due; how many in a row did not come while there was work."""
        # Setting up imports libraries, which may take long and has a limit of its own.
        at_work = self._waiting and SETUP not in self._waiting
        self._missed = self._missed + 1 if at_work else 0
        return self._missed

    async def call(self, message: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        if self.ended is not None:
            raise self._reason()
        number = next(self._numbers)
        self._missed = self._missed if self._waiting else 0
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(timeout):
                await self._write(to_line({"id": number, **message}))
                return await answer
        except TimeoutError:
            self.kill(errors.Unavailable("backends.helper_timeout", name=self._name, seconds=timeout))
            raise self._reason() from None
        finally:
            self._waiting.pop(number, None)

    def kill(self, reason: errors.Unavailable | None = None) -> None:
        """End the process and everything it started, at once."""
        self.ended = self.ended or reason or self._died()
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    async def close(self, grace: float) -> None:
        """Ask it to end, then insist, then force it."""
        self.ended = self.ended or self._died()
        if self.process.stdin is not None:
            self.process.stdin.close()
        if not await self._ends_within(grace) and self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            if not await self._ends_within(grace):
                self.kill()
        await self.process.wait()
        await asyncio.gather(*self.tasks)

    async def _ends_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self.process.wait()
        except TimeoutError:
            return False
        return True

    async def _write(self, line: bytes) -> None:
        if self.process.stdin is None or self.process.stdin.is_closing():
            raise self._reason()
        try:
            self.process.stdin.write(line)
            await self.process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise self._reason() from None

    async def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - it was started with a pipe
        try:
            while line := await self.process.stdout.readline():
                self._missed = 0
                self._take(from_line(line))
        except (ValueError, KeyError):
            _LOG.exception("%s said something that is not a line of the protocol", self._name)
        # Its output is closed, so it is ending or has ended: what it started ends with it.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.ended = self.ended or self._died()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self._reason())

    def _take(self, message: dict[str, Any]) -> None:
        if "event" in message:
            if self._on_event is not None:
                self._on_event(message["event"])
            return
        if "beat" in message:
            return
        answer = self._waiting.get(message["id"])
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(errors.from_wire(message["error"]))
        else:
            answer.set_result(message["result"])

    async def _log(self) -> None:
        assert self.process.stderr is not None  # noqa: S101 - it was started with a pipe
        rest = b""
        while piece := await self.process.stderr.read(1 << 16):
            *lines, rest = (rest + piece).split(b"\n")
            rest = rest[-(1 << 16) :]
            for line in lines:
                _LOG.warning("%s: %s", self._name, line.decode(errors="replace"))
        if rest:
            _LOG.warning("%s: %s", self._name, rest.decode(errors="replace"))

    def _died(self) -> errors.Unavailable:
        return errors.Unavailable("backends.helper_died", name=self._name)

    def _reason(self) -> errors.Unavailable:
        self.ended = self.ended or self._died()
        return errors.Unavailable(self.ended.code, errors=self.ended.errors, **self.ended.params)


class HelperProcess:
    """A process that is started when it is first needed, and again when it is needed after its end.

    All methods belong to one event loop. Calls may run at once; each is answered on its own.

    Parameters
    ----------
    module : str
        What ``python -m`` runs; it calls :func:`automl_jupyter.backends.process_main.serve`.
    name : str
        What people call this part, for messages and logs.
    arguments : mapping, optional
        Plain JSON, given to the set-up of the process.
    memory_limit : int, optional
        Bytes of resident memory beyond which it is ended (of address space, where the system does not
        tell how much is resident).
    on_event : callable, optional
        Called in the event loop with each event that the process reports.
    idle_seconds : float, optional
        After this long without a call it is ended, to give its memory back.
    on_exit : callable, optional
        Called in the event loop each time the process has ended, for whatever reason.
    stuck_seconds : float
        A process at work shows twelve times in this span that it is alive. One that does not show it once,
        because it was stopped or hangs in native code, is ended.
    """

    def __init__(
        self,
        module: str,
        *,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        memory_limit: int | None = None,
        on_event: Callable[[dict[str, Any]], None] | None = None,
        idle_seconds: float | None = None,
        on_exit: Callable[[], None] | None = None,
        stuck_seconds: float = 60.0,
    ) -> None:
        self._module = module
        self._name = name
        self._arguments = dict(arguments or {})
        self._memory_limit = memory_limit
        self._on_event = on_event
        self._idle_seconds = idle_seconds
        self._on_exit = on_exit
        self._stuck_seconds = stuck_seconds
        self._connection: _Connection | None = None
        self._starting = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        connection = self._connection
        return None if connection is None or connection.ended else connection.process.pid

    async def start(self, *, timeout: float = 60.0) -> None:
        """Start the process, unless it runs.

        Raises
        ------
        AutoMLError
            What its set-up raised; ``Unavailable`` if it died or took longer than ``timeout`` seconds.
        """
        await self._running(timeout)

    async def call(
        self, verb: str, payload: Mapping[str, Any], *, timeout: float, expendable: bool = False
    ) -> dict[str, Any]:
        """Ask for one thing and wait for the answer.

        Parameters
        ----------
        verb : str
            One of the verbs that the process serves.
        payload : mapping
            Plain JSON.
        timeout : float
            Seconds; a process that takes longer is ended, and started again by the next call.
        expendable : bool
            Whether the process is ended when this call is given up (cancelled) and nobody else waits for it:
            the only way to stop work in native code that nobody wants any more.

        Raises
        ------
        AutoMLError
            What the process answered; ``Unavailable("backends.helper_died")``,
            ``("backends.helper_timeout")``, ``("backends.helper_stuck")`` or ``("backends.helper_memory")``
            if there was no answer.
        """
        connection = await self._running(min(timeout, _START_SECONDS))
        self._rest()
        try:
            return await connection.call({"verb": verb, "payload": payload}, timeout)
        except asyncio.CancelledError:
            if expendable and not connection.busy:
                connection.kill()
                # What it wrote is its caller's to remove: not before it can write no more.
                await connection.process.wait()
            raise
        finally:
            self._rest(connection)

    async def close(self, *, grace: float = _GRACE) -> None:
        """End the process: close its input, after ``grace`` seconds terminate it, after as many kill it."""
        self._rest()
        async with self._starting:
            connection, self._connection = self._connection, None
            if connection is not None:
                await connection.close(grace)
        await asyncio.gather(*self._tasks)

    def _rest(self, connection: _Connection | None = None) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if connection is not None and self._idle_seconds is not None and not connection.busy:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(
                self._idle_seconds, lambda: self._spawn(self._close_idle(connection))
            )

    async def _close_idle(self, connection: _Connection) -> None:
        if self._connection is connection and not connection.busy:
            self._connection = None
            await connection.close(_GRACE)

    async def _running(self, timeout: float) -> _Connection:
        async with self._starting:
            if self._connection is not None and self._connection.ended is None:
                return self._connection
            self._connection = connection = await self._launch()
            limit = self._memory_limit if resident_bytes(os.getpid()) is None else None
            try:
                await connection.call(
                    {
                        "verb": "setup",
                        "payload": self._arguments,
                        "address_space": limit,
                        "beat_seconds": self._stuck_seconds / _BEATS,
                    },
                    timeout,
                )
            except (errors.AutoMLError, asyncio.CancelledError):
                connection.kill()
                raise
            return connection

    async def _launch(self) -> _Connection:
        process = await asyncio.create_subprocess_exec(
            *command(self._module),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=LONGEST_LINE,
            env=environment(),
            start_new_session=True,
        )
        connection = _Connection(process, name=self._name, on_event=self._on_event)
        self._spawn(self._attend(connection))
        return connection

    async def _attend(self, connection: _Connection) -> None:
        watches = [
            asyncio.create_task(watch(connection)) for watch in (self._watch_memory, self._watch_beats)
        ]
        await asyncio.wait(connection.tasks)
        code = await connection.process.wait()
        for watch in watches:
            watch.cancel()
        _LOG.info("%s ended with code %s", self._name, code)
        if self._on_exit is not None:
            self._on_exit()

    async def _watch_memory(self, connection: _Connection) -> None:
        while self._memory_limit is not None:
            held = resident_bytes(connection.process.pid)
            if held is None:
                return
            if held > self._memory_limit:
                _LOG.error("%s held %d bytes and was ended", self._name, held)
                limit = self._memory_limit // (1 << 20)
                connection.kill(
                    errors.Unavailable("backends.helper_memory", name=self._name, megabytes=limit)
                )
                return
            await asyncio.sleep(_MEMORY_POLL)

    async def _watch_beats(self, connection: _Connection) -> None:
        # Beats are counted, not seconds: where this machine slept, or this process was stopped as well,
        # only one of them was missed.
        while True:
            await asyncio.sleep(self._stuck_seconds / _BEATS)
            if connection.beats_missed() > _BEATS:
                _LOG.error("%s gave no sign of life for %g s and was ended", self._name, self._stuck_seconds)
                connection.kill(
                    errors.Unavailable("backends.helper_stuck", name=self._name, seconds=self._stuck_seconds)
                )
                return

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
