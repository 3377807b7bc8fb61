"""The rows that a model learnt from, its coded target and its folds, made again from the table.

A model keeps none of its rows: whoever wants to learn from them again gives the table and what ``fit`` was
told, and gets what the search had.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from automl_jupyter.engine import columns, resample, tables, task
from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.estimators import AutoMLSupervised
from automl_jupyter.engine.learners import Codes
from automl_jupyter.engine.resample import Folds
from automl_jupyter.engine.rows import MissingValues, Rows, gather
from automl_jupyter.engine.task import Target
from automl_jupyter.errors import Conflict


@dataclass(frozen=True)
class Retraced:
    """What a search had.

    Attributes
    ----------
    rows : Rows
        The rows that it learnt from.
    target, codes : Target, ndarray of shape (n,)
        Their target, coded.
    cells : Cells
        They as the model reads them.
    folds : Folds
        How they were divided.
    wished : int
        Into how many parts they should have been divided.
    seed : int
        Seed of all that was random.
    """

    rows: Rows
    target: Target
    codes: Codes = field(repr=False)
    cells: Cells = field(repr=False)
    folds: Folds
    wished: int
    seed: int


def retrace(
    model: AutoMLSupervised,
    X: pd.DataFrame,
    y: pd.Series,
    *,
    groups: object | None = None,
    time: object | None = None,
    missing_values: MissingValues | None = None,
    drop_duplicates: bool = False,
) -> Retraced:
    """Make again what the search of a model had.

    Parameters
    ----------
    model : AutoMLClassifier or AutoMLRegressor
        A fitted model.
    X, y, groups, time, missing_values, drop_duplicates
        What ``fit`` was given; a model that learnt from weighted rows cannot be told so.

    Raises
    ------
    Conflict
        ``engine.rebuilt_other_rows`` if the rows are not those that the model learnt from.
    """
    seed = tables.seed_of(model.random_state)
    frame = X.set_axis([str(name) for name in X.columns], axis=1).reset_index(drop=True)
    rows = gather(frame, tables.as_series(y, frame), groups, time, missing_values or {})
    rows = rows.once() if drop_duplicates else rows
    rows = tables.known_rows(rows, model.time_budget, seed)
    target, codes = task.encode(rows.y, model.task_)
    preprocessor = model.preprocessor_
    read, _ = columns.read_frame(preprocessor.plan, rows.X)
    n = len(codes)
    wished = resample.count_folds(n, n * max(preprocessor.width, 1), float(model.time_budget))
    folds = resample.divide(codes, model.task_, wished, seed, rows.groups, rows.time)
    _check(model, folds, target, n)
    return Retraced(rows, target, codes, read, folds, wished, seed)


def _check(model: AutoMLSupervised, folds: Folds, target: Target, n: int) -> None:
    """Compare with what the model knows of the rows that it learnt from."""
    seen = model.evaluation_
    same = target.shift == model.target_.shift and target.scale == model.target_.scale
    if seen.order is not None:
        part = seen.part
        inside = len(seen.order) == 0 or int(seen.order.max()) < n
        same = same and inside and (part is None or np.array_equal(folds.part[seen.order], part))
    if not same:
        raise Conflict("engine.rebuilt_other_rows")
