"""The ways of finding groups, all with the same answer: how much each row belongs to each of them.

- k-means: round groups of about the same width;
- mixtures: oval groups, numbers and categories together;
- agglomerative (Ward, 1963): pairs of groups that are joined again and again;
- HDBSCAN (Campello, Moulavi, Sander, 2013): dense places of any shape, as many as there are.

The last two look at a sample of at most 2,000 rows; other rows go where their nearest rows of it are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine import kmeans
from automl_jupyter.engine.grouping import mixture
from automl_jupyter.engine.grouping.space import Space

F64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.intp]

KMEANS, MIXTURE, OVAL, WARD, HDBSCAN = "kmeans", "mixture", "mixture_oval", "ward", "hdbscan"
FEWEST, MOST, MOST_OVAL = 2, 12, 6
DENSE_SHARES = (2, 5, 10)
"""The least part of the rows, in percent, that HDBSCAN takes for a group."""

MIXTURE_ROWS, SAMPLE_ROWS = 5000, 2000
NEIGHBOURS, LEAST_DENSE, CHUNK = 10, 5, 1000
NOISE = -1


class Grouping(Protocol):
    """Groups that were found."""

    def memberships(self, X: F64) -> F64:
        """Give how much each row belongs to each group, shape (n, k); a row's shares add up to 1."""
        ...


@dataclass(frozen=True)
class Candidate:
    """A way of finding groups.

    Attributes
    ----------
    family : str
        ``kmeans``, ``mixture``, ``mixture_oval``, ``ward`` or ``hdbscan``.
    size : int
        The number of groups; of HDBSCAN the least part of the rows that is one, in percent.
    """

    family: str
    size: int

    @property
    def name(self) -> str:
        """What the leaderboard calls it."""
        return f"{self.family}_{self.size}"


@dataclass(frozen=True)
class Centres:
    """k-means: a row belongs to the nearest centre.

    Attributes
    ----------
    points : ndarray of shape (k, p)
        The centres.
    variance : float
        Of rows around their centres, the mean over the columns: what k-means says of groups if it is
        read as a mixture of round ones.
    """

    points: F64
    variance: float

    def memberships(self, X: F64) -> F64:
        """Give how much each row belongs to each group, shape (n, k)."""
        far = kmeans.squared_distances(X, self.points)
        near = np.exp(-(far - far.min(axis=1, keepdims=True)) / (2 * max(self.variance, 1e-9)))
        return np.asarray(near / near.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Examples:
    """Rows whose group is known; others are asked about their nearest ones.

    Attributes
    ----------
    points : ndarray of shape (n, p)
        The rows.
    votes : ndarray of shape (n, k)
        What each says: 1 for its group, the groups' shares where it lies between them.
    """

    points: F64
    votes: F64

    def memberships(self, X: F64) -> F64:
        """Give how much each row belongs to each group, shape (n, k)."""
        parts = [self._part(X[i : i + CHUNK]) for i in range(0, len(X), CHUNK)]
        return np.concatenate(parts) if parts else np.zeros((0, self.votes.shape[1]))

    def _part(self, X: F64) -> F64:
        far = kmeans.squared_distances(X, self.points)
        n = min(NEIGHBOURS, len(self.points))
        nearest = np.argpartition(far, n - 1, axis=1)[:, :n] if n < len(self.points) else np.arange(n)[None]
        nearest = np.broadcast_to(nearest, (len(X), n))
        near = np.take_along_axis(far, nearest, axis=1)
        # A row of the sample is its own neighbour at no distance and outvotes the others.
        weights = 1 / (near + 1e-6 + 0.01 * near.mean(axis=1, keepdims=True))
        found = np.einsum("ij,ijk->ik", weights, self.votes[nearest])
        return np.asarray(found / found.sum(axis=1, keepdims=True))


def candidates(rows: int, n_groups: int | None) -> list[Candidate]:
    """What is tried for so many rows, the quickest and most useful first.

    Parameters
    ----------
    rows : int
        Number of rows.
    n_groups : int or None
        The number of groups, where a person says it.
    """
    if n_groups is not None:
        families = (KMEANS,) if n_groups < FEWEST else (KMEANS, MIXTURE, WARD, OVAL)
        return [Candidate(family, n_groups) for family in families]
    sizes = range(FEWEST, max(FEWEST, min(MOST, rows // 4)) + 1)
    found = [Candidate(family, k) for k in sizes for family in (KMEANS, MIXTURE)]
    found += [Candidate(HDBSCAN, share) for share in DENSE_SHARES]
    found += [Candidate(WARD, k) for k in sizes]
    return found + [Candidate(OVAL, k) for k in sizes if k <= MOST_OVAL]


def fit(candidate: Candidate, space: Space, X: F64, seed: int, until: float) -> Grouping:
    """Find the groups of some rows.

    Parameters
    ----------
    candidate : Candidate
        How.
    space : Space
        Tells numbers from categories.
    X : ndarray of shape (n, p)
        The points.
    seed : int
        Seed of all that is random.
    until : float
        When to be content with what there is, on :func:`time.monotonic`.
    """
    k = candidate.size
    if candidate.family == KMEANS:
        centres = kmeans.fit(X, k, seed, until)
        loss = kmeans.squared_distances(X, centres).min(axis=1).mean()
        return Centres(centres, float(loss) / max(1, _rank(X)))
    if candidate.family in (MIXTURE, OVAL):
        rows = sample(len(X), MIXTURE_ROWS, seed)
        return mixture.fit(space, X[rows], k, seed, until, shared=candidate.family == MIXTURE)
    rows = sample(len(X), SAMPLE_ROWS, seed)
    labels = _joined(X[rows], k) if candidate.family == WARD else _dense(X[rows], k)
    return examples(X[rows], labels)


def sample(n: int, most: int, seed: int) -> npt.NDArray[np.intp]:
    """Choose at most so many of n rows, in order."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def examples(X: F64, labels: Labels) -> Examples:
    """Make examples of rows with the numbers of their groups, -1 for what lies between groups."""
    known = labels[labels != NOISE]
    if not len(known):
        return Examples(X, np.ones((len(X), 1)))
    present, codes = np.unique(known, return_inverse=True)
    shares = np.bincount(codes) / len(codes)
    votes = np.tile(shares, (len(X), 1))
    votes[labels != NOISE] = np.eye(len(present))[codes]
    return Examples(X, votes)


def labels_of(found: Grouping, X: F64) -> Labels:
    """Give the likeliest group of each row."""
    return np.asarray(found.memberships(X).argmax(axis=1), dtype=np.intp)


def _rank(X: F64) -> int:
    """How many columns vary."""
    return int((X.std(axis=0) > 1e-9).sum())


def _joined(X: F64, k: int) -> Labels:
    from scipy.cluster.hierarchy import fcluster, linkage

    return np.asarray(fcluster(linkage(X, "ward"), k, "maxclust"), dtype=np.intp)


def _dense(X: F64, percent: int) -> Labels:
    from sklearn import cluster

    least = max(LEAST_DENSE, round(percent * len(X) / 100))
    found = cluster.HDBSCAN(min_cluster_size=least, min_samples=LEAST_DENSE, copy=True).fit_predict(X)
    return np.asarray(found, dtype=np.intp)
