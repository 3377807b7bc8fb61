"""How a candidate is fitted in parts, each on one thread, and how its parts are joined.

Most learners are fitted by folds: a part is one fold and predicts the rows that it did not see. A forest is
fitted once, in parts of some trees each, and each tree predicts the rows that it did not see. Where rows
belong together or follow each other, a tree knows such rows from others of the group or from later ones: then
a forest is fitted by folds as well.

In order of time the models of the folds know the past alone. What is served is fitted once more, to all rows.
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
TREES_OF_FOLD = 2
"""A fold of a forest has so many times the trees of a part: about as many as judge a row out of the bag."""

_TIMED_ROWS = 1000
_FEWEST_ROWS = 5


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
        every = slice(None) if rows is None else rows
        groups, time_ = self.folds.groups, self.folds.time
        return Work(
            X=self.views[view][every],
            y=self.codes[every],
            task=self.target.task,
            width=self.target.width,
            numeric_width=self.views.of.numeric_width,
            seed=(self.seed * 1009 + part * 31) % (2**31 - 1),
            clock=clock,
            groups=None if groups is None else groups[every],
            time=None if time_ is None else time_[every],
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
        Usually one; none where it is not served.
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
        folds = material.folds
        if part == folds.k:
            model = _fitted(fit, material.work(None, view, part, clock), params, view)
            return _timed(model, material)
        rows, held = folds.split(part)
        model = _fitted(fit, material.work(rows, view, part, clock), params, view)
        began = time.monotonic()
        q = model.predict(material.views[view][held])
        seconds = 0.0 if folds.ordered else 1000 * (time.monotonic() - began) / len(held)
        if not np.isfinite(q).all():
            raise FloatingPointError("predictions are not finite")
        return Part(() if folds.ordered else (model,), held, q, np.ones(len(held), np.int32), seconds)

    return Learner(lambda folds: folds.fits, fit_part)


def _fitted(fit: Callable[[Work, Params], Model], work: Work, params: Params, view: str) -> Model:
    """Fit, or where there is nothing to tell apart learn what all rows have in common."""
    one_class = work.task != "regression" and work.y.min() == work.y.max()
    if one_class or len(work.y) < _FEWEST_ROWS:
        return replace(fit_constant(work, {}), view=view)
    return fit(work, params)


def _timed(model: Model, material: Material) -> Part:
    """Give a model of all rows, which predicts none of them, with the time of its predictions."""
    sample = material.views[model.view][:_TIMED_ROWS]
    began = time.monotonic()
    q = model.predict(sample)
    seconds = 1000 * (time.monotonic() - began) / len(sample)
    if not np.isfinite(q).all():
        raise FloatingPointError("predictions are not finite")
    return Part((model,), np.zeros(0, np.intp), q[:0], np.zeros(0, np.int32), seconds)


def _fit_trees(material: Material, params: Params, part: int, clock: Clock) -> Part:
    if not material.folds.at_random:
        return _FOREST_BY_FOLDS.fit_part(material, params, part, clock)
    model, bag = fit_forest(material.work(None, "tree", part, clock), params)
    sample = material.views["tree"][:_TIMED_ROWS]
    began = time.monotonic()
    model.predict(sample)
    seconds = 1000 * (time.monotonic() - began) / len(sample)
    return Part((model,), np.arange(len(bag.trees)), bag.total, bag.trees, seconds)


def _grow(work: Work, params: Params) -> Model:
    return fit_forest(work, {**params, "trees": TREES_OF_FOLD * int(params["trees"])})[0]


_FOREST_BY_FOLDS = by_folds(_grow, "tree")

LEARNERS: Mapping[str, Learner] = {
    "lightgbm": by_folds(fit_boosting, "tree"),
    "linear": by_folds(fit_linear, "linear"),
    "forest": Learner(lambda folds: FOREST_PARTS if folds.at_random else folds.fits, _fit_trees),
}
"""Families by the name that the portfolio uses."""


def fit_baseline(material: Material) -> tuple[tuple[Model, ...], F32]:
    """Fit the baseline once on all rows; in order of time, each part is predicted from the parts before it.

    At random by folds its constants would be ordered against the target, and rank worse than chance.
    """
    never = Clock(np.inf, np.inf)
    model = fit_constant(material.work(None, "tree", 0, never), {})
    predictions = model.predict(material.views["tree"])
    for fold in range(material.folds.k if material.folds.ordered else 0):
        rows, held = material.folds.split(fold)
        past = fit_constant(material.work(rows, "tree", fold, never), {})
        predictions[held] = past.predict(material.views["tree"][held])
    return (model,), predictions


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
