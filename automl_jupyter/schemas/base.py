"""What every object is made of: the bases of answers and requests, the names of states, limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError

TaskName = Literal["binary", "multiclass", "regression", "clustering"]
ColumnType = Literal["integer", "number", "boolean", "datetime", "string"]
DateOrder = Literal["iso", "ymd", "dmy", "mdy", "named"]
Thousands = Literal["", ",", ".", "'", "’", " ", "\u00a0", "\u202f"]
ColumnRole = Literal["numeric", "category", "boolean", "datetime", "text", "id", "constant", "empty"]
JobState = Literal["queued", "running", "done", "failed", "stopped", "cancelled", "interrupted"]
TrialState = Literal["done", "failed", "skipped"]
Alias = Literal["champion", "challenger"]
EventKind = Literal["state", "progress", "trial", "leaderboard", "done"]
Answering = Literal["ensemble", "fast"]

FINAL_STATES: frozenset[str] = frozenset({"done", "failed", "stopped", "cancelled", "interrupted"})
"""The states that a job does not leave by itself."""

MODEL_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
LONGEST_TEXT = 10_000
"""The most characters of one text in a request."""

LARGEST_WHOLE = 2**31 - 1
PIECE_BYTES = 8 * 1024 * 1024
"""The largest piece of an upload in pieces."""

JSON_ROWS = 1000
"""The most rows of one prediction in JSON: what the server can write in one turn of its event loop."""

UNLEARNT_ROLES: frozenset[str] = frozenset({"id", "constant", "empty"})
"""Roles of columns that are not learnt from unless they are named."""

Params = dict[str, JsonValue]
Marks = Annotated[
    list[str | int | Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=1, max_length=1000)
]
Name = Annotated[str, Field(pattern=MODEL_NAME, examples=["flights-late"])]
Seconds = Annotated[float, Field(ge=0)]
Milliseconds = Annotated[float, Field(gt=0)]


def _no_text(value: object) -> object:
    if isinstance(value, str | bool):
        raise PydanticCustomError("int_type", "a text or a truth value is no number")
    return value


NUMBER = BeforeValidator(_no_text)
"""With ``strict=False``, a whole number of a request: 7 and 7.0, as in JSON Schema, but not "7", not true."""


class Answer(BaseModel):
    """The base of what is answered: fixed fields, non-finite numbers as ``null``."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null", extra="ignore", defer_build=True)


class Request(BaseModel):
    """The base of what is asked: an unknown field is an error, so that a misspelt one is not overlooked.

    Nothing is converted: a text that looks like a number is no number, ``true`` is not 1, and ``NaN`` and
    ``Infinity``, which are no JSON, are refused.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        str_max_length=LONGEST_TEXT,
        defer_build=True,
    )


class Page(Answer):
    """A part of a list, newest first; what it holds is in ``items``."""

    total: int = Field(ge=0)
    limit: int
    offset: int


class FieldProblem(Answer):
    """One field that cannot be used."""

    field: str
    code: str
    message: str


class ErrorBody(Answer):
    """Every answer of 400 and above: Jupyter's own shape (``message``, ``reason``) and more."""

    message: str
    reason: str | None = None
    code: str
    params: Params = {}
    errors: list[FieldProblem] = []
