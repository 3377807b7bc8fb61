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

from automl_jupyter.engine.boosting import likeliest
from automl_jupyter.engine.ensemble import Ensemble, Member
from automl_jupyter.engine.fitting import learner_of
from automl_jupyter.engine.learners import Lesson, Model
from automl_jupyter.engine.portfolio import HASTE, Candidate
from automl_jupyter.engine.preprocess import Views
from automl_jupyter.engine.resample import Folds, Positions
from automl_jupyter.engine.trials import FinishedTrial

EXCHANGED = 0.25
"""The part of the cells that come from another row."""

FEWEST_ROWS, MOST_ROWS, MOST_TIMES = 1500, 20_000, 4
"""Rows of a lesson, and how many for each training row at most."""

FEW_ROWS, MANY_ROWS = 300, 5000
"""Where there are more training rows than that, rounds come before further rows of a lesson than so few."""

FURTHER, TO_STOP = 6, 1.1
"""Who is taught may go on for so many times the rounds that a model of the training rows alone needs; to stop
of itself it takes about so many."""

TOGETHER = 0.1
"""All rows are taught by all models together where that takes no more than this part of the time, else by
those of one fold after the other: they answer nearly as well, several times as quickly."""

MOST_TREES = 6000
"""With many classes, of which each has its own trees."""

FEWEST_ROUNDS, LEAST_ROUNDS = 100, 20
"""So many rounds are planned at least, and so many are made where there is no time for those either."""

_CAUTION = 0.9

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
    blind : tuple of Ensemble or None
        For each fold without the models that have seen it.
    whole : tuple of Ensemble
        Who teach all rows: each answers its part of the lesson.
    likely : float
        How many classes an answer has that are learnt, on average; 1 for a quantity or two classes.
    rows : int
        How many rows a lesson has.
    """

    blind: tuple[Ensemble | None, ...]
    whole: tuple[Ensemble, ...]
    likely: float = 1.0
    rows: int = FEWEST_ROWS

    def lesson(self, fold: int, views: Views, rows: Positions, seed: int) -> Lesson | None:
        """Make up rows like some rows and say what to answer; None if nobody may teach the fold.

        The fold after the last is all rows.
        """
        speakers = self.whole if fold == len(self.blind) else self.blind[fold : fold + 1]
        generator, made = np.random.default_rng(seed), []
        for i, speaker in enumerate(speakers):
            if speaker is None:
                return None
            n = self.rows * (i + 1) // len(speakers) - self.rows * i // len(speakers)
            some = exchanged(views, rows, n, generator)
            made.append((some["tree"], speaker.predict(some)))
        X, answers = zip(*made, strict=True)
        return Lesson(np.concatenate(X), np.concatenate(answers))

    def row_seconds(self, lanes: int) -> float:
        """What one row of each lesson takes until all are over, so many folds at a time."""
        folds = np.mean([0.0 if who is None else _row_seconds(who) for who in self.blind])
        return float(turns(len(self.blind), lanes) * folds) + self.seconds_of_all()

    def seconds_of_all(self) -> float:
        """What one row of the lesson of all rows takes."""
        return float(np.mean([_row_seconds(who) for who in self.whole]))

    def together(self) -> Teacher:
        """Have all models answer each row of the lesson of all rows."""
        members = zip(*(who.members for who in self.whole), strict=True)
        joined = tuple(
            replace(some[0], models=tuple({id(m): m for one in some for m in one.models}.values()))
            for some in members
        )
        return replace(self, whole=(replace(self.whole[0], members=joined),))


def _row_seconds(ensemble: Ensemble) -> float:
    return 1e-6 * _BESIDE * sum(model.bulk_cost for member in ensemble.members for model in member.models)


def turns(folds: int, lanes: int) -> int:
    """How often all lanes fit a fold."""
    return -(-folds // lanes)


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
        The time there is. Infinite where work is given and not time: the slowest learning, which takes twice
        as long as the next for hardly a better model, is then left out.
    rows, width, lanes : int
        Training rows, columns of a prediction, and how many fits go on at a time.
    """
    if pace is None:
        return _told(candidate, **HASTE[-1]), teacher.together()
    copies, trees = teacher.likely, 1 if width <= 2 else width
    fewest = int(np.clip(FEWEST_ROWS * MANY_ROWS / rows, FEW_ROWS, FEWEST_ROWS) / copies)
    most = int(np.clip(MOST_TIMES * rows / copies, FEWEST_ROWS, MOST_ROWS))
    fits = turns(len(teacher.blind), lanes) + 1
    for haste in ({}, *HASTE) if np.isfinite(seconds) else HASTE:
        pupil = _told(candidate, **haste)
        usual = pace.rounds * candidate.params["learning_rate"] / pupil.params["learning_rate"]
        whole = min(pupil.params["rounds"], MOST_TREES / trees, max(FURTHER * usual, FEWEST_ROUNDS))
        each = fits * min(whole, TO_STOP * usual) * pace.seconds / rows
        a_row = max(copies * each + teacher.row_seconds(lanes), 1e-9)
        affordable = (_CAUTION * seconds - rows * each) / a_row
        if affordable > fewest and MOST_TREES / trees > FURTHER / 2 * usual:
            break
    if affordable < fewest:
        scale = _CAUTION * seconds / max(rows * each + fewest * a_row, 1e-9)
        whole = max(whole * min(scale, 1.0), min(usual, whole))
    lesson = int(np.clip(affordable, fewest, most))
    teacher = _joined(replace(teacher, rows=lesson), max((affordable - lesson) * a_row, TOGETHER * seconds))
    return _told(pupil, rounds=max(int(whole), LEAST_ROUNDS)), teacher


def _joined(teacher: Teacher, seconds: float) -> Teacher:
    """Have all models answer together if it takes no longer than that."""
    together = teacher.together()
    dearer = teacher.rows * (together.seconds_of_all() - teacher.seconds_of_all())
    return together if dearer < seconds else teacher


def served(candidate: Candidate, rounds: int, lanes: int) -> Candidate:
    """Choose rounds for the one model of all rows; lanes that have nothing else to do work on it together."""
    # Folds that had nothing to tell apart know of no round.
    stages = (max(rounds, 1),)
    return replace(candidate, params={**candidate.params, "stages": stages, "num_threads": lanes})


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
    blind = [(f, w) for f, w in used if _is_by_folds(f, folds)]
    total = sum(w for _, w in blind)

    def in_turn(fold: int) -> Ensemble:
        # Repeats say nearly the same again.
        models = [f.models[fold : fold + 1] if _is_by_folds(f, folds) else _once(f) for f, _ in used]
        return Ensemble(
            task, tuple(Member(f.trial.name, w, of) for (f, w), of in zip(used, models, strict=True))
        )

    def without(fold: int) -> Ensemble | None:
        members = tuple(Member(f.trial.name, w / total, (f.models[fold],)) for f, w in blind)
        return Ensemble(task, members) if members else None

    likely = 1.0
    if task == "multiclass":
        answers = np.sum([np.float32(w) * f.out_of_fold() for f, w in used], axis=0)
        likely = len(likeliest(answers)[0]) / len(answers)
    return Teacher(tuple(map(without, range(folds.k))), tuple(map(in_turn, range(folds.k))), likely)


def _once(finished: FinishedTrial) -> tuple[Model, ...]:
    return finished.models[: len(finished.models) // finished.repeats]


def _is_by_folds(finished: FinishedTrial, folds: Folds) -> bool:
    """Tell whether a trial has a model for each fold that has not seen it."""
    parts = learner_of(finished.trial.family).parts(folds, finished.trial.params)
    return parts == folds.k and len(finished.models) == folds.k * finished.repeats
