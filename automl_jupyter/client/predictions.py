"""Asks models: rows as JSON in parts, a file as a stream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from automl_jupyter.client import uploads, values
from automl_jupyter.client.paths import id_of, part
from automl_jupyter.client.transport import Transport
from automl_jupyter.errors import Conflict, NotFound

if TYPE_CHECKING:
    from automl_jupyter.schemas import Dataset, Model, ModelRef, Predictions

    AnyModel = str | Model | ModelRef
    AnyDataset = Dataset | str | None


def predict(
    transport: Transport,
    model: AnyModel,
    rows: values.Rows,
    dataset: AnyDataset,
    max_predict_ms: float | None,
) -> Predictions:
    """Predict rows; see :meth:`automl_jupyter.client.Client.predict`."""
    from automl_jupyter.schemas import JSON_ROWS, Predictions

    path = _path(transport, model, dataset)
    given = values.records(rows)
    parts = [given[start : start + JSON_ROWS] for start in range(0, len(given), JSON_ROWS)] or [given]
    limit = {} if max_predict_ms is None else {"max_predict_ms": max_predict_ms}
    answers = [
        transport.ask(Predictions, "POST", path, json={"rows": some, **limit}, patience=uploads.READING)
        for some in parts
    ]
    if len({answer.version for answer in answers}) > 1:
        raise Conflict("client.version_changed", model=answers[0].model)
    predictions = [prediction for answer in answers for prediction in answer.predictions]
    return answers[0].model_copy(update={"predictions": predictions})


def predict_csv(
    transport: Transport,
    model: AnyModel,
    source: Path,
    target: Path,
    dataset: AnyDataset,
    max_predict_ms: float | None,
) -> None:
    """Predict a file into another; see :meth:`automl_jupyter.client.Client.predict_csv`."""
    unfinished = target.with_name(f".{target.name}.part")
    headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
    path = _path(transport, model, dataset)
    params = {} if max_predict_ms is None else {"max_predict_ms": str(max_predict_ms)}
    try:
        with (
            source.open("rb") as rows,
            unfinished.open("wb") as file,
            transport.stream(
                "POST",
                path,
                content=values.pieces(rows),
                params=params,
                headers=headers,
                patience=uploads.READING,
            ) as answer,
        ):
            for piece in answer.iter_bytes():
                file.write(piece)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _path(transport: Transport, model: AnyModel, dataset: AnyDataset) -> str:
    if not isinstance(model, str):
        version = getattr(model, "version", None)
        model = model.name if version is None else f"{model.name}:{version}"
    if dataset is None and ":" not in model and "@" not in model:
        return f"api/predict/{part(model)}/"
    id_ = _learned_from(transport, model) if dataset is None else id_of(dataset)
    return f"api/test-model/{part(id_)}/{quote(model, safe=':@')}/"


def _learned_from(transport: Transport, reference: str) -> str:
    from automl_jupyter.schemas import Model

    name, _, version = reference.partition(":")
    name, _, alias = name.partition("@")
    model = transport.ask(Model, "GET", f"api/models/{part(name)}/")
    for candidate in model.versions:
        if str(candidate.version) == version or alias in candidate.aliases:
            return candidate.dataset_id
    versions = [str(candidate.version) for candidate in model.versions]
    raise transport.error(NotFound, "client.no_version", model=reference, name=name, versions=versions)
