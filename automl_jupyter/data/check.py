"""What a person decides about a reading, checked: each error names the field that is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from automl_jupyter.data.model import COLUMN_TYPES, ColumnOptions, ReadOptions
from automl_jupyter.errors import FieldError, Param, Unprocessable

_DECIMAL = ".,"
_THOUSANDS = ".,'’ \u00a0\u202f"
_MOST_HEADER_ROWS = 20
_LONGEST_FOOTER = 1000


def marks(options: ReadOptions) -> None:
    """Refuse characters that cannot separate, quote or mark anything, and counts that count nothing.

    Raises
    ------
    Unprocessable
        ``data.bad_option``.
    """
    _character("separator", options.separator)
    for field, value in (("quote", options.quote), ("escape", options.escape), ("comment", options.comment)):
        _character(field, value, or_none=True)
    if options.separator is not None and options.separator == options.quote:
        raise _refused("quote", "data.bad_option", option="quote", value=options.separator)
    _numbers("", ColumnOptions(options.decimal, options.thousands))
    for name, column in options.columns.items():
        _numbers(f"columns.{name}.", column)
    _count("header", options.header, -1, None)
    _count("header_rows", options.header_rows, 1, _MOST_HEADER_ROWS)
    _count("skip", options.skip, 0, None)
    _count("footer", options.footer, 0, _LONGEST_FOOTER)


def columns(options: ReadOptions, names: Sequence[str]) -> None:
    """Refuse what is said of columns that do not exist, and types that do not exist.

    Raises
    ------
    Unprocessable
        ``data.unknown_column`` or ``data.unknown_type``.
    """
    _known("column_types", options.column_types, names)
    _known("columns", options.columns, names)
    for name, type_ in options.column_types.items():
        if type_ not in COLUMN_TYPES:
            types: list[str] = list(COLUMN_TYPES)
            raise _refused(f"column_types.{name}", "data.unknown_type", name=name, type=type_, types=types)


def _known(field: str, given: Iterable[str], names: Sequence[str]) -> None:
    there = frozenset(names)
    for name in given:
        if name not in there:
            near = difflib.get_close_matches(name, names, 3, 0.5) or list(names[:3])
            raise _refused(f"{field}.{name}", "data.unknown_column", name=name, near=near)


def _numbers(prefix: str, told: ColumnOptions) -> None:
    _character(f"{prefix}decimal", told.decimal, among=_DECIMAL)
    _character(f"{prefix}thousands", told.thousands, among=_THOUSANDS, or_none=True)
    if told.decimal is not None and told.decimal == told.thousands:
        raise _refused(
            f"{prefix}thousands", "data.bad_option", option=f"{prefix}thousands", value=told.decimal
        )


def _character(field: str, value: str | None, *, among: str | None = None, or_none: bool = False) -> None:
    if value is None or (value == "" and or_none):
        return
    if len(value) != 1 or value in "\r\n\x00" or (among is not None and value not in among):
        raise _refused(field, "data.bad_option", option=field, value=value)


def _count(field: str, value: int | None, least: int, most: int | None) -> None:
    if value is not None and (value < least or (most is not None and value > most)):
        raise _refused(field, "data.bad_option", option=field, value=str(value))


def _refused(field: str, code: str, **params: Param) -> Unprocessable:
    return Unprocessable(code, errors=[FieldError(field, code, params)], **params)
