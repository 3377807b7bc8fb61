"""Linear models with a quadratic penalty: ridge and (multinomial) logistic regression.

They minimise what scikit-learn's ``Ridge`` and ``LogisticRegression`` minimise, but ask the clock at each
step and leave two arrays for each of several penalties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from automl_jupyter.engine.learners import F32, Params, Path, Work

F64 = npt.NDArray[np.float64]


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
        return 15.0

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        return 0.002 * self.coefficients.size

    def predict(self, X: F32) -> F32:
        """Predict row by row in the same order of additions, so that a row alone gives the same."""
        scores = np.einsum("ij,jk->ik", X.astype(np.float64), self.coefficients) + self.intercept
        return np.asarray(softmax(scores, axis=1) if self.classes else scores, dtype=np.float32)


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
    strengths = params["strengths"]
    stages = params.get("stages", tuple(range(len(strengths))))
    if work.task == "regression":
        y, weights = work.y.astype(np.float64), work.weights
        paths = _ridge_path(work.X, y, [strengths[i] for i in stages], weights)
        work.clock.is_up()
        return Path(stages, tuple(LinearModel(w[:, None], np.array([b]), False) for w, b in paths))
    return _logistic(work, strengths, stages, params["steps"])


def _logistic(work: Work, strengths: Sequence[float], stages: tuple[int, ...], steps: int) -> Path:
    """Go from one penalty to the next until the held rows lose twice or the time is up."""
    theta = np.zeros((work.X.shape[1] + 1, work.width))
    models, losses = [], [np.inf]
    for stage in stages:
        theta = _descend(work, strengths[stage], steps, theta)
        models.append(LinearModel(theta[:-1], theta[-1], classes=True))
        if work.X_held is not None and work.y_held is not None:
            logp = log_softmax(work.X_held @ theta[:-1] + theta[-1], axis=1)
            losses.append(-float(np.mean(logp[np.arange(len(logp)), work.y_held.astype(np.intp)])))
        if work.clock.is_up() or (len(losses) > 2 and losses[-1] > losses[-2] > losses[-3]):
            break
    return Path(stages[: len(models)], tuple(models))


def _ridge_path(X: F32, y: F64, strengths: Sequence[float], weights: F64 | None) -> list[tuple[F64, float]]:
    """Solve for several penalties with one decomposition of the smaller Gram matrix."""
    mean, centre = np.average(X, axis=0, weights=weights), float(np.average(y, weights=weights))
    A, right_side = (X - mean).astype(np.float64), y - centre
    if weights is not None:
        root = np.sqrt(weights)
        A, right_side = A * root[:, None], right_side * root
    wide = A.shape[1] > A.shape[0]
    values, vectors = np.linalg.eigh(A @ A.T if wide else A.T @ A)
    values = np.maximum(values, 0.0)
    right = vectors.T @ (right_side if wide else A.T @ right_side)
    result = []
    for c in strengths:
        solved = vectors @ (right / (values + 1 / c))
        w = A.T @ solved if wide else solved
        result.append((w, centre - float(mean @ w)))
    return result


def _descend(work: Work, strength: float, steps: int, start: F64) -> F64:
    """Minimise the mean log loss plus ``|w|² / (2 C n)`` by L-BFGS from a start of shape (p + 1, K)."""
    X, y, n, shape = work.X, work.y.astype(np.intp), len(work.y), start.shape
    rows = np.arange(n)
    weights = np.ones(n) if work.weights is None else work.weights

    def objective(flat: F64) -> tuple[float, F64]:
        theta = flat.reshape(shape)
        logits = X @ theta[:-1].astype(np.float32) + theta[-1].astype(np.float32)
        logp = log_softmax(logits, axis=1)
        loss = -float(weights @ logp[rows, y]) / n + float((theta[:-1] ** 2).sum()) / (2 * strength * n)
        slope = np.exp(logp)
        slope[rows, y] -= 1
        slope *= (weights / n)[:, None].astype(np.float32)
        gradient = np.vstack([X.T @ slope + theta[:-1] / (strength * n), slope.sum(axis=0)])
        return loss, gradient.astype(np.float64).ravel()

    def watch(_: F64) -> None:
        if work.clock.is_up():
            raise StopIteration

    found = minimize(
        objective,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        callback=watch,
        options={"maxiter": steps, "ftol": 1e-7, "gtol": 1e-5},
    )
    return np.asarray(found.x, dtype=np.float64).reshape(shape)
