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
    decimal : str, optional
        ``.`` or ``,``.
    thousands : str, optional
        One character between groups of three digits; empty for none.
    header : int, optional
        Index, from 0, of the line that holds the names; -1 if no line does.
    missing_values : tuple of str, optional
        The words that stand for a missing value; an empty cell always does.
    day_first : bool, optional
        Whether 01/02/2024 is in February.
    column_types : mapping of str to str
        Types by column name, each one of :data:`COLUMN_TYPES`.
    """

    encoding: str | None = None
    separator: str | None = None
    quote: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    header: int | None = None
    missing_values: tuple[str, ...] | None = None
    day_first: bool | None = None
    column_types: Mapping[str, str] = field(default_factory=dict)


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
    decimal : str
        The decimal mark: a comma if any column has one.
    thousands : str
        The character between groups of three digits; empty if no column has one.
    header : int
        Index, from 0, of the line that holds the names; -1 if no line does.
    line_end : str
        ``\n``, ``\r\n`` or ``\r``.
    skipped_lines : int
        Lines before the names, or before the data if there are no names.
    missing_values : tuple of str
        The words that were met and read as missing; a cell of blanks is listed as one blank.
    day_first : bool, optional
        Order of day and month where a column needed it, else ``None``.
    """

    encoding: str
    separator: str
    quote: str
    decimal: str
    thousands: str
    header: int
    line_end: str
    skipped_lines: int
    missing_values: tuple[str, ...]
    day_first: bool | None


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
    """

    name: str
    type: ColumnType
    role: Role
    missing: int
    distinct: int
    distinct_capped: bool
    examples: tuple[str, ...]


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
