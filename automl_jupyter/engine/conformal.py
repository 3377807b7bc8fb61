"""Intervals that hold the truth as often as they say: conformal prediction from residuals of unseen rows.

Vovk, Gammerman and Shafer (2005), "Algorithmic learning in a random world"; that residuals may come from
models of folds: Barber, Candès, Ramdas and Tibshirani (2021), "Predictive inference with the jackknife+". Low
and high predictions may be off by different amounts, so that residuals are taken apart by what was predicted
(Boström and Johansson 2020, "Mondrian conformal regressors"). Each end is a quantile of its own: errors need
not be as large upwards as downwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

COVERAGE = 0.9
MOST_PARTS, ROWS_OF_PART = 10, 150
"""A part of the range has so many rows at least: fewer tell little of its ends."""


@dataclass(frozen=True)
class Bands:
    """How far the truth is from a prediction, for parts of the range of predictions.

    Attributes
    ----------
    edges : ndarray of shape (parts - 1,)
        Where parts meet.
    below, above : ndarray of shape (parts,)
        What is added to a prediction for the ends of its interval.
    coverage : float
        How often the truth is inside.
    """

    edges: F64
    below: F64
    above: F64
    coverage: float

    def around(self, predictions: F64) -> F64:
        """Give intervals, shape (n, 2)."""
        part = np.searchsorted(self.edges, predictions, side="right")
        return np.column_stack([predictions + self.below[part], predictions + self.above[part]])


def bands_of(truth: F64, predictions: F64, coverage: float = COVERAGE) -> Bands:
    """Learn intervals from rows that were predicted without having been seen.

    Parameters
    ----------
    truth, predictions : ndarray of shape (n,)
        Of these rows, one at least.
    coverage : float
        How often the truth is to be inside, between 0 and 1.
    """
    parts = int(np.clip(len(truth) // ROWS_OF_PART, 1, MOST_PARTS))
    edges = np.unique(np.quantile(predictions, np.arange(1, parts) / parts))
    part = np.searchsorted(edges, predictions, side="right")
    residuals = truth - predictions
    tail = (1 - coverage) / 2
    # Equal predictions may leave a part without rows: all rows stand in.
    held = [residuals[part == i] if (part == i).any() else residuals for i in range(len(edges) + 1)]
    below = np.array([_end(some, tail) for some in held])
    above = np.array([-_end(-some, tail) for some in held])
    return Bands(edges, below, above, coverage)


def _end(residuals: F64, tail: float) -> float:
    """The residual below which a new one is with a probability of `tail` at most."""
    rank = int(np.floor((len(residuals) + 1) * tail))
    ordered = np.sort(residuals)
    return float(ordered[max(rank - 1, 0)])
