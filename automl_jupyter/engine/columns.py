"""From a table or from single rows to typed cells, by one contract.

:func:`learn` decides what each column is; :func:`read_frame` and :func:`read_rows` apply that. Both use the
readers of :mod:`automl_jupyter.engine.cells`, so that a row means the same alone and in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from automl_jupyter.engine import cells
from automl_jupyter.engine.contract import MAX_CATEGORIES, ColumnContract, RowWarning

KEPT_LEVELS = 250
MISSING, OTHER, FIRST = 0, 1, 2
"""Codes of categories: nothing, a rare or new one, the most frequent one; the others follow."""

FEW_ROWS = 8
"""So many rows are read cell by cell, which is quicker for them than column by column."""

FORCED = ("category", "text", "ignored")
"""What any column can be treated as."""

_NUMBERS = ("numeric", "boolean", "datetime")


@dataclass(frozen=True)
class Layout:
    """The columns of a contract that are read, by what they become.

    Attributes
    ----------
    numbers, categories, texts : tuple of ColumnContract
        Columns that become float64, codes, and strings.
    levels : tuple of dict
        For each category column, the code of each known category.
    """

    numbers: tuple[ColumnContract, ...]
    categories: tuple[ColumnContract, ...]
    texts: tuple[ColumnContract, ...]
    levels: tuple[dict[str, int], ...]


@dataclass(frozen=True)
class Cells:
    """The typed cells of some rows.

    Attributes
    ----------
    numbers : ndarray of shape (n, numbers), float64
        NaN where missing; moments are seconds since 1970.
    codes : ndarray of shape (n, categories), int32
        Codes of categories.
    texts : tuple of list of str
        One list for each text column; "" where missing.
    """

    numbers: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int32]
    texts: tuple[list[str], ...]


def layout(columns: Sequence[ColumnContract]) -> Layout:
    """Arrange the columns of a contract."""
    categories = tuple(c for c in columns if c.kind == "category")
    return Layout(
        tuple(c for c in columns if c.kind in _NUMBERS),
        categories,
        tuple(c for c in columns if c.kind == "text"),
        tuple(
            {label: FIRST + i if i < KEPT_LEVELS else OTHER for i, label in enumerate(c.categories)}
            for c in categories
        ),
    )


# --- what each column is


def learn(
    X: pd.DataFrame,
    kinds: Mapping[str, str] | None = None,
    missing_values: Mapping[str, Sequence[str | float]] | None = None,
) -> tuple[ColumnContract, ...]:
    """Decide what each column of a training table is.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        Column names are strings.
    kinds : mapping, optional
        For some columns what they are, one of :data:`FORCED`, whatever they look like.
    missing_values : mapping, optional
        For some columns the values that stand for a missing one.
    """
    said, marked = kinds or {}, missing_values or {}
    found = []
    for name in X.columns:
        values = tuple(marked.get(name, ()))
        series = without(X[name], values)
        column = _said_column(name, series, said[name]) if name in said else _learn_column(name, series)
        found.append(replace(column, missing_values=values))
    return tuple(found)


def without(series: pd.Series, values: tuple[str | float, ...]) -> pd.Series:
    """Take values that stand for a missing one out of a column."""
    if not values or not len(series):
        return series
    marks = cells.marks_of(values)
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype):
        return series.mask(series.isin(list(marks.numbers)))
    positions, distinct = _distinct(series)
    gone = _each(marks.__contains__, distinct)[positions]
    return series.mask(gone) if gone.any() else series


def _said_column(name: str, series: pd.Series, kind: str) -> ColumnContract:
    if kind == "category":
        return _as_category(name, _labels(series.astype(object)))
    return ColumnContract(name, kind)


def _learn_column(name: str, series: pd.Series) -> ColumnContract:
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _as_category(name, _labels(series.astype(object)))
    if pd.api.types.is_bool_dtype(dtype):
        return _ranged(name, "boolean", series)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return _ranged(name, "numeric", series)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _ranged(name, "datetime", series)
    if pd.api.types.is_timedelta64_dtype(dtype):
        return ColumnContract(name, "ignored")
    return _learn_objects(name, series)


def _learn_objects(name: str, series: pd.Series) -> ColumnContract:
    positions, distinct = _distinct(series)
    known = _objects(series)[~_each(cells.is_missing, distinct)[positions]]
    if len(known) == 0:
        return ColumnContract(name, "ignored")
    if all(isinstance(value, bool | np.bool_) for value in known[:1000]):
        return _ranged(name, "boolean", series)
    if _share(known, cells.read_number) > 0.97 and not _has_leading_zeros(known):
        return _ranged(name, "numeric", series)
    sample = known[:: max(1, len(known) // 300)]
    if all(not isinstance(value, str) for value in sample) and _share(sample, cells.read_date) > 0.95:
        return _ranged(name, "datetime", series)
    form = cells.find_date_format([str(value).strip() for value in sample])
    if form is not None:
        return _ranged(name, "datetime", series, form)
    return _as_words(name, _labels(pd.Series(known, dtype=object)))


def _has_leading_zeros(known: npt.NDArray[np.object_]) -> bool:
    """Tell whether "numbers" are codes such as postcodes: 01234."""
    return any(isinstance(v, str) and len(v) > 1 and v[0] == "0" and v.isdigit() for v in known[:1000])


def _share(values: npt.NDArray[np.object_], reader: Callable[[object], float]) -> float:
    good = 0
    for value in values[:: max(1, len(values) // 2000)]:
        try:
            reader(value)
        except ValueError:
            continue
        good += 1
    return good / len(values[:: max(1, len(values) // 2000)])


def _labels(series: pd.Series) -> pd.Series:
    """Categories of the known cells."""
    positions, distinct = _distinct(series)
    labels = np.array([*map(cells.read_label, distinct)], dtype=object)
    known = ~_each(cells.is_missing, distinct)
    return pd.Series(labels[positions[known[positions]]], dtype=object)


def _as_words(name: str, labels: pd.Series) -> ColumnContract:
    distinct = labels.nunique()
    words = float(np.mean([label.count(" ") + 1 for label in labels[:2000]]))
    if words > 2.5 and distinct > 0.3 * len(labels) and distinct > 20:
        return ColumnContract(name, "text")
    if distinct > 20 and distinct > 0.95 * len(labels):
        return ColumnContract(name, "ignored")
    return _as_category(name, labels)


def _as_category(name: str, labels: pd.Series) -> ColumnContract:
    counts = labels.value_counts()
    # Ties are broken by name: the order of value_counts depends on the order of rows.
    order = sorted(counts.index, key=lambda label: (-counts[label], label))
    if len(order) < 1:
        return ColumnContract(name, "ignored")
    return ColumnContract(
        name, "category", categories=tuple(order[:MAX_CATEGORIES]), complete=len(order) <= MAX_CATEGORIES
    )


def _ranged(name: str, kind: str, series: pd.Series, form: str = "") -> ColumnContract:
    column = ColumnContract(name, kind, date_format=form)
    values, _ = _read_numbers(column, series)
    known = values[~np.isnan(values)]
    if len(known) == 0 or (known.min() == known.max() and len(known) == len(values)):
        return ColumnContract(name, "ignored")
    whole = kind == "numeric" and bool(np.all(known == np.floor(known)))
    return ColumnContract(
        name, kind, lowest=float(known.min()), highest=float(known.max()), whole=whole, date_format=form
    )


# --- tables


def read_frame(plan: Layout, X: pd.DataFrame) -> tuple[Cells, list[tuple[RowWarning, npt.NDArray[np.intp]]]]:
    """Read the cells of a table.

    Parameters
    ----------
    plan : Layout
        The columns to read, in any order in the table; those that are not there count as missing.
    X : DataFrame
        The table; its column names are strings.

    Returns
    -------
    cells : Cells
    warnings : list of (RowWarning, ndarray)
        Each warning with the positions of the rows that it concerns.
    """
    if len(X) <= FEW_ROWS:
        few, mine = read_rows(plan, _records(X))
        return few, [(warning, np.array([row])) for row, each in enumerate(mine) for warning in each]
    n, found = len(X), []
    read = {c.name: without(X[c.name], c.missing_values) for c in _all(plan) if c.name in X.columns}
    numbers = np.full((n, len(plan.numbers)), np.nan)
    codes = np.full((n, len(plan.categories)), MISSING, dtype=np.int32)
    texts: list[list[str]] = []
    for j, column in enumerate(plan.numbers):
        if column.name in read:
            numbers[:, j], bad = _read_numbers(column, read[column.name])
            found += _grouped("engine.unparseable_value", column, read[column.name], bad)
            found += _grouped(
                "engine.out_of_range", column, read[column.name], _beyond(column, numbers[:, j])
            )
    for j, (column, levels) in enumerate(zip(plan.categories, plan.levels, strict=True)):
        if column.name in read:
            codes[:, j], new = _read_codes(levels, read[column.name])
            if column.complete:
                found += _grouped("engine.unseen_category", column, read[column.name], new)
    for column in plan.texts:
        texts.append(_read_texts(read[column.name]) if column.name in read else [""] * n)
    every = np.arange(n)
    for column in _all(plan):
        if column.name not in read:
            found.append((RowWarning("engine.missing_column", column.name), every))
    return Cells(numbers, codes, tuple(texts)), found


def _records(X: pd.DataFrame) -> list[dict[str, object]]:
    """Give the rows of a table as plain cells by column name.

    :meth:`pandas.DataFrame.to_dict` makes a Series of each column first, which takes longer than all the rest
    of a prediction.
    """
    names = [str(name) for name in X.columns]
    return [dict(zip(names, map(_plain, row), strict=True)) for row in X.to_numpy(dtype=object)]


def _plain(cell: object) -> object:
    return cell.item() if isinstance(cell, np.bool_ | np.integer | np.floating) else cell


def _all(plan: Layout) -> tuple[ColumnContract, ...]:
    return (*plan.numbers, *plan.categories, *plan.texts)


def _grouped(
    code: str, column: ColumnContract, series: pd.Series, where: npt.NDArray[np.bool_]
) -> list[tuple[RowWarning, npt.NDArray[np.intp]]]:
    """One entry for each row that is marked."""
    rows = np.flatnonzero(where)
    return [
        (RowWarning(code, column.name, cells.shown(value)), np.array([row]))
        for row, value in zip(rows, series.iloc[rows], strict=True)
    ]


def _beyond(column: ColumnContract, values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    if column.lowest is None or column.highest is None:
        return np.zeros(len(values), bool)
    margin = 0.1 * (column.highest - column.lowest)
    with np.errstate(invalid="ignore"):
        return (values < column.lowest - margin) | (values > column.highest + margin)


def reader_of(column: ColumnContract) -> Callable[[object], float]:
    """Give the function that reads a cell of a column of numbers."""
    if column.kind == "datetime":
        return lambda value: cells.read_date(value, column.date_format)
    return cells.READERS[column.kind]


def _read_numbers(
    column: ColumnContract, series: pd.Series
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Values of a column of numbers, and which cells could not be read."""
    dtype, n = series.dtype, len(series)
    fine = np.zeros(n, bool)
    if column.kind == "datetime" and pd.api.types.is_datetime64_any_dtype(dtype):
        micro = pd.to_datetime(series, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
        return np.where(np.isnat(micro), np.nan, micro.astype(np.int64) / 1e6), fine
    plain = pd.api.types.is_numeric_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype)
    if column.kind == "numeric" and plain:
        return np.clip(series.to_numpy(np.float64, na_value=np.nan), -1e300, 1e300), fine
    if column.kind == "boolean" and pd.api.types.is_bool_dtype(dtype):
        return series.to_numpy(np.float64, na_value=np.nan), fine
    positions, distinct = _distinct(series)
    read = reader_of(column)
    values, bad = np.full(len(distinct), np.nan), np.zeros(len(distinct), bool)
    for i, value in enumerate(distinct):
        try:
            values[i] = read(value)
        except ValueError:
            bad[i] = True
    return values[positions], bad[positions]


def _read_codes(
    levels: Mapping[str, int], series: pd.Series
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Codes of a column of categories, and which cells hold an unknown one."""
    positions, distinct = _distinct(series)
    labels = [cells.read_label(value) for value in distinct]
    codes = np.array([MISSING if x is None else levels.get(x, OTHER) for x in labels], dtype=np.int32)
    new = np.array([x is not None and x not in levels for x in labels], dtype=bool)
    return codes[positions], new[positions]


def _distinct(series: pd.Series) -> tuple[npt.NDArray[np.intp], list[object]]:
    """Position of each cell's value in a list of values, short where values repeat."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        # A code of -1 (missing) finds the None at the end.
        return np.asarray(series.cat.codes, dtype=np.intp), [*series.cat.categories, None]
    values = _objects(series)
    if pd.api.types.infer_dtype(series, skipna=True) in ("string", "integer", "floating", "boolean"):
        positions, found = pd.factorize(values)
        return positions, [*found, None]
    # Values of mixed types can be equal without meaning the same: True and 1.
    return np.arange(len(values)), list(values)


def _each(tell: Callable[[object], bool], values: Sequence[object]) -> npt.NDArray[np.bool_]:
    return np.fromiter(map(tell, values), dtype=bool, count=len(values))


def _objects(series: pd.Series) -> npt.NDArray[np.object_]:
    """Give cells as Python objects."""
    return np.asarray(series.astype(object), dtype=object)


def _read_texts(series: pd.Series) -> list[str]:
    return [cells.read_label(value) or "" for value in _objects(series)]


# --- single rows


def read_rows(plan: Layout, rows: Sequence[Mapping[str, object]]) -> tuple[Cells, list[list[RowWarning]]]:
    """Read the cells of a few rows without building a table.

    Parameters
    ----------
    plan : Layout
        The columns to read; a row may give them in any order.
    rows : sequence of mapping
        Cells by column name.

    Returns
    -------
    cells : Cells
    warnings : list of list of RowWarning
        The warnings of each row.
    """
    numbers = np.full((len(rows), len(plan.numbers)), np.nan)
    codes = np.full((len(rows), len(plan.categories)), MISSING, dtype=np.int32)
    texts: tuple[list[str], ...] = tuple([] for _ in plan.texts)
    warnings: list[list[RowWarning]] = []
    readers = [reader_of(column) for column in plan.numbers]
    for i, row in enumerate(rows):
        mine: list[RowWarning] = []
        for j, column in enumerate(plan.numbers):
            numbers[i, j] = _read_cell(column, readers[j], row, mine)
        for j, column in enumerate(plan.categories):
            codes[i, j] = _read_category(column, plan.levels[j], row, mine)
        for j, column in enumerate(plan.texts):
            if column.name not in row:
                mine.append(RowWarning("engine.missing_column", column.name))
            texts[j].append(cells.read_label(_cell(column, row)) or "")
        warnings.append(mine)
    return Cells(numbers, codes, texts), warnings


def _cell(column: ColumnContract, row: Mapping[str, object]) -> object:
    """Give a cell, or None where it holds a value that stands for a missing one."""
    value = row.get(column.name)
    if column.missing_values and value in cells.marks_of(column.missing_values):
        return None
    return value


def _read_cell(
    column: ColumnContract,
    reader: Callable[[object], float],
    row: Mapping[str, object],
    warnings: list[RowWarning],
) -> float:
    if column.name not in row:
        warnings.append(RowWarning("engine.missing_column", column.name))
        return float("nan")
    value = _cell(column, row)
    try:
        number = reader(value)
    except ValueError:
        warnings.append(RowWarning("engine.unparseable_value", column.name, cells.shown(value)))
        return float("nan")
    if column.is_beyond(number):
        warnings.append(RowWarning("engine.out_of_range", column.name, cells.shown(value)))
    return number


def _read_category(
    column: ColumnContract, levels: Mapping[str, int], row: Mapping[str, object], warnings: list[RowWarning]
) -> int:
    if column.name not in row:
        warnings.append(RowWarning("engine.missing_column", column.name))
        return MISSING
    label = cells.read_label(_cell(column, row))
    if label is None:
        return MISSING
    code = levels.get(label)
    if code is None:
        if column.complete:
            warnings.append(RowWarning("engine.unseen_category", column.name, cells.shown(label)))
        return OTHER
    return code
