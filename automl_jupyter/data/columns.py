"""A column while its file is being read: type, missing words and counts, batch by batch."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from automl_jupyter.data import arrow, types
from automl_jupyter.data.dates import DateReading, has_short_years
from automl_jupyter.data.model import ColumnOptions, ColumnType
from automl_jupyter.data.types import Finding, Hints, Reading, TextReading, TextReason

DISTINCT_CAP = 100_000
_SAMPLE = 5_000
_MAX_CHANGES = 3


class Distinct:
    """Counts distinct values up to a cap.

    Attributes
    ----------
    seen : pa.Array, optional
        The values in the order in which they came; ``None`` before the first and beyond the cap.
    """

    def __init__(self) -> None:
        self.seen: pa.Array | None = None
        self.count = 0
        self.capped = False

    def add(self, values: pa.Array) -> None:
        """Take in further values; missing ones do not count."""
        if self.capped:
            return
        new = pc.drop_null(pc.unique(values))
        if self.seen is not None and len(new):
            new = pc.unique(pa.concat_arrays([self.seen, new]))
        if self.seen is None or len(new):
            self.seen = new
            self.count = len(new)
        if self.count > DISTINCT_CAP:
            self.count, self.capped, self.seen = DISTINCT_CAP, True, None


class ColumnReader:
    """Reads one column; changes its mind when a later value contradicts, and says so.

    Parameters
    ----------
    name : str
        The column's name.
    forced : ColumnType, optional
        The type that a person asked for; values that are not of it are read as missing.
    told : ColumnOptions
        What a person decided on how its values are written; its ``missing_values`` are the only words that
        stand for a missing value.
    """

    def __init__(self, name: str, forced: ColumnType | None, told: ColumnOptions) -> None:
        self.name = name
        self.forced = forced
        self.words = None if told.missing_values is None else frozenset(told.missing_values)
        self._told = told
        self.finding = Finding(TextReading(), undecided=True)
        self.keeps_na = False
        self.sample: pa.Array = pa.nulls(0, pa.string())
        self._changes = 0
        self.begin()

    def begin(self) -> None:
        """Start over with what is known about the column by now."""
        self.missing = 0
        self.distinct = Distinct()
        self.words_met: set[str] = set()
        self.infinite = 0
        self.rival_fits = True
        self.rival_differs = False
        self.short_years = False
        self.unreadable = 0
        self.unreadable_examples: list[str] = []

    @property
    def ambiguous(self) -> bool:
        """Whether every value read so far could be read another way, and some would be other values then."""
        return self.finding.rival is not None and self.rival_fits and self.rival_differs

    @property
    def speaks_for_others(self) -> bool:
        """Whether how its values are written tells how those of other columns are: found, and for sure."""
        told = self._told
        alone = told.decimal is None and told.thousands is None and told.day_first is None
        return alone and self.finding.rival is None

    @property
    def is_text(self) -> bool:
        """Whether the values are kept as texts."""
        return isinstance(self.finding.reading, TextReading)

    @property
    def arrow(self) -> pa.DataType:
        """The type that the values are stored as."""
        return self.finding.reading.arrow

    def decide(self, values: pa.Array, hints: Hints) -> None:
        """Decide on a type by the first values of the column."""
        self.sample = values.slice(0, _SAMPLE)
        hints = self._own(hints)
        if self.forced is not None:
            self.finding = Finding(types.forced(self.forced, values, hints))
            return
        self.finding = types.infer(self._without_given_words(values), hints)
        self.keeps_na = self.is_text and types.looks_like_codes(self.sample)

    def read(self, values: pa.Array, hints: Hints, text_words: frozenset[str]) -> tuple[pa.Array, bool]:
        """Read further values.

        Parameters
        ----------
        values : pa.Array
            Texts; empty cells are null.
        hints : Hints
            For deciding anew.
        text_words : frozenset of str
            The words that stand for a missing value in columns of texts.

        Returns
        -------
        values : pa.Array
            Of the type :attr:`arrow`.
        changed : bool
            Whether the type changed, so that what was read before must be read again.
        """
        before = self.arrow
        changed = False
        hints = self._own(hints)
        if self.is_text:
            found = self._texts(values, text_words)
            if self.finding.undecided and len(found) > found.null_count:
                changed = self._decide_anew(values, hints)
        else:
            parsed = self._parsed(values, self.finding.reading)
            if parsed is None:
                changed = self._decide_anew(values, hints)
                parsed = None if self.is_text else self._parsed(values, self.finding.reading)
            if parsed is None:
                self.finding = self.finding if self.is_text else Finding(TextReading())
                parsed = self._texts(values, text_words)
            found = parsed
        if changed or not before.equals(self.arrow):
            return found, True
        self._count(values, found)
        return found, False

    def _own(self, hints: Hints) -> Hints:
        """Return the hints with what a person said of this column alone."""
        told = self._told
        return replace(
            hints,
            decimal=hints.decimal if told.decimal is None else told.decimal,
            thousands=hints.thousands if told.thousands is None else told.thousands,
            day_first=hints.day_first if told.day_first is None else told.day_first,
        )

    def _decide_anew(self, values: pa.Array, hints: Hints) -> bool:
        """Decide on a type by the first values and these together; whether that changed anything."""
        old = self.finding
        self._changes += 1
        both = pa.concat_arrays([self.sample, values])
        self.finding = types.infer(self._without_given_words(both), hints)
        if self._changes > _MAX_CHANGES:
            reason, examples = types.why_text(both.drop_null())
            self.finding = Finding(TextReading(), reason=reason, examples=examples)
        if self.is_text and not old.undecided and old.reading.type != "boolean":
            self._explain(old.reading, values)
        return self.finding.reading != old.reading

    def _explain(self, old: Reading, values: pa.Array) -> None:
        """Say which of the values made texts of what were numbers or dates so far."""
        if self.finding.reason in ("leading_zeros", "long_digits"):
            return
        reason: TextReason = "mixed_dates" if isinstance(old, DateReading) else "mixed_numbers"
        present = values.drop_null()
        kept = present.filter(pc.invert(types.missing_words(present, self.words)))
        examples = tuple(value[:40] for value in types.unreadable(old, types.trimmed(kept))[:3])
        self.finding = Finding(TextReading(), reason=reason, examples=examples)

    def _without_given_words(self, values: pa.Array) -> pa.Array:
        if self.words is None:
            return values
        return pc.if_else(types.missing_words(values, self.words), pa.NULL, values)

    def _texts(self, values: pa.Array, text_words: frozenset[str]) -> pa.Array:
        words = self.words if self.words is not None else text_words
        if self.keeps_na and self.words is None:
            words = words - {"NA"}
        mask = types.missing_texts(values, arrow.texts(sorted(words)))
        if pc.any(mask).as_py() is not True:
            return values
        met = values.filter(mask).unique().to_pylist()
        self.words_met |= {word if word.strip() else " " for word in met}
        return pc.if_else(mask, pa.NULL, values)

    def _parsed(self, values: pa.Array, reading: Reading) -> pa.Array | None:
        """Return the values as a reading has them, or ``None`` if one cannot be read."""
        found = reading.parse(values) if self.words is None else None
        if found is not None:
            if found.null_count > values.null_count:
                lost = values.filter(pc.and_(found.is_null(), values.is_valid()))
                self.words_met |= set(lost.unique().to_pylist())
            return found
        mask = types.missing_words(values, self.words)
        if pc.any(mask).as_py():
            met = values.filter(mask).unique().to_pylist()
            self.words_met |= {word.strip() or " " for word in met}
            values = pc.if_else(mask, pa.NULL, values)
        values = types.trimmed(values)
        found = reading.parse(values)
        if found is None and self.forced is not None:
            bad = types.unreadable(reading, values)
            mask = pc.is_in(values, value_set=arrow.texts(bad))
            self.unreadable += pc.sum(mask).as_py()
            self.unreadable_examples = [*self.unreadable_examples, *(v[:40] for v in bad)][:3]
            found = reading.parse(pc.if_else(mask, pa.NULL, values))
        return found

    def _count(self, raw: pa.Array, found: pa.Array) -> None:
        self.missing += found.null_count
        self.distinct.add(found)
        reading = self.finding.reading
        if reading.type == "number":
            self.infinite += pc.sum(pc.is_inf(found)).as_py() or 0
        if isinstance(reading, DateReading) and reading.order in ("dmy", "mdy", "named"):
            self.short_years = self.short_years or has_short_years(raw)
        rival = self.finding.rival
        if rival is not None and self.rival_fits:
            other = self._parsed(raw, rival)
            self.rival_fits = other is not None
            self.rival_differs = self.rival_differs or (other is not None and not other.equals(found))
