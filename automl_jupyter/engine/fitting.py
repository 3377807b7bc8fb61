"""How a candidate is fitted in parts, each on one thread, and how its parts are joined.

Most learners are fitted by folds: a part is one fold and predicts the rows that it did not see. A forest is
fitted once, in parts of some trees each, and each tree predicts the rows that it did not see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.boosting import fit_boosting
from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.forest import ForestModel, fit_forest
from automl_jupyter.engine.learners import F32, Clock, Codes, Model, Params, Work, fit_constant
from automl_jupyter.engine.linear import fit_linear
from automl_jupyter.engine.preprocess import Views
from automl_jupyter.engine.resample import Folds
from automl_jupyter.engine.task import Target

FOREST_PARTS = 4
_TIMED_ROWS = 1000


@dataclass(frozen=True)
class Material:
    """What is fitted to.

    Attributes
    ----------
    views : Views
        The training rows.
    codes : ndarray of shape (n,)
        Their coded target.
    target : Target
        Its coding.
    folds : Folds
        How rows are divided.
    seed : int
        Seed of all that is random.
    """

    views: Views
    codes: Codes
    target: Target
    folds: Folds
    seed: int

    def work(self, rows: npt.NDArray[np.intp] | None, view: str, part: int, clock: Clock) -> Work:
        """Cut out what one fit is given; None means all rows."""
        X, y = self.views[view], self.codes
        return Work(
            X=X if rows is None else X[rows],
            y=y if rows is None else y[rows],
            task=self.target.task,
            width=self.target.width,
            numeric_width=self.views.of.numeric_width,
            seed=(self.seed * 1009 + part * 31) % (2**31 - 1),
            clock=clock,
        )

    def bare(self) -> Material:
        """Give the same without what fits do not read: cells that became numbers, views already made."""
        views = self.views
        cells = Cells(np.zeros((len(views), 0)), views.cells.codes, ())
        return replace(self, views=Views(views.of, cells, views.numbers))


@dataclass(frozen=True)
class Part:
    """What the fit of one part leaves.

    Attributes
    ----------
    models : tuple of Model
        Usually one.
    rows : ndarray of shape (m,)
        The training rows that it predicted without having seen them.
    total : ndarray of shape (m, K), float32
        Sums of predictions for them.
    counts : ndarray of shape (m,), int32
        How many predictions each sum has.
    predict_seconds : float
        Time to predict 1,000 rows.
    """

    models: tuple[Model, ...]
    rows: npt.NDArray[np.intp]
    total: F32
    counts: npt.NDArray[np.int32]
    predict_seconds: float


@dataclass(frozen=True)
class Learner:
    """A family of models.

    Attributes
    ----------
    parts : callable
        Number of parts for a division into folds.
    fit_part : callable
        Fits one part: (material, params, number of the part, clock) to Part.
    """

    parts: Callable[[Folds], int]
    fit_part: Callable[[Material, Params, int, Clock], Part]


def by_folds(fit: Callable[[Work, Params], Model], view: str) -> Learner:
    """Make a learner that is fitted by folds and reads one view."""

    def fit_part(material: Material, params: Params, part: int, clock: Clock) -> Part:
        rows, held = material.folds.split(part)
        work = material.work(rows, view, part, clock)
        one_class = material.target.classes is not None and work.y.min() == work.y.max()
        model = replace(fit_constant(work, {}), view=view) if one_class else fit(work, params)
        began = time.monotonic()
        q = model.predict(material.views[view][held])
        seconds = time.monotonic() - began
        if not np.isfinite(q).all():
            raise FloatingPointError("predictions are not finite")
        return Part((model,), held, q, np.ones(len(held), np.int32), 1000 * seconds / len(held))

    return Learner(lambda folds: folds.k, fit_part)


def _fit_trees(material: Material, params: Params, part: int, clock: Clock) -> Part:
    model, bag = fit_forest(material.work(None, "tree", part, clock), params)
    sample = material.views["tree"][:_TIMED_ROWS]
    began = time.monotonic()
    model.predict(sample)
    seconds = 1000 * (time.monotonic() - began) / len(sample)
    return Part((model,), np.arange(len(bag.trees)), bag.total, bag.trees, seconds)


LEARNERS: Mapping[str, Learner] = {
    "lightgbm": by_folds(fit_boosting, "tree"),
    "linear": by_folds(fit_linear, "linear"),
    "forest": Learner(lambda folds: FOREST_PARTS, _fit_trees),
}
"""Families by the name that the portfolio uses."""


def fit_baseline(material: Material) -> tuple[tuple[Model, ...], F32]:
    """Fit the baseline once on all rows.

    By folds its constants would be ordered against the target, and rank worse than chance.
    """
    model = fit_constant(material.work(None, "tree", 0, Clock(np.inf, np.inf)), {})
    return (model,), model.predict(material.views["tree"])


def join(parts: Sequence[Part], prior: F32) -> tuple[tuple[Model, ...], F32]:
    """Join the parts of a candidate.

    Parameters
    ----------
    parts : sequence of Part
        All of them, in order.
    prior : ndarray of shape (n, K)
        The answer for rows that no part could predict.

    Returns
    -------
    models : tuple of Model
    predictions : ndarray of shape (n, K), float32
        For each row by models that had not seen it.
    """
    total, counts = np.zeros_like(prior), np.zeros(len(prior), dtype=np.int32)
    for part in parts:
        total[part.rows] += part.total
        counts[part.rows] += part.counts
    predictions = np.where(counts[:, None] > 0, total / np.maximum(counts, 1)[:, None], prior)
    models = tuple(model for part in parts for model in part.models)
    trees = tuple(tree for model in models if isinstance(model, ForestModel) for tree in model.trees)
    return ((ForestModel(trees),) if trees else models), predictions.astype(np.float32)
