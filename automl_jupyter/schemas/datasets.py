"""Data sets: how they were read, what was found in them, how they arrive."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from automl_jupyter.schemas.base import (
    LARGEST_WHOLE,
    NUMBER,
    Answer,
    ColumnRole,
    ColumnType,
    DateOrder,
    Page,
    Request,
    Thousands,
)


class Notice(Answer):
    """Something that the person should know of a data set: a guess, a repair."""

    code: str
    message: str
    column: str | None = None
    action: dict[str, JsonValue] | None = Field(None, description="The read option that undoes the guess.")


class ColumnRead(Answer):
    """How the values of a column were read; what does not apply to its type is null."""

    decimal: str | None = None
    thousands: str | None = Field(None, description="Empty for none.")
    unit: str | None = Field(None, description="The currency or percent sign that was taken off.")
    date_order: DateOrder | None = None
    zoned: bool | None = Field(None, description="Whether its times were brought to UTC.")
    missing_values: list[str] = Field(
        [], description="The words read as missing; a blank for cells of blanks."
    )
    text_because: str | None = Field(None, description="Why what looks like numbers or dates stays text.")
    asked: bool = Field(False, description="Whether a person decided on its type.")


class Column(Answer):
    """A column as it was read."""

    name: str
    type: ColumnType
    role: ColumnRole
    missing: int
    distinct: int = Field(description="Exact up to 100,000.")
    examples: list[str]
    read: ColumnRead = Field(default_factory=lambda: ColumnRead.model_validate({}))


class Dataset(Answer):
    """A table that was taken in. It does not change; reading it again makes another."""

    id: str
    name: str
    parent: str | None = Field(None, description="The data set of whose file this is another reading.")
    created: datetime
    bytes: int
    rows: int
    columns: list[Column]
    dialect: dict[str, JsonValue] = Field(
        description="How the file was read; what a person decided is in `overrides`."
    )
    warnings: list[Notice]


class Finding(Answer):
    """Something to know before training: what was seen, why it matters, what to do."""

    code: str
    severity: Literal["info", "warning", "serious"]
    message: str
    column: str | None
    columns: list[str]
    evidence: dict[str, JsonValue] = Field(description="The figures behind it.")
    action: dict[str, JsonValue] | None = Field(
        description="Fields of a request to train that act on it; null where a request cannot."
    )


class Findings(Answer):
    """What was found in a data set, the serious first."""

    target: str | None
    items: list[Finding]


class DatasetPage(Page):
    """Data sets."""

    items: list[Dataset]


class Preview(Answer):
    """The first rows of a data set; long cells are shortened."""

    columns: list[str]
    rows: list[list[JsonValue]]


class Profile(Answer):
    """The distribution of each column."""

    rows: int
    columns: list[dict[str, JsonValue]]


Mark = Annotated[str, Field(max_length=1)]


class ColumnReadOptions(Request):
    """How the values of one column are written; null leaves it to what holds for the file."""

    decimal: Literal[".", ","] | None = None
    thousands: Thousands | None = None
    day_first: bool | None = None
    missing_values: list[str] | None = None


class ReadOptions(Request):
    """How to read a file again.

    What is not mentioned stays as the data set was read; null leaves a field, or what was decided for a
    column, to be found out again.
    """

    encoding: str | None = Field(None, min_length=1, max_length=40, examples=["cp1252"])
    separator: str | None = Field(None, min_length=1, max_length=1, examples=[";"])
    quote: Mark | None = Field(None, description="Around cells; empty for none.")
    escape: Mark | None = Field(
        None, description="Before a quote within quotes; empty where quotes are doubled."
    )
    spaced: bool | None = Field(None, description="Whether blanks after a separator belong to it.")
    comment: Mark | None = Field(
        None, description="What starts lines to leave out; empty if no line is a comment."
    )
    keep_rows: bool | None = Field(
        None, description="Whether rows that look like notes, comments or repeated names are data."
    )
    skip: Annotated[int, Field(ge=0, le=LARGEST_WHOLE, strict=False), NUMBER] | None = Field(
        None, description="Lines before the names, or the data if there are none."
    )
    footer: Annotated[int, Field(ge=0, le=1000, strict=False), NUMBER] | None = Field(
        None, description="Rows at the end that are no data, such as totals."
    )
    header: Annotated[int, Field(ge=-1, le=LARGEST_WHOLE, strict=False), NUMBER] | None = Field(
        None, description="Index, from 0, of the line with the names; -1 if no line has them."
    )
    header_rows: Annotated[int, Field(ge=1, le=20, strict=False), NUMBER] | None = Field(
        None, description="Rows that the names take up; those of several are joined."
    )
    decimal: Literal[".", ","] | None = None
    thousands: Thousands | None = Field(None, description="Empty for none.")
    day_first: bool | None = Field(None, description="Whether 01/02/2024 is in February.")
    missing_values: list[str] | None = Field(
        None, description="The words that stand for a missing value; an empty cell always does."
    )
    column_types: dict[str, ColumnType | None] | None = Field(None, examples=[{"zip": "string"}])
    columns: dict[str, ColumnReadOptions | None] | None = Field(
        None, description="What holds for single columns.", examples=[{"since": {"day_first": False}}]
    )


class UploadFromPath(Request):
    """Take in a file that Jupyter already has."""

    path: str = Field(min_length=1, examples=["data/flights.csv"])


class UploadStart(Request):
    """Begin an upload in pieces."""

    filename: str = Field(min_length=1, max_length=255)
    size: Annotated[int, Field(ge=0, le=2**53 - 1, strict=False), NUMBER] | None = Field(
        None, description="The whole size in bytes, where it is known."
    )


class Upload(Answer):
    """An upload under way: the next piece starts at ``offset``."""

    id: str
    filename: str
    offset: int
    size: int | None
    max_piece_bytes: int
