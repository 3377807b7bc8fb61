"""Dates and times as people and programs write them, read by the column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from automl_jupyter.data import arrow
from automl_jupyter.data.model import ColumnType
from automl_jupyter.data.numbers import all_match, any_match, cast

Order = Literal["iso", "ymd", "dmy", "mdy", "named"]

_TIME = r"(?:,?[ T]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?: ?[AaPp]\.?[Mm]\.?)?)?$"
_ZONE = r"\d{1,2}:\d{2}.*(?:Z|UTC|GMT|[-+]\d{2}(?::?\d{2})?)$"
_NUMERIC_DAY = r"^\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
_DAY: dict[Order, str] = {
    "ymd": r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
    "dmy": _NUMERIC_DAY,
    "mdy": _NUMERIC_DAY,
    "named": r"^(?:\d{1,2}(?:er)?[- ]\pL{3,9}\.?,?[- ](?:\d{4}|\d{2})|\pL{3,9}\.? \d{1,2},? \d{4})",
}
_SHORT_YEAR = r"^\d{1,2}(?:[-/.]\d{1,2}[-/.]|(?:er)?[- ]\pL{3,9}\.?,?[- ])\d{2}(?:$|[ T,])"
_FAR_ZONE = r" (?:UTC|GMT|[-+]\d{2}:?\d{2})$"
_MONTHS = (
    "jan(?:uary|v|vier)?",
    "feb(?:ruary)?|f[ée]v(?:r|rier)?",
    "mar(?:ch|s)?",
    "apr(?:il)?|avr(?:il)?",
    "may|mai",
    "june?|juin",
    "july?|juil(?:let)?",
    "aug(?:ust)?|ao[uû]t",
    "sept?(?:ember|embre)?",
    "oct(?:ober|obre)?",
    "nov(?:ember|embre)?",
    "dec(?:ember)?|d[ée]c(?:embre)?",
)
"""The months in English and French, whole and short."""
_HALF_DAY = 12 * 3_600_000_000


@dataclass(frozen=True)
class DateReading:
    """Points in time.

    Attributes
    ----------
    order : str
        ``iso`` as in 2024-02-28T10:30, ``ymd`` with other marks or short months, ``dmy``, ``mdy``, or
        ``named`` months in English or French.
    zoned : bool
        Whether every value says its distance from UTC; the values are then stored as UTC.
    """

    order: Order
    zoned: bool = False
    type: ClassVar[ColumnType] = "datetime"

    @property
    def arrow(self) -> pa.DataType:
        """How Arrow stores the values: microseconds, without a zone or in UTC."""
        return pa.timestamp("us", "UTC" if self.zoned else None)

    def parse(self, values: pa.Array) -> pa.Array | None:
        """Return the times, or ``None`` if some value is none: the 30th of February is none."""
        if self.order == "iso":
            return _to_time(_near_zone(values) if self.zoned else values, self.arrow)
        if not all_match(values, self.pattern()):
            return None
        text, afternoon = _clock(self._days(values))
        found = _to_time(text, self.arrow)
        if found is None or afternoon is None:
            return found
        return pc.if_else(afternoon, pc.add(found, arrow.whole(_HALF_DAY, pa.duration("us"))), found)

    def pattern(self) -> str:
        """Return the RE2 pattern of one time."""
        return r"^\d{4}-\d\d-\d\d" if self.order == "iso" else _DAY[self.order] + _TIME

    def _days(self, values: pa.Array) -> pa.Array:
        """Return the values with the day in ISO order and full width."""
        text = values
        if self.order == "ymd":
            text = _sub(text, r"^(\d{4})[-/.](\d)([-/.])", r"\1-0\2\3")
            text = _sub(text, r"^(\d{4})[-/.](\d\d)[-/.](\d)($|[ T,])", r"\1-\2-0\3\4")
            return _sub(text, r"^(\d{4})[-/.](\d\d)[-/.](\d\d)", r"\1-\2-\3")
        if self.order == "named":
            text = _sub(text, r"^(\pL+\.?) (\d{1,2}),? (\d{4})", r"\2 \1 \3")
            for number, name in enumerate(_MONTHS, start=1):
                day, year = r"(\d{1,2})(?:er)?", r"(\d{4}|\d{2})($|[ T,])"
                text = _sub(text, rf"^{day}[- ](?i:{name})\.?,?[- ]{year}", rf"\1-{number:02}-\2\3")
        text = _sub(text, r"^(\d[-/.])", r"0\1")
        text = _sub(text, r"^(\d\d[-/.])(\d[-/.])", r"\10\2")
        text = _sub(text, r"^(\d\d[-/.]\d\d[-/.])([0-6]\d)($|[ T,])", r"\120\2\3")
        text = _sub(text, r"^(\d\d[-/.]\d\d[-/.])([7-9]\d)($|[ T,])", r"\119\2\3")
        new = r"\3-\1-\2" if self.order == "mdy" else r"\3-\2-\1"
        return _sub(text, r"^(\d\d)[-/.](\d\d)[-/.](\d{4})", new)


@dataclass(frozen=True)
class DateChoice:
    """How dates can be read: the likeliest way, and another that gives other days."""

    reading: DateReading
    rival: DateReading | None = None


def infer(values: pa.Array, *, day_first: bool | None, likely_day_first: bool) -> DateChoice | None:
    """Find how the dates of a column are written.

    Parameters
    ----------
    values : pa.Array
        Texts, none of them a missing word, at least one not null.
    day_first : bool, optional
        What a person said of the whole file.
    likely_day_first : bool
        Which order is likelier where both are possible.

    Returns
    -------
    DateChoice or None
        ``None`` if some value is no date.
    """
    first = next(value for value in values.to_pylist() if value is not None) if len(values) else ""
    if len(first) < 6 or not any(mark in first for mark in "-/. "):
        return None
    plain: tuple[DateReading, ...] = (DateReading("iso"), DateReading("ymd"))
    if any_match(values.slice(0, 100), _ZONE):
        plain = (DateReading("iso", zoned=True), *plain)
    for reading in (*plain, DateReading("named")):
        if reading.parse(values) is not None:
            return DateChoice(reading)
    orders: tuple[Order, ...] = ("dmy", "mdy") if likely_day_first else ("mdy", "dmy")
    if day_first is not None:
        orders = ("dmy",) if day_first else ("mdy",)
    fits = [reading for reading in map(DateReading, orders) if reading.parse(values) is not None]
    if not fits:
        return None
    return DateChoice(fits[0], fits[1] if len(fits) == 2 else None)


def has_short_years(values: pa.Array) -> bool:
    """Whether some date has a year of two digits."""
    return any_match(values, _SHORT_YEAR)


def _sub(values: pa.Array, pattern: str, new: str) -> pa.Array:
    return pc.replace_substring_regex(values, pattern, new)


def _near_zone(values: pa.Array) -> pa.Array:
    """Return times with their zone right behind them and UTC by its letter."""
    if not any_match(values, _FAR_ZONE):
        return values
    return _sub(_sub(values, r" (?:UTC|GMT)$", "Z"), r" ([-+]\d{2}:?\d{2})$", r"\1")


def _clock(values: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Return times in 24 hours and full width, but for the afternoons, which are told apart."""
    text = _sub(values, r"^(.{10}),?[ T]+", r"\1 ")
    text = _sub(text, r"^(.{11})(\d:)", r"\10\2")
    if not any_match(text, r"[AaPp]\.?[Mm]\.?$"):
        return text, None
    afternoon = pc.match_substring_regex(text, r"[Pp]\.?[Mm]\.?$")
    twelve = pc.match_substring_regex(text, r"[AaPp]\.?[Mm]\.?$")
    midnight = _sub(text, r"^(.{11})12:", r"\100:")
    text = pc.if_else(twelve, midnight, text)
    return _sub(text, r" ?[AaPp]\.?[Mm]\.?$", ""), afternoon


def _to_time(values: pa.Array, to: pa.DataType) -> pa.Array | None:
    """Arrow's parsing of ISO times; more than six digits of a second are cut to microseconds."""
    found = cast(values, to)
    if found is None and any_match(values.slice(0, 1000), r":\d{2}\.\d{7,9}"):
        found = cast(_sub(values, r"(:\d{2}\.\d{6})\d{1,3}", r"\1"), to)
    return found
