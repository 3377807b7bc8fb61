"""How much one column tells of the target by itself, judged on rows that took no part in the telling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from automl_jupyter.data.findings.sample import Codes, Floats, Series, quantiles

FEWEST = 40
"""Rows from which on a column is judged at all."""

_FOLDS = 5
_LEVELS = 500
_CLASSES = 20
_MOST_CLASSES = 30
_ROWS_IN_BIN = 10
_PRIOR_ROWS = 0.3
_FEW_CELLS = 1_000_000

Bins = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Target:
    """The column to predict, as codes of classes or as ranks.

    Attributes
    ----------
    series : Series
        The column.
    known : ndarray of shape (n,), bool
        Rows with a value.
    classes : int
        Number of classes; 0 for a quantity.
    codes : ndarray of shape (known rows,), int32
        Classes from 0; of a quantity the codes of its values.
    ranks : ndarray of shape (known rows,)
        Ranks of a quantity from 0 to 1, equal for equal values; class codes otherwise.
    fold : ndarray of shape (known rows,)
        The part, from 0 to 4, in which each row is judged.
    """

    series: Series
    known: npt.NDArray[np.bool_]
    classes: int
    codes: Codes
    ranks: Floats
    fold: Bins

    @cached_property
    def counts(self) -> npt.NDArray[np.intp]:
        """Rows of each class."""
        return np.bincount(self.codes, minlength=self.classes)

    @cached_property
    def agreement(self) -> float:
        """The share of pairs of rows that agree by chance."""
        return float(((self.counts / len(self.codes)) ** 2).sum())


def target_of(series: Series, seed: int) -> Target:
    """Prepare a target.

    Parameters
    ----------
    series : Series
        The column to predict.
    seed : int
        Seed of the division into folds.
    """
    known = series.present if series.type == "string" else series.present & np.isfinite(series.floats)
    codes = series.codes[known]
    classes = series.distinct if _is_classes(series) else 0
    ranks = codes.astype(np.float64) if classes else rank(series.floats[known])
    fold = np.random.default_rng(seed).permutation(len(codes)) % _FOLDS
    return Target(series, known, classes, codes, ranks, fold)


def _is_classes(series: Series) -> bool:
    """Whether a target is one of classes: words, truth values, two values, or 0, 1, 2 … without gaps."""
    if series.type in ("string", "boolean") or series.distinct == 2:
        return True
    if series.type != "integer" or series.distinct > _CLASSES:
        return False
    low, high = np.nanmin(series.floats), np.nanmax(series.floats)
    return bool(low in (0, 1) and high - low + 1 == series.distinct)


def rank(values: Floats) -> Floats:
    """Return ranks from 0 to 1, the mean rank where values are equal; shape (n,)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    upper = np.cumsum(counts)
    middle = (upper - counts + upper - 1) / 2
    return np.asarray(middle[inverse] / max(len(values) - 1, 1), dtype=np.float64)


def bins_of(series: Series, known: npt.NDArray[np.bool_], most: int = 64, few: int = 40) -> Bins:
    """Divide the values of a column into bins: its levels, or ranges of about equal weight.

    Parameters
    ----------
    series : Series
        The column.
    known : ndarray of shape (n,), bool
        The rows to take.
    most : int
        How many ranges at most.
    few : int
        Up to how many distinct numbers each is a bin of its own.

    Returns
    -------
    ndarray of shape (known rows,)
        The bin of each row; missing values have one of their own, rare levels share one.
    """
    if series.type in ("string", "boolean") or series.distinct <= few:
        codes = series.codes[known]
        counts = np.bincount(codes[codes >= 0], minlength=1)
        if len(counts) > _LEVELS:
            place = np.full(len(counts), _LEVELS)
            place[np.argsort(-counts, kind="stable")[:_LEVELS]] = np.arange(_LEVELS)
            return np.where(codes >= 0, place[codes], _LEVELS + 1)
        return np.where(codes >= 0, codes, len(counts)).astype(np.intp)
    values = series.floats[known]
    there = np.isfinite(values)
    ranges = max(2, min(most, int(there.sum()) // _ROWS_IN_BIN))
    shares = np.arange(1, ranges) / ranges
    edges = np.unique(quantiles(np.sort(values[there]), shares)) if there.any() else np.empty(0)
    found = np.searchsorted(edges, values, side="right")
    return np.where(there, found, len(edges) + 1)


def skill(target: Target, bins: Bins) -> float:
    """Return how much of the target's uncertainty the bins take away, on held-out rows; 0 nothing, 1 all.

    For classes, one minus the cross-entropy of smoothed bin frequencies over that of the overall ones (the
    normalised mutual information, but cross-validated); for quantities, R² of bin means on ranks.

    Parameters
    ----------
    target : Target
        What to predict.
    bins : ndarray of shape (known rows,)
        The bin of each row.
    """
    size = int(bins.max(initial=0)) + 1
    return _of_classes(target, bins, size) if target.classes else _of_ranks(target, bins, size)


def _of_classes(target: Target, bins: Bins, size: int) -> float:
    classes = min(target.classes, _MOST_CLASSES)
    codes = np.minimum(target.codes, classes - 1)
    cell = (target.fold * size + bins) * classes + codes
    counts = np.bincount(cell, minlength=_FOLDS * size * classes).reshape(_FOLDS, size, classes)
    train = counts.sum(axis=0) - counts
    prior = (train.sum(axis=1, keepdims=True) + 0.5) / (train.sum(axis=(1, 2), keepdims=True) + 0.5 * classes)
    guess = (train + _PRIOR_ROWS * prior) / (train.sum(axis=2, keepdims=True) + _PRIOR_ROWS)
    before, after = -(counts * np.log(prior)).sum(), -(counts * np.log(guess)).sum()
    return float(1 - after / before) if before > 0 else 0.0


def _of_ranks(target: Target, bins: Bins, size: int) -> float:
    cell, cells = target.fold * size + bins, _FOLDS * size
    n = np.bincount(cell, minlength=cells).reshape(_FOLDS, size)
    sums = np.bincount(cell, target.ranks, minlength=cells).reshape(_FOLDS, size)
    squares = np.bincount(cell, target.ranks**2, minlength=cells).reshape(_FOLDS, size)
    n_train, sum_train = n.sum(axis=0) - n, sums.sum(axis=0) - sums
    prior = sum_train.sum(axis=1, keepdims=True) / np.maximum(n_train.sum(axis=1, keepdims=True), 1)
    guess = (sum_train + prior) / (n_train + 1)
    after = (squares - 2 * guess * sums + n * guess**2).sum()
    before = (squares - 2 * prior * sums + n * prior**2).sum()
    return float(1 - after / before) if before > 0 else 0.0


def within_groups(target: Target, groups: Codes) -> float:
    """Return how well the other rows of a group foretell a row; 0 like the whole table, 1 always.

    Parameters
    ----------
    target : Target
        What to predict.
    groups : ndarray of shape (known rows,), int32
        The group of each row, -1 for none. Groups of one row are left out.
    """
    inside = groups >= 0
    sizes = np.bincount(groups[inside], minlength=1)
    inside &= sizes[groups] > 1
    group = groups[inside]
    if not len(group):
        return 0.0
    if not target.classes:
        ranks = target.ranks[inside]
        others = (np.bincount(group, ranks)[group] - ranks) / (sizes[group] - 1)
        spread = float(((ranks - target.ranks.mean()) ** 2).sum())
        return 1 - float(((ranks - others) ** 2).sum()) / spread if spread > 0 else 0.0
    return _agreement(target, group, target.codes[inside], len(sizes))


def _agreement(target: Target, group: Codes, codes: Codes, groups: int) -> float:
    """Return the share of pairs within groups that agree, beyond what chance would give."""
    cells = group.astype(np.int64) * target.classes + codes
    few = groups * target.classes <= _FEW_CELLS
    pairs = np.bincount(cells) if few else np.unique(cells, return_counts=True)[1]
    sizes = np.bincount(group, minlength=groups)
    same, all_ = float((pairs * (pairs - 1)).sum()), float((sizes * (sizes - 1)).sum())
    chance = target.agreement
    return (same / all_ - chance) / (1 - chance) if all_ and chance < 1 else 0.0


def is_copy(target: Target, series: Series) -> bool:
    """Whether each value of a column stands for one value of the target, and the other way round."""
    both = series.present[target.known]
    if both.sum() < max(FEWEST, len(both) / 2) or series.type == "datetime":
        return False
    if not target.classes and series.type != "string":
        ours, theirs = rank(series.floats[target.known][both]), rank(target.series.floats[target.known][both])
        return bool(np.isfinite(ours).all() and (np.allclose(ours, theirs) or np.allclose(ours, 1 - theirs)))
    codes, labels = series.codes[target.known][both], target.codes[both]
    values, classes = (np.count_nonzero(np.bincount(part)) for part in (codes, labels))
    if values != classes or classes < 2 or classes > len(labels) / 2:
        return False
    return len(np.unique(codes.astype(np.int64) * (int(labels.max()) + 1) + labels)) == classes
