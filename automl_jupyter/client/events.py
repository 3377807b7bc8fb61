"""Following a job: server-sent events, taken up again after a cut; asking again and again as the last resort.

The format of the stream is that of the WHATWG HTML standard, section 9.2 ("Server-sent events").
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from automl_jupyter.client.transport import ServerFault, TookTooLong, Transport
from automl_jupyter.errors import TooMany, Unavailable

if TYPE_CHECKING:
    from automl_jupyter.schemas import Event

ATTEMPTS = 5
"""How often in a row a stream is taken up again without an event in between."""

HEARTBEAT = 35.0
"""Seconds of silence after which a stream is taken for dead: two of the server's heartbeats."""

POLL = 1.0
"""Seconds between two looks at a job, where there is no stream."""


def follow(transport: Transport, id_: str, after: int = 0, until: float = math.inf) -> Iterator[Event]:
    """The events of a job until it is over.

    Parameters
    ----------
    transport : Transport
        The connection.
    id_ : str
        The job.
    after : int, default=0
        The last event that is known.
    until : float, optional
        When to give up, by `time.monotonic`.

    Raises
    ------
    TookTooLong
        If the job is not over by then.
    """
    failures, told = 0, False
    while failures < ATTEMPTS:
        try:
            for event in _stream(transport, id_, after, until):
                after, failures, told = event.id, 0, event.kind == "done"
                yield event
        except (Unavailable, ServerFault, TooMany):
            failures += 1
        else:
            # The stream ended by itself: the job is over, or a proxy cut it. An end in the log is not always
            # the last: the job may have been taken up again.
            failures += 1
            state = _look(transport, id_, after)
            if state.kind == "done":
                if not told:
                    yield state
                return
        _check(transport, id_, until)
        time.sleep(min(0.1 * 2**failures, 2.0))
    yield from _poll(transport, id_, after, until)


def _stream(transport: Transport, id_: str, after: int, until: float) -> Iterator[Event]:
    from automl_jupyter.schemas import Event

    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
    patience = max(0.1, min(HEARTBEAT, until - time.monotonic()))
    with transport.stream("GET", f"api/jobs/{id_}/events/", headers=headers, patience=patience) as answer:
        for data in _messages(answer.iter_lines()):
            yield Event.model_validate_json(data)
            _check(transport, id_, until)


def _messages(lines: Iterator[str]) -> Iterator[str]:
    data: list[str] = []
    for line in lines:
        field, _, value = line.partition(":")
        if field == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            yield "\n".join(data)
            data = []


def _poll(transport: Transport, id_: str, after: int, until: float) -> Iterator[Event]:
    last = None
    while True:
        event = _look(transport, id_, after)
        if event.data != last:
            last = event.data
            yield event
        if event.kind == "done":
            return
        _check(transport, id_, until)
        time.sleep(POLL)


def _look(transport: Transport, id_: str, after: int) -> Event:
    """The job as it is now, in the shape of an event."""
    from automl_jupyter.schemas import FINAL_STATES, Event, Job

    job = transport.read(Job, transport.request("GET", f"api/jobs/{id_}/"))
    kind = "done" if job.state in FINAL_STATES else "progress"
    return Event.model_validate(
        {"id": after, "kind": kind, "at": datetime.now(UTC), "data": job.model_dump(mode="json")}
    )


def _check(transport: Transport, id_: str, until: float) -> None:
    if time.monotonic() >= until:
        raise transport.error(TookTooLong, "client.still_running", job=id_)
