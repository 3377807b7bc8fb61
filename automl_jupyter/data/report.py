"""What is told about a table that was read: columns, dialect, guesses and repairs, first rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from automl_jupyter.data import overrides, table, types
from automl_jupyter.data.columns import ColumnReader
from automl_jupyter.data.dates import DateReading
from automl_jupyter.data.layout import Layout
from automl_jupyter.data.model import Cell, Column, ColumnRead, Dialect, Notice, ReadOptions, ReadResult
from automl_jupyter.data.numbers import NumberReading

_EXAMPLES = 5
_EXAMPLE_LENGTH = 60
_CELL_LENGTH = 200
_LISTED = 5
_EXACT = 2**53
_Params = dict[str, str | int | float | bool | list[str]]
_TEXT_ACTIONS: dict[types.TextReason, str] = {
    "leading_zeros": "integer",
    "long_digits": "number",
    "mixed_numbers": "number",
    "mixed_dates": "datetime",
}


@dataclass(frozen=True)
class Outcome:
    """What reading left behind.

    Attributes
    ----------
    rows : int
        How many were read.
    readers : tuple of ColumnReader
        The columns and what was counted in them.
    first : pa.Table
        The first rows.
    """

    rows: int
    readers: tuple[ColumnReader, ...]
    first: pa.Table


def result(outcome: Outcome, layout: Layout, options: ReadOptions, mended: Iterable[Notice]) -> ReadResult:
    """Tell all that is known about a table that was read.

    Parameters
    ----------
    outcome : Outcome
        What reading left behind.
    layout : Layout
        How the file is laid out.
    options : ReadOptions
        What a person decided: this needs no notice.
    mended : iterable of Notice
        The repairs.
    """
    notices = [*layout.notices, *mended]
    notices += _missing([reader for reader in outcome.readers if reader.words is None])
    for reader in outcome.readers:
        notices += _column_notices(reader)
    return ReadResult(
        rows=outcome.rows,
        columns=tuple(_column(reader, outcome.rows) for reader in outcome.readers),
        dialect=_dialect(outcome.readers, layout, options),
        warnings=tuple(notices),
        preview=_preview(outcome.first),
    )


def _column(reader: ColumnReader, rows: int) -> Column:
    present = reader.sample.drop_null()
    texts = present.filter(pc.invert(types.missing_words(present))).slice(0, 1000)
    distinct = reader.distinct
    return Column(
        name=reader.name,
        type=reader.finding.reading.type,
        role=table.role(
            reader.name,
            reader.finding.reading.type,
            rows=rows,
            missing=reader.missing,
            distinct=distinct.count,
            capped=distinct.capped,
            texts=texts.to_pylist(),
        ),
        missing=reader.missing,
        distinct=distinct.count,
        distinct_capped=distinct.capped,
        examples=tuple(text[:_EXAMPLE_LENGTH] for text in texts.unique().to_pylist()[:_EXAMPLES]),
        read=_read(reader),
    )


def _read(reader: ColumnReader) -> ColumnRead:
    reading, words = reader.finding.reading, tuple(sorted(reader.words_met))
    told = ColumnRead(
        missing_values=words, text_because=reader.finding.reason, asked=reader.forced is not None
    )
    if isinstance(reading, DateReading):
        return replace(told, date_order=reading.order, zoned=reading.zoned)
    if isinstance(reading, NumberReading):
        return replace(told, decimal=reading.decimal, thousands=reading.thousands, unit=reading.unit)
    return told


def _dialect(readers: Sequence[ColumnReader], layout: Layout, options: ReadOptions) -> Dialect:
    readings = [reader.finding.reading for reader in readers]
    numbers = [reading for reading in readings if isinstance(reading, NumberReading)]
    orders = [r.order for r in readings if isinstance(r, DateReading) and r.order in ("dmy", "mdy")]
    return Dialect(
        encoding=layout.encoding,
        separator=layout.grammar.separator,
        quote=layout.grammar.quote,
        escape=layout.grammar.escape,
        spaced=layout.grammar.spaced,
        decimal="," if any(reading.decimal == "," for reading in numbers) else ".",
        thousands=next((reading.thousands for reading in numbers if reading.thousands), ""),
        header=layout.start.header,
        header_rows=layout.start.header_rows,
        line_end=layout.line_end,
        skipped_lines=layout.start.skipped_lines,
        missing_values=tuple(sorted(set().union(*(reader.words_met for reader in readers)))),
        day_first=orders[0] == "dmy" if orders else None,
        overrides=overrides.as_json(options),
    )


def _missing(readers: Sequence[ColumnReader]) -> list[Notice]:
    """Words and blanks that were read as missing, and where."""
    notices = []
    worded = [reader for reader in readers if reader.words_met - {" "}]
    if worded:
        words = sorted(set().union(*(reader.words_met for reader in worded)) - {" "})
        names = [reader.name for reader in worded]
        notices.append(
            Notice(
                "data.missing_words",
                {"n": len(names), "words": words[:10], "columns": names[:_LISTED]},
                action={"missing_values": []},
            )
        )
    blank = [reader.name for reader in readers if " " in reader.words_met]
    if blank:
        notices.append(Notice("data.blank_cells", {"n": len(blank), "columns": blank[:_LISTED]}))
    kept = [reader.name for reader in readers if reader.keeps_na and "NA" in reader.sample.to_pylist()]
    return notices + [
        Notice("data.na_kept", {"column": name}, name, _of_column(name, {"missing_values": ["NA"]}))
        for name in kept
    ]


def _of_column(name: str, options: dict[str, object]) -> dict[str, object]:
    """The read option that holds for one column alone."""
    return {"columns": {name: options}}


def _column_notices(reader: ColumnReader) -> list[Notice]:
    """Return what was guessed about one column."""
    name, finding, reading = reader.name, reader.finding, reader.finding.reading
    found: list[tuple[str, _Params, dict[str, object] | None]] = []
    if reader.ambiguous:
        found += _ambiguous(reader)
    as_text: dict[str, object] = {"column_types": {name: "string"}}
    if reader.short_years:
        found.append(("data.short_years", {"example": _example(reader, "")}, as_text))
    if isinstance(reading, NumberReading) and reading.unit and not reader.forced:
        found.append(("data.unit", {"unit": reading.unit}, as_text))
    if isinstance(reading, NumberReading) and reading.signs and (example := _negative(reader)):
        found.append(("data.signs", {"example": example}, as_text))
    if finding.reason is not None:
        action: dict[str, object] = {"column_types": {name: _TEXT_ACTIONS[finding.reason]}}
        found.append((f"data.{finding.reason}", {"examples": list(finding.examples)}, action))
    if reader.infinite:
        found.append(("data.infinite", {"n": reader.infinite}, as_text))
    if reader.unreadable:
        params: _Params = {"n": reader.unreadable, "examples": reader.unreadable_examples}
        found.append(("data.unreadable_values", params, as_text))
    return [Notice(code, {"column": name, **params}, name, action) for code, params, action in found]


def _ambiguous(reader: ColumnReader) -> list[tuple[str, _Params, dict[str, object] | None]]:
    """Return the other way in which every value of a column could be read."""
    reading, rival = reader.finding.reading, reader.finding.rival
    if isinstance(rival, NumberReading) and isinstance(reading, NumberReading):
        example = _example(reader, reading.thousands or reading.decimal)
        return [
            (
                "data.ambiguous_number",
                {"example": example, "decimal": reading.decimal},
                _of_column(reader.name, {"decimal": rival.decimal, "thousands": rival.thousands}),
            )
        ]
    if isinstance(reading, DateReading):
        first = reading.order == "dmy"
        code = "data.day_first" if first else "data.month_first"
        action = _of_column(reader.name, {"day_first": not first})
        return [(code, {"example": _example(reader, "")}, action)]
    return []


def _negative(reader: ColumnReader) -> str:
    """Return a value that is negative by parentheses or by a sign behind it, if there is one."""
    texts = (text.strip() for text in reader.sample.to_pylist() if text)
    return next((text[:40] for text in texts if text.endswith(("-", ")"))), "")


def _example(reader: ColumnReader, part: str) -> str:
    return next((text[:40] for text in reader.sample.to_pylist() if text and part in text), "")


def _preview(first: pa.Table) -> list[list[Cell]]:
    columns = [[_cell(value) for value in column.to_pylist()] for column in first.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value)
    return text if len(text) <= _CELL_LENGTH else text[: _CELL_LENGTH - 1] + "…"
