"""Rows as JSON: what Python, NumPy and pandas hold, in the few kinds that JSON knows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from typing import IO, Protocol, cast, runtime_checkable

Cell = str | int | float | bool | None
CHUNK = 256 * 1024


@runtime_checkable
class Frame(Protocol):
    """What is used of a pandas DataFrame, so that pandas is imported only by who has one."""

    def to_json(self, *, orient: str, date_format: str, double_precision: int) -> str:
        """Write as JSON."""


Rows = Sequence[Mapping[str, object]] | Frame


def records(rows: Rows) -> list[dict[str, Cell]]:
    """The rows as JSON has them: a missing value is ``None``, a date is text in ISO 8601."""
    if isinstance(rows, Frame):
        text = rows.to_json(orient="records", date_format="iso", double_precision=15)
        return cast("list[dict[str, Cell]]", json.loads(text))
    return [{str(name): cell(value) for name, value in row.items()} for row in rows]


def cell(value: object) -> Cell:
    """One value as JSON has it.

    NumPy's scalars and pandas' missing values are recognised by what they can do, so that neither library
    is imported.
    """
    if isinstance(value, float):
        # NumPy's float64 is a float of Python's as well, and its str_ a str; JSON gets Python's own.
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, date | time):
        # pandas' NaT is a date that does not equal itself.
        return value.isoformat() if value == value else None  # noqa: PLR0124
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() and math.isfinite(float(value)) else None
    return _foreign(value)


def _foreign(value: object) -> Cell:
    plain = getattr(value, "item", None)
    if callable(plain):
        return cell(plain())
    return None if type(value).__name__ == "NAType" else str(value)


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """A file's bytes, piece by piece."""
    while piece := file.read(CHUNK):
        yield piece
