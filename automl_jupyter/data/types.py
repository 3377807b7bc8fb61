"""Which type the texts of a column are, and which words among them stand for a missing value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from automl_jupyter.data import arrow, dates, numbers
from automl_jupyter.data.dates import DateReading
from automl_jupyter.data.model import ColumnType
from automl_jupyter.data.numbers import IntegerReading, NumberReading, all_match, any_match

_TEXT_WORDS = r"NA N/A n/a #N/A <NA> NaN nan NAN NULL null Null (null) ? \N #NULL! NaT"
MISSING_IN_TEXT = frozenset(_TEXT_WORDS.split())
"""Words that hardly ever are a value, even in a column of texts."""

_ONE_WORD = (
    r"na n/a #n/a <na> nan -nan +nan null (null) #null! nat \n ? ?? - -- --- – — . .. ... * none n.a. n.a "
    r"n/d n.d. nd nc n.c. nr missing unknown unk undefined blank (blank) inconnu tbd #div/0! #value! "
    r"#ref! #name? #num! 1.#qnan -1.#qnan 1.#ind -1.#ind"
)
_ZERO_DATES = ("0000-00-00", "0000-00-00 00:00:00")
_SEVERAL_WORDS = (
    "",
    "#n/a n/a",
    "not available",
    "not applicable",
    "no data",
    "non disponible",
    "s/o",
    *_ZERO_DATES,
)
MISSING_IN_NUMBERS = frozenset((*_ONE_WORD.split(), *_SEVERAL_WORDS))
"""Words, in lower case and trimmed, that stand for a missing value among numbers, dates or truth values."""

_NUMERIC = r"^\s*[-+]?\s*[$€£¥]?\s*(?:\d[\d,. ]*|[.,]\d+)(?:[eE][-+]?\d+)?\s*[%$€£¥]?\s*$"
_DATELIKE = (
    r"^\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})"
    r"(?:[ T]\d{1,2}:\d{2}[\d:.]*\s*(?:[AaPp][Mm]|Z|[-+]\d\d:?\d\d)?)?\s*$"
)
_MOSTLY = 0.8
_TRUE, _FALSE = ("true", "vrai", "wahr"), ("false", "faux", "falsch")  # as spreadsheets write them
_LOOKED_AT = 100

TextReason = Literal["leading_zeros", "long_digits", "mixed_numbers", "mixed_dates"]


@dataclass(frozen=True)
class BooleanReading:
    """True and false; with ``wide`` also yes and no, 1 and 0 and the like, for who asks for truth values."""

    wide: bool = False
    type: ClassVar[ColumnType] = "boolean"
    arrow: ClassVar[pa.DataType] = pa.bool_()

    def parse(self, values: pa.Array) -> pa.Array | None:
        """Return the truth values, or ``None`` if some value is none."""
        yes = [*_TRUE, "yes", "y", "t", "1", "oui", "o", "on"] if self.wide else _TRUE
        no = [*_FALSE, "no", "n", "f", "0", "non", "off"] if self.wide else _FALSE
        lowered = pc.utf8_lower(values)
        true = pc.is_in(lowered, value_set=arrow.texts(yes))
        known = pc.or_(true, pc.is_in(lowered, value_set=arrow.texts(no)))
        if pc.all(pc.or_(known, values.is_null())).as_py() is False:
            return None
        return pc.if_else(values.is_valid(), true, pa.NULL)


@dataclass(frozen=True)
class TextReading:
    """Texts, kept exactly as they are written."""

    type: ClassVar[ColumnType] = "string"
    arrow: ClassVar[pa.DataType] = pa.string()

    def parse(self, values: pa.Array) -> pa.Array:
        """Return the values themselves."""
        return values


Reading = IntegerReading | NumberReading | BooleanReading | DateReading | TextReading


@dataclass(frozen=True)
class Hints:
    """What the rest of the file and the person say about how its columns are written.

    Attributes
    ----------
    decimal, thousands, day_first
        As in :class:`~automl_jupyter.data.model.ReadOptions`.
    comma_likely : bool
        Whether a comma is likelier to be a decimal mark than to stand between thousands.
    comma_seen : bool
        Whether some column has decimal commas for sure.
    day_first_likely : bool
        Whether 01/02 is likelier to be in February.
    """

    decimal: str | None = None
    thousands: str | None = None
    day_first: bool | None = None
    comma_likely: bool = False
    comma_seen: bool = False
    day_first_likely: bool = True


@dataclass(frozen=True)
class Finding:
    """How a column is to be read, and how else it could be.

    Attributes
    ----------
    reading : Reading
        The likeliest way.
    rival : Reading, optional
        A way that fits as well and gives other values.
    reason : TextReason, optional
        Why a column that looks like something else stays text.
    examples : tuple of str
        Values that are the reason.
    undecided : bool
        Whether there was no value to decide by.
    """

    reading: Reading
    rival: Reading | None = None
    reason: TextReason | None = None
    examples: tuple[str, ...] = ()
    undecided: bool = False


def infer(values: pa.Array, hints: Hints) -> Finding:
    """Find the type of a column.

    Parameters
    ----------
    values : pa.Array
        Texts; empty cells are null.
    hints : Hints
        What else is known.
    """
    present = values.drop_null()
    kept = present.filter(pc.invert(missing_words(present)))
    if not len(kept):
        return Finding(TextReading(), undecided=True)
    kept = trimmed(kept)
    if kept[0].as_py().lower() in (*_TRUE, *_FALSE) and BooleanReading().parse(kept) is not None:
        return Finding(BooleanReading())
    if all_match(kept.slice(0, _LOOKED_AT), r"\d|^[-+]?[Ii]nf|∞"):
        number = numbers.infer(
            kept,
            decimal=hints.decimal,
            thousands=hints.thousands,
            comma_likely=hints.comma_likely,
            comma_seen=hints.comma_seen,
        )
        if number is not None:
            return Finding(number.reading, number.rival)
        date = dates.infer(kept, day_first=hints.day_first, likely_day_first=hints.day_first_likely)
        if date is not None:
            return Finding(date.reading, date.rival)
    reason, examples = why_text(kept)
    return Finding(TextReading(), reason=reason, examples=examples)


def why_text(values: pa.Array) -> tuple[TextReason | None, tuple[str, ...]]:
    """Why texts, most of which look like numbers or dates, are not read as such, with some of the others."""
    if all_match(values, r"^[-+]?\d+$"):
        zeros = values.filter(pc.match_substring_regex(values, r"^[-+]?0\d"))
        if len(zeros):
            return "leading_zeros", _some(zeros)
        return "long_digits", _some(values.filter(pc.greater(pc.binary_length(values), arrow.whole(15))))
    if _share(values, _NUMERIC) >= _MOSTLY:
        return _why_not_numbers(values)
    if _share(values, _DATELIKE) >= _MOSTLY:
        some = values.slice(0, 2000)
        bad = min((unreadable(DateReading(order), some) for order in ("iso", "dmy", "mdy")), key=len)
        return "mixed_dates", tuple(value[:40] for value in bad[:3])
    return None, ()


def _why_not_numbers(values: pa.Array) -> tuple[TextReason | None, tuple[str, ...]]:
    """Why texts that mostly look like numbers are none: others among them, many digits, or mixed marks."""
    others = _some(values.filter(pc.invert(pc.match_substring_regex(values, _NUMERIC))))
    if others:
        return "mixed_numbers", others
    long = values.filter(pc.match_substring_regex(values, r"^[-+]?\d{16,}$"))
    if len(long):
        return "long_digits", _some(long)
    some = values.slice(0, 2000).unique()
    bad = min((unreadable(NumberReading(mark), some) for mark in ".,"), key=len)
    few = len(bad) <= (1 - _MOSTLY) * len(some)
    return ("mixed_numbers", tuple(value[:40] for value in bad[:3])) if few else (None, ())


def _share(values: pa.Array, pattern: str) -> float:
    return pc.mean(pc.match_substring_regex(values, pattern)).as_py() or 0.0


def forced(type_: ColumnType, values: pa.Array, hints: Hints) -> Reading:
    """Return the reading of the type that a person asked for which fits most values."""
    if type_ == "string":
        return TextReading()
    if type_ == "boolean":
        return BooleanReading(wide=True)
    present = values.drop_null()
    kept = trimmed(present.filter(pc.invert(missing_words(present))).slice(0, 1000))
    candidates = _dates(hints) if type_ == "datetime" else _numbers(kept, hints, whole=type_ == "integer")
    return max(candidates, key=lambda reading: len(kept) - len(unreadable(reading, kept)))


def _dates(hints: Hints) -> list[Reading]:
    """Return every way to read dates, the likeliest first."""
    orders: tuple[dates.Order, ...] = ("dmy", "mdy") if hints.day_first_likely else ("mdy", "dmy")
    if hints.day_first is not None:
        orders = ("dmy",) if hints.day_first else ("mdy",)
    kept: list[Reading] = [DateReading("iso"), DateReading("iso", zoned=True)]
    return kept + [DateReading(order) for order in ("ymd", *orders, "named")]


def _numbers(values: pa.Array, hints: Hints, *, whole: bool) -> list[Reading]:
    """Return the ways to read numbers: the one that reads all values, or else all that a person allows."""
    unit = numbers.unit_of(values)
    choice = numbers.infer(
        values,
        decimal=hints.decimal,
        thousands=hints.thousands,
        comma_likely=hints.comma_likely,
        comma_seen=hints.comma_seen,
        lenient=True,
    )
    if choice is not None and isinstance(choice.reading, NumberReading):
        return [replace(choice.reading, whole=whole, lenient=True)]
    marks = ((".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "))
    allowed = [
        (mark, group)
        for mark, group in (marks if choice is None else marks[:1])
        if hints.decimal in (None, mark) and hints.thousands in (None, group)
    ]
    default = (hints.decimal or ".", hints.thousands or "")
    return [NumberReading(mark, group, unit, whole, True, signs=True) for mark, group in allowed or [default]]


def unreadable(reading: Reading, values: pa.Array) -> list[str]:
    """Return the distinct values that a reading cannot read."""
    found = values.drop_null().unique()
    if not isinstance(reading, NumberReading | DateReading) or not len(found):
        return _split_unreadable(reading, found)
    likely = pc.match_substring_regex(found, reading.pattern())
    no: list[str] = found.filter(pc.invert(likely)).to_pylist()
    return no + _split_unreadable(reading, found.filter(likely))


def _split_unreadable(reading: Reading, values: pa.Array) -> list[str]:
    if not len(values) or reading.parse(values) is not None:
        return []
    if len(values) == 1:
        return [values[0].as_py()]
    middle = len(values) // 2
    halves = values.slice(0, middle), values.slice(middle)
    return [value for half in halves for value in _split_unreadable(reading, half)]


def missing_words(values: pa.Array, words: frozenset[str] | None = None) -> pa.Array:
    """Which values stand for a missing one among numbers, dates or truth values.

    Parameters
    ----------
    values : pa.Array
        Texts.
    words : frozenset of str, optional
        The only words that do, as a person gave them; blanks always do.
    """
    text = trimmed(values)
    if words is not None:
        return pc.is_in(text, value_set=arrow.texts(sorted(words | {""})))
    return pc.is_in(pc.utf8_lower(text), value_set=_NUMBER_WORDS)


def missing_texts(values: pa.Array, words: pa.Array) -> pa.Array:
    """Which values of a column of texts are one of the words, or nothing but blanks."""
    blank = pc.utf8_is_space(values)
    return pc.or_(blank, pc.is_in(values, value_set=words)) if len(words) else blank


def looks_like_codes(values: pa.Array) -> bool:
    """Whether the values are codes of two capitals, among which NA may be one (Namibia, North America)."""
    kept = values.drop_null().unique()
    kept = kept.filter(pc.not_equal(kept, arrow.text("NA")))
    return len(kept) >= 3 and all_match(kept, r"^[A-Z]{2}$")


def trimmed(values: pa.Array) -> pa.Array:
    """Texts without blanks around them."""
    return pc.utf8_trim_whitespace(values) if any_match(values, r"^[\s\x{a0}]|[\s\x{a0}]$") else values


def _some(values: pa.Array) -> tuple[str, ...]:
    return tuple(value[:40] for value in values.slice(0, 1000).unique().to_pylist()[:3])


_NUMBER_WORDS = arrow.texts(sorted(MISSING_IN_NUMBERS))
