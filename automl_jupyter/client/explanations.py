"""Asks for explanations: what is computed of a whole version is waited for."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from automl_jupyter.client import uploads, values
from automl_jupyter.client.transport import TookTooLong, Transport

if TYPE_CHECKING:
    from pydantic import BaseModel

    from automl_jupyter.schemas import Model, ModelRef, RowExplanations

    AnyModel = str | Model | ModelRef

Answer = TypeVar("Answer", bound="BaseModel")

PAUSE, LONGEST_PAUSE = 0.1, 1.0


def named(model: AnyModel) -> tuple[str, dict[str, str | int]]:
    """The name of a model, and its version as a parameter where one is meant."""
    from automl_jupyter.schemas import ModelRef

    if isinstance(model, ModelRef):
        return model.name, {"version": model.version}
    if not isinstance(model, str):
        return model.name, {}
    name, _, version = model.partition(":")
    return name, {"version": version} if version else {}


def path_of(name: str, what: str) -> str:
    """The path of something about a model."""
    return f"api/models/{quote(name, safe='')}/{what}/"


def wait_for(
    transport: Transport,
    kind: type[Answer],
    path: str,
    params: Mapping[str, str | int],
    timeout: float | None,
) -> Answer:
    """Ask until what is computed is there.

    Raises
    ------
    TookTooLong
        If it is not there within `timeout` seconds.
    """
    until = math.inf if timeout is None else time.monotonic() + timeout
    pause = PAUSE
    while (answer := transport.request("GET", path, params=params)).status_code == 202:
        if time.monotonic() >= until:
            raise transport.error(TookTooLong, "client.still_computed", path=path)
        time.sleep(min(pause, max(until - time.monotonic(), 0.0)))
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return transport.read(kind, answer)


def explain_rows(
    transport: Transport,
    model: AnyModel,
    rows: values.Rows,
    counterexamples: int,
    what_if: Mapping[str, Sequence[object] | None],
    max_predict_ms: float | None,
) -> RowExplanations:
    """Explain rows; see :meth:`automl_jupyter.client.Client.explain_rows`."""
    from automl_jupyter.schemas import RowExplanations

    name, params = named(model)
    body: dict[str, object] = {
        "rows": values.records(rows),
        "counterexamples": counterexamples,
        "what_if": {column: None if some is None else list(some) for column, some in what_if.items()},
    }
    if max_predict_ms is not None:
        body["max_predict_ms"] = max_predict_ms
    path = path_of(name, "explain")
    return transport.ask(RowExplanations, "POST", path, json=body, params=params, patience=uploads.READING)
