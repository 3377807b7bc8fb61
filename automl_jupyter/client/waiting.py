"""Waits until a job is over, or something is computed, whatever becomes of the connection meanwhile."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from automl_jupyter.client import events
from automl_jupyter.client.paths import part
from automl_jupyter.client.transport import TookTooLong, Transport

if TYPE_CHECKING:
    import httpx

    from automl_jupyter.schemas import Event, Job

STILL_COMPUTED = 202
PAUSE, LONGEST_PAUSE = 0.1, 1.0


def wait(
    transport: Transport, id_: str, timeout: float | None, on_event: Callable[[Event], None] | None
) -> Job:
    """Wait; see :meth:`automl_jupyter.client.Client.wait`."""
    from automl_jupyter.schemas import FINAL_STATES, Job

    until = math.inf if timeout is None else time.monotonic() + timeout
    if on_event is not None:
        for event in events.follow(transport, part(id_), 0, until):
            on_event(event)
    pause = 0.1
    while (now := transport.ask(Job, "GET", f"api/jobs/{part(id_)}/")).state not in FINAL_STATES:
        if time.monotonic() >= until:
            raise transport.error(TookTooLong, "client.still_running", job=id_)
        time.sleep(min(pause, max(until - time.monotonic(), 0.0)))
        pause = min(pause * 1.5, 2.0)
    return now


def computed(
    transport: Transport, path: str, params: Mapping[str, str | int | float], timeout: float | None = None
) -> httpx.Response:
    """Ask until what is computed is there.

    Raises
    ------
    TookTooLong
        If it is not there within `timeout` seconds.
    """
    until = math.inf if timeout is None else time.monotonic() + timeout
    pause = PAUSE
    while (answer := transport.request("GET", path, params=params)).status_code == STILL_COMPUTED:
        if time.monotonic() >= until:
            raise transport.error(TookTooLong, "client.still_computed", path=path)
        time.sleep(min(pause, max(until - time.monotonic(), 0.0)))
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return answer
