"""Numbers as people and programs write them, read by the column."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from automl_jupyter.data import arrow
from automl_jupyter.data.model import ColumnType

_EXACT = 2.0**53
_SPACES = " \u00a0\u202f"
_UNITS = "[$€£¥%]|USD|EUR|GBP|CHF|kr"
_UNIT = re.compile(_UNITS)
_SIGNS = r"−|∞|^\s*[$€£¥]?\s*\(.*\)\s*$|\d\s*-\s*$"


def all_match(values: pa.Array, pattern: str) -> bool:
    """Whether every value that is not missing matches an RE2 pattern."""
    return pc.all(pc.match_substring_regex(values, pattern)).as_py() is not False


def any_match(values: pa.Array, pattern: str) -> bool:
    """Whether some value matches an RE2 pattern."""
    return pc.any(pc.match_substring_regex(values, pattern)).as_py() is True


def any_starts(values: pa.Array, start: str) -> bool:
    """Whether some value starts so and goes on."""
    started = pc.starts_with(values, start)
    if pc.any(started).as_py() is not True:
        return False
    longer = pc.greater(pc.binary_length(values), arrow.whole(len(start)))
    return pc.any(pc.and_(started, longer)).as_py() is True


def cast(values: pa.Array, to: pa.DataType) -> pa.Array | None:
    """Arrow's own parsing of texts, or ``None`` if one of them is not of that type."""
    try:
        return pc.cast(values, to)
    except pa.ArrowInvalid:
        return None


@dataclass(frozen=True)
class IntegerReading:
    """Whole numbers as programs write them, within 64 bits and without leading zeros."""

    type: ClassVar[ColumnType] = "integer"
    arrow: ClassVar[pa.DataType] = pa.int64()

    def parse(self, values: pa.Array) -> pa.Array | None:
        """Return the numbers, or ``None`` if some value is none or starts with a zero that would be lost."""
        found = cast(values, pa.int64())
        if found is None or any_starts(values, "0") or any_starts(values, "-0"):
            return None
        return found


@dataclass(frozen=True)
class NumberReading:
    """Numbers with a decimal mark, and where asked for, groups of thousands and a currency or percent sign.

    Attributes
    ----------
    decimal : str
        ``.`` or ``,``.
    thousands : str
        Between groups of three digits; empty for none. A blank stands for every kind of blank.
    unit : str
        The sign before or after every number; empty for none.
    whole : bool
        Whether to store the numbers as integers.
    lenient : bool
        Whether leading zeros and digits beyond a float's may be lost, as when a person asked for numbers.
    signs : bool
        Whether to take signs as accountants and typesetters write them: ``(5)``, ``5-``, ``−5``, ``∞``.
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    whole: bool = False
    lenient: bool = False
    signs: bool = False

    @property
    def type(self) -> ColumnType:
        """How the values are stored."""
        return "integer" if self.whole else "number"

    @property
    def arrow(self) -> pa.DataType:
        """How Arrow stores the values."""
        return pa.int64() if self.whole else pa.float64()

    @property
    def plain(self) -> bool:
        """Whether the numbers are written as programs write them."""
        signed = self.unit or self.lenient or self.signs
        return self.decimal == "." and not self.thousands and not signed

    def parse(self, values: pa.Array) -> pa.Array | None:
        """Return the numbers, or ``None`` if some value is none, or would lose digits."""
        if self.plain:
            found = cast(values, self.arrow)
            return found if found is None or self.whole else _without_loss(values, found)
        if not all_match(values, self.pattern()):
            return None
        text = values
        if self.unit:
            text = pc.replace_substring(text, self.unit, "")
        if self.unit or self.signs:
            text = pc.replace_substring_regex(text, r"^\s*\(\s*(.*?)\s*\)\s*$", r"-\1")
        if self.signs:
            text = pc.replace_substring_regex(text, r"^(.*\d)[\s\x{a0}\x{202f}]*-\s*$", r"-\1")
            text = pc.replace_substring(pc.replace_substring(text, "−", "-"), "∞", "inf")
        if self.thousands and self.thousands not in _SPACES:
            text = pc.replace_substring(text, self.thousands, "")
        if self.decimal != ".":
            text = pc.replace_substring(text, self.decimal, ".")
        text = pc.replace_substring_regex(text, r"[\s+\x{a0}\x{202f}]+", "")
        if self.whole and self.lenient:
            text = pc.replace_substring_regex(text, r"\.0*$", "")
        found = cast(text, self.arrow)
        return found if found is None or self.whole or self.lenient else _without_loss(text, found)

    def _thousands(self) -> str:
        return r"[ \x{a0}\x{202f}]" if self.thousands in _SPACES else re.escape(self.thousands)

    def pattern(self) -> str:
        """Return the RE2 pattern of one number."""
        whole = r"\d+"
        if self.thousands:
            whole = rf"(?:[1-9]\d{{0,2}}(?:{self._thousands()}\d{{3}})+|\d+)"
        mark = re.escape(self.decimal)
        power = "" if self.thousands else r"(?:[eE][-+]?\d+)?"
        number = rf"(?:{whole}(?:{mark}\d*)?|{mark}\d+){power}"
        if self.signs and not self.unit:
            return rf"^\s*(?:[-+−]?\s*(?:{number}|∞|(?i:inf(?:inity)?))|\(\s*{number}\s*\)|{number}\s*-)\s*$"
        if not self.unit:
            return rf"^\s*[-+]?(?:{number}|(?i:inf(?:inity)?))\s*$"
        sign = "[-+−]" if self.signs else "[-+]"
        unit = re.escape(self.unit)
        signed = rf"{sign}?\s*(?:{unit}\s*{sign}?\s*{number}|{number}[\s\x{{a0}}\x{{202f}}]*{unit})"
        in_parentheses = rf"\({unit}\s*{number}\)|\({number}\s*{unit}\)|{unit}\s*\({number}\)|\({number}\)"
        return rf"^\s*(?:{signed}|{in_parentheses}|{sign}?{number})\s*$"


def _without_loss(values: pa.Array, found: pa.Array) -> pa.Array | None:
    """Return the numbers, NaN as missing, or ``None`` if a whole number has more digits than a float."""
    bounds = pc.min_max(pc.if_else(pc.is_finite(found), found, pa.NULL))
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    if low is not None and max(-low, high) >= _EXACT and any_match(values, r"^[-+]?\d{16,}$"):
        return None
    if pc.any(pc.is_nan(found)).as_py():
        return pc.if_else(pc.is_nan(found), pa.NULL, found)
    return found


@dataclass(frozen=True)
class Choice:
    """How numbers can be read: the likeliest way, and another that gives other numbers."""

    reading: IntegerReading | NumberReading
    rival: IntegerReading | NumberReading | None = None


def infer(
    values: pa.Array,
    *,
    decimal: str | None,
    thousands: str | None,
    comma_likely: bool,
    comma_seen: bool,
    lenient: bool = False,
) -> Choice | None:
    """Find how the numbers of a column are written.

    Parameters
    ----------
    values : pa.Array
        Texts, none of them a missing word, at least one not null.
    decimal, thousands : str, optional
        What a person said of the whole file.
    comma_likely : bool
        Whether a decimal comma is likelier than a comma between thousands where both are possible.
    comma_seen : bool
        Whether another column of the file has decimal commas for sure.
    lenient : bool
        Whether leading zeros are no sign of a code.

    Returns
    -------
    Choice or None
        ``None`` if some value is no number, or the numbers are codes with leading zeros.
    """
    if not lenient and any_match(values, r"^\s*[-+]?0\d+\s*$"):
        return None
    if decimal in (None, ".") and thousands != ".":
        integers = IntegerReading()
        if integers.parse(values) is not None:
            return Choice(integers)
        plain = NumberReading(lenient=lenient)
        if plain.parse(values) is not None:
            grouped = _grouped(values, thousands) if decimal is None and comma_likely else None
            if grouped is not None and comma_seen:
                return Choice(grouped, plain)
            return Choice(plain, grouped)
    unit = unit_of(values)
    # Where each value stands in parentheses, they mean something else than negative.
    signs = any_match(values, _SIGNS) and any_match(values, r"^[^(]*$")
    fits = [
        reading
        for mark, group in (
            (".", ""),
            (",", ""),
            (".", ","),
            (",", "."),
            (".", " "),
            (",", " "),
            (".", "'"),
            (".", "’"),
        )
        if decimal in (None, mark) and (thousands is None or group in ("", thousands))
        for reading in (NumberReading(mark, group, unit, lenient=lenient, signs=signs),)
        if reading.parse(values) is not None
    ]
    if not fits:
        return None
    rival = None
    if fits[0].decimal == "," and not fits[0].thousands and len(fits) > 1 and fits[1].thousands == ",":
        # Every comma is followed by exactly three digits: 1,234 may be a thousand or a little more than one.
        other = None if comma_seen else fits[1]
        fits, rival = (fits, other) if comma_likely else (fits[1:], fits[0])
    elif fits[0].decimal == "." and not fits[0].thousands and unit:
        other = NumberReading(",", ".", unit, lenient=lenient, signs=signs)
        if any_match(values, r"\.") and all_match(values, r"^\D*\d{1,3}(?:\.\d{3})*\D*$") and other in fits:
            fits, rival = ([other], fits[0]) if comma_likely else (fits, other)
    return Choice(_wholes(values, fits[0]), rival and _wholes(values, rival))


def _grouped(values: pa.Array, thousands: str | None) -> NumberReading | None:
    """The reading of dots as standing between thousands, where a file may have decimal commas and it fits."""
    grouped = NumberReading(",", ".")
    if thousands not in (None, ".") or not any_match(values, r"\.") or any_match(values, r"^\s*[-+]?0\."):
        return None
    return None if grouped.parse(values) is None else _wholes(values, grouped)


def _wholes(values: pa.Array, reading: NumberReading) -> NumberReading:
    whole = replace(reading, whole=True)
    if any_match(values, re.escape(reading.decimal)):
        return reading
    return whole if whole.parse(values) is not None else reading


def unit_of(values: pa.Array) -> str:
    """Return the currency or percent sign of the first value that has one, or nothing."""
    for value in values.drop_null().slice(0, 20).to_pylist():
        found = _UNIT.search(value)
        if found:
            return found.group()
    return ""
