"""Linear models with a quadratic penalty: ridge and (multinomial) logistic regression.

They minimise what scikit-learn's ``Ridge`` and ``LogisticRegression`` minimise, but ask the clock at each
step and leave two arrays. The penalty is chosen on an inner split, then all training rows are used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from automl_jupyter.engine.learners import F32, Params, Work
from automl_jupyter.engine.resample import inner_split

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

    def predict(self, X: F32) -> F32:
        """Predict row by row in the same order of additions, so that a row alone gives the same."""
        scores = np.einsum("ij,jk->ik", X.astype(np.float64), self.coefficients) + self.intercept
        return np.asarray(softmax(scores, axis=1) if self.classes else scores, dtype=np.float32)


def fit_linear(work: Work, params: Params) -> LinearModel:
    """Fit ridge or logistic regression.

    Parameters
    ----------
    work : Work
        The training rows in the linear view.
    params : mapping
        ``strengths``: inverse penalties to choose from (scikit-learn's ``C``; ``alpha`` is its inverse), the
        strongest penalty first; ``steps``: iterations at most.
    """
    fit, check = inner_split(work.y, work.task, work.seed, work.groups, work.time)
    if work.task == "regression":
        return _ridge(work, params["strengths"], fit, check)
    return _logistic(work, params["strengths"], params["steps"], fit, check)


def _ridge(
    work: Work, strengths: tuple[float, ...], fit: npt.NDArray[np.intp], check: npt.NDArray[np.intp]
) -> LinearModel:
    y = work.y.astype(np.float64)
    paths = _ridge_path(work.X[fit], y[fit], strengths)
    losses = [float(np.mean((work.X[check] @ w + b - y[check]) ** 2)) for w, b in paths]
    work.clock.is_up()
    best = strengths[int(np.argmin(losses))]
    ((w, b),) = _ridge_path(work.X, y, (best,))
    return LinearModel(w[:, None], np.array([b]), classes=False)


def _ridge_path(X: F32, y: F64, strengths: tuple[float, ...]) -> list[tuple[F64, float]]:
    """Solve for several penalties with one decomposition of the smaller Gram matrix."""
    mean, centre = X.mean(axis=0, dtype=np.float64), float(y.mean())
    A = X - mean
    wide = A.shape[1] > A.shape[0]
    values, vectors = np.linalg.eigh(A @ A.T if wide else A.T @ A)
    values = np.maximum(values, 0.0)
    right = vectors.T @ (y - centre if wide else A.T @ (y - centre))
    result = []
    for c in strengths:
        solved = vectors @ (right / (values + 1 / c))
        w = A.T @ solved if wide else solved
        result.append((w, centre - float(mean @ w)))
    return result


def _logistic(
    work: Work,
    strengths: tuple[float, ...],
    steps: int,
    fit: npt.NDArray[np.intp],
    check: npt.NDArray[np.intp],
) -> LinearModel:
    y = work.y.astype(np.intp)
    start = np.zeros((work.X.shape[1] + 1, work.width))
    best, best_loss, best_theta = strengths[0], np.inf, start
    X_fit, X_check = work.X[fit], work.X[check]
    for c in strengths:
        start = _descend(X_fit, y[fit], c, steps, start, work)
        logits = X_check @ start[:-1] + start[-1]
        loss = -float(np.mean(log_softmax(logits, axis=1)[np.arange(len(check)), y[check]]))
        if loss >= best_loss or work.clock.is_up():
            break
        best, best_loss, best_theta = c, loss, start
    theta = _descend(work.X, y, best, steps, best_theta, work)
    return LinearModel(theta[:-1], theta[-1], classes=True)


def _descend(X: F32, y: npt.NDArray[np.intp], strength: float, steps: int, start: F64, work: Work) -> F64:
    """Minimise the mean log loss plus ``|w|² / (2 C n)`` by L-BFGS from a start of shape (p + 1, K)."""
    n, shape = len(y), start.shape
    rows = np.arange(n)

    def objective(flat: F64) -> tuple[float, F64]:
        theta = flat.reshape(shape)
        logits = X @ theta[:-1].astype(np.float32) + theta[-1].astype(np.float32)
        logp = log_softmax(logits, axis=1)
        loss = -float(logp[rows, y].mean(dtype=np.float64)) + float((theta[:-1] ** 2).sum()) / (
            2 * strength * n
        )
        slope = np.exp(logp)
        slope[rows, y] -= 1
        slope /= n
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
