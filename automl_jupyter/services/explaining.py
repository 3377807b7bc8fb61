"""Rows explained, in the process that predicts: contributions, counterexamples, what-if."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from automl_jupyter.data.table import load_table
from automl_jupyter.engine import AutoMLClusterer, columns
from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.estimators import AutoMLSupervised
from automl_jupyter.engine.explain.counterexamples import Counterexample, counterexamples
from automl_jupyter.engine.explain.dependence import curves, grid_of, named, shown
from automl_jupyter.engine.explain.ground import Column, Ground, ground_of
from automl_jupyter.engine.explain.shapley import Contributions, Explainer
from automl_jupyter.engine.explain.witnesses import take
from automl_jupyter.engine.serving import Label
from automl_jupyter.engine.task import Target
from automl_jupyter.errors import FieldError, Unprocessable
from automl_jupyter.services.shelf import Model, Shelf, notes, plain, probabilities_of
from automl_jupyter.services.table_process import check, digest_of

ROW_SECONDS = 0.05
"""About how long the paths of one row may take; the rest of it takes as long again."""

WARM_GROUNDS = 4


class Explaining:
    """What the process can be asked for about rows, with the rows that it compares them to at hand."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._explainers: OrderedDict[str, Explainer] = OrderedDict()

    def explain(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Explain rows that came as JSON.

        Raises
        ------
        Unprocessable
            If the model groups rows, or what-if names a column or a value that there is not.
        Conflict
            If the table is not the one that was taken in.
        """
        model = supervised(self._shelf.take(payload["path"], payload["digest"]))
        ground, cells, answering, added = self._added(model, payload)
        found = model.predict_rows(payload["rows"], payload["max_predict_ms"])
        codes = _codes(model, found.values)
        near = counterexamples(ground, cells, codes, payload["counterexamples"])
        asked = what_if(ground, cells, payload["what_if"], answering)
        return {
            "answered_by": answering,
            "scale": added.scale,
            "outputs": outputs_of(model.target_),
            "notes": notes(found),
            "rows": [
                {
                    "value": plain(value),
                    "probabilities": probabilities,
                    "warnings": [
                        {"code": w.code, "column": w.column, "value": plain(w.value)} for w in warnings
                    ],
                    "base": added.base[i].tolist(),
                    "said": added.said[i].tolist(),
                    "contributions": _contributions(ground, cells, i, added.values[i], added.errors[i]),
                    "counterexamples": [self._shown(ground, example, payload) for example in near[i]],
                    "what_if": [{**one, "answers": one["answers"][i]} for one in asked],
                }
                for i, (value, probabilities, warnings) in enumerate(
                    zip(found.values, probabilities_of(found), found.warnings, strict=True)
                )
            ],
        }

    def draw(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Draw what each column adds to the predictions of rows that came as JSON, one chart each.

        Raises
        ------
        Unprocessable
            If the model groups rows.
        Conflict
            If the table is not the one that was taken in.
        """
        # Whoever only predicts does not pay for this.
        from automl_jupyter.engine.charts.row import Answer, contributions

        model = supervised(self._shelf.take(payload["path"], payload["digest"]))
        ground, cells, _, added = self._added(model, payload)
        found = model.predict_rows(payload["rows"], payload["max_predict_ms"])
        outputs, target, drawn = outputs_of(model.target_), str(model.contract_.target), []
        for i, probabilities in enumerate(probabilities_of(found)):
            # Of several classes, what speaks for the one that is answered.
            at = outputs.index(found.values[i]) if len(outputs) > 1 else 0
            share = None if probabilities is None else probabilities[str(outputs[at])]
            chart = contributions(
                float(added.base[i, at]),
                [column.name for column in ground.columns],
                [cell_of(ground, column, cells, i) for column in ground.columns],
                added.values[i, :, at].tolist(),
                Answer(target, added.scale, outputs[at], share),
                about=str(i),
            )
            drawn.append(chart.to_dict())
        return {"charts": drawn}

    def _added(
        self, model: AutoMLSupervised, payload: Mapping[str, Any]
    ) -> tuple[Ground, Cells, str, Contributions]:
        explainer = self._explainer(model, payload)
        answering = model.model_for(payload["max_predict_ms"])
        cells, _ = columns.read_rows(model.preprocessor_.plan, payload["rows"])
        return explainer.ground, cells, answering, explainer.explain(cells, answering)

    def _explainer(self, model: AutoMLSupervised, payload: Mapping[str, Any]) -> Explainer:
        digest = payload["digest"]
        explainer = self._explainers.pop(digest, None)
        if explainer is None:
            path = Path(payload["table_path"])
            check(digest_of(path), payload["table_digest"], payload["dataset_name"])
            wanted = [*payload["features"], payload["target"]]
            table = load_table(path, wanted)
            ground = ground_of(model, table[payload["features"]], table[payload["target"]])
            explainer = Explainer.of(ground, ROW_SECONDS)
        self._explainers[digest] = explainer
        while len(self._explainers) > WARM_GROUNDS:
            self._explainers.popitem(last=False)
        return explainer

    def _shown(self, ground: Ground, found: Counterexample, payload: Mapping[str, Any]) -> dict[str, Any]:
        classes = ground.model.target_.classes
        at = int(np.flatnonzero(ground.rows == found.row)[0])
        cells = take(ground.cells, np.array([at]))
        return {
            "row": found.row,
            "distance": found.distance,
            "predicted": found.predicted if classes is None else plain(classes[int(found.predicted)]),
            "truth": found.truth if classes is None else plain(classes[int(found.truth)]),
            "differences": list(found.differences),
            "cells": {column.name: cell_of(ground, column, cells, 0) for column in ground.columns},
        }


def supervised(model: Model) -> AutoMLSupervised:
    """The model, if it predicts something.

    Raises
    ------
    Unprocessable
        ``services.groups_not_explained`` if it groups rows instead.
    """
    if isinstance(model, AutoMLClusterer):
        raise Unprocessable("services.groups_not_explained")
    return model


def outputs_of(target: Target) -> list[Any]:
    """What contributions are about: classes, or the quantity (null)."""
    if target.classes is None:
        return [None]
    classes: list[Any] = target.classes.tolist()
    return classes[1:] if len(classes) == 2 else classes


def what_if(
    ground: Ground, cells: Cells, wishes: Mapping[str, Sequence[object] | None], answering: str
) -> list[dict[str, Any]]:
    """What would be predicted for rows with other values in one column, all others as they are.

    Parameters
    ----------
    ground : Ground
        The model.
    cells : Cells
        The rows.
    wishes : mapping
        By column, the values to ask about; None for usual ones.
    answering : str
        Which model answers.

    Raises
    ------
    Unprocessable
        ``services.no_such_column_of_model``, ``services.no_such_value``.
    """
    found = []
    for name, values in wishes.items():
        column = named(ground.columns, name)
        if column is None or column.kind == "text":
            raise _refused(name, "services.no_such_column_of_model", column=name)
        grid = grid_of(ground, column) if values is None else _read(ground, column, values)
        told = shown(ground, column, grid) if values is None else list(values)
        said = curves(ground, cells, column, grid, answering)
        found.append({"column": name, "kind": column.kind, "values": told, "answers": _answers(ground, said)})
    return found


def _answers(ground: Ground, said: np.ndarray[Any, Any]) -> list[list[dict[str, Any]]]:
    target = ground.model.target_
    if target.classes is None:
        return [[{"value": float(v), "probabilities": None} for v in row[:, 0]] for row in said]
    labels = [str(label) for label in target.classes.tolist()]
    return [
        [
            {"value": plain(value), "probabilities": dict(zip(labels, map(float, q), strict=True))}
            for value, q in zip(target.label(row, ground.model.decision_), row, strict=True)
        ]
        for row in said
    ]


def _read(ground: Ground, column: Column, values: Sequence[object]) -> np.ndarray[Any, Any]:
    """Read values as cells of a column."""
    plan = ground.model.preprocessor_.plan
    cells, warnings = columns.read_rows(plan, [{column.name: value} for value in values])
    for value, mine in zip(values, warnings, strict=True):
        spoilt = ("engine.unparseable_value", "engine.unseen_category")
        if any(w.column == column.name and w.code in spoilt for w in mine):
            raise _refused(column.name, "services.no_such_value", column=column.name, value=str(value))
    return column.values(cells)


def _refused(field: str, code: str, **params: str) -> Unprocessable:
    return Unprocessable(code, errors=[FieldError(f"what_if.{field}", code, params)], **params)


def _codes(model: AutoMLSupervised, values: Sequence[Label]) -> np.ndarray[Any, Any]:
    """Answers as codes of classes, or as they are."""
    if model.target_.classes is None:
        return np.array(values, dtype=np.float64)
    at = {label: code for code, label in enumerate(model.target_.classes.tolist())}
    return np.array([at[value] for value in values])


def _contributions(
    ground: Ground, cells: Cells, row: int, values: np.ndarray[Any, Any], errors: np.ndarray[Any, Any]
) -> list[dict[str, Any]]:
    order = np.argsort(-np.abs(values).sum(axis=1), kind="stable")
    return [
        {
            "column": ground.columns[j].name,
            "cell": cell_of(ground, ground.columns[j], cells, row),
            "adds": values[j].tolist(),
            "errors": errors[j].tolist(),
        }
        for j in order
    ]


def cell_of(ground: Ground, column: Column, cells: Cells, row: int) -> object:
    """A cell as the model has read it; None where it is missing, or of no category that it knows."""
    if column.kind == "text":
        return cells.texts[column.place][row]
    if column.kind == "category":
        return shown(ground, column, cells.codes[row : row + 1, column.place])[0]
    number = float(cells.numbers[row, column.place])
    if np.isnan(number):
        return None
    if column.kind == "datetime":
        return datetime.fromtimestamp(number, UTC).replace(tzinfo=None).isoformat()
    return bool(number) if column.kind == "boolean" else number
