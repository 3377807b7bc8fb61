"""What runs on a Dask worker: one entry function, its reports, its outcome."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from typing import Any

from automl_jupyter import errors
from automl_jupyter.backends.lines import clean

Report = Callable[[str, dict[str, Any]], None]
"""Tells the server a kind of event and its data (JSON); raises :class:`NotWanted` when nobody listens."""

STARTED, ENDED, FAILED, OVER = "started", "ended", "failed", "over"


class NotWanted(Exception):
    """Nobody waits for this task any more: whoever submitted it has withdrawn it or is gone."""


def run(
    dask_key: str, topic: str, key: str, entry: str, payload: dict[str, Any], *, leave: bool = False
) -> None:
    """Call an entry function and report its outcome as the last event.

    Parameters
    ----------
    dask_key : str
        Dask's name of this task.
    topic : str
        Where events go.
    key : str
        Our name of this task, told with each event.
    entry : str
        ``module:function``, called as ``function(payload, report)``; returns plain JSON.
    payload : dict
        Plain JSON.
    leave : bool
        Leave the worker's threads to others, as a guest that keeps nobody waiting; the very last event is
        then ``over``, whether or not anybody still wants the task.
    """
    from distributed import get_worker, secede

    worker = get_worker()
    if leave:
        secede()

    def report(kind: str, data: dict[str, Any]) -> None:
        state = worker.state.tasks.get(dask_key)
        if state is None or state.state == "cancelled":
            raise NotWanted
        worker.log_event(topic, {"key": key, "kind": kind, "payload": clean(data)})

    try:
        _call(entry, payload, report)
    finally:
        if leave:
            worker.log_event(topic, {"key": key, "kind": OVER, "payload": {}})


def _call(entry: str, payload: dict[str, Any], report: Report) -> None:
    module, _, function = entry.partition(":")
    try:
        report(STARTED, {})
        answer = getattr(importlib.import_module(module), function)(payload, report)
    except NotWanted:
        return
    except errors.AutoMLError as error:
        report(FAILED, errors.to_wire(error))
    except Exception:  # noqa: BLE001 - the process boundary: the server gets a code, the log the rest
        traceback.print_exc()
        report(FAILED, errors.to_wire(errors.AutoMLError("backends.task_failed")))
    else:
        report(ENDED, answer)
