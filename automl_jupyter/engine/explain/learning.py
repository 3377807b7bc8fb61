"""Would more rows help? The score of a pipeline that learns from a part of the rows, and from all of them.

Each fold of the search is predicted again by models that learnt from a part of what they could have: the
same rows are judged at each size, so that differences are those of learning alone. The smaller parts are
within the larger ones. Perlich, Provost and Simonoff (2003), "Tree induction vs. logistic regression: a
learning-curve analysis".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine import decision, fitting
from automl_jupyter.engine.estimators import AutoMLSupervised
from automl_jupyter.engine.explain.importance import measure_of
from automl_jupyter.engine.fitting import Material, Part
from automl_jupyter.engine.learners import F32, Clock, OutOfTime
from automl_jupyter.engine.metrics import CONFIDENCE
from automl_jupyter.engine.resample import Folds, Positions
from automl_jupyter.engine.retrace import Retraced
from automl_jupyter.engine.trials import DONE, Trial
from automl_jupyter.errors import Unprocessable

SHARES = (0.0625, 0.125, 0.25, 0.5, 1.0)
LEAST_ROWS = 30
"""A part of fewer rows says nothing."""

RESAMPLES, JUDGED_ROWS = 200, 20_000
ABOVE = ("votes", "stack")
"""What pipelines of the second level read."""

FAMILIES = ("lightgbm", "linear", "spline", "kernel", "words", "neural")
"""Families whose models are fitted fold by fold."""

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """The score at one size.

    Attributes
    ----------
    rows : int
        How many rows were learnt from, on average over the folds.
    score : float
        On rows that were not learnt from.
    interval : tuple of float
        90 %, over the rows that were judged.
    """

    rows: int
    score: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class LearningCurve:
    """The score by the number of rows.

    Attributes
    ----------
    name : str
        The pipeline that learnt.
    metric : str
        The score; higher is better.
    points : tuple of Point
        From few rows to all; fewer points where the time was up.
    gain : tuple of float
        By how much the score rose from half of the rows to all, and from where to where that may lie (90 %,
        by the same resamples for both).
    """

    name: str
    metric: str
    points: tuple[Point, ...]
    gain: tuple[float, float, float]


@dataclass(frozen=True)
class Thinned(Folds):
    """A division of which each model learns from a part of its rows alone.

    Attributes
    ----------
    used : float
        Which part.
    order : ndarray of shape (n,)
        All rows in random order: the first of them are learnt from.
    """

    used: float = 1.0
    order: Positions | None = None

    def split(self, fold: int) -> tuple[Positions, Positions]:
        """Give the positions of the rows to learn from and of those to predict."""
        rows, held = super().split(fold)
        if self.order is None or self.used >= 1:
            return rows, held
        rank = np.empty(len(self.order), np.intp)
        rank[self.order] = np.arange(len(self.order))
        kept = np.argsort(rank[rows], kind="stable")[: max(round(self.used * len(rows)), 1)]
        return np.sort(rows[kept]), held


def learning_curve(
    model: AutoMLSupervised, retraced: Retraced, seconds: float, tell: Callable[[float], None]
) -> LearningCurve:
    """Learn from more and more rows.

    Parameters
    ----------
    model : AutoMLClassifier or AutoMLRegressor
        A fitted model, whose best pipeline that the time allows is fitted again.
    retraced : Retraced
        What its search had.
    seconds : float
        How long it may take; what is not there by then is left out.
    tell : callable
        Told how far it is, from 0 to 1.

    Raises
    ------
    Unprocessable
        ``engine.learning_nothing`` if there are too few rows, too little time or no such pipeline.
    """
    end = time.monotonic() + seconds
    shares = [s for s in SHARES if s * len(retraced.codes) >= LEAST_ROWS]
    trial = _chosen(model, seconds, shares)
    views = model.preprocessor_.views(retraced.cells)
    order = np.random.default_rng(retraced.seed).permutation(len(retraced.codes))
    bare = Material(views, retraced.codes, retraced.target, (retraced.folds,), retraced.seed)
    _, prior = fitting.fit_baseline(bare)
    said: list[F32] = []
    for done, share in enumerate(shares):
        predictions = _predicted(bare, _thinned(retraced.folds, share, order), trial, prior, end)
        if predictions is None:
            break
        said.append(predictions)
        tell(sum(shares[: done + 1]) / sum(shares))
    if len(said) < 2:
        raise Unprocessable("engine.learning_nothing")
    return _scored(model, retraced, trial, shares, said)


def _chosen(model: AutoMLSupervised, seconds: float, shares: Sequence[float]) -> Trial:
    """The best pipeline of one level whose fits fit into the time, with as much again for a busy machine."""
    found = [
        trial
        for trial in model.trials_
        if trial.state == DONE
        and trial.family in FAMILIES
        and trial.params.get("view") not in ("votes", "stack")
    ]
    if not found:
        raise Unprocessable("engine.learning_nothing")
    quick = [trial for trial in found if 2 * trial.fit_seconds * sum(shares) <= seconds]
    return quick[0] if quick else min(found, key=lambda trial: trial.fit_seconds)


def _thinned(folds: Folds, share: float, order: Positions) -> Thinned:
    return Thinned(folds.k, folds.part, folds.ordered, folds.groups, folds.time, share, order)


def _predicted(material: Material, folds: Thinned, trial: Trial, prior: F32, end: float) -> F32 | None:
    """What models that learnt from a part say of the rows of their fold; None if the time was up."""
    material = replace(material, divisions=(folds,))
    learner, parts = fitting.learner_of(trial.family), list[Part]()
    for fold in range(folds.k):
        if time.monotonic() > end:
            return None
        try:
            parts.append(learner.fit_part(material, trial.params, fold, Clock(end, end)))
        except OutOfTime:
            return None
    # Cut short by the clock, a model would be judged for the time and not for its rows.
    return None if time.monotonic() > end else fitting.join(parts, prior, material)[1]


def _scored(
    model: AutoMLSupervised, retraced: Retraced, trial: Trial, shares: Sequence[float], said: Sequence[F32]
) -> LearningCurve:
    folds, generator = retraced.folds, np.random.default_rng(retraced.seed)
    judged = np.flatnonzero((folds.part >= 0) & (folds.part < folds.k))
    if len(judged) > JUDGED_ROWS:
        judged = np.sort(generator.choice(judged, JUDGED_ROWS, replace=False))
    draws = np.vstack(
        [np.ones(len(judged)), *(_draw(generator, len(judged)) for _ in range(RESAMPLES))]
    ).astype(np.float64)
    measure, target = measure_of(model.metric_, retraced.target), retraced.target
    truth = retraced.codes[judged]
    scores = []
    for raw in said:
        q: F64 = raw[judged].astype(np.float64) if target.classes is not None else target.decode(raw[judged])
        if target.classes is not None and model.decision_ is not None:
            q = decision.decided(q, model.decision_)
        scores.append(measure.scores(_true(retraced, truth), q, draws, folds.part[judged]))
    seen = float(np.mean([len(folds.split(fold)[0]) for fold in range(folds.k)]))
    points = [
        Point(max(round(share * seen), 1), float(found[0]), _interval(found[1:]))
        for share, found in zip(shares, scores, strict=False)
    ]
    gained = scores[-1] - scores[-2]
    return LearningCurve(trial.name, measure.name, tuple(points), (float(gained[0]), *_interval(gained[1:])))


def _true(retraced: Retraced, codes: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    if retraced.target.classes is not None:
        return codes
    return retraced.target.decode(codes.astype(np.float32)[:, None])


def _draw(generator: np.random.Generator, n: int) -> npt.NDArray[np.intp]:
    return np.bincount(generator.integers(0, n, n), minlength=n)


def _interval(found: F64) -> tuple[float, float]:
    found = found[np.isfinite(found)]
    if not len(found):
        return float("nan"), float("nan")
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(found, [tail, 1 - tail]).tolist()
    return low, high
