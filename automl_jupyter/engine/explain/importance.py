"""What each column is worth: how much worse the model predicts when the column is shuffled.

Breiman (2001), "Random forests"; Fisher, Rudin and Dominici (2019), "All models are wrong, but many are
useful". Rows keep to the models that have not seen them, see :mod:`automl_jupyter.engine.explain.ground`.
Columns that say the same are shuffled together, see :mod:`automl_jupyter.engine.explain.association`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine import decision, metrics
from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.explain import association
from automl_jupyter.engine.explain.ground import F64, Ground, mixed
from automl_jupyter.engine.explain.witnesses import take
from automl_jupyter.engine.metrics import CONFIDENCE, Judging
from automl_jupyter.engine.task import Target

MOST_ROWS, LEAST_ROWS = 4000, 200
MOST_REPEATS, LEAST_REPEATS = 5, 2
RESAMPLES = 200

Tell = Callable[[float], None]


@dataclass(frozen=True)
class Worth:
    """What a group of columns is worth.

    Attributes
    ----------
    columns : tuple of str
        Shuffled together; one, where no other says the same.
    drop : float
        How much the score falls; below zero by chance alone.
    interval : tuple of float
        90 %, over rows and shuffles.
    """

    columns: tuple[str, ...]
    drop: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Importance:
    """What the columns of a model are worth, the most important first.

    Attributes
    ----------
    metric : str
        The score that falls; higher is better.
    score : float
        Of the models that were asked, on the rows that were asked.
    rows, repeats : int
        How many rows, shuffled how often.
    share : float
        How much of the ensemble's weight could be asked about rows that it had not seen; 0 if it had to
        answer about rows that it had learnt from, so that worth is overstated.
    groups : tuple of Worth
        All columns.
    """

    metric: str
    score: float
    rows: int
    repeats: int
    share: float
    groups: tuple[Worth, ...]


def measure_of(metric: str, target: Target) -> Judging:
    """Give the metric by its name, or, where it is a person's own, log loss or root mean squared error."""
    try:
        return metrics.get(metric)
    except KeyError:
        return metrics.get("neg_log_loss" if target.classes is not None else "neg_root_mean_squared_error")


def importance(ground: Ground, seconds: float, tell: Tell, seed: int = 0) -> Importance:
    """Shuffle each column, or group of columns, and see how much the score falls.

    Parameters
    ----------
    ground : Ground
        The model and its rows.
    seconds : float
        About how long it may take: rows and repeats are chosen to fit, within their limits.
    tell : callable
        Told how far it is, from 0 to 1.
    seed : int
        Seed of rows, shuffles and resamples.
    """
    generator = np.random.default_rng(seed)
    groups = association.groups(ground.cells, ground.columns, ground.some(association.ROWS, seed))
    measure = measure_of(ground.model.metric_, ground.model.target_)
    rows, repeats = _effort(ground, measure, len(groups), seconds, seed)
    cells = take(ground.cells, rows)
    draws = _draws(generator, len(rows))
    base = _scores(ground, measure, ground.judge(cells, rows), rows, draws)
    worths = []
    for done, group in enumerate(groups):
        falls = []
        for _ in range(repeats):
            shuffled = mixed(take(cells, generator.permutation(len(rows))), cells, _chosen(group, cells))
            falls.append(base - _scores(ground, measure, ground.judge(shuffled, rows), rows, draws))
        worths.append(_worth(ground, group, np.stack(falls), generator))
        tell((done + 1) / len(groups))
    return Importance(
        metric=measure.name,
        score=float(base[0]),
        rows=len(rows),
        repeats=repeats,
        share=ground.witnesses.share,
        groups=tuple(sorted(worths, key=lambda worth: -worth.drop)),
    )


def _effort(
    ground: Ground, measure: Judging, groups: int, seconds: float, seed: int
) -> tuple[npt.NDArray[np.intp], int]:
    """Choose rows and repeats so that all questions, and the scores of their resamples, fit into the time."""
    trial = ground.some(400, seed)
    cells = take(ground.cells, trial)
    ground.judge(cells, trial)
    draws = _draws(np.random.default_rng(seed), len(trial))
    began = time.perf_counter()
    _scores(ground, measure, ground.judge(cells, trial), trial, draws)
    each = (time.perf_counter() - began) / len(trial)
    questions = seconds / max(each, 1e-7) / max(groups, 1)
    n = len(ground)
    rows = int(np.clip(questions / LEAST_REPEATS, min(LEAST_ROWS, n), min(MOST_ROWS, n)))
    repeats = int(np.clip(questions / rows, LEAST_REPEATS, MOST_REPEATS))
    return ground.some(rows, seed), repeats


def _draws(generator: np.random.Generator, n: int) -> F64:
    """Weightings of n rows: all once, then bootstrap resamples; shape (1 + resamples, n)."""
    drawn = [np.bincount(generator.integers(0, n, n), minlength=n) for _ in range(RESAMPLES)]
    return np.vstack([np.ones(n), *drawn]).astype(np.float64)


def _chosen(group: list[int], cells: Cells) -> npt.NDArray[np.bool_]:
    width = cells.numbers.shape[1] + cells.codes.shape[1] + len(cells.texts)
    chosen = np.zeros((len(cells.numbers), width), bool)
    chosen[:, group] = True
    return chosen


def _scores(ground: Ground, measure: Judging, said: F64, rows: npt.NDArray[np.intp], draws: F64) -> F64:
    factors = ground.model.decision_
    if factors is not None and ground.model.target_.classes is not None:
        said = decision.decided(said, factors)
    return measure.scores(ground.truth[rows], said, draws, None if ground.part is None else ground.part[rows])


def _worth(ground: Ground, group: list[int], falls: F64, generator: np.random.Generator) -> Worth:
    """Bring repeats and resamples together: each resample looks at a shuffle of its own."""
    picked = falls[generator.integers(0, len(falls), falls.shape[1] - 1), np.arange(1, falls.shape[1])]
    picked = picked[np.isfinite(picked)]
    drop = float(falls[:, 0].mean())
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(picked, [tail, 1 - tail]).tolist() if len(picked) else (drop, drop)
    names = tuple(ground.columns[i].name for i in group)
    return Worth(names, drop, (min(low, drop), max(high, drop)))
