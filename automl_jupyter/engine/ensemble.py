"""A weighted ensemble, chosen greedily from what the search has finished.

Caruana, Niculescu-Mizil, Crew, Ksikes (2004), "Ensemble selection from libraries of models": models are added
with replacement, each time the one that helps most. Log-probabilities are averaged, not probabilities.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from automl_jupyter.engine import metrics
from automl_jupyter.engine.learners import F32, Model
from automl_jupyter.engine.metrics import Metric
from automl_jupyter.engine.preprocess import Views
from automl_jupyter.engine.resample import Folds
from automl_jupyter.engine.task import Target

ROUNDS, PATIENCE = 25, 8
SELECTION_ROWS = 15_000
LEAST_WEIGHT = 0.03
MOST_ROW_COST = 3500.0
"""Microseconds that one row may take: an answer within five milliseconds, with the rest of the work."""

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
    return q if task == "regression" else np.log(np.clip(q, 1e-5, 1.0))


def from_link(z: npt.NDArray[np.floating], task: str) -> F32:
    """Turn an average back into predictions."""
    return np.asarray(z if task == "regression" else softmax(z, axis=1), dtype=np.float32)


@dataclass(frozen=True)
class Member:
    """A trial's models and their share of the ensemble."""

    name: str
    weight: float
    models: tuple[Model, ...]


@dataclass(frozen=True)
class Ensemble:
    """What is served.

    Attributes
    ----------
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    members : tuple of Member
        Weights add up to one.
    """

    task: str
    members: tuple[Member, ...]

    def predict(self, views: Views) -> F32:
        """Predict coded values of shape (n, K) on the calling thread."""
        total: F32 | None = None
        for member in self.members:
            share = np.float32(member.weight / len(member.models))
            for model in member.models:
                z = share * to_link(model.predict(views[model.view]), self.task)
                total = z if total is None else total + z
        if total is None:
            raise ValueError("an ensemble has members")
        return from_link(total, self.task)


def selection_metric(metric: Metric, task: str) -> Metric:
    """Choose what guides the selection: the metric itself, or a smooth one where it moves in steps."""
    if metric.name in _SMOOTH:
        return metric
    return metrics.get("neg_root_mean_squared_error" if task == "regression" else "neg_log_loss")


def lighten(weights: npt.NDArray[np.float64], costs: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Choose which models to keep so that one row is answered quickly.

    Parameters
    ----------
    weights : ndarray of shape (models,)
        Weights of the best ensemble.
    costs : ndarray of shape (models,)
        Microseconds of each for one row.

    Returns
    -------
    ndarray of bool
        All models if the ensemble is quick enough; else those of its members that remain after leaving out,
        one after the other, the member that gives least for its time. One always remains.
    """
    if costs[weights > 0].sum() <= MOST_ROW_COST:
        return np.ones(len(weights), dtype=bool)
    kept = weights > 0
    while costs[kept].sum() > MOST_ROW_COST and kept.sum() > 1:
        worth = np.where(kept, weights / costs, np.inf)
        kept[int(worth.argmin())] = False
    return kept


@dataclass(frozen=True)
class Selector:
    """Finds weights for some models' predictions.

    Attributes
    ----------
    metric : Metric
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
    """

    metric: Metric
    target: Target
    truth: npt.NDArray[np.generic]
    links: Sequence[F32]
    seed: int
    until: float
    rows: npt.NDArray[np.intp] | None = None

    def weights(self, rows: npt.NDArray[np.intp] | None = None) -> npt.NDArray[np.float64]:
        """Choose weights, non-negative and adding up to one, on some rows (all that can be unless given).

        Without any row nothing speaks for one model or another: they are equal then.
        """
        if rows is None:
            rows = np.arange(len(self.truth)) if self.rows is None else self.rows
        if not len(rows):
            return np.full(len(self.links), 1 / len(self.links))
        if len(rows) > SELECTION_ROWS:
            picker = np.random.default_rng(self.seed)
            rows = np.sort(picker.choice(rows, SELECTION_ROWS, replace=False))
        truth, links = self.truth[rows], [z[rows] for z in self.links]
        counts = np.zeros(len(links))
        best, best_score, since = counts, -np.inf, 0
        total = np.zeros_like(links[0])
        for size in range(1, ROUNDS + 1):
            scores = [self._score(truth, (total + z) / size) for z in links]
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

    def cross_fitted(self, folds: Folds) -> F32:
        """Predict each fold's rows with weights chosen on others: an honest view of the ensemble.

        The others are those of all other folds, or in order of time those of the folds before. Rows of no
        fold keep what stands in for their prediction.
        """
        result = from_link(self.links[0], self.target.task).copy()
        if len(self.links) == 1:
            return result
        for fold in range(folds.k):
            _, held = folds.split(fold)
            result[held] = self.combined(self.weights(folds.choosers(fold)), held)
        return result

    def combined(self, weights: npt.NDArray[np.float64], rows: npt.NDArray[np.intp]) -> F32:
        """Predict coded values of some rows with given weights."""
        total = np.zeros((len(rows), self.links[0].shape[1]), dtype=np.float32)
        for w, z in zip(weights, self.links, strict=True):
            if w > 0:
                total += np.float32(w) * z[rows]
        return from_link(total, self.target.task)

    def _score(self, truth: npt.NDArray[np.generic], z: npt.NDArray[np.floating]) -> float:
        q = from_link(z, self.target.task)
        readable = self.target.decode(q) if self.target.classes is None else q.astype(np.float64)
        score = self.metric.score(truth, readable)
        return score if np.isfinite(score) else -np.inf
