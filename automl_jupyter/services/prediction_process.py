"""The process that predicts: models loaded and warm, beside the server.

Run by the server as ``python -m automl_jupyter.services.prediction_process``. A crash in native code ends
this process, not Jupyter; it is started again with the next request.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from automl_jupyter import messages
from automl_jupyter.backends.process_main import serve
from automl_jupyter.data.overrides import fitting, from_json, of_cells
from automl_jupyter.data.read import convert, names
from automl_jupyter.data.table import load_table
from automl_jupyter.engine.serving import RowPredictions
from automl_jupyter.errors import TooLarge
from automl_jupyter.services.explaining import Explaining
from automl_jupyter.services.identifiers import prediction_ids
from automl_jupyter.services.shelf import Model, Shelf, intervals_of, notes, plain, probabilities_of

WARM_MODELS = 8
ANSWERS = "answers.csv"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: object) -> object:
    """A cell that a spreadsheet does not run: text that begins like a formula gets an apostrophe (OWASP)."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


class Predictor:
    """What the process can be asked for."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

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
                    "interval": interval,
                    "warnings": [
                        {"code": w.code, "column": w.column, "value": plain(w.value)} for w in warnings
                    ],
                }
                for value, probabilities, interval, warnings in zip(
                    found.values,
                    probabilities_of(found),
                    intervals_of(model, found),
                    found.warnings,
                    strict=True,
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
            probabilities_of(found),
            prediction_ids(len(found.values)),
            found.warnings,
            strict=True,
        )
        for value, probabilities, identifier, warnings in rows:
            told = " ".join(
                messages.render(
                    w.code, {"column": w.column, "value": messages.cell(plain(w.value))}, language
                )
                for w in warnings
            )
            shares = list(probabilities.values()) if probabilities else []
            writer.writerow([harmless(cell) for cell in (plain(value), *shares, identifier, told)])


if __name__ == "__main__":
    shelf = Shelf(WARM_MODELS)
    predictor, explaining = Predictor(shelf), Explaining(shelf)
    serve(
        {
            "load": predictor.load,
            "rows": predictor.rows,
            "table": predictor.table,
            "explain": explaining.explain,
            "draw": explaining.draw,
        }
    )
