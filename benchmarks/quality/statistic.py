"""Small statistics of paired results: ratios, intervals, ranks, tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CLIP = 0.3
FLOOR = 1e-9
LEVEL = 0.9


def log_ratio(ours: float, theirs: float) -> float:
    """The logarithm of the ratio of two errors; errors below 1e-9 count as that."""
    return math.log(max(ours, FLOOR) / max(theirs, FLOOR))


def clipped(value: float, limit: float = CLIP) -> float:
    """The value, or the nearer end of ±``limit``: an error near zero must not outweigh all other tables."""
    return min(max(value, -limit), limit)


@dataclass(frozen=True)
class Mean:
    """A mean and its interval at 90 %, by Student's t; NaN ends where there is but one value."""

    value: float
    low: float
    high: float
    n: int


def mean(values: Sequence[float], level: float = LEVEL) -> Mean:
    """The mean of values that do not depend on each other."""
    n = len(values)
    if not n:
        return Mean(math.nan, math.nan, math.nan, 0)
    centre = float(np.mean(values))
    if n == 1:
        return Mean(centre, math.nan, math.nan, 1)
    half = float(stats.t.ppf((1 + level) / 2, n - 1) * np.std(values, ddof=1) / math.sqrt(n))
    return Mean(centre, centre - half, centre + half, n)


def share(hits: int, n: int, level: float = LEVEL) -> Mean:
    """A share with its exact interval (Clopper and Pearson, 1934)."""
    if not n:
        return Mean(math.nan, math.nan, math.nan, 0)
    found = stats.binomtest(hits, n).proportion_ci(level, method="exact")
    return Mean(hits / n, float(found.low), float(found.high), n)


def mean_ranks(errors: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean rank of each system over tables, 1 is best; equal errors share their ranks, infinity is last.

    Parameters
    ----------
    errors : sequence of mapping
        For each table the error of every system, the same systems in each.
    """
    names = list(errors[0]) if errors else []
    ranks = [stats.rankdata([table[name] for name in names]) for table in errors]
    return {name: float(np.mean([rank[i] for rank in ranks])) for i, name in enumerate(names)}


def p_worse(differences: Sequence[float]) -> float:
    """How surprising so high a mean would be if it were not above zero (paired t-test, one-sided).

    NaN of fewer than two differences.
    """
    n = len(differences)
    if n < 2:
        return math.nan
    centre, spread = float(np.mean(differences)), float(np.std(differences, ddof=1))
    if spread < FLOOR:
        return 0.0 if centre > FLOOR else 1.0
    return float(stats.t.sf(centre / (spread / math.sqrt(n)), n - 1))


def holm(values: Sequence[float]) -> list[float]:
    """Adjust p-values for how many there are (Holm, 1979); NaN stays and does not count."""
    order = sorted((p, i) for i, p in enumerate(values) if not math.isnan(p))
    found, highest = [math.nan] * len(values), 0.0
    for place, (p, i) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - place) * p))
        found[i] = highest
    return found


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of a line through logarithms: 1 is proportional, 2 quadratic; NaN of fewer than two sizes."""
    if len(set(sizes)) < 2:
        return math.nan
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(costs, FLOOR)), 1)[0])
