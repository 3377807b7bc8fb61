"""How rows are divided, so that every score comes from rows that a model has not seen."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Folds:
    """A division of rows into parts of about equal size.

    Attributes
    ----------
    k : int
        Number of parts.
    part : ndarray of shape (n,), int8
        The part of each row.
    """

    k: int
    part: npt.NDArray[np.int8] = field(repr=False)

    def split(self, fold: int) -> tuple[Positions, Positions]:
        """Give the positions of the rows to learn from and of those to predict."""
        held = self.part == fold
        return np.flatnonzero(~held), np.flatnonzero(held)


def count_folds(rows: int, cells: int, budget: float) -> int:
    """Choose the number of folds: more for small tables, where each row counts.

    Parameters
    ----------
    rows, cells : int
        Size of the table.
    budget : float
        Seconds of the whole search: large tables in little time get three folds.
    """
    if cells > 400_000 * budget:
        return 3
    return 8 if rows < 1500 else 5


def make_folds(codes: npt.NDArray[np.generic], task: str, k: int, seed: int) -> Folds:
    """Deal rows into folds: classes, or ranges of a quantity, in proportion.

    Rows are shuffled, ordered by class (or by quantity), and dealt in turn; a class with fewer rows than
    folds is thus absent from some, never an error.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        The coded target.
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    k : int
        Number of folds, at most n.
    seed : int
        Seed of the shuffle.
    """
    n = len(codes)
    k = max(2, min(k, n // 2))
    generator = np.random.default_rng(seed)
    order = generator.permutation(n)
    order = order[np.argsort(codes[order], kind="stable")]
    part = np.empty(n, dtype=np.int8)
    # Each run of k neighbours is dealt in an order of its own; a fixed one would sort folds by the target.
    blocks = np.argsort(generator.random((-(-n // k), k)), axis=1).ravel()[:n]
    part[order] = blocks
    return Folds(k, part)
