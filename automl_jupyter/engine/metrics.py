"""Metrics by scikit-learn's scorer names, each computed for many weightings of the rows at once.

A higher score is always better, as in scikit-learn. Weightings are how the bootstrap is done: a resample
with replacement is the same as counting each row so many times, and one sort serves all resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine import decision
from automl_jupyter.engine.resample import Folds
from automl_jupyter.engine.task import Target

F64 = npt.NDArray[np.float64]
Array = npt.NDArray[np.generic]
Part = npt.NDArray[np.integer]
Weighted = Callable[[Array, F64, F64], F64]
"""(true values (n,), predictions (n,) or (n, K), weights (B, n)) to scores (B,)."""

RESAMPLES = 200
SAMPLED_ROWS = 20_000
CONFIDENCE = 0.90


def _mean(loss: F64, weights: F64) -> F64:
    return np.asarray(weights @ loss / weights.sum(axis=1))


def _true_probability(y: Array, q: F64) -> F64:
    return np.clip(q[np.arange(len(y)), y.astype(np.intp)], 1e-7, 1.0)


def _neg_log_loss(y: Array, q: F64, weights: F64) -> F64:
    return _mean(np.log(_true_probability(y, q)), weights)


def _neg_brier_score(y: Array, q: F64, weights: F64) -> F64:
    return -_mean((q[:, 1] - y.astype(np.float64)) ** 2, weights)


def _cumulated(y: Array, q: F64, weights: F64) -> tuple[F64, F64]:
    """Weights of negatives and of positives at each distinct score, highest score first: (B, groups) each."""
    order = np.argsort(-q[:, 1], kind="stable")
    score = q[order, 1]
    starts = np.flatnonzero(np.r_[True, np.diff(score) != 0])
    sorted_weights = weights[:, order]
    positive = y[order] == 1
    return (
        np.add.reduceat(sorted_weights * ~positive, starts, axis=1),
        np.add.reduceat(sorted_weights * positive, starts, axis=1),
    )


def _roc_auc(y: Array, q: F64, weights: F64) -> F64:
    return _roc_auc_within(y, q, weights, np.zeros(len(y), np.int8))


def _roc_auc_within(y: Array, q: F64, weights: F64, part: Part) -> F64:
    """Of all pairs of a negative and a positive of one part, those in the right order.

    That is the mean of the areas of the parts, each counting as many times as it has pairs. Rows of different
    parts were scored by different models, whose scores need not be on one scale: Parker, Günter, Bedo (2007),
    "Stratification bias in low signal microarray studies"; Forman and Scholz (2010), "Apples-to-apples in
    cross-validation studies". Where no part has both classes, rows of all parts are compared.
    """
    order = np.lexsort((-q[:, 1], part))
    score, parts, positive = q[order, 1], part[order], y[order] == 1
    level = np.cumsum(np.r_[False, (np.diff(parts) != 0) | (np.diff(score) != 0)])
    above = level[positive]
    positives, negatives = (np.take(weights, order[some], axis=1) for some in (positive, ~positive))
    # Only positives are summed up: each negative then looks up what is above it, and what is level with it.
    passed = np.zeros((len(weights), len(above) + 1))
    np.cumsum(positives, axis=1, out=passed[:, 1:])
    reached, clear = (np.searchsorted(above, level[~positive], side) for side in ("right", "left"))
    right = _products(negatives, np.take(passed, reached, axis=1))
    if (reached > clear).any():
        # Equal scores are half in order.
        right = (right + _products(negatives, np.take(passed, clear, axis=1))) / 2
    starts = np.flatnonzero(np.r_[True, np.diff(parts) != 0])
    higher, lower = _sums(positives, positive, starts), _sums(negatives, ~positive, starts)
    # Positives of earlier parts do not count.
    before = np.cumsum(positive)[starts] - positive[starts]
    right = right - _products(passed[:, before], lower)
    pairs = _products(lower, higher)
    if len(starts) > 1 and not pairs.any():
        return _roc_auc(y, q, weights)
    return np.asarray(np.divide(right, pairs, out=np.full(len(weights), np.nan), where=pairs > 0))


def _sums(some: F64, which: npt.NDArray[np.bool_], starts: npt.NDArray[np.intp]) -> F64:
    """The weights (B, m) of some of the rows, which begin a part here and there, as sums of parts."""
    ends = np.r_[0, np.cumsum(which)][np.r_[starts, len(which)]]
    return np.stack([some[:, i:j].sum(axis=1) for i, j in pairwise(ends)], axis=1)


def _products(a: F64, b: F64) -> F64:
    return np.asarray(np.einsum("bi,bi->b", a, b))


def _average_precision(y: Array, q: F64, weights: F64) -> F64:
    negatives, positives = _cumulated(y, q, weights)
    hits = np.cumsum(positives, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = hits / (hits + np.cumsum(negatives, axis=1))
        area = np.where(positives > 0, positives * precision, 0.0).sum(axis=1) / hits[:, -1]
    return np.asarray(area)


def _accuracy(y: Array, q: F64, weights: F64) -> F64:
    return _mean((q.argmax(axis=1) == y).astype(np.float64), weights)


def _confusion(y: Array, q: F64, weights: F64) -> F64:
    """Weighted confusion matrices, (B, true, predicted)."""
    k = q.shape[1]
    cell = y.astype(np.intp) * k + q.argmax(axis=1)
    return np.stack([np.bincount(cell, w, minlength=k * k).reshape(k, k) for w in weights])


def _balanced_accuracy(y: Array, q: F64, weights: F64) -> F64:
    table = _confusion(y, q, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.diagonal(table, axis1=1, axis2=2) / table.sum(axis=2)
    present = ~np.isnan(recall)
    return np.asarray(np.where(present, recall, 0.0).sum(axis=1) / np.maximum(present.sum(axis=1), 1))


def _f1_by_class(table: F64) -> F64:
    hits = np.diagonal(table, axis1=1, axis2=2)
    return np.asarray(2 * hits / np.maximum(table.sum(axis=1) + table.sum(axis=2), 1e-12))


def _f1(y: Array, q: F64, weights: F64) -> F64:
    return _f1_by_class(_confusion(y, q, weights))[:, 1]


def _f1_macro(y: Array, q: F64, weights: F64) -> F64:
    table = _confusion(y, q, weights)
    present = (table.sum(axis=1) + table.sum(axis=2)) > 0
    return np.asarray((_f1_by_class(table) * present).sum(axis=1) / present.sum(axis=1))


def _f1_weighted(y: Array, q: F64, weights: F64) -> F64:
    table = _confusion(y, q, weights)
    support = table.sum(axis=2)
    return np.asarray((_f1_by_class(table) * support).sum(axis=1) / support.sum(axis=1))


def _matthews(y: Array, q: F64, weights: F64) -> F64:
    # Gorodkin (2004), "Comparing two K-category assignments by a K-category correlation coefficient".
    table = _confusion(y, q, weights)
    true, predicted, total = table.sum(axis=2), table.sum(axis=1), table.sum(axis=(1, 2))
    hits = np.diagonal(table, axis1=1, axis2=2).sum(axis=1)
    covariance = hits * total - (true * predicted).sum(axis=1)
    spread = (total**2 - (true**2).sum(axis=1)) * (total**2 - (predicted**2).sum(axis=1))
    return np.where(spread > 0, covariance / np.sqrt(np.maximum(spread, 1e-300)), 0.0)


def _neg_rmse(y: Array, q: F64, weights: F64) -> F64:
    # Scaled first: the square of a huge target would overflow.
    error = q - y.astype(np.float64)
    unit = float(np.abs(error).max()) or 1.0
    return -unit * np.sqrt(_mean((error / unit) ** 2, weights))


def _neg_mae(y: Array, q: F64, weights: F64) -> F64:
    return -_mean(np.abs(q - y.astype(np.float64)), weights)


def _neg_mape(y: Array, q: F64, weights: F64) -> F64:
    true = y.astype(np.float64)
    return -_mean(np.abs(q - true) / np.maximum(np.abs(true), np.finfo(np.float64).eps), weights)


def _r2(y: Array, q: F64, weights: F64) -> F64:
    true = y.astype(np.float64)
    unit = float(np.abs(true - true.mean()).max()) or 1.0
    true, predicted = (true - true.mean()) / unit, (q - true.mean()) / unit
    spread = _mean(true**2, weights) - _mean(true, weights) ** 2
    return 1 - _mean((predicted - true) ** 2, weights) / np.maximum(spread, 1e-300)


_FUNCTIONS: Mapping[str, Weighted] = {
    "roc_auc": _roc_auc,
    "neg_log_loss": _neg_log_loss,
    "average_precision": _average_precision,
    "neg_brier_score": _neg_brier_score,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "f1_macro": _f1_macro,
    "f1_weighted": _f1_weighted,
    "matthews_corrcoef": _matthews,
    "neg_root_mean_squared_error": _neg_rmse,
    "neg_mean_absolute_error": _neg_mae,
    "neg_mean_absolute_percentage_error": _neg_mape,
    "r2": _r2,
}

_WITHIN: Mapping[str, Callable[[Array, F64, F64, Part], F64]] = {"roc_auc": _roc_auc_within}


class Judging(Protocol):
    """What judges predictions: a metric of this module, or a person's own."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def sign(self) -> int:
        """-1 where the score is a loss turned round."""
        ...

    @property
    def effort(self) -> tuple[int, int]:
        """Number of resamples, a multiple of 8, and rows that they are drawn from at most."""
        ...

    def scores(self, y: Array, q: F64, weights: F64, part: Part | None = None) -> F64:
        """Score predictions under several weightings of the rows, see :class:`Metric`."""
        ...

    def score(self, y: Array, q: F64, part: Part | None = None) -> float:
        """Score predictions, each row counting once."""
        ...


@dataclass(frozen=True)
class Metric:
    """A metric: higher is better.

    Attributes
    ----------
    name : str
        The name of scikit-learn's scorer.
    sign : int
        -1 where the score is a loss turned round (``neg_…``): ``sign * score`` is the figure people know.
    """

    name: str
    sign: int

    @property
    def effort(self) -> tuple[int, int]:
        """Number of resamples, and rows that they are drawn from at most."""
        return RESAMPLES, SAMPLED_ROWS

    def scores(self, y: Array, q: F64, weights: F64, part: Part | None = None) -> F64:
        """Score predictions under several weightings of the rows.

        Parameters
        ----------
        y : ndarray of shape (n,)
            Codes of the true classes, or true quantities.
        q : ndarray of shape (n, K) or (n,)
            Probabilities, or predicted quantities.
        weights : ndarray of shape (B, n)
            Weight of each row; not negative.
        part : ndarray of shape (n,), optional
            The fold of each row, where each was predicted by a model of its own: ``roc_auc`` compares rows of
            one fold alone.

        Returns
        -------
        ndarray of shape (B,)
            NaN where the metric is not defined (one class only).
        """
        q = np.asarray(q, np.float64)
        if part is not None and self.name in _WITHIN:
            return _WITHIN[self.name](y, q, weights, part)
        return _FUNCTIONS[self.name](y, q, weights)

    def score(self, y: Array, q: F64, part: Part | None = None) -> float:
        """Score predictions, each row counting once."""
        return float(self.scores(y, q, np.ones((1, len(y))), part)[0])


def get(name: str) -> Metric:
    """Give the metric of this name, one of :data:`automl_jupyter.engine.admission.METRICS`."""
    if name not in _FUNCTIONS:
        raise KeyError(name)
    return Metric(name, -1 if name.startswith("neg_") else 1)


@dataclass(frozen=True)
class Judged:
    """A score with what is needed to compare it.

    Attributes
    ----------
    score : float
        On all rows.
    interval : tuple of float
        90 % interval around it, in which the score of other rows is expected.
    resampled : ndarray of shape (B,)
        Scores of the resamples; the same resamples for all predictions of one judge.
    """

    score: float
    interval: tuple[float, float]
    resampled: F64 = field(repr=False)


class Judge:
    """Scores predictions for one target with one metric, all on the same bootstrap resamples.

    Beyond 20,000 rows the resamples are drawn from so many rows and the interval is narrowed by
    ``sqrt(m / n)`` (the m out of n bootstrap; Bickel, Götze, van Zwet 1997, "Resampling fewer than n
    observations"). Rows that belong together are drawn together, so that an interval is as wide as it must be
    for other groups; then it is narrowed by what share of the groups the drawn rows stand for.

    Parameters
    ----------
    metric : Judging
        What to compute.
    target : Target
        The coding of the target.
    codes : ndarray of shape (n,)
        The coded target.
    seed : int
        Seed of the resamples.
    rows : ndarray of int, optional
        The rows to judge by; all unless given.
    clusters : ndarray of shape (n,), optional
        What each row belongs to, counted from 0; each row is drawn alone unless given.
    counted : ndarray of shape (n,), optional
        How much each row counts.
    folds : Folds, optional
        How rows were divided: models that other rows would have made differ as well, so that intervals are
        wider than those of resampled rows (:attr:`Folds.spread`), and where a metric depends on which class
        is named, that is decided for each fold by the others. Ranks are compared within a fold.
    """

    def __init__(
        self,
        metric: Judging,
        target: Target,
        codes: npt.NDArray[np.generic],
        seed: int,
        rows: npt.NDArray[np.intp] | None = None,
        clusters: npt.NDArray[np.intp] | None = None,
        counted: F64 | None = None,
        folds: Folds | None = None,
    ) -> None:
        self.metric, self.target = metric, target
        self.truth: Array = codes if target.classes is not None else target.decode(codes[:, None])  # type: ignore[arg-type]
        self._folds = folds if decision.matters(metric.name, target.width) else None
        self._part = None if folds is None else folds.part
        self._judged = np.arange(len(codes)) if rows is None else rows
        generator = np.random.default_rng(seed)
        n = len(self._judged)
        resamples, most = metric.effort
        m = min(n, most)
        self._rows = self._judged
        if m < n:
            self._rows = self._judged[np.sort(generator.choice(n, m, replace=False))]
        self._reach = float(np.sqrt(m / n))
        drawn, at = m, None
        if clusters is not None:
            names, at = np.unique(clusters[self._rows], return_inverse=True)
            drawn = len(names)
            self._reach = float(np.sqrt(drawn / len(np.unique(clusters[self._judged]))))
        self._reach *= 1.0 if folds is None else folds.spread
        draws = [np.bincount(generator.integers(0, drawn, drawn), minlength=drawn) for _ in range(resamples)]
        self._weights = np.stack([draw if at is None else draw[at] for draw in draws]).astype(np.float64)
        self._counted = np.ones(len(codes)) if counted is None else counted
        self._weights *= self._counted[self._rows]

    def score(self, raw: npt.NDArray[np.floating]) -> float:
        """Score coded predictions of shape (n, K)."""
        return self._score(self._readable(raw), self._judged)

    def decision(self, raw: npt.NDArray[np.floating], rows: npt.NDArray[np.intp] | None = None) -> F64:
        """Choose the factors by which classes are named, on some rows (the judged ones unless given)."""
        if self._folds is None:
            return decision.likeliest(self.target.width)
        if rows is None:
            rows = self._judged
        return decision.choose(
            self.metric.name,
            self.truth[rows],
            raw[rows].astype(np.float64),
            self._counted[rows],
            self.metric.score,
        )

    def _score(self, readable: F64, rows: npt.NDArray[np.intp]) -> float:
        counted = self._counted[rows][None, :]
        return float(self.metric.scores(self.truth[rows], readable[rows], counted, self._parts(rows))[0])

    def _parts(self, rows: npt.NDArray[np.intp]) -> Part | None:
        return None if self._part is None else self._part[rows]

    def judge(self, raw: npt.NDArray[np.floating]) -> Judged:
        """Score coded predictions of shape (n, K) and their resamples."""
        readable = self._readable(raw)
        score = self._score(readable, self._judged)
        truth, part = self.truth[self._rows], readable[self._rows]
        centre = score if len(part) == len(self._judged) else self._score(readable, self._rows)
        parts = self._parts(self._rows)
        resampled = np.concatenate(
            [self.metric.scores(truth, part, w, parts) for w in np.split(self._weights, 8)]
        )
        if np.isnan(resampled).all():
            return Judged(score, (score, score), resampled)
        tail = (1 - CONFIDENCE) / 2
        low, high = (score + (np.nanquantile(resampled, [tail, 1 - tail]) - centre) * self._reach).tolist()
        perfect = (0.0 if self.metric.sign < 0 else 1.0) if isinstance(self.metric, Metric) else np.inf
        return Judged(score, (min(low, score), max(score, min(high, perfect))), resampled)

    def tied(self, best: Judged, other: Judged) -> bool:
        """Tell whether the resamples cannot tell two predictions apart (paired, 90 %)."""
        difference = best.resampled - other.resampled
        difference = difference[~np.isnan(difference)]
        if len(difference) == 0:
            return True
        centre = float(difference.mean())
        low = float(np.quantile(difference, (1 - CONFIDENCE) / 2))
        return centre + (low - centre) * self._reach <= 0

    def _readable(self, raw: npt.NDArray[np.floating]) -> F64:
        """Quantities, or probabilities turned by a decision that each row took no part in."""
        if self.target.classes is None:
            return self.target.decode(raw)
        readable = raw.astype(np.float64)
        for fold in range(self._folds.k if self._folds is not None else 0):
            _, held = self._folds.split(fold)  # type: ignore[union-attr]
            factors = self.decision(raw, self._folds.choosers(fold))  # type: ignore[union-attr]
            readable[held] = decision.decided(readable[held], factors)
        return readable
