"""Counterexamples: the rows most like a given one that were predicted otherwise.

Wachter, Mittelstadt and Russell (2018), "Counterfactual explanations without opening the black box", ask what
would have to be different; here only rows that there are can answer, so that nothing impossible is proposed.
Rows are compared as in Gower (1971), "A general coefficient of similarity and some of its properties":
numbers by their distance as part of the spread of the column (between its 5 % and 95 % quantiles, at most 1),
all others by whether they are equal; the mean over the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.explain.ground import F64, Ground, Positions
from automl_jupyter.engine.explain.witnesses import take

COUNT = 3
OTHERWISE = 0.5
"""A quantity is predicted otherwise if it is so many standard deviations away, of all predictions."""


@dataclass(frozen=True)
class Counterexample:
    """A row that is much like another one, but was predicted otherwise.

    Attributes
    ----------
    row : int
        Where it stands in the table.
    distance : float
        From 0 (alike) to 1.
    predicted, truth : int or float
        Code of the class, or quantity.
    differences : tuple of str
        The columns in which it differs, the largest difference first.
    """

    row: int
    distance: float
    predicted: int | float
    truth: int | float
    differences: tuple[str, ...]


def counterexamples(
    ground: Ground, cells: Cells, answers: npt.NDArray[Any], count: int = COUNT
) -> list[list[Counterexample]]:
    """Find rows like some rows that were predicted otherwise.

    Parameters
    ----------
    ground : Ground
        The model and the rows to find.
    cells : Cells
        n rows.
    answers : ndarray of shape (n,)
        What is predicted for them: codes of classes, or quantities.
    count : int
        How many for each.
    """
    predicted = said_of(ground)
    spread = float(np.std(predicted)) if ground.model.target_.classes is None else 0.0
    found = []
    for i in range(len(cells.numbers)):
        if ground.model.target_.classes is None:
            other = np.abs(predicted - answers[i]) >= OTHERWISE * spread
        else:
            other = predicted != answers[i]
        rows = np.flatnonzero(other)
        parts = distances(ground, take(cells, np.array([i])), rows)
        mean = parts.mean(axis=1)
        nearest = rows_of(mean, count)
        found.append([_told(ground, int(rows[j]), float(mean[j]), parts[j], predicted) for j in nearest])
    return found


def rows_of(distance: F64, count: int) -> Sequence[int]:
    """The nearest rows, the nearest first."""
    count = min(count, len(distance))
    if not count:
        return []
    near = np.argpartition(distance, count - 1)[:count]
    order: list[int] = near[np.lexsort((near, distance[near]))].tolist()
    return order


def said_of(ground: Ground) -> npt.NDArray[Any]:
    """What was predicted for our rows by models that had not seen them: codes of classes, or quantities."""
    if ground.model.target_.classes is None:
        return ground.predictions
    factors = ground.model.decision_
    turned = ground.predictions if factors is None else ground.predictions * factors
    return np.asarray(turned.argmax(axis=1))


def distances(ground: Ground, one: Cells, rows: Positions) -> F64:
    """Give how far some of our rows are from one row, column by column; shape (rows, columns)."""
    theirs = take(ground.cells, rows)
    low, high = spreads(ground)
    x, y = one.numbers, theirs.numbers
    numbers = np.minimum(np.abs(y - x) / np.maximum(high - low, 1e-300), 1.0)
    numbers = np.where(np.isnan(x) & np.isnan(y), 0.0, np.where(np.isnan(x) | np.isnan(y), 1.0, numbers))
    texts = [
        np.array([text != mine[0] for text in column], dtype=np.float64)[:, None]
        for column, mine in zip(theirs.texts, one.texts, strict=True)
    ]
    return np.hstack([numbers, (theirs.codes != one.codes).astype(np.float64), *texts])


def spreads(ground: Ground) -> tuple[F64, F64]:
    """The 5 % and 95 % quantiles of each column of numbers; its whole range where these are equal."""
    numbers = ground.cells.numbers
    if not numbers.shape[1]:
        return np.zeros(0), np.zeros(0)
    known = np.where(np.isnan(numbers).all(axis=0), 0.0, numbers)
    low, high = np.nanquantile(known, [0.05, 0.95], axis=0)
    flat = low == high
    return np.where(flat, np.nanmin(known, axis=0), low), np.where(flat, np.nanmax(known, axis=0), high)


def _told(
    ground: Ground, row: int, distance: float, parts: F64, predicted: npt.NDArray[Any]
) -> Counterexample:
    order = np.argsort(-parts, kind="stable")
    return Counterexample(
        row=int(ground.rows[row]),
        distance=distance,
        predicted=predicted[row].item(),
        truth=ground.truth[row].item(),
        differences=tuple(ground.columns[j].name for j in order if parts[j] > 0),
    )
