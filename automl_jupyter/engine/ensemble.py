"""A weighted ensemble, chosen greedily from what the search has finished.

Caruana, Niculescu-Mizil, Crew, Ksikes (2004), "Ensemble selection from libraries of models": models are added
with replacement, each time the one that helps most. Log-probabilities are averaged, not probabilities. Some
members may be of a second level, which reads what members of the first predict: Wolpert (1992), "Stacked
generalization".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine import merging, metrics
from automl_jupyter.engine.learners import F32, Model
from automl_jupyter.engine.metrics import Judging, Part
from automl_jupyter.engine.preprocess import Views
from automl_jupyter.engine.resample import Folds
from automl_jupyter.engine.softmax import log_losses, softmax
from automl_jupyter.engine.task import Target

F64 = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

ROUNDS, PATIENCE = 30, 10
SELECTION_NUMBERS = 60_000
"""Rows times classes by which weights are chosen, at most; a quarter of that for each fold's own weights."""

LOG_LOSS = 4
"""A log loss is so much quicker than ranks that it is of so many times as many."""

LEAST_WEIGHT = 0.02

LEAST_PROBABILITY = 1e-5
"""No class is less probable, so that one sure model does not outvote all others."""

MOST_ROW_COST, MOST_BULK_COST = 10_000.0, 200.0
"""Microseconds that a row may take alone, and among many where there are two classes."""

QUANTITIES, CLASSES = 3.5, 0.5
"""Quantities may take so many times as long, because more trees bring most there; and each of more than two
classes, because boosting grows a tree for each."""

SMALL_TABLE = 1500
"""With so many rows each may take once more what it may take where there are classes and many rows."""

TEMPERATURES = np.exp(np.linspace(-0.7, 0.7, 29))

_SMOOTH = {
    "roc_auc",
    "average_precision",
    "neg_log_loss",
    "neg_root_mean_squared_error",
    "neg_mean_absolute_error",
    "neg_mean_absolute_percentage_error",
}


def to_link(q: F32, task: str) -> F32:
    """Turn predictions into what is averaged: log-probabilities, or the quantities themselves."""
    return q if task == "regression" else np.log(np.clip(q, LEAST_PROBABILITY, 1.0))


def from_link(z: npt.NDArray[np.floating], task: str, temperature: float = 1.0) -> F32:
    """Turn an average back into predictions."""
    if task == "regression":
        return np.asarray(z, dtype=np.float32)
    return np.asarray(softmax(z / np.float32(temperature)), dtype=np.float32)


def votes(predictions: Sequence[F32], task: str) -> F32:
    """What the second level reads of the first: log-odds, log-probabilities or quantities, side by side."""
    links = [to_link(q, task) for q in predictions]
    if task == "binary":
        links = [z[:, 1:] - z[:, :1] for z in links]
    return np.hstack(links)


@dataclass(frozen=True)
class Member:
    """A trial's models and their share of the ensemble; no share if only the second level reads it."""

    name: str
    weight: float
    models: tuple[Model, ...]

    def predict(self, views: Views, threads: int = 1) -> F32:
        """Average the models, which all read the same view."""
        return merging.mean(self.models, views[self.models[0].view], threads)


@dataclass(frozen=True)
class Ensemble:
    """What is served.

    Attributes
    ----------
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    members : tuple of Member
        The first level. Weights of all members add up to one.
    stack : tuple of Member
        The second level.
    read : tuple of str
        The members of the first level that the second reads, in its order.
    temperature : float
        What log-probabilities are divided by: Guo, Pleiss, Sun, Weinberger (2017), "On calibration of modern
        neural networks".
    """

    task: str
    members: tuple[Member, ...]
    stack: tuple[Member, ...] = ()
    read: tuple[str, ...] = ()
    temperature: float = 1.0

    def predict(self, views: Views, threads: int = 1) -> F32:
        """Predict coded values of shape (n, K) on the calling thread, and joined trees on so many."""
        found = {member.name: member.predict(views, threads) for member in self.members}
        if self.stack:
            above = views.with_votes(votes([found[name] for name in self.read], self.task))
            found |= {member.name: member.predict(above, threads) for member in self.stack}
        total = np.zeros((1, 1), np.float32)
        for member in (*self.members, *self.stack):
            if member.weight > 0:
                total = total + np.float32(member.weight) * to_link(found[member.name], self.task)
        return from_link(total, self.task, self.temperature)


def selection_metric(metric: Judging, task: str) -> Judging:
    """Choose what guides the selection: the metric itself, or a smooth one where it moves in steps."""
    if metric.name in _SMOOTH:
        return metric
    return metrics.get("neg_root_mean_squared_error" if task == "regression" else "neg_log_loss")


@dataclass(frozen=True)
class Cost:
    """Microseconds that a row takes alone, and among many."""

    row: float
    bulk: float

    @classmethod
    def of(cls, models: Sequence[Model]) -> Cost:
        """Add up models."""
        return cls(merging.row_cost(models), sum(m.bulk_cost for m in models))

    def share(self, width: int, rows: int) -> float:
        """Give what part it is of what may be spent; many classes and small tables may cost more."""
        classes = max(1.0, CLASSES * width)
        most = MOST_BULK_COST * ((QUANTITIES if width == 1 else classes) + classes * SMALL_TABLE / rows)
        return max(self.row / MOST_ROW_COST, self.bulk / most)


def lighten(
    weights: F64, costs: Sequence[float], above: Sequence[bool], read: Sequence[int]
) -> npt.NDArray[np.bool_]:
    """Choose which models to keep so that rows are answered quickly.

    Parameters
    ----------
    weights : ndarray of shape (models,)
        Weights of the best ensemble.
    costs : sequence of float
        The part of what may be spent that each takes.
    above : sequence of bool
        Which are of the second level.
    read : sequence of int
        Positions of the models that the second level reads.

    Returns
    -------
    ndarray of bool
        All models if the ensemble is quick enough; else those of its members that remain after leaving out,
        one after the other, the member (or the second level) that gives least for its time. One always
        remains.
    """
    level, cost = np.array(above, dtype=bool), np.array(costs)

    def spent(kept: npt.NDArray[np.bool_]) -> float:
        needed = kept.copy()
        if (kept & level).any():
            needed[list(read)] = True
        return float(cost[needed].sum())

    kept = weights > 0
    if spent(kept) <= 1:
        return np.ones(len(weights), dtype=bool)
    while spent(kept) > 1 and kept.sum() > 1:
        options = [np.arange(len(weights)) == i for i in np.flatnonzero(kept & ~level)]
        if (kept & level).any() and (kept & ~level).any():
            options.append(kept & level)
        if not options:
            options = [np.arange(len(weights)) == i for i in np.flatnonzero(kept)]
        worth = [weights[o].sum() / max(spent(kept) - spent(kept & ~o), 1e-9) for o in options]
        kept = kept & ~options[int(np.argmin(worth))]
    return kept


@dataclass(frozen=True)
class Selector:
    """Finds weights for some models' predictions.

    Attributes
    ----------
    metric : Judging
        What guides the selection.
    target : Target
        The coding of the target.
    truth : ndarray of shape (n,)
        True codes or quantities.
    links : sequence of ndarray of shape (n, K)
        Each model's predictions, as they are averaged.
    seed : int
        Seed of the choice of rows where there are many.
    until : float
        When to stop, on :func:`time.monotonic`.
    rows : ndarray of int, optional
        The rows that have honest predictions, unless all have.
    threads : int
        How many folds' weights are chosen at a time.
    counted : ndarray of shape (n,), optional
        How much each row counts.
    part : ndarray of shape (n,), optional
        The fold of each row: ranks are compared within it.
    """

    metric: Judging
    target: Target
    truth: npt.NDArray[np.generic]
    links: Sequence[F32]
    seed: int
    until: float
    rows: Positions | None = None
    threads: int = 1
    counted: F64 | None = None
    part: Part | None = None

    def weights(self, rows: Positions | None = None, most: int = SELECTION_NUMBERS) -> F64:
        """Choose weights, non-negative and adding up to one, on some rows (all that can be unless given).

        Without any row nothing speaks for one model or another: they are equal then.
        """
        if rows is None:
            rows = np.arange(len(self.truth)) if self.rows is None else self.rows
        if not len(rows):
            return np.full(len(self.links), 1 / len(self.links))
        if self.metric.name == "neg_log_loss":
            most *= LOG_LOSS
        limit = max(2000, most // self.target.width)
        if len(rows) > limit:
            rows = np.sort(np.random.default_rng(self.seed).choice(rows, limit, replace=False))
        links = [z[rows] for z in self.links]
        score = self._scorer(rows)
        counts = np.zeros(len(links))
        best, best_score, since = counts, -np.inf, 0
        total = np.zeros_like(links[0])
        for size in range(1, ROUNDS + 1):
            scores = [score((total + z) / np.float32(size)) for z in links]
            j = int(np.argmax(scores))
            counts = counts.copy()
            counts[j] += 1
            total = total + links[j]
            since += 1
            if scores[j] > best_score + 1e-9 * abs(scores[j]) or size == 1:
                best, best_score, since = counts, scores[j], 0
            if since >= PATIENCE or time.monotonic() > self.until:
                break
        weights = best / best.sum()
        weights[weights < LEAST_WEIGHT] = 0.0
        return np.asarray(weights / weights.sum())

    def temperature(self, weights: F64, rows: Positions | None = None) -> float:
        """Choose what log-probabilities are divided by, on some rows (all that can be unless given)."""
        if self.target.classes is None:
            return 1.0
        if rows is None:
            rows = np.arange(len(self.truth)) if self.rows is None else self.rows
        rows = rows[:: max(1, len(rows) * self.target.width // SELECTION_NUMBERS)]
        if not len(rows):
            return 1.0
        z, true = self._mixed(weights, rows), self.truth[rows].astype(np.intp)
        losses = [_log_loss(z / np.float32(t), true, None) for t in TEMPERATURES]
        return float(TEMPERATURES[int(np.argmin(losses))])

    def cross_fitted(self, folds: Folds) -> F32:
        """Predict each fold's rows with weights chosen on others: an honest view of the ensemble.

        The others are those of all other folds, or in order of time those of the folds before. Rows of no
        fold keep what stands in for their prediction.
        """
        task = self.target.task
        result = from_link(self.links[0], task).copy()

        def predict(fold: int) -> None:
            _, held = folds.split(fold)
            choosers = folds.choosers(fold)
            weights = self.weights(choosers, SELECTION_NUMBERS // 4)
            temperature = self.temperature(weights, choosers)
            result[held] = from_link(self._mixed(weights, held), task, temperature)

        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(predict, range(folds.k)))
        return result

    def combined(self, weights: F64, rows: Positions) -> F32:
        """Predict coded values of some rows with given weights."""
        return from_link(self._mixed(weights, rows), self.target.task)

    def loss(self, weights: F64) -> float:
        """How far an average with given weights is from a perfect score, on the rows that choose."""
        rows = np.arange(len(self.truth)) if self.rows is None else self.rows
        perfect = 0.0 if self.metric.sign < 0 else 1.0
        return perfect - self._scorer(rows)(self._mixed(weights, rows))

    def without(self, kept: npt.NDArray[np.bool_]) -> Selector:
        """Choose among some of the models alone."""
        return replace(self, links=[z for z, keep in zip(self.links, kept, strict=True) if keep])

    def _mixed(self, weights: F64, rows: Positions) -> F32:
        total = np.zeros((len(rows), self.links[0].shape[1]), dtype=np.float32)
        for w, z in zip(weights, self.links, strict=True):
            if w > 0:
                total += np.float32(w) * z[rows]
        return total

    def _scorer(self, rows: Positions) -> Callable[[F32], float]:
        """The function that scores an average on some rows; higher is better."""
        truth = self.truth[rows]
        counted = None if self.counted is None else self.counted[rows]
        if self.metric.name == "neg_log_loss":
            true = truth.astype(np.intp)
            return lambda z: -_log_loss(z, true, counted)
        weights = np.ones((1, len(rows))) if counted is None else counted[None, :]
        part = None if self.part is None else self.part[rows]

        def score(z: F32) -> float:
            q = from_link(z, self.target.task)
            readable = self.target.decode(q) if self.target.classes is None else q.astype(np.float64)
            found = float(self.metric.scores(truth, readable, weights, part)[0])
            return found if np.isfinite(found) else -np.inf

        return score


def _log_loss(z: F32, true: Positions, counted: F64 | None) -> float:
    return float(np.average(log_losses(z, true), weights=counted))
