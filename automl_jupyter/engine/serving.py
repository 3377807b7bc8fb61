"""Predictions for rows as they come: every departure from the contract is reported, row by row."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from automl_jupyter.engine import columns
from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.contract import Contract, RowWarning
from automl_jupyter.engine.learners import F32
from automl_jupyter.engine.preprocess import Preprocessor, Views

Label = str | int | float | bool
CHUNK, LEAST_CHUNK = 10_000, 250


class ContractWarning(UserWarning):
    """Some cells given to ``predict`` were not what the training table had."""


class Predictor(Protocol):
    """What turns views into coded predictions."""

    def predict(self, views: Views, threads: int = 1) -> F32:
        """Predict coded values of shape (n, K); what cannot be shared by callers may use threads itself."""
        ...


class Servable(Protocol):
    """A fitted model, as far as this module needs it."""

    contract_: Contract
    preprocessor_: Preprocessor

    def answer_cells(
        self, cells: Cells, answering: str
    ) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.float64] | None]:
        """Give values of shape (n,) and probabilities of shape (n, K), where there are classes."""
        ...


@dataclass(frozen=True)
class Note:
    """Something about all rows of a request.

    Attributes
    ----------
    code : str
        ``engine.extra_columns``: these columns are not the model's and were ignored.
    columns : tuple of str
        The columns.
    """

    code: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class RowPredictions:
    """Predictions with what weakens them.

    Attributes
    ----------
    values : list
        One for each row, as plain values.
    probabilities : ndarray of shape (n, K) or None
        Of each of `classes`.
    classes : tuple
        The classes; empty where there are none.
    warnings : list of list of RowWarning
        For each row.
    notes : tuple of Note
        For the request.
    answered_by : str
        ``ensemble``, or ``fast`` for the quick model that has learnt from it.
    """

    values: list[Label]
    probabilities: npt.NDArray[np.float64] | None
    classes: tuple[Label, ...]
    warnings: list[list[RowWarning]]
    notes: tuple[Note, ...]
    answered_by: str


def predict_rows(
    model: Servable, rows: Sequence[Mapping[str, object]], answering: str = "ensemble"
) -> RowPredictions:
    """Predict a few rows without building a table.

    Parameters
    ----------
    model : Servable
        A fitted model.
    rows : sequence of mapping
        Cells by column name, in any order.
    answering : str
        Which model is to answer.
    """
    if any(not isinstance(name, str) for row in rows for name in row):
        rows = [{str(name): value for name, value in row.items()} for row in rows]
    cells, warnings = columns.read_rows(model.preprocessor_.plan, rows)
    names = dict.fromkeys(name for row in rows for name in row)
    return _predicted(model, cells, warnings, names, answering)


def predict_frame(model: Servable, X: pd.DataFrame, answering: str = "ensemble") -> RowPredictions:
    """Predict a table; columns may come in any order.

    Parameters
    ----------
    model : Servable
        A fitted model.
    X : DataFrame
        The rows.
    answering : str
        Which model is to answer.
    """
    X = X.set_axis([str(name) for name in X.columns], axis=1)
    cells, found = columns.read_frame(model.preprocessor_.plan, X)
    warnings: list[list[RowWarning]] = [[] for _ in range(len(X))]
    for warning, rows in found:
        for row in rows:
            warnings[row].append(warning)
    return _predicted(model, cells, warnings, X.columns, answering)


def _predicted(
    model: Servable, cells: Cells, warnings: list[list[RowWarning]], names: Iterable[str], answering: str
) -> RowPredictions:
    values, probabilities = model.answer_cells(cells, answering)
    known = {column.name for column in model.contract_.columns} | {model.contract_.target}
    extra = tuple(str(name) for name in names if name not in known)
    return RowPredictions(
        values=values.tolist(),
        probabilities=probabilities,
        classes=model.contract_.classes,
        warnings=warnings,
        notes=(Note("engine.extra_columns", extra),) if extra else (),
        answered_by=answering,
    )


def raw_predictions(predictor: Predictor, preprocessor: Preprocessor, cells: Cells, threads: int) -> F32:
    """Predict coded values in chunks of rows, which bounds memory and lets threads share the work.

    Parameters
    ----------
    predictor : Predictor
        What predicts.
    preprocessor : Preprocessor
        What makes its views.
    cells : Cells
        The rows.
    threads : int
        Number of threads for many rows.
    """
    n = len(cells.numbers)
    chunk = min(CHUNK, max(LEAST_CHUNK, -(-n // threads)))
    if n <= chunk:
        return predictor.predict(preprocessor.views(cells))

    def predict(start: int) -> F32:
        return predictor.predict(preprocessor.views(_cut(cells, start, start + chunk)), threads)

    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(predict, range(0, n, chunk))))


def one_row_seconds(predictor: Predictor, preprocessor: Preprocessor, cells: Cells, row: int) -> float:
    """Measure how long one of the rows takes alone."""
    one = _cut(cells, row, row + 1)
    began = time.perf_counter()
    predictor.predict(preprocessor.views(one))
    return time.perf_counter() - began


def _cut(cells: Cells, start: int, end: int) -> Cells:
    part = slice(start, end)
    return Cells(cells.numbers[part], cells.codes[part], tuple(texts[part] for texts in cells.texts))
