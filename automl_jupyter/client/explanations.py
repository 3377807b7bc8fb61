"""Asks for explanations of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from automl_jupyter.client import uploads, values
from automl_jupyter.client.paths import named, path_of
from automl_jupyter.client.transport import Transport

if TYPE_CHECKING:
    from automl_jupyter.client.paths import AnyModel
    from automl_jupyter.schemas import RowExplanations


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
