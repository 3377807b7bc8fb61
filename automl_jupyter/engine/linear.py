"""Linear models with a quadratic penalty, of the columns as they are or of curves and products of them.

They leave arrays for each of several penalties; :mod:`automl_jupyter.engine.penalty` finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.learners import F32, Params, Path, Work
from automl_jupyter.engine.penalty import Solution, solve
from automl_jupyter.engine.products import product
from automl_jupyter.engine.softmax import softmax

F64 = npt.NDArray[np.float64]

KNOTS = (0.05, 0.2, 0.4, 0.6, 0.8, 0.95)
"""The shares of a column's cells, or of its values where they are few, below the bends of its curve."""

MOST_PAIRED, PAIRED_WITHIN = 40, 3.0
"""So many columns are multiplied with each other, within so many standard deviations."""

MOST_FEATURES, MOST_NUMBERS = 1500, 20_000_000
"""Features, and numbers in their table, at most."""

CALL_COST = 15.0
"""Microseconds that a row takes however few columns there are."""

_CHUNK = 4096
_SAMPLE = 20_000
_FEWEST_VALUES, _SHORT = 4, 30
_LEAST_SPREAD = 1e-4


@dataclass(frozen=True)
class LinearModel:
    """Coefficients of shape (p, K), intercepts of shape (K,), and a softmax where there are classes."""

    coefficients: F64
    intercept: F64
    classes: bool
    view: str = "linear"

    @property
    def row_cost(self) -> float:
        """Microseconds for one row."""
        return CALL_COST + 0.01 * self.coefficients.size

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        return 0.002 * self.coefficients.size

    def predict(self, X: F32) -> F32:
        """Predict row by row in the same order of additions, so that a row alone gives the same."""
        scores = np.einsum("ij,jk->ik", X.astype(np.float64), self.coefficients) + self.intercept
        return np.asarray(softmax(scores) if self.classes else scores, dtype=np.float32)


@dataclass(frozen=True)
class LinearMean:
    """The mean of several linear models, whose scores are one product.

    Attributes
    ----------
    coefficients : ndarray of shape (p, models * K)
        Those of one model after the other.
    intercepts : ndarray of shape (models, K)
        Theirs.
    classes : bool
        Whether each answers with probabilities.
    """

    coefficients: F64
    intercepts: F64
    classes: bool
    view: str = "linear"

    @classmethod
    def of(cls, models: Sequence[LinearModel]) -> LinearMean:
        """Join models of one trial."""
        first = models[0]
        coefficients = np.hstack([model.coefficients for model in models])
        return cls(coefficients, np.stack([m.intercept for m in models]), first.classes, first.view)

    def __len__(self) -> int:
        return len(self.intercepts)

    def one(self, i: int) -> LinearModel:
        """Give one of the models."""
        width = self.intercepts.shape[1]
        own = self.coefficients[:, i * width : (i + 1) * width]
        return LinearModel(own, self.intercepts[i], self.classes, self.view)

    @property
    def row_cost(self) -> float:
        """Microseconds for one row."""
        return CALL_COST + 0.01 * self.coefficients.size

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        return 0.002 * self.coefficients.size

    def predict(self, X: F32) -> F32:
        """Predict in chunks of rows, which bounds memory."""
        result = np.empty((len(X), self.intercepts.shape[1]), np.float32)
        for first in range(0, len(X), _CHUNK):
            rows = X[first : first + _CHUNK].astype(np.float64)
            scores = product(rows, self.coefficients).reshape(-1, *self.intercepts.shape) + self.intercepts
            if self.classes:
                scores = softmax(scores.reshape(-1, scores.shape[2])).reshape(scores.shape)
            result[first : first + _CHUNK] = scores.mean(axis=1)
        return result


def fit_linear(work: Work, params: Params) -> Path:
    """Fit ridge or logistic regression with several penalties: the stages, the strongest penalty first.

    Parameters
    ----------
    work : Work
        The training rows in the linear view.
    params : mapping
        ``strengths``: inverse penalties (scikit-learn's ``C``; ``alpha`` is its inverse), increasing;
        ``steps``: iterations at most.
    """
    found = _solutions(work.X, work, params, work.X_held)
    classes = work.task != "regression"
    models = tuple(LinearModel(s.coefficients, s.intercept, classes) for s in found)
    return Path(tuple(s.stage for s in found), models)


def _solutions(X: F32, work: Work, params: Params, X_held: F32 | None) -> list[Solution]:
    strengths = params["strengths"]
    stages = params.get("stages", tuple(range(len(strengths))))
    return list(solve(X, work, strengths, stages, int(params["steps"]), X_held))


@dataclass(frozen=True)
class Curves:
    """Columns as they are, broken lines of some of them, and products of pairs; each of spread one.

    Attributes
    ----------
    columns, knots : ndarray of shape (bends,)
        Each bend is of a column, at a place.
    left, right : ndarray of shape (pairs,)
        The columns that are multiplied.
    scale : ndarray of shape (p + bends + pairs,), float32
        What each feature is multiplied by.
    """

    columns: npt.NDArray[np.intp]
    knots: F32
    left: npt.NDArray[np.intp]
    right: npt.NDArray[np.intp]
    scale: F32

    def __call__(self, X: F32) -> F32:
        """Give the features of rows, shape (n, p + bends + pairs)."""
        p, bends = X.shape[1], len(self.columns)
        features = np.empty((len(X), len(self.scale)), np.float32)
        features[:, :p] = X
        np.maximum(X[:, self.columns] - self.knots, 0, out=features[:, p : p + bends])
        near = np.clip(X, -PAIRED_WITHIN, PAIRED_WITHIN)
        np.multiply(near[:, self.left], near[:, self.right], out=features[:, p + bends :])
        features *= self.scale
        return features


@dataclass(frozen=True)
class SplineModel:
    """A linear model of curves and products: coefficients of shape (features, K), intercepts (K,)."""

    curves: Curves
    coefficients: F64
    intercept: F64
    classes: bool
    view: str = "linear"

    @property
    def row_cost(self) -> float:
        """Microseconds for one row."""
        return 30.0 + 0.03 * len(self.coefficients)

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        return 0.002 * self.coefficients.size

    def predict(self, X: F32) -> F32:
        """Predict in chunks of rows, which bounds memory."""
        result = np.empty((len(X), len(self.intercept)), np.float32)
        for first in range(0, len(X), _CHUNK):
            features = self.curves(X[first : first + _CHUNK]).astype(np.float64)
            scores = product(features, self.coefficients) + self.intercept
            result[first : first + _CHUNK] = softmax(scores) if self.classes else scores
        return result


def fit_spline(work: Work, params: Params) -> Path:
    """Fit a linear model to broken lines of the numbers and, where there is room, to products of columns.

    Parameters
    ----------
    work : Work
        The training rows in the linear view.
    params : mapping
        As :func:`fit_linear`, and ``pairs``: the spread of products of columns, 0 for none; the smaller it
        is, the stronger they are penalised beside the columns on their own.
    """
    curves = _curves(work, float(params["pairs"]))
    held = None if work.X_held is None else curves(work.X_held)
    found = _solutions(curves(work.X), work, params, held)
    classes = work.task != "regression"
    models = tuple(SplineModel(curves, s.coefficients, s.intercept, classes) for s in found)
    return Path(tuple(s.stage for s in found), models)


def _curves(work: Work, pairs: float) -> Curves:
    n, p = work.X.shape
    room = min(MOST_FEATURES, MOST_NUMBERS // n) - p
    bends = _bends(work.X)
    if len(bends) > room:
        bends = []
    room = max(room - len(bends), 0)
    most = min(MOST_PAIRED, p, int(np.sqrt(2 * room))) if pairs else 0
    chosen = np.sort(np.argsort(-_relevance(work), kind="stable")[:most])
    left, right = (chosen[side] for side in np.triu_indices(most))
    curves = Curves(
        np.array([column for column, _ in bends], np.intp),
        np.array([knot for _, knot in bends], np.float32),
        left,
        right,
        np.ones(p + len(bends) + len(left), np.float32),
    )
    spread = curves(work.X[:: max(1, n // _SAMPLE)]).std(axis=0, dtype=np.float64)
    scale = np.where(spread > _LEAST_SPREAD, 1 / np.maximum(spread, _LEAST_SPREAD), 0.0)
    scale[:p] = 1.0
    scale[p + len(bends) :] *= pairs
    return replace(curves, scale=scale.astype(np.float32))


def _bends(X: F32) -> list[tuple[int, float]]:
    """Columns and the places where their lines bend; none for columns of a few values."""
    found = []
    for j in range(X.shape[1]):
        values = np.unique(X[:, j])
        if len(values) >= _FEWEST_VALUES:
            among = values if len(values) < _SHORT else X[:, j]
            found += [(j, float(knot)) for knot in np.unique(np.quantile(among, KNOTS))]
    return found


def _relevance(work: Work) -> F64:
    """How much each column says of the target on its own, up to a factor: squared correlations."""
    X = work.X - work.X.mean(axis=0)
    spread = np.maximum((X**2).mean(axis=0), 1e-9)
    if work.task == "regression":
        Y = (work.y - work.y.mean())[:, None]
    else:
        Y = np.eye(work.width, dtype=np.float32)[work.y.astype(np.intp)]
        Y = (Y - Y.mean(axis=0)) / np.sqrt(np.maximum(Y.mean(axis=0), 1e-9))
    return np.asarray(((X.T @ Y / len(X)) ** 2).sum(axis=1) / spread, dtype=np.float64)
