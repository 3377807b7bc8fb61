"""The rows that are learnt from, with what belongs to each: its target, its group, its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length

from automl_jupyter.engine import columns
from automl_jupyter.engine.admission import nearest_names, refuse
from automl_jupyter.engine.resample import LEAST_MOMENTS, Groups, Times

MissingValues = Mapping[str, Sequence[str | float]]


@dataclass(frozen=True)
class Rows:
    """Rows to learn from, all of one length n.

    Attributes
    ----------
    X : DataFrame of shape (n, p)
        The features.
    y : Series of shape (n,)
        The target.
    groups : ndarray of shape (n,) or None
        The group of each row, counted from 0 without gaps.
    time : ndarray of shape (n,) or None
        The time of each row, NaN where it is not known.
    weights : ndarray of shape (n,) or None
        How much each row counts.
    positions : ndarray of shape (n,) or None
        Where each row stood in the table that was given; None where all of it is here, in its order.
    """

    X: pd.DataFrame
    y: pd.Series
    groups: Groups | None = None
    time: Times | None = None
    weights: npt.NDArray[np.float64] | None = None
    positions: npt.NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, positions: npt.NDArray[np.intp]) -> Rows:
        """Keep some rows, in their order."""
        if len(positions) == len(self):
            return self
        groups = None if self.groups is None else np.unique(self.groups[positions], return_inverse=True)[1]
        return Rows(
            self.X.iloc[positions].reset_index(drop=True),
            self.y.iloc[positions].reset_index(drop=True),
            groups,
            None if self.time is None else self.time[positions],
            None if self.weights is None else self.weights[positions],
            positions if self.positions is None else self.positions[positions],
        )

    def weighted(self, sample_weight: object | None) -> Rows:
        """Give rows their weights, 1 on average; rows without weight are left out.

        Raises
        ------
        Unprocessable
            ``engine.bad_weights`` if one is negative or not a number, or all are zero.
        """
        if sample_weight is None:
            return self
        weights = np.asarray(column_or_1d(sample_weight), dtype=np.float64)
        check_consistent_length(self.X, weights)
        if not np.isfinite(weights).all() or weights.min(initial=0) < 0 or not weights.any():
            raise refuse("sample_weight", "engine.bad_weights")
        kept = replace(self, weights=weights).take(np.flatnonzero(weights))
        return replace(kept, weights=weights[weights > 0] / weights[weights > 0].mean())

    def once(self) -> Rows:
        """Keep the first of rows that are equal in all that is known of them."""
        parts = [self.X, self.y, *(pd.Series(p) for p in (self.groups, self.time) if p is not None)]
        return self.take(first_of_equals(pd.concat(parts, axis=1)))

    def check_division(self) -> None:
        """Raise Unprocessable if there are too few groups or times to divide the rows by."""
        if self.groups is not None and self.groups.max(initial=0) < 1:
            raise refuse("groups", "engine.one_group")
        if self.time is not None:
            n = len(np.unique(self.time[np.isfinite(self.time)]))
            if n < LEAST_MOMENTS:
                raise refuse("time_column", "engine.too_few_times", n=n, needed=LEAST_MOMENTS)


def first_of_equals(table: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Give the positions of rows that are not equal to an earlier one; missing values equal each other."""
    return np.flatnonzero(~table.set_axis(range(table.shape[1]), axis=1).duplicated().to_numpy())


def gather(
    X: pd.DataFrame,
    y: pd.Series,
    groups: object | None,
    time: object | None,
    missing_values: MissingValues,
) -> Rows:
    """Bring together what is known of each row, with values that stand for missing ones taken out.

    Parameters
    ----------
    X : DataFrame of shape (n, p)
        The features.
    y : Series of shape (n,)
        The target.
    groups, time : array-like of shape (n,) or None
        As ``fit`` takes them.
    missing_values : mapping
        For some columns the values that stand for a missing one. The name of ``groups`` or ``time`` may be
        among them, where they are series with one.

    Raises
    ------
    Unprocessable
        ``engine.groups_and_time``, ``engine.not_a_time``, ``engine.unknown_column``.
    """
    if groups is not None and time is not None:
        raise refuse("time_column", "engine.groups_and_time")
    beside = {
        name: _as_column(values, name, X)
        for name, values in (("groups", groups), ("time", time))
        if values is not None
    }
    check_names(missing_values, [*X.columns, *(str(series.name) for series in beside.values())])
    marked = {
        key: columns.without(series, tuple(missing_values.get(str(series.name), ())))
        for key, series in beside.items()
    }
    return Rows(
        without_marks(X, missing_values),
        y,
        _codes(marked["groups"]) if groups is not None else None,
        _moments(marked["time"]) if time is not None else None,
    )


def without_marks(X: pd.DataFrame, missing_values: MissingValues) -> pd.DataFrame:
    """Take values that stand for missing ones out of a table; without any it is the table itself."""
    changed = {
        name: columns.without(X[name], tuple(values)) for name, values in missing_values.items() if name in X
    }
    return X.assign(**changed) if changed else X


def check_names(missing_values: MissingValues, names: Sequence[str]) -> None:
    """Raise Unprocessable ``engine.unknown_column`` if values are given for a column that is not there."""
    for name in missing_values:
        if name not in names:
            near = nearest_names(name, names)
            raise refuse(f"missing_values.{name}", "engine.unknown_column", column=name, nearest=near)


def _as_column(values: object, name: str, rows: pd.DataFrame) -> pd.Series:
    if not isinstance(values, pd.Series):
        values = pd.Series(column_or_1d(values), name=name)
    check_consistent_length(rows, values)
    return values.reset_index(drop=True).rename(str(values.name if values.name is not None else name))


def _codes(series: pd.Series) -> Groups:
    """Count groups from 0; a row of which the group is not known is one of its own."""
    codes, _ = pd.factorize(series)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return np.asarray(codes, dtype=np.intp)


def _moments(series: pd.Series) -> Times:
    """Read times: numbers, dates, or texts that write either."""
    (column,) = columns.learn(series.to_frame("time"))
    if column.kind not in ("numeric", "datetime"):
        raise refuse("time_column", "engine.not_a_time", column=str(series.name))
    plan = columns.layout((column,))
    read, _ = columns.read_frame(plan, series.to_frame("time"))
    return np.asarray(read.numbers[:, 0])
