"""What a trial was made of: its rows as they were read, its parameters, how its rows were divided."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from automl_jupyter.engine import cells, task
from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.contract import ColumnContract
from automl_jupyter.engine.estimators import AutoMLSupervised
from automl_jupyter.engine.preprocess import Preprocessor
from automl_jupyter.engine.rebuilt.scores import SCORES
from automl_jupyter.engine.resample import Folds
from automl_jupyter.engine.retrace import retrace
from automl_jupyter.engine.rows import MissingValues, Rows
from automl_jupyter.engine.task import Target
from automl_jupyter.engine.trials import DONE, Reached, Trial
from automl_jupyter.errors import Unprocessable

FAMILY = "lightgbm"
"""The family that plain code can fit as the search does."""

_EXACT = 2.0**53


@dataclass(frozen=True)
class Recipe:
    """All that has to be known to make a trial again.

    Attributes
    ----------
    trial : Trial
        The line of the leaderboard.
    better : tuple of str
        Lines with a better score, other than the ensemble, that plain code cannot make.
    ensemble : float
        The score of what is served.
    metric : str
        One of the keys of :data:`automl_jupyter.engine.rebuilt.scores.SCORES`.
    table : DataFrame
        The rows that were learnt from, with the columns that are read, as they were read.
    group, moment : str or None
        The column of the table by which rows are divided.
    target : Target
        The coding of the target.
    name : str
        The target's name.
    preprocessor : Preprocessor
        What was learnt of the columns.
    cells : Cells
        The cells of the rows.
    folds : Folds
        The first division of the rows.
    wished : int
        How many folds were wished for.
    reached : tuple of Reached
        For each repeat the number of its division, and how many rounds each fold made.
    seed : int
        Seed of all that is random.
    given : int
        How many rows the table had that was given.
    """

    trial: Trial
    better: tuple[str, ...]
    ensemble: float
    metric: str
    table: pd.DataFrame = field(repr=False)
    group: str | None
    moment: str | None
    target: Target
    name: str
    preprocessor: Preprocessor = field(repr=False)
    cells: Cells = field(repr=False)
    folds: Folds
    wished: int
    reached: tuple[Reached, ...]
    seed: int
    given: int

    @property
    def width(self) -> int:
        """Number of columns of a prediction."""
        return self.target.width


def recipe_of(
    model: AutoMLSupervised,
    X: pd.DataFrame,
    y: pd.Series,
    *,
    groups: object | None = None,
    time: object | None = None,
    missing_values: MissingValues | None = None,
    drop_duplicates: bool = False,
) -> Recipe:
    """Collect what has to be known to make the best single trial of a model again.

    Parameters
    ----------
    model : AutoMLClassifier or AutoMLRegressor
        A fitted model.
    X, y, groups, time, missing_values, drop_duplicates
        What ``fit`` was given.

    Raises
    ------
    Unprocessable
        ``engine.rebuilt_metric`` if the metric is a person's own, ``engine.rebuilt_weights`` if rows were
        weighted, ``engine.rebuilt_nothing`` if no trial can be told in plain code.
    Conflict
        ``engine.rebuilt_other_rows`` if the rows are not those that the model learnt from.
    """
    if model.metric_ not in SCORES:
        raise Unprocessable("engine.rebuilt_metric", metric=model.metric_)
    if model.weighted_:
        raise Unprocessable("engine.rebuilt_weights")
    had = retrace(
        model,
        X,
        y,
        groups=groups,
        time=time,
        missing_values=missing_values,
        drop_duplicates=drop_duplicates,
    )
    trial, better, reached = _chosen(model, had.folds)
    table, group, moment = _table(model, had.rows, had.cells)
    return Recipe(
        trial=trial,
        better=better,
        ensemble=float(model.score_),
        metric=model.metric_,
        table=table,
        group=group,
        moment=moment,
        target=had.target,
        name=model.contract_.target,
        preprocessor=model.preprocessor_,
        cells=had.cells,
        folds=had.folds,
        wished=had.wished,
        reached=reached,
        seed=had.seed,
        given=len(X),
    )


def _chosen(model: AutoMLSupervised, folds: Folds) -> tuple[Trial, tuple[str, ...], tuple[Reached, ...]]:
    """The best trial that plain code can make, what is better, and the rounds of its fits."""
    better: list[str] = []
    for trial in model.trials_:
        reached = (model.reached_ or {}).get(trial.name, ())
        told = trial.family == FAMILY and "view" not in trial.params and trial.state == DONE
        rounds = tuple((division, stages[: folds.k]) for division, stages in reached)
        # A stage of 0 is a fold that had nothing to learn from.
        if told and rounds and all(min(stages) > 0 for _, stages in rounds):
            return trial, tuple(better), rounds
        if trial.state == DONE and not trial.baseline and trial.family != "ensemble":
            better.append(trial.name)
    raise Unprocessable("engine.rebuilt_nothing")


def _table(model: AutoMLSupervised, rows: Rows, read: Cells) -> tuple[pd.DataFrame, str | None, str | None]:
    """Write cells as they were read, with the target and what divides rows beside them."""
    plan = model.preprocessor_.plan
    made = {c.name: _numbers(c, read.numbers[:, j]) for j, c in enumerate(plan.numbers)}
    made |= {c.name: _labels(rows.X[c.name]) for c in plan.categories}
    made |= {c.name: pd.Series(read.texts[j], dtype=object) for j, c in enumerate(plan.texts)}
    ordered = {name: made[name] for name in rows.X.columns if name in made}
    quantity = model.task_ == "regression"
    ordered[model.contract_.target] = pd.Series(
        rows.y.to_numpy(np.float64) if quantity else task.labels(rows.y)
    )
    group = moment = None
    if rows.groups is not None:
        group = _free("group", ordered)
        ordered[group] = pd.Series(rows.groups)
    if rows.time is not None:
        moment = _free("time", ordered)
        ordered[moment] = pd.Series(rows.time)
    return pd.DataFrame(ordered), group, moment


def _free(name: str, taken: dict[str, pd.Series]) -> str:
    while name in taken:
        name += "_"
    return name


def _numbers(column: ColumnContract, values: npt.NDArray[np.float64]) -> pd.Series:
    known = ~np.isnan(values)
    if column.kind == "datetime":
        micro = np.full(len(values), np.datetime64("NaT", "us"))
        micro[known] = np.rint(values[known] * 1e6).astype(np.int64).astype("datetime64[us]")
        return pd.Series(micro)
    if known.all() and column.kind == "boolean":
        return pd.Series(values == 1)
    if known.all() and column.whole and np.abs(values).max(initial=0) < _EXACT:
        return pd.Series(values.astype(np.int64))
    return pd.Series(values)


def _labels(series: pd.Series) -> pd.Series:
    return pd.Series([cells.read_label(value) for value in series.astype(object)], dtype=object)
