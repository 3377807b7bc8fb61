"""How one cell is read: the same functions serve a single row and, value by distinct value, a whole column.

A reader returns the cell's value, NaN or None where it is missing, and raises ValueError where the cell
cannot be what the column is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

import numpy as np

DATE_FORMATS = (
    "",  # ISO 8601, by datetime.fromisoformat
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%d %b %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
)
"""The ways of writing a date that are tried, in order; day first wins where both fit."""

_LOOKS_LIKE_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d|\d{1,2}\s+[A-Za-z]{3,9}\.?,?\s+\d{4}|[A-Za-z]{3,9} \d"
)
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0", "on", "oui", "vrai"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0", "off", "non", "faux"})
HUGE = 1e300


def is_missing(value: object) -> bool:
    """Tell whether a cell holds nothing: None, NaN, NaT, pandas.NA or a blank string."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    if isinstance(value, float | np.floating):
        return bool(value != value)  # noqa: PLR0124 - only NaN differs from itself
    # NaT and NA are recognised by name, so that pandas stays off the path of a single row.
    return type(value).__name__ in ("NaTType", "NAType") or (
        isinstance(value, np.datetime64) and bool(np.isnat(value))
    )


def read_number(value: object) -> float:
    """Read a number; numbers beyond ±1e300 and infinities become ±1e300.

    Raises
    ------
    ValueError
        If the cell holds something else.
    """
    if is_missing(value):
        return math.nan
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        number = math.inf if value > 0 else -math.inf  # type: ignore[operator]
    except TypeError as error:
        raise ValueError(str(value)) from error
    return min(max(number, -HUGE), HUGE) if number == number else math.nan  # noqa: PLR0124


def read_boolean(value: object) -> float:
    """Read yes or no, as 1.0 or 0.0.

    Raises
    ------
    ValueError
        If the cell holds something else.
    """
    if is_missing(value):
        return math.nan
    if isinstance(value, str):
        word = value.strip().casefold()
        if word in _TRUE or word in _FALSE:
            return float(word in _TRUE)
    elif isinstance(value, bool | np.bool_ | int | float | np.number) and value in (0, 1):
        return float(value)
    raise ValueError(str(value))


def read_label(value: object) -> str | None:
    """Read a category: whole numbers are written without a fraction, so that 3 and 3.0 are the same."""
    if is_missing(value):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, float | np.floating) and math.isfinite(value) and value == math.floor(value):
        return str(int(value))
    return str(value)


def read_date(value: object, form: str = "") -> float:
    """Read a moment, as seconds since 1970 in UTC; a moment without a zone is taken for UTC.

    Parameters
    ----------
    value : object
        A datetime, date, datetime64, or a string.
    form : str
        The format of strings beside ISO 8601, one of :data:`DATE_FORMATS`.

    Raises
    ------
    ValueError
        If the cell holds something else.
    """
    if is_missing(value):
        return math.nan
    if isinstance(value, np.datetime64):
        return float(value.astype("datetime64[us]").astype(np.int64)) / 1e6
    if isinstance(value, str):
        value = _parse(value.strip(), form)
    if isinstance(value, datetime):
        moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return moment.timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    raise ValueError(str(value))


def _parse(text: str, form: str) -> datetime:
    if form:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            pass
    return datetime.fromisoformat(text)


def find_date_format(texts: list[str]) -> str | None:
    """Find the way in which at least 95 % of some strings write a date; None if there is none.

    ISO 8601 is the empty string. Strings of digits alone are not taken for dates.
    """
    if not texts or sum(bool(_LOOKS_LIKE_DATE.search(text)) for text in texts) < 0.95 * len(texts):
        return None
    counts = {form: sum(_readable(text, form) for text in texts) for form in DATE_FORMATS}
    best = max(DATE_FORMATS, key=lambda form: counts[form])
    return best if counts[best] >= 0.95 * len(texts) else None


def _readable(text: str, form: str) -> bool:
    try:
        read_date(text, form)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Marks:
    """Values that stand for a missing one, however they are written: -999, "-999" and -999.0 are the same.

    Attributes
    ----------
    texts : frozenset of str
        As labels, without blanks around them.
    numbers, moments : frozenset of float
        As numbers and as seconds since 1970, where they can be read so.
    """

    texts: frozenset[str]
    numbers: frozenset[float]
    moments: frozenset[float]

    def __contains__(self, value: object) -> bool:
        label = read_label(value)
        if label is None or isinstance(value, bool | np.bool_):
            return label is not None and label in self.texts
        if label.strip() in self.texts:
            return True
        if isinstance(value, date | np.datetime64):
            return read_date(value) in self.moments
        if isinstance(value, str) and self.moments & _read_all([value], read_date):
            return True
        return bool(self.numbers & _read_all([value], read_number))


@lru_cache(maxsize=256)
def marks_of(values: tuple[str | float, ...]) -> Marks:
    """Prepare values that stand for a missing one; the same values give the same object."""
    labels = (read_label(value) for value in values)
    return Marks(
        frozenset(label.strip() for label in labels if label is not None),
        _read_all(values, read_number),
        _read_all([value for value in values if isinstance(value, str)], read_date),
    )


def _read_all(values: Iterable[object], reader: Callable[[object], float]) -> frozenset[float]:
    """Read what can be read."""
    found = set()
    for value in values:
        try:
            found.add(reader(value))
        except ValueError:
            continue
    return frozenset(number for number in found if not math.isnan(number))


def shown(value: object) -> str:
    """Write a cell for a message, shortened to 80 characters."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


READERS: Mapping[str, Callable[[object], float]] = {"numeric": read_number, "boolean": read_boolean}
"""Readers that need nothing but the cell, by kind of column."""
