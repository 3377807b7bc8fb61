"""The inner side of a helper process: answer calls, report events, end when nobody listens any more.

The process is spoken to over its standard input and output, one JSON object a line. Its first line carries
its arguments. As soon as the input closes, because whoever started it closed it or died, it ends at once,
in the middle of its work if need be: nothing is left behind when a server is killed.

While it works it says every few seconds that it is alive, so that one that was stopped or hangs can be told
from one that has much to do.

Whatever prints, in Python or in native code, would spoil the protocol: the real output is moved away and
descriptor 1 is made to lead to the standard error.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, BinaryIO, NoReturn

from automl_jupyter import errors
from automl_jupyter.backends.disk import disk_error
from automl_jupyter.backends.lines import from_line, to_line

Handler = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes the payload of a call and returns its answer, both plain JSON."""

SETUP = 0
"""The number of the call that carries the arguments."""


class _Output:
    """The way out, whole lines only, for any thread."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._file: BinaryIO = os.fdopen(os.dup(1), "wb")
        self._lock = threading.Lock()
        os.dup2(2, 1)

    def write(self, line: bytes) -> None:
        with self._lock:
            try:
                self._file.write(line)
                self._file.flush()
            except BrokenPipeError:
                end_at_once()


@cache
def _output() -> _Output:
    return _Output()


def emit(event: Mapping[str, Any]) -> None:
    """Tell the other side something that it did not ask for."""
    _output().write(to_line({"event": event}))


class _Pulse:
    """Says every few seconds that this process is alive, as long as calls are under way."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._calls = 0
        self._at_work = threading.Event()
        threading.Thread(target=self._beat, name="pulse", daemon=True).start()

    def add(self, calls: int) -> None:
        """So many more calls are under way, or fewer."""
        with self._lock:
            self._calls += calls
            (self._at_work.set if self._calls else self._at_work.clear)()

    def _beat(self) -> None:
        line = to_line({"beat": True})
        while self._at_work.wait():
            _output().write(line)
            time.sleep(self._seconds)


def end_at_once(code: int = 0) -> NoReturn:
    """End this process and those of its group without waiting for anything."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGTERM)
    os._exit(code)


def serve(
    handlers: Mapping[str, Handler],
    *,
    setup: Callable[[dict[str, Any]], None] | None = None,
    threads: int = 1,
) -> None:
    """Answer calls until the standard input closes; does not return.

    Parameters
    ----------
    handlers : mapping
        A function for each verb. An :class:`AutoMLError` it raises reaches the caller as it is; any other
        exception reaches the caller as ``backends.helper_failed``, its traceback goes to the standard error.
    setup : callable, optional
        Called with the arguments before the first call.
    threads : int
        How many calls are worked on at once.
    """
    output = _output()
    lines = _lines()
    first = _begin(lines)
    pulse = _Pulse(first["beat_seconds"])

    def work(number: int, handler: Handler, payload: dict[str, Any]) -> None:
        try:
            answer = to_line({"id": number, "result": handler(payload)})
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the boundary: a code for the caller, the rest to the log
            failed = _told(error)
            if failed is None:
                traceback.print_exc()
                failed = errors.AutoMLError("backends.helper_failed", verb=_name_of(handlers, handler))
            answer = to_line({"id": number, "error": errors.to_wire(failed)})
        output.write(answer)

    def begin(payload: dict[str, Any]) -> dict[str, Any]:
        if setup is not None:
            setup(payload)
        return {}

    def counted(number: int, handler: Handler, payload: dict[str, Any]) -> None:
        try:
            work(number, handler, payload)
        finally:
            pulse.add(-1)

    # On this, the main thread, so that set-up code may install what belongs there.
    work(SETUP, begin, first["payload"])
    pool = ThreadPoolExecutor(threads, thread_name_prefix="helper")
    for line in lines:
        call = from_line(line)
        handler = handlers.get(call["verb"])
        if handler is None:
            unknown = errors.AutoMLError("backends.helper_failed", verb=call["verb"])
            output.write(to_line({"id": call["id"], "error": errors.to_wire(unknown)}))
        else:
            pulse.add(1)
            pool.submit(counted, call["id"], handler, call["payload"])
    end_at_once()


def _told(error: BaseException) -> errors.AutoMLError | None:
    """What an exception says to people, if it does."""
    if isinstance(error, errors.AutoMLError):
        return error
    # What may not be opened need not be ours: it may be a file of Jupyter's that is to be read.
    if isinstance(error, OSError) and not isinstance(error, PermissionError):
        return disk_error(error)
    return None


def watch_parent(on_line: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """For a child that does one thing: read its arguments, and from then on end when its parent does.

    Parameters
    ----------
    on_line : callable, optional
        Called, in a thread of its own, with each further line, such as ``{"verb": "stop"}``.

    Returns
    -------
    dict
        The arguments.
    """
    _output()
    lines = _lines()
    arguments: dict[str, Any] = _begin(lines)["payload"]

    def watch() -> None:
        for line in lines:
            if on_line is not None:
                on_line(from_line(line))
        end_at_once()

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()
    return arguments


def _lines() -> Iterator[bytes]:
    # Not through sys.stdin: a thread that waits in it makes the interpreter's own end fail.
    pieces: list[bytes] = []
    while piece := os.read(0, 1 << 16):
        head, *others = piece.split(b"\n")
        pieces.append(head)
        for other in others:
            yield b"".join(pieces)
            pieces = [other]


def _begin(lines: Iterator[bytes]) -> dict[str, Any]:
    # Interrupts typed in a terminal are for the server, which then closes our input. A termination must
    # not reach us before the others of our group when we send it ourselves (end_at_once).
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
    _wake_when_orphaned()
    line = next(lines, None)
    if line is None:
        end_at_once()
    first = from_line(line)
    _limit_address_space(first.get("address_space"))
    return first


def _wake_when_orphaned() -> None:
    """Have the system wake this process, should it be stopped, when its parent dies: it then sees its end.

    A stopped process does not notice that its input was closed, and would be left behind for ever. Where the
    system is not Linux, there is no such help.
    """
    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG, prctl(2)
        ctypes.CDLL(None).prctl(set_death_signal, int(signal.SIGCONT))


def _limit_address_space(limit: int | None) -> None:
    if limit is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _name_of(handlers: Mapping[str, Handler], handler: Handler) -> str:
    return next((verb for verb, known in handlers.items() if known is handler), "setup")
