"""What an ensemble teaches one quick model: its answers to rows that nobody has seen.

Bucilă, Caruana, Niculescu-Mizil (2006), "Model compression"; Fakoor, Mueller, Erickson, Chaudhari, Smola
(2020), "Fast, accurate, and simple models for tabular data via augmented distillation". The rows are made of
pairs of training rows that exchange some of their cells. Each fold is taught by models that have not seen its
rows, so that the pupil's score is as honest as any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from automl_jupyter.engine.boosting import LIKELIEST
from automl_jupyter.engine.ensemble import Ensemble, Member
from automl_jupyter.engine.fitting import learner_of
from automl_jupyter.engine.learners import Lesson
from automl_jupyter.engine.portfolio import HASTE, Candidate
from automl_jupyter.engine.preprocess import Views
from automl_jupyter.engine.resample import Folds, Positions
from automl_jupyter.engine.trials import FinishedTrial

EXCHANGED = 0.25
"""The part of the cells that come from another row."""

FEWEST_ROWS, MOST_ROWS, MOST_TIMES = 1500, 20_000, 4
"""Rows of a lesson, and how many for each training row at most."""

FURTHER = 4
"""Who is taught may go on for so many times the rounds that a model of the training rows alone needs; to stop
of itself it takes about half of that."""

MOST_TREES = 6000
"""With many classes, of which each has its own trees."""

FEWEST_ROUNDS, LEAST_ROUNDS = 100, 20
"""So many rounds are planned at least, and so many are made where there is no time for those either."""

_CAUTION = 0.8

_BESIDE = 1.6
"""So many times what it takes alone an answer takes beside fits."""


@dataclass(frozen=True)
class Pace:
    """How quickly boosting goes on the training rows, as a search has seen it.

    Attributes
    ----------
    rounds : int
        What a fold of the reference took at most.
    seconds : float
        How long it took for one.
    """

    rounds: int
    seconds: float


@dataclass(frozen=True)
class Teacher:
    """An ensemble, as each fold may hear it; see :class:`automl_jupyter.engine.fitting.Teacher`.

    Attributes
    ----------
    by_fold : tuple of Ensemble or None
        For each fold without the models that have seen it; the last one is whole.
    rows : int
        How many rows a lesson has.
    """

    by_fold: tuple[Ensemble | None, ...]
    rows: int = FEWEST_ROWS

    def lesson(self, fold: int, views: Views, rows: Positions, seed: int) -> Lesson | None:
        """Make up rows like some rows and say what to answer; None if nobody may teach the fold."""
        teacher = self.by_fold[fold]
        if teacher is None:
            return None
        made = exchanged(views, rows, self.rows, np.random.default_rng(seed))
        return Lesson(made["tree"], teacher.predict(made))

    def row_seconds(self, lanes: int) -> float:
        """What one row of each lesson takes until all are over, so many folds at a time."""
        *folds, whole = (0.0 if who is None else _row_seconds(who) for who in self.by_fold)
        return sum(folds) / lanes + whole


def _row_seconds(ensemble: Ensemble) -> float:
    return 1e-6 * _BESIDE * sum(model.bulk_cost for member in ensemble.members for model in member.models)


def exchanged(views: Views, rows: Positions, n: int, generator: np.random.Generator) -> Views:
    """Make up n rows: each is one of the rows with some cells of another one."""
    first, second = generator.choice(rows, (2, n))
    width = views.numbers.shape[1]
    swap = generator.random((n, width + views.cells.codes.shape[1])) < EXCHANGED
    numbers = np.where(swap[:, :width], views.numbers[second], views.numbers[first])
    codes = np.where(swap[:, width:], views.cells.codes[second], views.cells.codes[first])
    return views.like(first, numbers, codes)


def prepared(
    candidate: Candidate,
    teacher: Teacher,
    pace: Pace | None,
    seconds: float,
    *,
    rows: int,
    width: int,
    lanes: int,
) -> tuple[Candidate, Teacher]:
    """Choose rounds and lessons that can be expected to end in time.

    Parameters
    ----------
    candidate : Candidate
        Who is taught.
    teacher : Teacher
        Who teaches.
    pace : Pace or None
        Of boosting; None if nothing is known of it.
    seconds : float
        The time there is; may be infinite.
    rows, width, lanes : int
        Training rows, columns of a prediction, and how many fits go on at a time.
    """
    if pace is None:
        return _told(candidate, **HASTE[-1]), teacher
    copies, trees = (1, 1) if width <= 2 else (LIKELIEST, width)
    fewest = FEWEST_ROWS // copies
    most = int(np.clip(MOST_TIMES * rows / copies, FEWEST_ROWS, MOST_ROWS))
    folds = len(teacher.by_fold) - 1
    for haste in ({}, *HASTE):
        pupil = _told(candidate, **haste)
        usual = pace.rounds * candidate.params["learning_rate"] / pupil.params["learning_rate"]
        whole = min(pupil.params["rounds"], MOST_TREES / trees, max(FURTHER * usual, FEWEST_ROUNDS))
        # The one of all rows comes last, when nothing else is left to do, and nobody tells it to stop.
        grown = folds * min(whole, FURTHER / 2 * usual) / lanes + whole
        each = grown * pace.seconds / rows
        a_row = max(copies * each + teacher.row_seconds(lanes), 1e-9)
        affordable = (_CAUTION * seconds - rows * each) / a_row
        if affordable > FEWEST_ROWS and MOST_TREES / trees > FURTHER * usual:
            break
    if affordable < fewest:
        scale = _CAUTION * seconds / max(rows * each + fewest * a_row, 1e-9)
        whole = max(whole * min(scale, 1.0), min(usual, whole))
    return _told(pupil, rounds=max(int(whole), LEAST_ROUNDS)), replace(
        teacher, rows=int(np.clip(affordable, fewest, most))
    )


def _told(candidate: Candidate, **params: Any) -> Candidate:
    """Tell a candidate something else, but not to go on for longer."""
    rounds = min(candidate.params["rounds"], params.get("rounds", np.inf))
    return replace(candidate, params={**candidate.params, **params, "rounds": rounds})


def teacher_of(pool: Sequence[FinishedTrial], weights: Sequence[float], folds: Folds, task: str) -> Teacher:
    """Make a teacher of the first level's ensemble.

    Parameters
    ----------
    pool : sequence of FinishedTrial
        The first level.
    weights : sequence of float
        Their weights in the ensemble.
    folds : Folds
        The first division of the rows.
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    """
    used = [(f, w) for f, w in zip(pool, weights, strict=True) if w > 0]
    # Repeats say nearly the same again, and the lesson of all rows is the longest.
    whole = Ensemble(
        task, tuple(Member(f.trial.name, w, f.models[: len(f.models) // f.repeats]) for f, w in used)
    )
    blind = [(f, w) for f, w in used if _is_by_folds(f, folds)]
    total = sum(w for _, w in blind)
    return Teacher(
        (
            *(
                Ensemble(task, tuple(Member(f.trial.name, w / total, (f.models[fold],)) for f, w in blind))
                if blind
                else None
                for fold in range(folds.k)
            ),
            whole,
        )
    )


def _is_by_folds(finished: FinishedTrial, folds: Folds) -> bool:
    """Tell whether a trial has a model for each fold that has not seen it."""
    parts = learner_of(finished.trial.family).parts(folds)
    return parts == folds.k and len(finished.models) == folds.k * finished.repeats
