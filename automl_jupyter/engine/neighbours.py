"""Nearest neighbours: the answer of a row is that of the training rows most like it, the nearest ones most.

Cover and Hart (1967), "Nearest neighbor pattern classification"; weights by distance as Dudani (1976), "The
distance-weighted k-nearest-neighbor rule". One model of all rows is served: a fold is predicted by leaving
its rows out of the search, which needs no other fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.learners import F32, Params, Path, Work
from automl_jupyter.engine.products import product

F64 = npt.NDArray[np.float64]

_NUMBERS = 8_000_000
_SHRINK = 1.0

_GROUP = 16
"""Numbers of which the smallest is found first."""

_MOST_EQUAL = 16
"""How many times as many as wanted may be left to be put in order: more only where many are equal."""


def smallest(d: F32, most: int) -> npt.NDArray[np.intp]:
    """Find the places of the smallest numbers of each row, the smallest first, and of equal ones the first.

    The smallest numbers of groups are different numbers: the wanted ones are at most as large as so many of
    these. Few are left to be put in order, which is several times quicker than a partition of all.

    Parameters
    ----------
    d : ndarray of shape (n, q), float32
        The numbers.
    most : int
        How many to find, at most q.

    Returns
    -------
    ndarray of shape (n, most), int
    """
    n, q = d.shape
    groups = q // _GROUP
    least = d[:, : groups * _GROUP].reshape(n, _GROUP, groups).min(axis=1) if groups >= most else d
    bound = np.partition(least, most - 1, axis=1)[:, most - 1]
    rows, places = np.divmod(np.flatnonzero(d <= bound[:, None]), q)
    counts = np.bincount(rows, minlength=n)
    width = counts.max(initial=0)
    if width > _MOST_EQUAL * most:
        return np.argsort(d, axis=1, kind="stable")[:, :most]
    column = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    few = np.full((n, width), np.inf, np.float32)
    few[rows, column] = d[rows, places]
    at = np.zeros((n, width), np.intp)
    at[rows, column] = places
    return np.take_along_axis(at, np.argsort(few, axis=1, kind="stable")[:, :most], axis=1)


@dataclass(frozen=True)
class Examples:
    """Rows that are remembered.

    Attributes
    ----------
    rows : ndarray of shape (n, p), float32
        In the learner's view.
    answers : ndarray of shape (n, K), float32
        Their quantities, or one for their class.
    weights : ndarray of shape (n,), float32
        How much each counts.
    prior : ndarray of shape (K,), float32
        The mean answer.
    """

    rows: F32
    answers: F32
    weights: F32
    prior: F32

    @cached_property
    def _turned(self) -> F32:
        return np.ascontiguousarray(self.rows.T)

    @cached_property
    def _squares(self) -> F32:
        return np.asarray(np.einsum("ij,ij->i", self.rows, self.rows))

    def __reduce__(self) -> tuple[object, ...]:
        return Examples, (self.rows, self.answers, self.weights, self.prior)

    def nearest(self, X: F32, most: int) -> tuple[npt.NDArray[np.intp], F32]:
        """Find the nearest examples of each row, the nearest first, and their squared distances."""
        d = product(X, self._turned)
        d *= -2
        d += self._squares
        near = smallest(d, min(most, d.shape[1]))
        distances = np.take_along_axis(d, near, axis=1) + np.einsum("ij,ij->i", X, X)[:, None]
        return near, np.maximum(distances, 0)

    def answer_without(self, X: F32, count: int, own: npt.NDArray[np.integer]) -> F32:
        """Predict rows, each without the example at its own position; shape (n, K)."""
        result = np.empty((len(X), len(self.prior)), np.float32)
        step = max(1, _NUMBERS // len(self.rows))
        for first in range(0, len(X), step):
            near, squares = self.nearest(X[first : first + step], count + 2)
            # Its own example goes to the end, and from there away.
            last = np.argsort(near == own[first : first + step, None], axis=1, kind="stable")
            kept = last[:, : max(1, near.shape[1] - 1)]
            near, squares = np.take_along_axis(near, kept, axis=1), np.take_along_axis(squares, kept, axis=1)
            result[first : first + step] = self._mean(near, squares, count)
        return result

    def answer(self, X: F32, counts: Sequence[int]) -> F32:
        """Predict rows for several numbers of neighbours; shape (counts, n, K)."""
        result = np.empty((len(counts), len(X), len(self.prior)), np.float32)
        step = max(1, _NUMBERS // len(self.rows))
        for first in range(0, len(X), step):
            near, squares = self.nearest(X[first : first + step], max(counts) + 1)
            for i, k in enumerate(counts):
                result[i, first : first + step] = self._mean(near, squares, k)
        return result

    def _mean(self, near: npt.NDArray[np.intp], squares: F32, k: int) -> F32:
        """Average the k nearest: a weight falls to nothing at the distance of the next one."""
        k = min(k, near.shape[1])
        edge = squares[:, min(k, near.shape[1] - 1)][:, None]
        closeness = 1 - squares[:, :k] / np.maximum(edge, 1e-12) + 1e-3
        weights = np.maximum(closeness, 1e-3) * self.weights[near[:, :k]]
        total = np.einsum("ij,ijk->ik", weights, self.answers[near[:, :k]])
        # A little of the mean answer, as if it were one more neighbour: no probability is zero.
        share = np.float32(_SHRINK) * weights.mean(axis=1) + np.float32(1e-6)
        return np.asarray((total + share[:, None] * self.prior) / (weights.sum(axis=1) + share)[:, None])


@dataclass(frozen=True)
class NeighbourModel:
    """The mean of so many nearest examples."""

    examples: Examples
    count: int
    view: str = "normal"

    @property
    def row_cost(self) -> float:
        """Microseconds for one row."""
        n, p = self.examples.rows.shape
        return float(60.0 + n * (0.003 + 0.0006 * p))

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        n, p = self.examples.rows.shape
        return float(1.0 + 0.1 * self.count + n * (0.002 + 0.000022 * p))

    def predict(self, X: F32) -> F32:
        """Predict in chunks of rows, which bounds memory."""
        return np.asarray(self.examples.answer(X, (self.count,))[0])


@dataclass(frozen=True)
class NeighbourPath(Path):
    """Numbers of neighbours of the same examples."""

    models: tuple[NeighbourModel, ...]

    def predictions(self, X: F32) -> F32:
        """Predict rows at each stage, the search for neighbours once."""
        return self.models[0].examples.answer(X, [model.count for model in self.models])


def fit_neighbours(work: Work, params: Params) -> NeighbourPath:
    """Remember rows; the stages are the numbers of neighbours.

    Parameters
    ----------
    work : Work
        The training rows.
    params : mapping
        ``counts``: numbers of neighbours, increasing.
    """
    stages = tuple(params.get("stages", params["counts"]))
    if work.task == "regression":
        answers = work.y.astype(np.float32)[:, None]
    else:
        answers = np.eye(work.width, dtype=np.float32)[work.y.astype(np.intp)]
    weights = np.ones(len(work.y)) if work.weights is None else work.weights
    prior = np.average(answers, axis=0, weights=weights).astype(np.float32)
    examples = Examples(np.ascontiguousarray(work.X), answers, weights.astype(np.float32), prior)
    work.clock.is_up()
    return NeighbourPath(stages, tuple(NeighbourModel(examples, count) for count in stages))
