"""Which class is named for some probabilities: the one that is best for the metric, not always the likeliest.

A decision is a factor for each class; the class is named whose probability times its factor is largest. For
two classes that is a threshold, chosen as in scikit-learn's ``TunedThresholdClassifierCV``. Probabilities
stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Array = npt.NDArray[np.generic]

THRESHOLDS = np.linspace(0.01, 0.99, 99)
POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""For more classes: probabilities are divided by the classes' frequencies to one of these powers."""

_SHY = 0.1
"""A tuned threshold goes this part of the way back to one half: what is chosen on few rows overdoes it."""


def _accuracy(tp: F64, fp: F64, fn: F64, tn: F64) -> F64:
    return (tp + tn) / (tp + fp + fn + tn)


def _balanced_accuracy(tp: F64, fp: F64, fn: F64, tn: F64) -> F64:
    return tp / np.maximum(tp + fn, 1e-12) + tn / np.maximum(tn + fp, 1e-12)


def _f1(tp: F64, fp: F64, fn: F64, tn: F64) -> F64:
    return 2 * tp / np.maximum(2 * tp + fp + fn, 1e-12)


def _matthews(tp: F64, fp: F64, fn: F64, tn: F64) -> F64:
    spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / np.sqrt(np.maximum(spread, 1e-12))


BY_COUNTS: Mapping[str, Callable[[F64, F64, F64, F64], F64]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "matthews_corrcoef": _matthews,
}
"""Metrics of two classes for which a threshold is chosen."""

BY_FREQUENCY = ("balanced_accuracy", "f1_macro", "matthews_corrcoef")
"""Metrics of more classes for which rare classes may have to be named more often."""


def likeliest(width: int) -> F64:
    """The decision for the likeliest class."""
    return np.ones(width)


def matters(metric: str, width: int) -> bool:
    """Tell whether a metric depends on which class is named."""
    return metric in (BY_COUNTS if width == 2 else BY_FREQUENCY)


def choose(metric: str, y: Array, q: F64, counted: F64, score: Callable[[Array, F64], float]) -> F64:
    """Choose the decision that is best for a metric.

    Parameters
    ----------
    metric : str
        The metric's name.
    y : ndarray of shape (n,)
        Codes of the true classes.
    q : ndarray of shape (n, K)
        Probabilities by models that had not seen the rows.
    counted : ndarray of shape (n,)
        How much each row counts.
    score : callable
        The metric, for true codes and probabilities.

    Returns
    -------
    ndarray of shape (K,)
        Factors, positive.
    """
    width = q.shape[1]
    if not matters(metric, width) or not len(y):
        return likeliest(width)
    if width == 2:
        return _by_threshold(BY_COUNTS[metric], y, q[:, 1], counted)
    shares = np.bincount(y.astype(np.intp), counted, minlength=width) + 1.0
    shares /= shares.sum()
    options = [np.asarray(shares**-power, dtype=np.float64) for power in POWERS]
    scores = [score(y, decided(q, factors)) for factors in options]
    return options[int(np.argmax(scores))]


def decided(q: F64, factors: F64) -> F64:
    """Turn probabilities so that the largest one is that of the class that is named."""
    turned = q * factors
    return np.asarray(turned / turned.sum(axis=1, keepdims=True))


def _by_threshold(by_counts: Callable[[F64, F64, F64, F64], F64], y: Array, p: F64, counted: F64) -> F64:
    """The middle of the thresholds that are as good as the best, but for the noise of a few rows."""
    at = np.searchsorted(THRESHOLDS, p, side="right")
    positives = np.bincount(at, counted * (y == 1), minlength=len(THRESHOLDS) + 1)
    negatives = np.bincount(at, counted * (y != 1), minlength=len(THRESHOLDS) + 1)
    tp = positives[::-1].cumsum()[::-1][1:]
    fp = negatives[::-1].cumsum()[::-1][1:]
    scores = by_counts(tp, fp, positives.sum() - tp, negatives.sum() - fp)
    smooth = np.convolve(np.pad(scores, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    best = float(THRESHOLDS[int(np.argmax(smooth))])
    threshold = best + _SHY * (0.5 - best)
    return np.array([threshold, 1 - threshold])
