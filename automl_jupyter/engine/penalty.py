"""Ridge and (multinomial) logistic regression for several penalties at once.

They minimise what scikit-learn's ``Ridge`` and ``LogisticRegression`` minimise. The columns are turned into
their principal components first, by one decomposition for all penalties. There a ridge is a division, and for
a logistic regression the diagonal of the curvature is nearly all of it: L-BFGS (Liu and Nocedal 1989) on
coordinates scaled by it needs few steps, however alike the columns are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize

from automl_jupyter.engine.learners import F32, Work
from automl_jupyter.engine.softmax import log_losses, log_softmax

F64 = npt.NDArray[np.float64]

MOST_COMPONENTS = 1500
"""Beyond so many columns and rows a decomposition costs more than the steps that it saves."""

_CHUNK = 4096
_NOISE = 1e-11
"""Components with less than this part of the strongest one's variance are rounding errors."""


@dataclass(frozen=True)
class Solution:
    """Coefficients of shape (p, K) and intercepts of shape (K,), at one penalty.

    Attributes
    ----------
    stage : int
        The position of the penalty.
    """

    stage: int
    coefficients: F64
    intercept: F64


@dataclass(frozen=True)
class _Turned:
    """Rows, shape (n, r), in a basis of shape (p, r), or as they are if the basis is None.

    ``strength`` is the sum of squares of each component.
    """

    rows: F32
    mean: F64
    basis: F64 | None
    strength: F64

    def back(self, theta: F64, intercept: F64, stage: int) -> Solution:
        """Give the solution in terms of the columns."""
        w = theta if self.basis is None else self.basis @ theta
        return Solution(stage, w, intercept - self.mean @ w)


def solve(
    X: F32,
    work: Work,
    strengths: Sequence[float],
    stages: Sequence[int],
    steps: int = 100,
    X_held: F32 | None = None,
) -> Iterator[Solution]:
    """Solve for one penalty after the other, the strongest first.

    Ends early when the held rows have lost twice in a row or the time is up.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p), float32
        Features of the training rows of `work`, whose target, weights and clock are used.
    work : Work
        What the fit is given.
    strengths : sequence of float
        Inverse penalties (scikit-learn's ``C``; ``alpha`` is its inverse), increasing.
    stages : sequence of int
        The positions of those that are wanted.
    steps : int
        Iterations at most.
    X_held : ndarray of shape (m, p), optional
        Features of the held rows.

    Yields
    ------
    Solution
    """
    turned = _turn(X, work)
    if work.task == "regression":
        yield from _ridge(turned, work, [(i, strengths[i]) for i in stages])
        return
    start, losses = _start(turned, work), [np.inf]
    for stage in stages:
        start = _descend(turned, work, strengths[stage], steps, start)
        found = turned.back(start[:-1], start[-1], stage)
        yield found
        if X_held is not None and work.y_held is not None and len(work.y_held):
            scores = X_held @ found.coefficients.astype(np.float32) + found.intercept
            losses.append(float(np.mean(log_losses(scores, work.y_held.astype(np.intp)))))
        if work.clock.is_up() or (len(losses) > 2 and losses[-1] > losses[-2] > losses[-3]):
            return


def _turn(X: F32, work: Work) -> _Turned:
    """Centre the rows and turn them to their principal components, by the smaller Gram matrix."""
    n, p = X.shape
    if sparse.issparse(X):
        many: Any = X
        return _Turned(X, np.zeros(p), None, np.asarray(many.multiply(many).sum(axis=0)).ravel())
    mean = np.average(X, axis=0, weights=work.weights)
    A = X - mean.astype(np.float32)
    weights = np.ones(n) if work.weights is None else work.weights
    if min(n, p) > MOST_COMPONENTS:
        squares = np.einsum("ij,ij,i->j", A, A, weights)
        return _Turned(A, mean.astype(np.float32).astype(np.float64), None, squares)
    if p > n:
        root = np.sqrt(weights)[:, None]
        rows = A.astype(np.float64) * root
        values, vectors = np.linalg.eigh(rows @ rows.T)
        kept = values > _NOISE * values.max(initial=0.0)
        values, vectors = values[kept], vectors[:, kept]
        basis = rows.T @ (vectors / np.sqrt(values))
    else:
        values, basis = np.linalg.eigh(_gram(A, weights, work))
        kept = values > _NOISE * values.max(initial=0.0)
        values, basis = values[kept], basis[:, kept]
    turned = A @ basis.astype(np.float32)
    return _Turned(turned, mean.astype(np.float32).astype(np.float64), basis, values)


def _gram(A: F32, weights: F64, work: Work) -> F64:
    total = np.zeros((A.shape[1], A.shape[1]))
    for first in range(0, len(A), _CHUNK):
        rows = A[first : first + _CHUNK].astype(np.float64)
        total += rows.T @ (rows * weights[first : first + _CHUNK, None])
        work.clock.is_up()
    return total


def _ridge(turned: _Turned, work: Work, penalties: Sequence[tuple[int, float]]) -> Iterator[Solution]:
    y = work.y.astype(np.float64)
    weights = np.ones(len(y)) if work.weights is None else work.weights
    centre = np.average(y, weights=weights)
    if turned.basis is None:
        yield from _ridge_of_many(turned, work, penalties)
        return
    right = turned.rows.T.astype(np.float64) @ (weights * (y - centre))
    for stage, strength in penalties:
        theta = right / (turned.strength + 1 / strength)
        yield turned.back(theta[:, None], np.array([centre]), stage)
    work.clock.is_up()


def _ridge_of_many(turned: _Turned, work: Work, penalties: Sequence[tuple[int, float]]) -> Iterator[Solution]:
    """Solve by conjugate gradients, scaled by the diagonal, where there are too many columns to decompose."""
    y = work.y.astype(np.float64)
    weights = np.ones(len(y)) if work.weights is None else work.weights
    centre = np.average(y, weights=weights)
    A = turned.rows
    right: F64 = np.asarray(A.T @ (weights * (y - centre)).astype(np.float32), dtype=np.float64)
    w = np.zeros(A.shape[1])
    for stage, strength in penalties:
        scale = turned.strength + 1 / strength
        residual = right - w / strength
        residual -= A.T @ (weights * (A @ w.astype(np.float32))).astype(np.float32)
        z = residual / scale
        direction, rho = z, float(residual @ z)
        least = 1e-10 * float(right @ (right / scale))
        for _ in range(100):
            if rho <= least or work.clock.is_up():
                break
            image = direction / strength
            image += A.T @ (weights * (A @ direction.astype(np.float32))).astype(np.float32)
            step = rho / float(direction @ image)
            w, residual = w + step * direction, residual - step * image
            z = residual / scale
            rho, before = float(residual @ z), rho
            direction = z + rho / before * direction
        yield turned.back(w[:, None], np.array([centre]), stage)


def _start(turned: _Turned, work: Work) -> F64:
    """No coefficients, and the logarithms of how frequent the classes are."""
    theta = np.zeros((turned.rows.shape[1] + 1, work.width))
    theta[-1] = np.log(_frequencies(work))
    return theta


def _frequencies(work: Work) -> F64:
    counts = np.bincount(work.y.astype(np.intp), work.weights, minlength=work.width) + 1.0
    return np.asarray(counts / counts.sum())


def _descend(turned: _Turned, work: Work, strength: float, steps: int, start: F64) -> F64:
    """Minimise the mean log loss plus ``|w|² / (2 C n)`` from a start of shape (r + 1, K)."""
    X, y, n, shape = turned.rows, work.y.astype(np.intp), len(work.y), start.shape
    rows = np.arange(n)
    weights = np.ones(n) if work.weights is None else work.weights
    share = (weights / n)[:, None].astype(np.float32)
    frequent = _frequencies(work)
    curvature = (turned.strength[:, None] / n) * (frequent * (1 - frequent)) + 1 / (strength * n)
    scale = np.sqrt(np.vstack([curvature, frequent * (1 - frequent)]))

    def objective(flat: F64) -> tuple[float, F64]:
        theta = flat.reshape(shape) / scale
        logits = X @ theta[:-1].astype(np.float32) + theta[-1].astype(np.float32)
        logp = log_softmax(logits)
        loss = -float(weights @ logp[rows, y]) / n + float((theta[:-1] ** 2).sum()) / (2 * strength * n)
        slope = np.exp(logp)
        slope[rows, y] -= 1
        slope *= share
        gradient = np.vstack([X.T @ slope + theta[:-1] / (strength * n), slope.sum(axis=0)]) / scale
        return loss, gradient.astype(np.float64).ravel()

    def watch(_: F64) -> None:
        if work.clock.is_up():
            raise StopIteration

    found = minimize(
        objective,
        (start * scale).ravel(),
        jac=True,
        method="L-BFGS-B",
        callback=watch,
        options={"maxiter": steps, "ftol": 1e-6, "gtol": 1e-5},
    )
    return np.asarray(found.x, dtype=np.float64).reshape(shape) / scale
