"""The process that predicts: models loaded and warm, beside the server.

Run by the server as ``python -m automl_jupyter.services.prediction_process``. A crash in native code ends
this process, not Jupyter; it is started again with the next request.
"""

from __future__ import annotations

import csv
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl_jupyter import messages
from automl_jupyter.backends.process_main import serve
from automl_jupyter.data.overrides import fitting, from_json, of_cells
from automl_jupyter.data.read import convert, names
from automl_jupyter.data.table import load_table
from automl_jupyter.engine import AutoMLClassifier, AutoMLClusterer, AutoMLRegressor, persist
from automl_jupyter.engine.serving import RowPredictions
from automl_jupyter.errors import TooLarge, Unprocessable
from automl_jupyter.services.identifiers import prediction_ids

Model = AutoMLClassifier | AutoMLRegressor | AutoMLClusterer
WARM_MODELS = 8
ANSWERS = "answers.csv"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class Shelf:
    """The models used last, loaded."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._models: OrderedDict[str, Model] = OrderedDict()

    def take(self, path: str, digest: str) -> Model:
        """The model of a file, whose digest is checked before it is read.

        Raises
        ------
        AutoMLError
            If the file is not what was stored, or is no model of ours.
        """
        model = self._models.pop(digest, None)
        if model is None:
            loaded = persist.load(Path(path), digest)
            if not isinstance(loaded, AutoMLClassifier | AutoMLRegressor | AutoMLClusterer):
                raise Unprocessable("services.no_model")
            model = loaded
        self._models[digest] = model
        while len(self._models) > self._size:
            self._models.popitem(last=False)
        return model


def plain(value: object) -> object:
    """A value as JSON has it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value


def harmless(cell: object) -> object:
    """A cell that a spreadsheet does not run: text that begins like a formula gets an apostrophe (OWASP)."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


def _probabilities(found: RowPredictions) -> Iterator[dict[str, float] | None]:
    if found.probabilities is None:
        yield from (None for _ in found.values)
        return
    labels = [str(label) for label in found.classes]
    for row in found.probabilities:
        yield dict(zip(labels, map(float, row), strict=True))


class Predictor:
    """What the process can be asked for."""

    def __init__(self) -> None:
        self._shelf = Shelf(WARM_MODELS)

    def load(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Load a model before it is needed."""
        self._shelf.take(payload["path"], payload["digest"])
        return {}

    def rows(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Predict rows that came as JSON."""
        model = self._shelf.take(payload["path"], payload["digest"])
        found = model.predict_rows(payload["rows"], payload["max_predict_ms"])
        return {
            "answered_by": found.answered_by,
            "predictions": [
                {
                    "value": plain(value),
                    "probabilities": probabilities,
                    "warnings": [
                        {"code": w.code, "column": w.column, "value": plain(w.value)} for w in warnings
                    ],
                }
                for value, probabilities, warnings in zip(
                    found.values, _probabilities(found), found.warnings, strict=True
                )
            ],
            "notes": notes(found),
        }

    def table(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Predict a CSV file, row by row in order, into another, ``answers`` in the folder ``scratch``."""
        model = self._shelf.take(payload["path"], payload["digest"])
        scratch = Path(payload["scratch"])
        frame = read_frame(Path(payload["source"]), model, scratch, payload["decided"])
        if len(frame) > payload["max_rows"]:
            raise TooLarge("services.too_many_rows", n=len(frame), most=payload["max_rows"])
        found = model.predict_frame(frame, payload["max_predict_ms"])
        write_predictions(scratch / ANSWERS, found, payload["language"])
        return {
            "answers": ANSWERS,
            "answered_by": found.answered_by,
            "rows": len(frame),
            "notes": notes(found),
        }


def notes(found: RowPredictions) -> list[dict[str, Any]]:
    """What concerns all rows, as codes with their parameters."""
    return [
        {"code": note.code, "params": {"columns": list(note.columns), "n": len(note.columns)}}
        for note in found.notes
    ]


def read_frame(source: Path, model: Model, scratch: Path, decided: Mapping[str, Any]) -> pd.DataFrame:
    """A CSV file as the model's contract wants it.

    What the model knows as text stays as it is written; what was decided of how cells are meant in the file
    that it learnt from (``decided``) holds for this one, too.
    """
    text = [column.name for column in model.contract_.columns if column.kind in ("category", "text")]
    cells = of_cells(decided)
    options = from_json(fitting(cells, {}, names(source, from_json(cells))) if cells else {})
    types = {**options.column_types, **dict.fromkeys(text, "string")}
    table = scratch / "table.parquet"
    convert(source, table, replace(options, column_types=types))
    return load_table(table)


def write_predictions(target: Path, found: RowPredictions, language: str) -> None:
    """One line a row: prediction, its probabilities, its id, its warnings as a sentence."""
    labels: Sequence[str] = [str(label) for label in found.classes]
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["prediction", *(f"probability_{label}" for label in labels), "prediction_id", "warnings"]
        )
        rows = zip(
            found.values,
            _probabilities(found),
            prediction_ids(len(found.values)),
            found.warnings,
            strict=True,
        )
        for value, probabilities, identifier, warnings in rows:
            told = " ".join(
                messages.render(w.code, {"column": w.column, "value": plain(w.value)}, language)
                for w in warnings
            )
            shares = list(probabilities.values()) if probabilities else []
            writer.writerow([harmless(cell) for cell in (plain(value), *shares, identifier, told)])


if __name__ == "__main__":
    predictor = Predictor()
    serve({"load": predictor.load, "rows": predictor.rows, "table": predictor.table})
