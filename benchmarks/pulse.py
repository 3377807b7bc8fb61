"""A server extension that feels the event loop's pulse: how late a timer of two milliseconds comes.

Loaded beside whatever is measured, by ``--ServerApp.jpserver_extensions=benchmarks.pulse=True``. A tick that
comes late was held up: by a call that kept the loop's thread busy (then that thread's own processor time is
as long), by other threads that held the interpreter, or by a machine that had no core to give.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
import time
import traceback
from collections import Counter
from types import FrameType
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from tornado import web

STEP = 0.002
LATE = 0.010
"""From this lateness on, in seconds, the watcher looks where the loop's thread is."""
FRAMES = 10


class Pulse:
    """A timer on the loop that notes how late it comes.

    Attributes
    ----------
    longest, longest_cpu : float
        The largest lateness in seconds, and the most processor time of the loop's thread between two ticks.
    longest_gc : float
        The longest garbage collection in seconds, whichever thread it ran in: it holds the interpreter.
    """

    def __init__(self) -> None:
        self.due = self._collects = 0.0
        self._thread = 0
        self._watching = False
        self.reset()

    def reset(self) -> None:
        """Forget what was noted."""
        self.longest = self.longest_cpu = self.longest_gc = 0.0
        self.ticks = 0
        self.stacks: Counter[str] = Counter()
        self._skip = True

    def start(self) -> None:
        """Begin, in the loop's own thread."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._cpu = time.thread_time()
        gc.callbacks.append(self._collecting)
        self._schedule()

    def _collecting(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._collects = time.perf_counter()
        else:
            self.longest_gc = max(self.longest_gc, time.perf_counter() - self._collects)

    def _schedule(self) -> None:
        self.due = time.perf_counter() + STEP
        self._loop.call_later(STEP, self._tick)

    def _tick(self) -> None:
        late, cpu = time.perf_counter() - self.due, time.thread_time()
        # The tick after a reset was partly before it.
        if not self._skip:
            self.longest = max(self.longest, late)
            self.longest_cpu = max(self.longest_cpu, cpu - self._cpu)
            self.ticks += 1
        self._skip, self._cpu = False, cpu
        self._schedule()

    def watch(self) -> None:
        """From now on look, from another thread, where the loop's thread is when a tick is late."""
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, name="pulse", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(LATE / 2)
            if time.perf_counter() - self.due > LATE:
                self.stacks[_innermost(sys._current_frames().get(self._thread))] += 1


def _innermost(frame: FrameType | None) -> str:
    found = traceback.extract_stack(frame)[-FRAMES:]
    return " > ".join(f"{'/'.join(f.filename.split('/')[-2:])}:{f.lineno} {f.name}" for f in found)


class PulseHandler(JupyterHandler):
    """``pulse``: GET reads what was noted since the last POST, which resets."""

    def initialize(self, pulse: Pulse) -> None:
        """Take the pulse to read."""
        self.pulse = pulse

    @web.authenticated
    def get(self) -> None:
        """Read; times in milliseconds."""
        pulse = self.pulse
        self.finish(
            json.dumps(
                {
                    "longest": pulse.longest * 1000,
                    "longest_cpu": pulse.longest_cpu * 1000,
                    "longest_gc": pulse.longest_gc * 1000,
                    "ticks": pulse.ticks,
                    "stacks": pulse.stacks.most_common(12),
                }
            )
        )

    @web.authenticated
    def post(self) -> None:
        """Reset; with ``{"stacks": true}`` also start to look where the time goes."""
        body: Any = json.loads(self.request.body or b"{}")
        if body.get("stacks"):
            self.pulse.watch()
        self.pulse.reset()
        self.finish("{}")


PULSE = Pulse()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "benchmarks.pulse"}]


def _load_jupyter_server_extension(serverapp: ServerApp) -> None:
    base: str = serverapp.web_app.settings["base_url"]
    rule = (url_path_join(base, "pulse"), PulseHandler, {"pulse": PULSE})
    serverapp.web_app.add_handlers(".*$", [rule])  # type: ignore[no-untyped-call]


async def _start_jupyter_server_extension(serverapp: ServerApp) -> None:
    PULSE.start()
