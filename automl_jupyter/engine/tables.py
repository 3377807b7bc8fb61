"""What people hand to an estimator, brought into one form: a table with named columns, a named target."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import check_array, check_random_state, column_or_1d
from sklearn.utils.validation import check_consistent_length, validate_data

from automl_jupyter import messages
from automl_jupyter.engine import columns
from automl_jupyter.engine.admission import no_features, refuse
from automl_jupyter.engine.contract import ColumnContract, RowWarning
from automl_jupyter.engine.rows import MissingValues, Rows
from automl_jupyter.engine.serving import ContractWarning
from automl_jupyter.errors import Unprocessable

CELLS_PER_SECOND = 600_000
"""More cells than this for each second of the budget are not read: rows are sampled.

Reading them takes a third of the budget or less. A character of text counts as half a cell."""


def as_frame(estimator: object, X: object, *, reset: bool) -> pd.DataFrame:
    """Check features as scikit-learn does, and give them as a table whose column names are strings.

    Parameters
    ----------
    estimator : estimator
        Learns names and number of features, or compares them.
    X : DataFrame or array-like of shape (n_rows, n_columns)
        The features, with strings, dates and missing values.
    reset : bool
        True in ``fit``.

    Raises
    ------
    Unprocessable
        ``engine.duplicate_column`` if two columns share a name.
    """
    if isinstance(X, pd.DataFrame):
        if not X.columns.is_unique:
            twice = str(X.columns[X.columns.duplicated()][0])
            raise refuse("columns", "engine.duplicate_column", column=twice)
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        named = X.copy(deep=False)
        named.columns, named.index = pd.Index([str(name) for name in X.columns]), pd.RangeIndex(len(X))
        return named
    array: npt.NDArray[np.generic] = check_array(
        X, dtype=None, ensure_all_finite=False, ensure_min_samples=2 if reset else 1, estimator=estimator
    )
    validate_data(estimator, array, reset=reset, skip_check_array=True)
    return pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])])


def learn_columns(
    X: pd.DataFrame,
    target: str | None,
    kinds: Mapping[str, str] | None,
    missing_values: MissingValues | None = None,
) -> tuple[ColumnContract, ...]:
    """Decide what each column is.

    Parameters
    ----------
    X : DataFrame
        The training table.
    target : str or None
        Its target, for the messages.
    kinds : mapping or None
        What the person says of some columns.
    missing_values : mapping, optional
        For some columns the values that stand for a missing one.

    Raises
    ------
    Unprocessable
        ``engine.unknown_kind`` if a column cannot be treated so, ``engine.no_features`` or
        ``engine.nothing_to_cluster`` if none of them can be used.
    """
    for name, kind in (kinds or {}).items():
        if kind not in columns.FORCED:
            raise refuse(
                f"kinds.{name}", "engine.unknown_kind", column=name, kind=kind, known=[*columns.FORCED]
            )
    learnt = columns.learn(X, kinds, missing_values)
    if all(column.kind == "ignored" for column in learnt):
        raise no_features(target)
    return learnt


def as_series(y: object, rows: pd.DataFrame) -> pd.Series:
    """Check a target, and give it as a named column.

    Raises
    ------
    Unprocessable
        ``engine.target_not_given`` if there is none.
    """
    if y is None:
        raise Unprocessable("engine.target_not_given")
    name = str(y.name) if isinstance(y, pd.Series) and y.name is not None else "y"
    if not isinstance(y, pd.Series):
        y = pd.Series(column_or_1d(y, warn=True))
    check_consistent_length(rows, y)
    return y.reset_index(drop=True).rename(name)


def known_rows(rows: Rows, budget: float, seed: int) -> Rows:
    """Leave out rows without a target, and sample rows where the budget is too short to read them all."""
    known = np.flatnonzero(rows.y.notna().to_numpy())
    most = max(1000, int(CELLS_PER_SECOND * budget / _cells_of_a_row(rows.X)))
    if len(known) > most:
        known = np.sort(np.random.default_rng(seed).choice(known, most, replace=False))
    return rows.take(known)


def _cells_of_a_row(X: pd.DataFrame) -> float:
    """Work that a row is, in cells; the length of texts is taken from a hundred rows."""
    sample = X.iloc[:: max(1, len(X) // 100)].select_dtypes(["object", "string"])
    lengths = [sample[name].map(lambda v: len(v) if isinstance(v, str) else 0).mean() for name in sample]
    return X.shape[1] + sum(length / 2 for length in lengths if length > 20)


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """Turn scikit-learn's ``random_state`` into a number."""
    if isinstance(random_state, int | np.integer):
        return int(random_state) % (2**31 - 1)
    return int(check_random_state(random_state).randint(2**31 - 1))


def threads_of(n_jobs: int | None) -> int:
    """Turn scikit-learn's ``n_jobs`` into a number of threads: -1 means all this process may use."""
    try:
        available = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        available = os.cpu_count() or 1
    if n_jobs is None:
        return 1
    return n_jobs if n_jobs > 0 else max(1, available + 1 + n_jobs)


def warn_of(found: list[tuple[RowWarning, npt.NDArray[np.intp]]]) -> None:
    """Issue one Python warning for cells that are not what the training table had."""
    serious = [w.column for w, _ in found if w.code in ("engine.unseen_category", "engine.unparseable_value")]
    if serious:
        counts = Counter(serious)
        text = messages.render("engine.cells_off_contract", {"columns": list(counts), "n": len(serious)})
        warnings.warn(text, ContractWarning, stacklevel=3)
