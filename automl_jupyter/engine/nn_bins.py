"""Numbers as several inputs each, so that a network can bend where they do.

A number becomes, for each of its bins, how far it has come through the bin: 0 before it, 1 after it
(piecewise linear encoding, Gorishniy, Rubachev, Babenko 2022). Bins hold equally many training rows, so that
a skewed column is spread out as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.learners import F32

_FEW_VALUES = 5
_ROWS = 20_000
_NARROWEST = 1e-4


@dataclass(frozen=True)
class Bins:
    """The bins of some columns.

    Attributes
    ----------
    columns : ndarray of shape (bins,)
        For each bin the column that it belongs to.
    low, inverse : ndarray of shape (bins,)
        Where it begins, and one over its width.
    """

    columns: npt.NDArray[np.intp]
    low: F32
    inverse: F32

    def widen(self, X: F32) -> F32:
        """Give rows of shape (n, p) with what their numbers become, shape (n, p + bins)."""
        return _widened(X, self.columns, self.low, self.inverse)


@dataclass(frozen=True)
class BinsOfSeveral:
    """Bins of several networks, as many for each: those that one has less are of no width and stay zero.

    Attributes
    ----------
    columns, low, inverse : ndarray of shape (networks, 1, bins)
        As of :class:`Bins`.
    """

    columns: npt.NDArray[np.intp]
    low: F32
    inverse: F32

    @classmethod
    def of(cls, several: Sequence[Bins]) -> BinsOfSeveral:
        """Put bins beside each other."""
        shape = (len(several), 1, max(len(bins.columns) for bins in several))
        joined = cls(np.zeros(shape, np.intp), np.zeros(shape, np.float32), np.zeros(shape, np.float32))
        for i, bins in enumerate(several):
            joined.columns[i, 0, : len(bins.columns)] = bins.columns
            joined.low[i, 0, : len(bins.low)] = bins.low
            joined.inverse[i, 0, : len(bins.inverse)] = bins.inverse
        return joined

    def one(self, i: int) -> Bins:
        """Give the bins of one network."""
        return Bins(self.columns[i, 0], self.low[i, 0], self.inverse[i, 0])

    def widen(self, X: F32) -> F32:
        """Give rows of shape (n, p) for each network, shape (networks, n, p + bins); once without bins."""
        if not self.columns.size:
            return X[None]
        return _widened(X, self.columns, self.low, self.inverse)


def _widened(X: F32, columns: npt.NDArray[np.intp], low: F32, inverse: F32) -> F32:
    """Rows, and beside them how far each number has come through each of its bins."""
    p, leading = X.shape[1], columns.shape[:-2]
    wide = np.empty((*leading, len(X), p + columns.shape[-1]), dtype=np.float32)
    wide[..., :p] = X
    part = wide[..., p:]
    cells = X[np.arange(len(X))[:, None], columns] if leading else X[:, columns]
    np.subtract(cells, low, out=part)
    part *= inverse
    np.clip(part, 0, 1, out=part)
    return wide


def learn_bins(X: F32, most: int, in_all: int) -> Bins:
    """Find bins for the columns that have more than a few values.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        The training rows.
    most : int
        Bins of a column at most; 0 for none.
    in_all : int
        Bins of all columns at most: with many columns each has fewer, but at least two.
    """
    sample = X[:: max(1, len(X) // _ROWS)]
    many = [j for j in range(X.shape[1]) if len(np.unique(sample[:, j])) > _FEW_VALUES] if most else []
    parts = np.linspace(0, 1, max(2, min(most, in_all // max(1, len(many)))) + 1)
    columns, low, width = [], [], []
    for j in many:
        edges = np.unique(np.quantile(sample[:, j], parts))
        keep = np.flatnonzero(np.diff(edges) > _NARROWEST)
        columns += [j] * len(keep)
        low += edges[keep].tolist()
        width += np.diff(edges)[keep].tolist()
    inverse = (1 / np.array(width, dtype=np.float64)).astype(np.float32)
    return Bins(np.array(columns, dtype=np.intp), np.array(low, dtype=np.float32), inverse)
