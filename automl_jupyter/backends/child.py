"""Run one child process from a worker's thread: niced, in a group of its own, under a deadline.

The inner side of the child is :func:`automl_jupyter.backends.process_main.watch_parent` (its arguments, and
its end when the worker dies) and :func:`automl_jupyter.backends.process_main.emit` (what it reports).
"""

from __future__ import annotations

import collections
import logging
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any, Literal

from automl_jupyter.backends.lines import from_line, to_line
from automl_jupyter.backends.process import command, environment

_LOG = logging.getLogger(__name__)
_POLL = 0.2
_NICER = 10
_TAIL_LINES = 100
_EXIT_GRACE = 5.0


@dataclass(frozen=True)
class ChildOutcome:
    """How a child ended.

    Attributes
    ----------
    exit : str
        ``ended``: by itself and in order; ``cancelled``: killed, as was asked; ``deadline``: killed, because
        it ran past its deadline or past its grace after a stop; ``crashed``: any other way.
    code : int
        What the system says: negative for a signal.
    stderr_tail : str
        The last lines it wrote for the log. Not for people: they may hold values from the data.
    """

    exit: Literal["ended", "cancelled", "deadline", "crashed"]
    code: int
    stderr_tail: str


@dataclass(frozen=True)
class Limits:
    """When a child is killed that does not end by itself.

    Attributes
    ----------
    deadline : float
        The moment, in seconds of :func:`time.monotonic`; later where the last two say so.
    stop_grace : float
        Seconds from a stop on. A child that has emitted nothing yet is still being made ready: its grace
        begins with its first line, and until then its deadline alone counts.
    begin_within : float, optional
        Seconds from its start in which it is not late as long as it has emitted nothing: a machine may be too
        busy to make it ready in time.
    least : float, optional
        Seconds from its first line in which it is not late.
    """

    deadline: float
    stop_grace: float
    begin_within: float = 0.0
    least: float = 0.0


def run_child(
    module: str,
    arguments: Mapping[str, Any],
    *,
    on_line: Callable[[dict[str, Any]], None],
    poll: Callable[[], str | None],
    limits: Limits,
    variables: Mapping[str, str] | None = None,
    on_start: Callable[[Callable[[Mapping[str, Any]], None]], None] | None = None,
) -> ChildOutcome:
    """Run a module as a child until it ends or has to.

    Parameters
    ----------
    module : str
        What ``python -m`` runs.
    arguments : mapping
        Plain JSON, what ``watch_parent`` returns in the child.
    on_line : callable
        Called, in this thread, with each object that the child emits, in order.
    poll : callable
        Called in this thread every 0.2 s: ``"cancel"`` kills the child at once; ``"stop"`` writes it the line
        ``{"verb": "stop"}``, upon which it should end by itself; None lets it go on.
    limits : Limits
        How long it may take.
    variables : mapping, optional
        Environment variables to set for it.
    on_start : callable, optional
        Called once with a function that writes the child a line; any thread may call that one.
    """
    with started(module, variables or {}) as child:
        child.tell({"payload": dict(arguments)})
        if on_start is not None:
            on_start(child.tell)
        killed = _attend(child, on_line, poll, limits)
        if killed is not None:
            child.kill()
        code = child.wait()
    if killed is None:
        return ChildOutcome("ended" if code == 0 else "crashed", code, child.stderr_tail())
    return ChildOutcome(killed, code, child.stderr_tail())


def _attend(
    child: Child,
    on_line: Callable[[dict[str, Any]], None],
    poll: Callable[[], str | None],
    limits: Limits,
) -> Literal["cancelled", "deadline"] | None:
    stopping, begun, graced = False, False, False
    next_poll = time.monotonic()
    deadline = max(limits.deadline, next_poll + limits.begin_within)
    while True:
        now = time.monotonic()
        if stopping and begun and not graced:
            graced = True
            deadline = min(deadline, now + limits.stop_grace)
        if now >= deadline:
            return "deadline"
        if now >= next_poll:
            next_poll = now + _POLL
            wish = poll()
            if wish == "cancel":
                return "cancelled"
            if wish == "stop" and not stopping:
                stopping = True
                child.tell({"verb": "stop"})
        line = child.next_line(max(0.0, min(next_poll, deadline) - time.monotonic()))
        if line is END:
            return None
        if line is not None and not begun:
            begun = True
            deadline = max(limits.deadline, time.monotonic() + limits.least)
        if line is not None:
            on_line(line)


END: dict[str, Any] = {}
"""What :meth:`Child.next_line` gives once the child has closed its output."""


class Child:
    """A running child, its output read by threads so that neither side ever waits for the other."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._speaking = threading.Lock()
        self._lines: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._tail: collections.deque[str] = collections.deque(maxlen=_TAIL_LINES)
        self._readers = [
            threading.Thread(target=self._read, args=(process.stdout,), name="child-lines", daemon=True),
            threading.Thread(target=self._log, args=(process.stderr,), name="child-log", daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def tell(self, line: Mapping[str, Any]) -> None:
        """Write the child a line, unless it has ended."""
        if self._process.stdin is not None:
            # Closed once it was left (ValueError): whoever still speaks to it has not heard of that yet.
            with self._speaking, suppress(BrokenPipeError, ValueError):
                self._process.stdin.write(to_line(line))
                self._process.stdin.flush()

    def next_line(self, seconds: float) -> dict[str, Any] | None:
        """Wait for what the child emits next; ``END`` once it has closed its output."""
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            return None

    def wait(self) -> int:
        """Wait for the end of a child that has closed its output; kill it if it is slow to end."""
        try:
            return self._process.wait(_EXIT_GRACE)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.wait()

    def kill(self) -> None:
        """End the child and everything it started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Leave nothing of the child behind."""
        self.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    def stderr_tail(self) -> str:
        """Give back what it wrote for the log last."""
        return "\n".join(self._tail)

    def _read(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            try:
                self._lines.put(from_line(line)["event"])
            except (ValueError, KeyError):
                _LOG.exception("a child said something that is not a line of the protocol")
                break
        self._lines.put(END)

    def _log(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            text = line.decode(errors="replace").rstrip("\n")[:2000]
            self._tail.append(text)
            _LOG.warning("child %d: %s", self._process.pid, text)


@contextmanager
def started(module: str, variables: Mapping[str, str]) -> Iterator[Child]:
    """Start a module as a child, niced and in a group of its own; leave nothing of it behind."""
    process = subprocess.Popen(  # noqa: S603 - a module of ours, no shell
        command(module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment(), **variables},
        start_new_session=True,
    )
    child = Child(process)
    try:
        with suppress(ProcessLookupError):
            nice = os.getpriority(os.PRIO_PROCESS, process.pid) + _NICER
            os.setpriority(os.PRIO_PROCESS, process.pid, min(nice, 19))
        yield child
    finally:
        child.close()
