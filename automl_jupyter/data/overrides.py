"""What a person decided about the reading of a file, as plain JSON, and what they decide next, over it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from automl_jupyter.data.model import ColumnOptions, ReadOptions

_BY_COLUMN = ("column_types", "columns")
_OF_CELLS = frozenset({"decimal", "thousands", "day_first", "missing_values", *_BY_COLUMN})
_RIVALS = (("decimal", "thousands"), ("thousands", "decimal"))


def as_json(options: ReadOptions) -> dict[str, Any]:
    """The fields of the options that were given, as plain JSON."""
    given = _given(asdict(options))
    own = {name: _given(column) for name, column in given.pop("columns", {}).items()}
    columns = {name: column for name, column in own.items() if column}
    types = given.pop("column_types", {})
    return (
        given | ({"column_types": dict(types)} if types else {}) | ({"columns": columns} if columns else {})
    )


def from_json(given: Mapping[str, Any]) -> ReadOptions:
    """The options that :func:`as_json` described.

    Raises
    ------
    TypeError
        If there is no such option.
    """
    values = dict(given)
    columns = {
        name: ColumnOptions(**_with_tuples(column)) for name, column in values.pop("columns", {}).items()
    }
    return ReadOptions(**_with_tuples(values), columns=columns)


def laid_over(before: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is decided when a reading that was itself decided upon is asked for anew.

    Parameters
    ----------
    before : mapping
        What the earlier reading was told, as of :func:`as_json`.
    asked : mapping
        What is asked now. What it does not mention stays as it was; ``None`` leaves a field, a column or a
        field of a column to be found out again.
    """
    found = {**before, **{field: value for field, value in asked.items() if field not in _BY_COLUMN}}
    if "skip" in asked and "header" not in asked and found.get("header", -1) != -1:
        del found["header"]  # It names a line, and so would make what is asked now of no effect.
    found = _marks(found, asked)
    for field in _BY_COLUMN:
        if field in asked and asked[field] is None:
            found.pop(field, None)
        elif field in asked:
            found[field] = _columns(before.get(field, {}), asked[field])
    return {field: value for field, value in found.items() if value not in (None, {})}


def fitting(before: Mapping[str, Any], asked: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Leave out what an earlier reading was told of columns that are there no more.

    Parameters
    ----------
    before : mapping
        The decisions, as of :func:`laid_over`.
    asked : mapping
        What was asked just now, which stays: a name that is wrong in it is an error to be told.
    names : collection of str
        The columns of the file as it is read now.
    """
    kept = dict(before)
    for field in _BY_COLUMN:
        now = asked.get(field) or {}
        columns = {name: v for name, v in kept.pop(field, {}).items() if name in names or name in now}
        if columns:
            kept[field] = columns
    return kept


def of_cells(decisions: Mapping[str, Any]) -> dict[str, Any]:
    """Of what was decided about a file, what holds for other files of the same columns: how cells are meant.

    How such a file is divided into lines and cells is its own affair.
    """
    return {field: value for field, value in decisions.items() if field in _OF_CELLS}


def _marks(found: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Let a mark that is asked for now have its way over an earlier one of the other meaning."""
    return {
        field: value
        for field, value in found.items()
        if not any(
            field == mark and field not in asked and value is not None and value == asked.get(other)
            for mark, other in _RIVALS
        )
    }


def _columns(before: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(before)
    for name, value in asked.items():
        if isinstance(value, Mapping):
            old = found.get(name, {})
            new = _marks({**old, **value}, value)
            value = {mark: told for mark, told in new.items() if told is not None}  # noqa: PLW2901 - as kept
        found[name] = value
    return {name: value for name, value in found.items() if value not in (None, {})}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field: list(value) if isinstance(value, tuple) else value
        for field, value in values.items()
        if value is not None
    }


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {field: tuple(value) if isinstance(value, list) else value for field, value in values.items()}
