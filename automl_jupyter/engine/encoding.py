"""Categories by the mean of their targets, so that trees can order them.

Micci-Barreca (2001), "A preprocessing scheme for high-cardinality categorical attributes": means of rare
categories are drawn to that of all. Training rows get means of other rows alone, else each would bring its
own target along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.learners import F32, Work

F64 = npt.NDArray[np.float64]

MOST_CLASSES = 4
"""With more classes each category would become too many columns."""

_SMOOTHING = 10.0
_PARTS = 5


@dataclass(frozen=True)
class Encoding:
    """What stands for the codes of categories.

    Attributes
    ----------
    first : int
        The first column of codes in the tree view.
    tables : tuple of ndarray of shape (codes + 1, means), float32
        For each such column the means of each code; the last place is for codes that training did not meet.
    """

    first: int
    tables: tuple[F32, ...]

    def __call__(self, X: F32) -> F32:
        """Replace codes by means; the numbers before them stay."""
        if not self.tables:
            return np.ascontiguousarray(X)
        parts = [X[:, : self.first]]
        for j, table in enumerate(self.tables):
            parts.append(table[np.minimum(X[:, self.first + j].astype(np.intp), len(table) - 1)])
        return np.hstack(parts)


AS_THEY_ARE = Encoding(0, ())
"""Codes stay codes."""


def encode_categories(work: Work) -> tuple[Encoding, F32]:
    """Learn the encoding of all rows, and give the training rows by means of other rows alone.

    Parameters
    ----------
    work : Work
        The training rows in the tree view.

    Returns
    -------
    encoding : Encoding
        Without tables where there are no categories or too many classes: codes stay as they are.
    X : ndarray of shape (n, p'), float32
        The training rows.
    """
    first = work.numeric_width
    if first == work.X.shape[1] or (work.task != "regression" and work.width > MOST_CLASSES):
        return Encoding(first, ()), np.ascontiguousarray(work.X)
    codes, values = work.X[:, first:].astype(np.intp), _values(work)
    weights = np.ones(len(values)) if work.weights is None else work.weights
    part = np.random.default_rng(work.seed).permutation(len(values)) % _PARTS
    sizes = codes.max(axis=0) + 1
    whole = Encoding(first, _tables(codes, values, weights, sizes))
    X = np.empty((len(values), first + sum(table.shape[1] for table in whole.tables)), np.float32)
    for held in range(_PARTS):
        mine, others = part == held, part != held
        among = _tables(codes[others], values[others], weights[others], sizes)
        X[mine] = Encoding(first, among)(work.X[mine])
        work.clock.is_up()
    return whole, X


def _values(work: Work) -> F64:
    """The quantity, or one column for each class but the first; shape (n, means)."""
    if work.task == "regression":
        return work.y.astype(np.float64)[:, None]
    classes = np.arange(1 if work.width == 2 else 0, work.width)
    return np.asarray(work.y[:, None] == classes, dtype=np.float64)


def _tables(
    codes: npt.NDArray[np.intp], values: F64, weights: F64, sizes: npt.NDArray[np.intp]
) -> tuple[F32, ...]:
    prior = np.average(values, axis=0, weights=weights)
    tables = []
    for j, size in enumerate(sizes):
        counts = np.bincount(codes[:, j], weights, minlength=size + 1)
        sums = [np.bincount(codes[:, j], weights * v, minlength=size + 1) for v in values.T]
        means = (np.column_stack(sums) + _SMOOTHING * prior) / (counts + _SMOOTHING)[:, None]
        tables.append(means.astype(np.float32))
    return tuple(tables)
