"""How a candidate is fitted in parts, each on one thread, and how its parts are joined.

Most learners are fitted by folds: a part is one fold and predicts the rows that it did not see. A forest is
fitted once, in parts of some trees each, and each tree predicts the rows that it did not see. Where rows
belong together or follow each other, a tree knows such rows from others of the group or from later ones: then
a forest is fitted by folds as well.

A fold learns from all rows but its own and leaves its model at several stages. Which stage is served is
chosen by the other folds: so nothing is lost to an inner division, and no row takes part in a choice by which
it is judged.

In order of time the models of the folds know the past alone. What is served is fitted once more, to all rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.boosting import fit_boosting, fit_distilled
from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.extensions import installed
from automl_jupyter.engine.forest import ForestModel, fit_forest, plant
from automl_jupyter.engine.kernel import fit_kernel
from automl_jupyter.engine.learners import (
    F32,
    Clock,
    Codes,
    Lesson,
    Model,
    OutOfTime,
    Params,
    Path,
    Work,
    fit_constant,
)
from automl_jupyter.engine.linear import fit_linear, fit_spline
from automl_jupyter.engine.neighbours import fit_neighbours
from automl_jupyter.engine.neural import fit_neural
from automl_jupyter.engine.preprocess import Views
from automl_jupyter.engine.resample import Folds, Positions, inner_split
from automl_jupyter.engine.skewed import fit_logarithms, zero_of
from automl_jupyter.engine.task import Target
from automl_jupyter.engine.words import fit_words

FOREST_PARTS = 4
TREES_OF_FOLD = 2
"""A fold of a forest has so many times the trees of a part: about as many as judge a row out of the bag."""

F64 = npt.NDArray[np.float64]

BEHIND = 1.2
"""Log loss or root mean squared error relative to the best: what is further behind and dear is given up."""

_TIMED_ROWS = 1000
_FEWEST_ROWS = 5


class Teacher(Protocol):
    """Makes up rows and says what an ensemble answers to them."""

    def lesson(self, fold: int, views: Views, rows: Positions, seed: int) -> Lesson | None:
        """Give a lesson by models that have not seen a fold, or for the fold after the last by all."""
        ...


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
    divisions : tuple of Folds
        How rows are divided: the first division makes the first score of all candidates, the others are for
        repeats.
    seed : int
        Seed of all that is random.
    weights : ndarray of shape (n,) or None
        How much each row counts, 1 on average.
    teacher : Teacher or None
        For a learner that is taught.
    """

    views: Views
    codes: Codes
    target: Target
    divisions: tuple[Folds, ...]
    seed: int
    weights: npt.NDArray[np.float64] | None = None
    teacher: Teacher | None = None

    @property
    def folds(self) -> Folds:
        """The first division."""
        return self.divisions[0]

    def work(
        self, rows: Positions | None, view: str, part: int, clock: Clock, held: Positions | None = None
    ) -> Work:
        """Cut out what one fit is given; None means all rows, and none held."""
        every = slice(None) if rows is None else rows
        groups, time_, weights = self.folds.groups, self.folds.time, self.weights
        return Work(
            X=self.views[view][every],
            y=self.codes[every],
            task=self.target.task,
            width=self.target.width,
            numeric_width=self.views.numeric_width(view),
            seed=(self.seed * 1009 + part * 31) % (2**31 - 1),
            clock=clock,
            groups=None if groups is None else groups[every],
            time=None if time_ is None else time_[every],
            weights=None if weights is None else weights[every],
            X_held=None if held is None else self.views[view][held],
            y_held=None if held is None else self.codes[held],
            zero=zero_of(self.target),
        )

    def bare(self) -> Material:
        """Give the same without what fits do not read: numbers as they were read, views already made."""
        views = self.views
        cells = Cells(np.zeros((len(views), 0)), views.cells.codes, views.cells.texts)
        return replace(self, views=Views(views.of, cells, views.numbers))


@dataclass(frozen=True)
class Part:
    """What the fit of one part leaves.

    Attributes
    ----------
    stages : tuple of int
        The stages of the model, see :class:`automl_jupyter.engine.learners.Path`.
    models : tuple of Model
        One for each stage; none where it is not served.
    rows : ndarray of shape (m,)
        The training rows that it predicted without having seen them.
    totals : ndarray of shape (stages, m, K), float32
        Sums of predictions for them.
    counts : ndarray of shape (m,), int32
        How many predictions each sum has.
    predict_seconds : float
        Time to predict 1,000 rows.
    """

    stages: tuple[int, ...]
    models: tuple[Model, ...]
    rows: npt.NDArray[np.intp]
    totals: F32
    counts: npt.NDArray[np.int32]
    predict_seconds: float


@dataclass(frozen=True)
class Learner:
    """A family of models.

    Attributes
    ----------
    parts : callable
        Number of parts for a division into folds, with some parameters.
    fit_part : callable
        Fits one part: (material, params, number of the part, clock) to Part.
    """

    parts: Callable[[Folds, Params], int]
    fit_part: Callable[[Material, Params, int, Clock], Part]


Fit = Callable[[Work, Params], Path]


def by_folds(fit: Fit, view: str) -> Learner:
    """Make a learner that is fitted by folds.

    It reads one view, unless its parameters name another (``view``), and learns quantities as they are, or
    their logarithms (``target``: ``log``).
    """

    def fit_part(material: Material, params: Params, part: int, clock: Clock) -> Part:
        repeat, fold = divmod(part, material.folds.fits)
        folds, seen = material.divisions[repeat], str(params.get("view", view))
        params = {name: value for name, value in params.items() if name != "view"}
        if fold == folds.k:
            model = _fitted_to_all(fit, material, params, seen, clock)
            return Part((0,), (model,), *_nothing(material.target.width), _seconds(model, material))
        rows, held = folds.split(fold)
        path = _fitted(fit, material.work(rows, seen, part, clock, held), params, seen)
        totals = path.predictions(material.views[seen][held])
        if not np.isfinite(totals).all():
            raise FloatingPointError("predictions are not finite")
        seconds = 0.0 if folds.ordered else _seconds(path.models[-1], material)
        models = () if folds.ordered else path.models
        return Part(path.stages, models, held, totals, np.ones(len(held), np.int32), seconds)

    return Learner(lambda folds, params: folds.fits, fit_part)


def taught(fit: Fit, view: str) -> Learner:
    """Make a learner that is taught by an ensemble, judged by folds, and served as one model of all rows.

    The folds leave their predictions alone. Once they have chosen a stage, which the parameters then name
    (``stages``), the one model is made.
    """

    def fit_part(material: Material, params: Params, part: int, clock: Clock) -> Part:
        folds, teacher, served = material.folds, material.teacher, "stages" in params
        fold = folds.k if served else part
        rows, held = (np.arange(len(material.codes)), None) if served else folds.split(fold)
        work = material.work(rows, view, fold, clock, held)
        if teacher is not None:
            work = replace(work, lesson=teacher.lesson(fold, material.views, rows, work.seed))
        path = _fitted(fit, work, params, view)
        if held is not None:
            totals = path.predictions(material.views[view][held])
            return Part(path.stages, (), held, totals, np.ones(len(held), np.int32), 0.0)
        if clock.is_up():
            # Cut short it would be another model than the one that the folds have judged.
            raise OutOfTime
        model = path.models[-1]
        return Part((0,), (model,), *_nothing(material.target.width), _seconds(model, material))

    return Learner(lambda folds, params: 1 if "stages" in params else folds.k, fit_part)


def by_memory(fit: Fit, view: str) -> Learner:
    """Make a learner that only remembers rows: it predicts by folds, and serves one model of all rows."""
    folds = by_folds(fit, view)

    def fit_part(material: Material, params: Params, part: int, clock: Clock) -> Part:
        found = folds.fit_part(material, params, part, clock)
        if material.folds.ordered or not found.models:
            return found
        if part % material.folds.fits:
            return replace(found, models=())
        whole = material.work(None, str(params.get("view", view)), part, clock)
        return replace(found, models=fit(whole, {**params, "stages": found.stages}).models)

    return Learner(folds.parts, fit_part)


def _fitted(fit: Fit, work: Work, params: Params, view: str) -> Path:
    """Fit, or where there is nothing to tell apart learn what all rows have in common."""
    one_class = work.task != "regression" and work.y.min() == work.y.max()
    if one_class or len(work.y) < _FEWEST_ROWS:
        return Path((0,), (replace(fit_constant(work, {}), view=view),))

    def seeing(work: Work, params: Params) -> Path:
        path = fit(work, params)
        if all(model.view == view for model in path.models):
            return path
        # The family's usual view is not the one that was asked for.
        return replace(path, models=tuple(replace(model, view=view) for model in path.models))  # type: ignore[type-var]

    if params.get("target") == "log":
        return fit_logarithms(seeing, work, {name: params[name] for name in params if name != "target"})
    return seeing(work, params)


def _fitted_to_all(fit: Fit, material: Material, params: Params, view: str, clock: Clock) -> Model:
    """Choose the stage by the latest rows, on which what comes next depends most, then learn from all."""
    whole = material.work(None, view, material.folds.k, clock)
    rows, check = inner_split(whole.y, whole.task, whole.seed, whole.groups, whole.time)
    path = _fitted(fit, material.work(rows, view, material.folds.k, clock, check), params, view)
    if len(path.stages) == 1 and len(rows) == len(whole.y):
        return path.models[0]
    best = int(np.argmin(_losses(path.predictions(material.views[view][check]), whole.y[check], whole.task)))
    if clock.is_up():
        return path.models[best]
    return _fitted(fit, whole, {**params, "stages": (path.stages[best],)}, view).models[-1]


def _nothing(width: int) -> tuple[npt.NDArray[np.intp], F32, npt.NDArray[np.int32]]:
    return np.zeros(0, np.intp), np.zeros((1, 0, width), np.float32), np.zeros(0, np.int32)


def _seconds(model: Model, material: Material) -> float:
    """Time the predictions of a thousand rows."""
    sample = material.views[model.view][:_TIMED_ROWS]
    began = time.monotonic()
    q = model.predict(sample)
    if not np.isfinite(q).all():
        raise FloatingPointError("predictions are not finite")
    return float(1000 * (time.monotonic() - began) / sample.shape[0])


def _fit_trees(material: Material, params: Params, part: int, clock: Clock) -> Part:
    if not material.folds.at_random:
        return _FOREST_BY_FOLDS.fit_part(material, params, part, clock)
    view = str(params.get("view", "tree"))
    model, bag = fit_forest(material.work(None, view, part, clock), params)
    model = replace(model, view=view)
    every = np.arange(len(bag.trees))
    return Part((0,), (model,), every, bag.total[None], bag.trees, _seconds(model, material))


def _grow(work: Work, params: Params) -> Path:
    return Path((0,), (fit_forest(work, {**params, "trees": TREES_OF_FOLD * int(params["trees"])})[0],))


_FOREST_BY_FOLDS = by_folds(_grow, "tree")

LEARNERS: Mapping[str, Learner] = {
    "lightgbm": by_folds(fit_boosting, "tree"),
    "linear": by_folds(fit_linear, "linear"),
    "spline": by_folds(fit_spline, "linear"),
    "kernel": by_folds(fit_kernel, "linear"),
    "words": by_folds(fit_words, "words"),
    "neighbours": by_memory(fit_neighbours, "normal"),
    "neural": by_folds(fit_neural, "linear"),
    "distilled": taught(fit_distilled, "tree"),
    "forest": Learner(lambda folds, params: FOREST_PARTS if folds.at_random else folds.fits, _fit_trees),
}
"""Families by the name that the portfolio uses."""


def learner_of(family: str) -> Learner:
    """Give the learner of a family, ours or that of an extension.

    Raises
    ------
    KeyError
        If nobody has it.
    """
    if family in LEARNERS:
        return LEARNERS[family]
    others = {extension.family: extension for extension in installed()}
    return by_folds(others[family].fit, others[family].view)


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


def join(parts: Sequence[Part], prior: F32, material: Material) -> tuple[tuple[Model, ...], F32]:
    """Join the parts of one division of a candidate, each at the stage that the others choose.

    Parameters
    ----------
    parts : sequence of Part
        All of them, in order.
    prior : ndarray of shape (n, K)
        The answer for rows that no part could predict.
    material : Material
        What they were fitted to.

    Returns
    -------
    models : tuple of Model
    predictions : ndarray of shape (n, K), float32
        For each row by models that had not seen it, at a stage that was chosen without it.
    """
    total, counts = np.zeros_like(prior), np.zeros(len(prior), dtype=np.int32)
    models: list[Model] = []
    for part, stage in zip(parts, _choose_stages(parts, material), strict=True):
        total[part.rows] += part.totals[stage]
        counts[part.rows] += part.counts
        models += part.models[stage : stage + 1]
    predictions = np.where(counts[:, None] > 0, total / np.maximum(counts, 1)[:, None], prior)
    forests = [model for model in models if isinstance(model, ForestModel)]
    if forests and material.folds.at_random:
        models = [plant(forests)]
    return tuple(models), predictions.astype(np.float32)


def _choose_stages(parts: Sequence[Part], material: Material) -> list[int]:
    """For each part the position of the stage at which the others lose least.

    In order of time those before it choose; the first one has none and is not judged.
    """
    if all(len(part.stages) == 1 for part in parts):
        return [0] * len(parts)
    every, curves, sizes = _curves(parts, material)
    chosen = []
    for i, part in enumerate(parts):
        before = np.arange(len(parts)) < i if sizes[i] and material.folds.ordered else True
        others = (np.arange(len(parts)) != i) & (sizes > 0) & before
        if not others.any():
            others = np.arange(len(parts)) == i
        best = every[int(np.argmin(sizes[others] @ curves[others]))]
        chosen.append(int(np.argmin(np.abs(np.log1p(part.stages) - np.log1p(best)))))
    return chosen


def best_stage(parts: Sequence[Part], material: Material) -> int:
    """Give the stage at which all parts together lose least."""
    every, curves, sizes = _curves(parts, material)
    return every[int(np.argmin(sizes @ curves))]


def loses(part: Part, best: F32, material: Material) -> bool:
    """Tell whether a part, at its best stage, is clearly behind a trial on the same rows.

    Parameters
    ----------
    part : Part
        Of any candidate.
    best : ndarray of shape (n, K)
        The predictions of the best trial so far.
    material : Material
        What both were fitted to.
    """
    if not len(part.rows) or part.counts.min() < 1:
        return False
    y, task = material.codes[part.rows], material.target.task
    behind = BEHIND if task != "regression" else BEHIND**2
    return float(_losses(part.totals, y, task).min()) > behind * float(
        _losses(best[part.rows][None], y, task)[0]
    )


def _curves(parts: Sequence[Part], material: Material) -> tuple[list[int], F64, F64]:
    """All stages, the losses of each part at each of them, and how many rows each part is judged by."""
    every = sorted({stage for part in parts for stage in part.stages})
    curves = np.stack([_curve(part, every, material) for part in parts])
    return every, curves, np.array([len(part.rows) for part in parts], dtype=np.float64)


def _curve(part: Part, every: Sequence[int], material: Material) -> F64:
    """Mean loss of a part at all stages; where it has none the nearest one stands in."""
    if not len(part.rows):
        return np.zeros(len(every))
    losses = _losses(part.totals, material.codes[part.rows], material.target.task)
    return np.asarray(np.interp(every, part.stages, losses))


def _losses(predictions: F32, y: Codes, task: str) -> F64:
    """Mean squared error, or log loss, at each stage."""
    if task == "regression":
        return np.asarray(np.mean((predictions[:, :, 0] - y) ** 2, axis=1, dtype=np.float64))
    true = np.clip(predictions[:, np.arange(len(y)), y.astype(np.intp)], 1e-7, 1)
    return np.asarray(-np.mean(np.log(true), axis=1, dtype=np.float64))
