"""How a prediction depends on one column, for usual rows and for each of them alone.

Friedman (2001), "Greedy function approximation: a gradient boosting machine" (partial dependence); Goldstein,
Kapelner, Bleich and Pitkin (2015), "Peeking inside the black box" (individual curves). Where the curves of
rows differ in shape, the column acts together with another one: the one whose values divide the curves best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.columns import FIRST, Cells
from automl_jupyter.engine.explain.ground import F64, Column, Ground
from automl_jupyter.engine.explain.witnesses import take
from automl_jupyter.engine.learners import F32

POINTS, CATEGORIES, ROWS = 13, 12, 50
ENDS = 0.02
"""A grid of numbers leaves out so much at either end, where there are hardly any rows."""

TOGETHER = 0.35
"""So much of how the curves differ another column has to explain to be told of."""

NOTABLE = 0.1
"""Curves that differ by less than this part of how far the predictions of rows spread are taken for alike."""

Value = float | str | None


@dataclass(frozen=True)
class Dependence:
    """How a prediction depends on a column.

    Attributes
    ----------
    column, kind : str
        The column.
    values : tuple
        Where it was asked about: numbers (moments in seconds since 1970) or categories.
    mean : ndarray of shape (points, outputs)
        Mean prediction of usual rows: probabilities of each class, or the quantity.
    curves : ndarray of shape (rows, points)
        The prediction of each row alone: probability of the class that is told (`output`), or the quantity.
    output : int
        Which output the curves are of: the last class of two, else the one that changes most.
    differs : float
        How much the curves differ in shape, as part of how far the predictions of the rows spread.
    together_with : tuple of (str, float)
        Other columns that tell how a curve runs, with how much of the difference each explains.
    """

    column: str
    kind: str
    values: tuple[Value, ...]
    mean: F64
    curves: F64
    output: int
    differs: float
    together_with: tuple[tuple[str, float], ...]


def dependence(ground: Ground, column: Column, seed: int = 0) -> Dependence | None:
    """Ask about usual rows with other values in one column; None for a column of texts, or of one value."""
    grid = grid_of(ground, column)
    if len(grid) < 2:
        return None
    rows = ground.some(ROWS, seed)
    cells = take(ground.cells, rows)
    said = curves(ground, cells, column, grid)
    mean = said.mean(axis=0)
    output = said.shape[2] - 1 if said.shape[2] <= 2 else int(np.argmax(np.ptp(mean, axis=0)))
    single = said[:, :, output]
    centred = single - single.mean(axis=1, keepdims=True)
    centred = centred - centred.mean(axis=0)
    spread = float(single.std()) or 1.0
    differs = float(np.sqrt((centred**2).mean())) / spread
    return Dependence(
        column=column.name,
        kind=column.kind,
        values=tuple(shown(ground, column, grid)),
        mean=mean,
        curves=single,
        output=output,
        differs=differs,
        together_with=_partners(ground, cells, column, centred) if differs > NOTABLE else (),
    )


def grid_of(ground: Ground, column: Column) -> npt.NDArray[Any]:
    """Values to ask about: quantiles of numbers, or the most frequent categories (their codes)."""
    values = column.values(ground.cells)
    if column.kind == "text":
        return np.zeros(0)
    if column.kind == "category":
        codes, counts = np.unique(values[values >= FIRST], return_counts=True)
        return codes[np.argsort(-counts, kind="stable")][:CATEGORIES]
    numbers = values.astype(np.float64)
    numbers = numbers[~np.isnan(numbers)]
    distinct = np.unique(numbers)
    if len(distinct) <= POINTS:
        return distinct
    return np.unique(np.quantile(numbers, np.linspace(ENDS, 1 - ENDS, POINTS), method="nearest"))


def curves(
    ground: Ground,
    cells: Cells,
    column: Column,
    grid: npt.NDArray[Any],
    answering: str = "ensemble",
) -> F64:
    """Predict each row with each value; shape (rows, points, classes), or (rows, points, 1) of a quantity."""
    n, g = len(cells.numbers), len(grid)
    many = take(cells, np.repeat(np.arange(n), g))
    raw = ground.model._raw_cells(replaced(many, column, np.tile(grid, n)), answering)
    return readable(ground, raw).reshape(n, g, -1)


def readable(ground: Ground, raw: F32) -> F64:
    """Coded predictions as probabilities, shape (n, K), or quantities, shape (n, 1)."""
    target = ground.model.target_
    if target.classes is None:
        return target.decode(raw)[:, None]
    q = raw.astype(np.float64)
    return np.asarray(q / q.sum(axis=1, keepdims=True))


def replaced(cells: Cells, column: Column, values: npt.NDArray[Any]) -> Cells:
    """Give the same rows with other values in one column."""
    if column.kind == "category":
        codes = cells.codes.copy()
        codes[:, column.place] = values
        return Cells(cells.numbers, codes, cells.texts)
    numbers = cells.numbers.copy()
    numbers[:, column.place] = values
    return Cells(numbers, cells.codes, cells.texts)


def shown(ground: Ground, column: Column, grid: npt.NDArray[Any]) -> list[Value]:
    """Values of a grid as people know them."""
    if column.kind != "category":
        return [float(value) for value in grid]
    labels = {code: label for label, code in ground.model.preprocessor_.plan.levels[column.place].items()}
    return [labels.get(int(code)) for code in grid]


def _partners(ground: Ground, cells: Cells, column: Column, centred: F64) -> tuple[tuple[str, float], ...]:
    """Which other columns divide the curves best: by their middle, or by category."""
    total = float((centred**2).sum()) or 1.0
    n = len(centred)
    found = []
    for other in ground.columns:
        if other.name == column.name or other.kind == "text":
            continue
        parts = _parts(other.values(cells), other.kind)
        k = int(parts.max()) + 1
        if k < 2:
            continue
        sizes = np.bincount(parts, minlength=k)
        sums = np.stack([centred[parts == i].sum(axis=0) for i in range(k)])
        explained = float((sums**2 / np.maximum(sizes, 1)[:, None]).sum()) / total
        # Less what as many parts explain by chance.
        adjusted = 1 - (1 - explained) * (n - 1) / max(n - k, 1)
        if adjusted >= TOGETHER:
            found.append((other.name, adjusted))
    return tuple(sorted(found, key=lambda pair: -pair[1])[:3])


def _parts(values: npt.NDArray[Any], kind: str) -> npt.NDArray[np.intp]:
    if kind == "category":
        return np.unique(values, return_inverse=True)[1].astype(np.intp)
    numbers = values.astype(np.float64)
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return np.zeros(len(values), np.intp)
    edges = np.unique(np.quantile(known, [0.25, 0.5, 0.75]))
    return np.unique(np.searchsorted(edges, numbers), return_inverse=True)[1].astype(np.intp)


def named(columns: Sequence[Column], name: str) -> Column | None:
    """The column of a name."""
    return next((column for column in columns if column.name == name), None)
