"""What is told about a table: how it was asked to be read, how it was read, and what stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ColumnType = Literal["integer", "number", "boolean", "datetime", "string"]
"""How the values of a column are stored."""

Role = Literal["numeric", "category", "boolean", "datetime", "text", "id", "constant", "empty"]
"""What a column can be for a model."""

Cell = str | int | float | bool | None
"""A value that JSON can carry without loss."""

COLUMN_TYPES: tuple[ColumnType, ...] = ("integer", "number", "boolean", "datetime", "string")


DateOrder = Literal["iso", "ymd", "dmy", "mdy", "named"]
"""How dates are written: ISO 8601, year first with other marks, day first, month first, or named months."""


@dataclass(frozen=True)
class ColumnOptions:
    """What a person decides about how the values of one column are written, where it differs from the file.

    Attributes
    ----------
    decimal, thousands, day_first, missing_values
        As in :class:`ReadOptions`; ``None`` leaves it to what is said of the file, or to be found out.
    """

    decimal: str | None = None
    thousands: str | None = None
    day_first: bool | None = None
    missing_values: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ReadOptions:
    """What a person decides about the reading of a file; ``None`` leaves it to be found out.

    Attributes
    ----------
    encoding : str, optional
        A name that Python's codecs know, such as ``utf-8`` or ``cp1252``.
    separator : str, optional
        One character between cells.
    quote : str, optional
        One character around cells; empty for none.
    escape : str, optional
        The character that, within quotes, makes a quote after it stand for itself; empty for none.
    spaced : bool, optional
        Whether blanks after a separator belong to it; with a blank as the separator, whether runs count once.
    comment : str, optional
        The character that starts lines to leave out; empty if no line is a comment.
    keep_rows : bool, optional
        Whether every row below the names is data, also what looks like a note or repeats the names.
    skip : int, optional
        How many lines stand before the names, or before the data if there are no names.
    footer : int, optional
        How many rows at the end are no data, such as totals.
    decimal : str, optional
        ``.`` or ``,``.
    thousands : str, optional
        One character between groups of three digits; empty for none.
    header : int, optional
        Index, from 0, of the line that holds the names; -1 if no line does.
    header_rows : int, optional
        How many rows the names take up; those of several rows are joined by blanks.
    missing_values : tuple of str, optional
        The words that stand for a missing value; an empty cell always does.
    day_first : bool, optional
        Whether 01/02/2024 is in February.
    column_types : mapping of str to str
        Types by column name, each one of :data:`COLUMN_TYPES`.
    columns : mapping of str to ColumnOptions
        What holds for single columns, by name.
    """

    encoding: str | None = None
    separator: str | None = None
    quote: str | None = None
    escape: str | None = None
    spaced: bool | None = None
    comment: str | None = None
    keep_rows: bool | None = None
    skip: int | None = None
    footer: int | None = None
    decimal: str | None = None
    thousands: str | None = None
    header: int | None = None
    header_rows: int | None = None
    missing_values: tuple[str, ...] | None = None
    day_first: bool | None = None
    column_types: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, ColumnOptions] = field(default_factory=dict)


@dataclass(frozen=True)
class Dialect:
    r"""How a file was read.

    Attributes
    ----------
    encoding : str
        Python's name of the encoding; ``utf-8-sig`` where the file starts with a byte order mark.
    separator : str
        The character between cells.
    quote : str
        The character around cells; empty for none.
    escape : str
        The character that makes a quote within quotes stand for itself; empty where quotes are doubled.
    spaced : bool
        Whether blanks after a separator belong to it.
    decimal : str
        The decimal mark: a comma if any column has one.
    thousands : str
        The character between groups of three digits; empty if no column has one.
    header : int
        Index, from 0, of the line that holds the names; -1 if no line does.
    header_rows : int
        How many rows from there on are names, or words below them that were left out; 0 if there are none.
    line_end : str
        ``\n``, ``\r\n`` or ``\r``.
    skipped_lines : int
        Lines before the names, or before the data if there are no names.
    missing_values : tuple of str
        The words that were met and read as missing; a cell of blanks is listed as one blank.
    day_first : bool, optional
        Order of day and month where a column needed it, else ``None``.
    overrides : mapping
        What a person decided: the fields of :class:`ReadOptions` that were given.
    """

    encoding: str
    separator: str
    quote: str
    escape: str
    spaced: bool
    decimal: str
    thousands: str
    header: int
    header_rows: int
    line_end: str
    skipped_lines: int
    missing_values: tuple[str, ...]
    day_first: bool | None
    overrides: Mapping[str, object]


@dataclass(frozen=True)
class Notice:
    """A guess that could be wrong, or a repair.

    Attributes
    ----------
    code : str
        The code of the sentence that tells it.
    params : mapping
        The values that the sentence mentions.
    column : str, optional
        The column it is about, where it is about one.
    action : mapping, optional
        The fields of :class:`ReadOptions` that would undo the guess.
    """

    code: str
    params: Mapping[str, str | int | float | bool | list[str]] = field(default_factory=dict)
    column: str | None = None
    action: Mapping[str, object] | None = None


@dataclass(frozen=True)
class ColumnRead:
    """How the values of a column were read; what does not apply to its type is ``None``.

    Attributes
    ----------
    decimal, thousands : str, optional
        The marks of its numbers; thousands are empty for none.
    unit : str, optional
        The currency or percent sign that was taken off; empty for none.
    date_order : DateOrder, optional
        How its dates are written.
    zoned : bool, optional
        Whether its times were brought to UTC.
    missing_values : tuple of str
        The words of this column that were read as missing; a cell of blanks is listed as one blank.
    text_because : str, optional
        Why values that look like numbers or dates stay text: ``leading_zeros``, ``long_digits``,
        ``mixed_numbers`` or ``mixed_dates``.
    asked : bool
        Whether a person decided on its type.
    """

    decimal: str | None = None
    thousands: str | None = None
    unit: str | None = None
    date_order: DateOrder | None = None
    zoned: bool | None = None
    missing_values: tuple[str, ...] = ()
    text_because: str | None = None
    asked: bool = False


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        Unique in the table.
    type : ColumnType
        How its values are stored.
    role : Role
        What it can be for a model.
    missing : int
        Number of missing values.
    distinct : int
        Number of distinct values that are not missing, exact up to 100,000.
    distinct_capped : bool
        Whether there are more than :attr:`distinct` says.
    examples : tuple of str
        Up to five distinct values as written in the file, each of at most 60 characters.
    read : ColumnRead
        How its values were read.
    """

    name: str
    type: ColumnType
    role: Role
    missing: int
    distinct: int
    distinct_capped: bool
    examples: tuple[str, ...]
    read: ColumnRead


@dataclass(frozen=True)
class ReadResult:
    """What came of reading a file.

    Attributes
    ----------
    rows : int
        Number of rows.
    columns : tuple of Column
        The columns in the order of the file.
    dialect : Dialect
        How the file was read.
    warnings : tuple of Notice
        Every doubtful guess and every repair.
    preview : list of list
        The first 100 rows; texts are shortened to 200 characters, dates are ISO 8601, infinite numbers and
        integers beyond 2**53 are texts.
    """

    rows: int
    columns: tuple[Column, ...]
    dialect: Dialect
    warnings: tuple[Notice, ...]
    preview: list[list[Cell]]
