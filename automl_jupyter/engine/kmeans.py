"""k-means and the silhouette in numpy, with an eye on the clock.

Arthur, Vassilvitskii (2007), "k-means++: the advantages of careful seeding"; Rousseeuw (1987), "Silhouettes".
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.intp]

STARTS, STEPS = 4, 100


def squared_distances(X: F64, centres: F64) -> F64:
    """Give squared Euclidean distances, shape (n, k)."""
    cross = np.einsum("ij,kj->ik", X, centres) if len(X) < 32 else X @ centres.T
    squares = (X**2).sum(axis=1)[:, None] - 2 * cross + (centres**2).sum(axis=1)
    return np.asarray(np.maximum(squares, 0.0))


def assign(X: F64, centres: F64) -> Labels:
    """Give the nearest centre of each row."""
    return np.asarray(squared_distances(X, centres).argmin(axis=1), dtype=np.intp)


def fit(X: F64, k: int, seed: int, until: float) -> F64:
    """Find k centres.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        The rows.
    k : int
        Number of centres; fewer are found if fewer rows differ.
    seed : int
        Seed of the starts.
    until : float
        When to be content with what there is, on :func:`time.monotonic`.

    Returns
    -------
    ndarray of shape (k, p)
        The best of four starts.
    """
    best, best_loss = X[:1], np.inf
    for start in range(STARTS):
        centres = _descend(X, _spread(X, k, np.random.default_rng(seed + start)), until)
        loss = float(squared_distances(X, centres).min(axis=1).sum())
        if loss < best_loss:
            best, best_loss = centres, loss
        if time.monotonic() > until:
            break
    return best


def _spread(X: F64, k: int, generator: np.random.Generator) -> F64:
    """Choose starting centres far from each other."""
    chosen = [int(generator.integers(len(X)))]
    nearest = squared_distances(X, X[chosen]).min(axis=1)
    while len(chosen) < k:
        if nearest.sum() <= 1e-12 * len(X):
            break
        chosen.append(int(generator.choice(len(X), p=nearest / nearest.sum())))
        nearest = np.minimum(nearest, squared_distances(X, X[chosen[-1:]])[:, 0])
    return X[chosen]


def _descend(X: F64, centres: F64, until: float) -> F64:
    for _ in range(STEPS):
        labels = assign(X, centres)
        moved = centres.copy()
        for j in np.unique(labels):
            moved[j] = X[labels == j].mean(axis=0)
        if np.allclose(moved, centres, rtol=0, atol=1e-6) or time.monotonic() > until:
            return moved
        centres = moved
    return centres


def silhouettes(distances: F64, labels: Labels) -> F64:
    """Give each row's silhouette, from -1 to 1; 0 for a row alone in its cluster.

    Parameters
    ----------
    distances : ndarray of shape (n, n)
        Distances between rows.
    labels : ndarray of shape (n,)
        Their clusters.
    """
    present, codes = np.unique(labels, return_inverse=True)
    if len(present) < 2:
        return np.zeros(len(labels))
    member = np.eye(len(present))[codes]
    sizes = member.sum(axis=0)
    sums = distances @ member
    own = sums[np.arange(len(codes)), codes] / np.maximum(sizes[codes] - 1, 1)
    means = np.where(member > 0, np.inf, sums / sizes)
    other = means.min(axis=1)
    widest = np.maximum(own, other)
    values = np.where(widest > 0, (other - own) / np.maximum(widest, 1e-300), 0.0)
    return np.where(sizes[codes] == 1, 0.0, values)
