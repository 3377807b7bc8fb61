"""How rows are divided, so that every score comes from rows that a model has not seen.

Rows are dealt at random, or by whole groups, or in order of time. What divides rows for the scores also
divides them inside a learner, where it stops early or chooses a penalty.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.admission import refuse

Positions = npt.NDArray[np.intp]
Groups = npt.NDArray[np.intp]
Times = npt.NDArray[np.float64]

LEAST_MOMENTS = 3
"""Fewer distinct times than this make no past to learn from, no present to choose by and no future."""

_ROWS_IN_BLOCK = 10
_RANGES = 10
_LARGEST_CHECK = 0.5


@dataclass(frozen=True)
class Folds:
    """A division of rows into parts of about equal size.

    Attributes
    ----------
    k : int
        Number of parts whose rows are predicted by models that have not seen them.
    part : ndarray of shape (n,), int8
        The part of each row; in order of time, -1 for the oldest rows and k for those without a time.
    ordered : bool
        Whether a part is predicted from the parts before it alone.
    groups : ndarray of shape (n,) or None
        The group of each row, counted from 0, where no group may stand on both sides.
    time : ndarray of shape (n,) or None
        The time of each row, where order counts; NaN where it is not known.
    """

    k: int
    part: npt.NDArray[np.int8] = field(repr=False)
    ordered: bool = False
    groups: Groups | None = field(default=None, repr=False)
    time: Times | None = field(default=None, repr=False)

    def split(self, fold: int) -> tuple[Positions, Positions]:
        """Give the positions of the rows to learn from and of those to predict."""
        held = self.part == fold
        seen = self.part < fold if self.ordered else ~held
        return np.flatnonzero(seen), np.flatnonzero(held)

    def choosers(self, fold: int) -> Positions:
        """Give the positions of the predicted rows by which a choice for the rows of a fold may be made."""
        if self.ordered:
            return np.flatnonzero((self.part >= 0) & (self.part < fold))
        return self.split(fold)[0]

    @property
    def fits(self) -> int:
        """Number of fits: in order of time one more, of all rows, for what is served."""
        return self.k + self.ordered

    def share(self, fold: int) -> float:
        """Give the part of the usual work that a fit is: early blocks of time have a short past."""
        if not self.ordered or fold == self.k:
            return 1.0
        return float((self.part < fold).mean())

    @property
    def spread(self) -> float:
        """How many times as far as resampled rows the score of other rows may lie from that of these.

        Resampling rows takes the models as given; those of different folds learn mostly from the same rows,
        so that other rows would have changed all of them together. The corrected variance is
        ``1 + k * held / seen`` times the plain one: Nadeau and Bengio (2003), "Inference for the
        generalization error".
        """
        pairs = [self.split(fold) for fold in range(self.k)]
        return float(np.sqrt(1 + sum(len(held) / max(len(seen), 1) for seen, held in pairs)))

    @property
    def at_random(self) -> bool:
        """Whether any row may be predicted from any others."""
        return self.groups is None and not self.ordered

    @property
    def predicted(self) -> Positions:
        """Rows that are predicted by models that have not seen them."""
        return np.flatnonzero((self.part >= 0) & (self.part < self.k))

    @property
    def judged(self) -> Positions:
        """Rows that scores come from.

        In order of time the first predicted part has no past from which a choice between models could be
        made, so that it is left to the choice.
        """
        return np.flatnonzero((self.part >= int(self.ordered)) & (self.part < self.k))

    @property
    def clusters(self) -> Groups | None:
        """What a bootstrap draws as a whole: groups, or blocks of neighbours in time; None for single rows.

        Groups as in Field and Welsh (2007), "Bootstrapping clustered data"; blocks as in Carlstein (1986),
        "The use of subseries values for estimating the variance of a general statistic", each of the cube
        root of the number of times (Hall, Horowitz, Jing 1995, "On blocking rules for the bootstrap").
        """
        if self.time is None:
            return self.groups
        moments, at = np.unique(self.time, return_inverse=True)
        return np.asarray(at // int(np.ceil(len(moments) ** (1 / 3))), dtype=np.intp)


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


def divide(
    codes: npt.NDArray[np.generic],
    task: str,
    k: int,
    seed: int,
    groups: Groups | None = None,
    time: Times | None = None,
) -> Folds:
    """Divide rows by their groups, or in order of time, or else at random.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        The coded target.
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    k : int
        Number of folds wished for.
    seed : int
        Seed of all that is random.
    groups : ndarray of shape (n,), optional
        As :func:`by_groups` takes them.
    time : ndarray of shape (n,), optional
        As :func:`by_time` takes it.

    Raises
    ------
    Unprocessable
        ``engine.time_of_one_class`` if all rows but the oldest are of one class.
    """
    if groups is not None:
        return by_groups(codes, groups, task, k, seed)
    if time is None:
        return make_folds(codes, task, k, seed)
    folds = by_time(time, k)
    if task != "regression" and len(np.unique(codes[folds.judged])) < 2:
        raise refuse("time_column", "engine.time_of_one_class")
    return folds


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


def by_groups(codes: npt.NDArray[np.generic], groups: Groups, task: str, k: int, seed: int) -> Folds:
    """Deal whole groups into folds of about equal size, classes or ranges of a quantity in proportion.

    Groups are taken from the largest to the smallest, equals in random order; each goes to the fold that has
    least of what it brings. That is scikit-learn's ``StratifiedGroupKFold`` in spirit, with a cost that is a
    sum of squares and thus cheap to keep up to date, and with the number of rows balanced as well.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        The coded target.
    groups : ndarray of shape (n,)
        The group of each row, from 0 without gaps; at least two groups.
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    k : int
        Number of folds, at most the number of groups.
    seed : int
        Seed of the order of groups of equal size.
    """
    sizes = np.bincount(groups)
    k = max(2, min(k, len(sizes)))
    strata = _ranges(codes) if task == "regression" else codes.astype(np.intp)
    width = int(strata.max()) + 1
    pairs, counts = np.unique(groups * width + strata, return_counts=True)
    starts = np.searchsorted(pairs // width, np.arange(len(sizes) + 1))
    stratum = pairs % width
    weight = counts / np.bincount(strata, minlength=width)[stratum]
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    have, rows = np.zeros((k, width)), np.zeros(k)
    fold_of = np.empty(len(sizes), dtype=np.int8)
    for group in order:
        own = slice(starts[group], starts[group + 1])
        cost = have[:, stratum[own]] @ weight[own] + rows * (sizes[group] / len(groups))
        fold = int(cost.argmin())
        fold_of[group] = fold
        have[fold, stratum[own]] += counts[own]
        rows[fold] += sizes[group]
    return Folds(k, fold_of[groups], groups=groups)


def _ranges(codes: npt.NDArray[np.generic]) -> Groups:
    """Divide a quantity into ranges of about equal weight."""
    values = codes.astype(np.float64)
    edges = np.unique(np.quantile(values, np.arange(1, _RANGES) / _RANGES))
    return np.searchsorted(edges, values, side="right")


def by_time(time: Times, k: int) -> Folds:
    """Divide rows into blocks of time, each predicted from all blocks before it.

    The past grows from block to block (forward chaining; scikit-learn's ``TimeSeriesSplit``). Where the
    target drifts, other divisions praise a model for knowing what comes after: Bergmeir and Benítez (2012),
    "On the use of cross-validation for time series predictor evaluation", find them fit for stationary
    series; Cerqueira, Torgo and Mozetič (2020), "Evaluating time series forecasting models", find repeated
    forecasts of what follows the closest for others. Rows of the same time stay together.

    Parameters
    ----------
    time : ndarray of shape (n,)
        The time of each row, at least three different ones; NaN where it is not known. Rows without a time
        are learnt from by what is served alone, because they could be later than any other.
    k : int
        Number of blocks that are predicted, at most.
    """
    known = np.isfinite(time)
    moments, at, counts = np.unique(time[known], return_inverse=True, return_counts=True)
    blocks = max(LEAST_MOMENTS, min(k + 1, int(known.sum()) // _ROWS_IN_BLOCK))
    middle = np.cumsum(counts) - counts / 2
    block = np.unique(np.floor(middle / counts.sum() * blocks), return_inverse=True)[1]
    if block[-1] < LEAST_MOMENTS - 1:
        # Nearly all rows are of one time: as many times for each block instead of as many rows.
        blocks = min(blocks, len(moments))
        block = np.arange(len(moments)) * blocks // len(moments)
    last = int(block[-1])
    part = np.full(len(time), last, dtype=np.int8)
    part[known] = block[at] - 1
    return Folds(last, part, ordered=True, time=time)


def inner_split(
    y: npt.NDArray[np.generic], task: str, seed: int, groups: Groups | None = None, time: Times | None = None
) -> tuple[Positions, Positions]:
    """Divide training rows once more, for early stopping and the choice of a penalty.

    Parameters
    ----------
    y : ndarray of shape (n,)
        The coded target.
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    seed : int
        Seed of all that is random.
    groups, time : ndarray of shape (n,), optional
        Whole groups are held out, or the latest rows.

    Returns
    -------
    fit, check : ndarray of int
        Positions of the rows to learn from, and of 10 to 20 % of the rows (10,000 at most) to check on, with
        the classes in proportion where neither groups nor time say otherwise.
    """
    n = len(y)
    held = min(10_000, max(n // 10, min(n // 5, 200)))
    if groups is not None:
        picked = _some_groups(groups, held, seed)
    elif time is not None:
        picked = _latest(time, held)
    else:
        picked = _some_rows(y, task, held, seed)
    if task != "regression":
        # A class whose only rows are held out could not be learnt at all.
        codes = y.astype(np.intp)
        lone = (np.bincount(codes, ~picked)[codes] == 0) & picked
        picked &= ~(lone if groups is None else np.isin(groups, groups[lone]))
    if not picked.any() and (groups is not None or time is not None):
        return inner_split(y, task, seed)
    return np.flatnonzero(~picked), np.flatnonzero(picked)


def _some_rows(y: npt.NDArray[np.generic], task: str, held: int, seed: int) -> npt.NDArray[np.bool_]:
    n = len(y)
    picked = np.zeros(n, bool)
    order = np.random.default_rng(seed).permutation(n)
    if task == "regression":
        picked[order[:held]] = True
    else:
        order = order[np.argsort(y[order], kind="stable")]
        picked[order[(np.arange(held) * n + n // 2) // max(held, 1)]] = True
    return picked


def _some_groups(groups: Groups, held: int, seed: int) -> npt.NDArray[np.bool_]:
    """Mark whole groups with about so many rows; none if each has more than half of all."""
    names, at, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[sizes[order] <= _LARGEST_CHECK * len(groups)]
    enough = int(np.searchsorted(np.cumsum(sizes[order]), held)) + 1
    chosen = np.zeros(len(names), bool)
    chosen[order[:enough]] = True
    picked = chosen[at]
    if picked.mean() > _LARGEST_CHECK and len(order):
        picked = at == order[sizes[order].argmin()]
    return np.asarray(picked, dtype=bool)


def _latest(time: Times, held: int) -> npt.NDArray[np.bool_]:
    """Mark the latest rows, rows of one time together where that leaves enough to learn from."""
    when = np.where(np.isfinite(time), time, -np.inf)
    order = np.argsort(when, kind="stable")
    picked = np.zeros(len(time), bool)
    picked[order[len(order) - held :]] = True
    whole = when >= when[picked].min(initial=np.inf)
    return whole if whole.mean() <= _LARGEST_CHECK else picked
