"""Softmax and its logarithm over few classes and many rows.

NumPy reduces along a short last axis row by row, which takes longer than all the rest of a loss. Class by
class it takes whole columns at a time, and a row gives the same alone as among others.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Real = TypeVar("Real", bound=np.floating[Any])

_FEW = 16
"""So few rows might be added up in another order than many, unless one after the other is asked for."""


def softmax(scores: npt.NDArray[Real]) -> npt.NDArray[Real]:
    """Turn scores, shape (n, K), into probabilities."""
    by_class = _below_top(scores)
    np.exp(by_class, out=by_class)
    by_class /= _total(by_class)
    return np.ascontiguousarray(by_class.T)


def log_softmax(scores: npt.NDArray[Real]) -> npt.NDArray[Real]:
    """Turn scores, shape (n, K), into logarithms of probabilities."""
    by_class = _below_top(scores)
    by_class -= np.log(_total(np.exp(by_class)))
    return np.ascontiguousarray(by_class.T)


def log_losses(scores: npt.NDArray[Real], true: npt.NDArray[np.intp]) -> npt.NDArray[Real]:
    """Minus the logarithm of the probability of each row's true class, shape (n,), by scores of (n, K)."""
    by_class = _below_top(scores)
    chosen = by_class[true, np.arange(len(true))]
    np.exp(by_class, out=by_class)
    return np.asarray(np.log(_total(by_class)) - chosen)


def _below_top(scores: npt.NDArray[Real]) -> npt.NDArray[Real]:
    """Scores by class, shape (K, n), less the largest of each row, so that none overflows."""
    by_class = np.array(scores.T, order="C")
    by_class -= by_class.max(axis=0)
    return by_class


def _total(by_class: npt.NDArray[Real]) -> npt.NDArray[Real]:
    if by_class.shape[1] < _FEW:
        return np.asarray(np.cumsum(by_class, axis=0)[-1])
    return np.asarray(by_class.sum(axis=0))
