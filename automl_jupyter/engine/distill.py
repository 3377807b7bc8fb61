"""What an ensemble teaches one quick model: its answers to rows that nobody has seen.

Bucilă, Caruana, Niculescu-Mizil (2006), "Model compression"; Fakoor, Mueller, Erickson, Chaudhari, Smola
(2020), "Fast, accurate, and simple models for tabular data via augmented distillation". The rows are made of
pairs of training rows that exchange some of their cells. Each fold is taught by models that have not seen its
rows, so that the pupil's score is as honest as any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl_jupyter.engine.ensemble import Ensemble, Member
from automl_jupyter.engine.fitting import learner_of
from automl_jupyter.engine.learners import Lesson
from automl_jupyter.engine.preprocess import Views
from automl_jupyter.engine.resample import Folds, Positions
from automl_jupyter.engine.trials import FinishedTrial

EXCHANGED = 0.25
"""The part of the cells that come from another row."""

FEWEST_ROWS, MOST_ROWS = 1500, 10_000
MOST_MICROSECONDS = 4e5
"""So long a teacher may speak in one lesson."""


@dataclass(frozen=True)
class Teacher:
    """An ensemble, as each fold may hear it; see :class:`automl_jupyter.engine.fitting.Teacher`.

    Attributes
    ----------
    by_fold : tuple of Ensemble or None
        For each fold without the models that have seen it; the last one is whole.
    """

    by_fold: tuple[Ensemble | None, ...]

    def lesson(self, fold: int, views: Views, rows: Positions, seed: int) -> Lesson | None:
        """Make up rows like some rows and say what to answer; None if nobody may teach the fold."""
        teacher = self.by_fold[fold]
        if teacher is None:
            return None
        each = sum(model.bulk_cost for member in teacher.members for model in member.models)
        most = min(MOST_ROWS, max(FEWEST_ROWS, len(rows) // 2), int(MOST_MICROSECONDS / max(each, 1.0)))
        made = exchanged(views, rows, most, np.random.default_rng(seed))
        return Lesson(made["tree"], teacher.predict(made))


def exchanged(views: Views, rows: Positions, n: int, generator: np.random.Generator) -> Views:
    """Make up n rows: each is one of the rows with some cells of another one."""
    first, second = generator.choice(rows, (2, n))
    width = views.numbers.shape[1]
    swap = generator.random((n, width + views.cells.codes.shape[1])) < EXCHANGED
    numbers = np.where(swap[:, :width], views.numbers[second], views.numbers[first])
    codes = np.where(swap[:, width:], views.cells.codes[second], views.cells.codes[first])
    return views.like(first, numbers, codes)


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
    whole = Ensemble(task, tuple(Member(f.trial.name, w, f.models) for f, w in used))
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
