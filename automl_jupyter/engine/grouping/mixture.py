"""Mixtures of groups for numbers and categories together, by expectation and maximisation.

In a group, numbers are normal, with a covariance of its own or one that all groups share, and categories are
independent of each other and of the numbers (Dempster, Laird, Rubin, 1977; McLachlan and Peel, 2000, "Finite
mixture models"; for categories the latent class model of Lazarsfeld and Henry, 1968). The only free scale is
that of the data, so that columns which do not tell groups apart do no harm.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from automl_jupyter.engine import kmeans
from automl_jupyter.engine.grouping.space import Space

F64 = npt.NDArray[np.float64]

MOST_DIMENSIONS, ROWS_PER_DIMENSION = 20, 10
STARTS, STEPS, GAIN = 2, 60, 1e-4
"""Steps end when one of them gains less than this per row."""

_RIDGE = 1e-2
_SOFTENED = 0.1


@dataclass(frozen=True)
class Mixture:
    """A mixture of k groups.

    Attributes
    ----------
    numbers : int
        Number of columns of numbers.
    basis : ndarray of shape (numbers, d)
        The directions that are looked at.
    shares : ndarray of shape (k,)
        The logarithm of each group's share of rows.
    means : ndarray of shape (k, d)
        Means of numbers.
    factors : ndarray of shape (k, d, d)
        Inverses of the lower Cholesky factors of the covariances.
    blocks : tuple of (int, int)
        Columns of each category.
    levels : tuple of ndarray of shape (k, levels)
        Logarithms of the shares of levels.
    """

    numbers: int
    basis: F64
    shares: F64
    means: F64
    factors: F64
    blocks: tuple[tuple[int, int], ...]
    levels: tuple[F64, ...]

    def memberships(self, X: F64) -> F64:
        """Give the probability of each group for each row, shape (n, k)."""
        return _posterior(self, X)[1]


def fit(space: Space, X: F64, k: int, seed: int, until: float, *, shared: bool) -> Mixture:
    """Find k groups.

    Parameters
    ----------
    space : Space
        Tells numbers from categories.
    X : ndarray of shape (n, p)
        The points.
    k : int
        Number of groups.
    seed : int
        Seed of the starts.
    until : float
        When to be content with what there is, on :func:`time.monotonic`.
    shared : bool
        Whether all groups have the same covariance.

    Returns
    -------
    Mixture
        The likeliest of several starts: from k-means by numbers alone and by all columns.
    """
    basis = _directions(X[:, : space.numbers])
    best, best_fit = None, -np.inf
    for start in range(STARTS):
        # Categories can hide groups of numbers from k-means, and the other way round.
        seen = X if start % 2 or space.numbers < 2 else X[:, : space.numbers]
        labels = kmeans.assign(seen, kmeans.fit(seen, k, seed + start, until))
        found, likelihood = _climb(space, X, basis, labels, k, until, shared)
        if best is None or likelihood > best_fit:
            best, best_fit = found, likelihood
    if best is None:
        raise ValueError("a mixture needs a start")
    return best


def criterion(space: Space, X: F64, labels: npt.NDArray[np.intp], *, shared: bool) -> float:
    """Schwarz's (1978) Bayesian information criterion of rows that are divided into groups; less is better.

    Parameters
    ----------
    space : Space
        Tells numbers from categories.
    X : ndarray of shape (n, p)
        The points.
    labels : ndarray of shape (n,)
        Their groups, however these were found.
    shared : bool
        Whether the groups are read as normal ones of the same covariance.
    """
    present, codes = np.unique(labels, return_inverse=True)
    k, basis = len(present), _directions(X[:, : space.numbers])
    model = _maximise(space, X, basis, np.eye(k)[codes], shared)
    d = basis.shape[1]
    free = k - 1 + k * d + (1 if shared else k) * d * (d + 1) // 2
    free += sum(table.size - k for table in model.levels)
    return float(free * math.log(len(X))) - 2 * float(_posterior(model, X)[0].sum())


def _directions(Z: F64) -> F64:
    """The principal directions where there are too many numbers for a covariance, else all."""
    most = max(1, min(MOST_DIMENSIONS, len(Z) // ROWS_PER_DIMENSION))
    if Z.shape[1] <= most:
        return np.eye(Z.shape[1])
    _, _, turned = np.linalg.svd(Z - Z.mean(axis=0), full_matrices=False)
    return np.ascontiguousarray(turned[:most].T)


def _climb(
    space: Space, X: F64, basis: F64, labels: npt.NDArray[np.intp], k: int, until: float, shared: bool
) -> tuple[Mixture, float]:
    weights = (1 - _SOFTENED) * np.eye(k)[labels] + _SOFTENED / k
    last = -np.inf
    for _ in range(STEPS):
        model = _maximise(space, X, basis, weights, shared)
        each, weights = _posterior(model, X)
        now = float(each.mean())
        if now - last < GAIN or time.monotonic() > until:
            break
        last = now
    return model, now


def _maximise(space: Space, X: F64, basis: F64, weights: F64, shared: bool) -> Mixture:
    Z = X[:, : space.numbers] @ basis
    sizes = np.maximum(weights.sum(axis=0), 1e-9)
    means = weights.T @ Z / sizes[:, None]
    scatter = np.stack([(Z - m).T @ ((Z - m) * w[:, None]) for m, w in zip(means, weights.T, strict=True)])
    d = Z.shape[1]
    covariances = np.broadcast_to(scatter.sum(axis=0) / len(X), scatter.shape)
    if not shared:
        # A group of few rows borrows the shape of all.
        covariances = (scatter + d * covariances) / (sizes + d)[:, None, None]
    ridge = _RIDGE * np.eye(d)
    factors = np.stack([np.linalg.inv(np.linalg.cholesky(c + ridge)) for c in covariances])
    levels = []
    for first, last in space.blocks:
        counts = weights.T @ (X[:, first:last] > 0) + 1.0
        levels.append(np.log(counts / counts.sum(axis=1, keepdims=True)))
    return Mixture(
        space.numbers, basis, np.log(sizes / sizes.sum()), means, factors, space.blocks, tuple(levels)
    )


def _posterior(model: Mixture, X: F64) -> tuple[F64, F64]:
    """The log-likelihood of each row, shape (n,), and its memberships, shape (n, k)."""
    Z = X[:, : model.numbers] @ model.basis
    found = np.tile(model.shares, (len(X), 1))
    for c, (mean, factor) in enumerate(zip(model.means, model.factors, strict=True)):
        found[:, c] += np.log(np.diag(factor)).sum() - 0.5 * (((Z - mean) @ factor.T) ** 2).sum(axis=1)
    for (first, last), levels in zip(model.blocks, model.levels, strict=True):
        found += (X[:, first:last] > 0).astype(np.float64) @ levels.T
    each = logsumexp(found, axis=1)
    return each, np.exp(found - each[:, None])
