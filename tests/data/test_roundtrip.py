"""What is written is what is read, whatever the table and the dialect; and bytes of any kind do no harm."""

from __future__ import annotations

import csv
import io
import json
import math
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from automl_jupyter.data import ColumnOptions, ReadOptions, ReadResult
from automl_jupyter.data.overrides import from_json, laid_over
from automl_jupyter.data.profile import profile
from automl_jupyter.data.read import convert
from automl_jupyter.errors import AutoMLError

RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

names = st.lists(
    st.from_regex(r"[A-Za-z][A-Za-z_ ]{0,8}[A-Za-z]", fullmatch=True), min_size=2, max_size=6, unique=True
)
integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer())
booleans = st.booleans()
dates = st.datetimes().map(lambda moment: moment.replace(microsecond=0, fold=0))
plain_text = st.text("abcdefghijklmnopqrstuvwxyzéüçABC -", min_size=1, max_size=12).map(
    lambda text: "w" + text + "w"
)
any_text = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\ufeff", exclude_categories=["Cs"]), max_size=12
).map(lambda text: "w" + text)
KINDS = {"integer": integers, "number": floats, "boolean": booleans, "datetime": dates}


def written(value: object, decimal: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value).replace(".", decimal)
    return str(value)


def read_bytes(content: bytes, options: ReadOptions) -> tuple[ReadResult, list[list[object]]]:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "t.csv", Path(folder) / "t.parquet"
        source.write_bytes(content)
        result = convert(source, target, options)
        table = pq.read_table(target)
        profile(target)
    return result, [column.to_pylist() for column in table.columns]


@st.composite
def tables(draw: st.DrawFn, text: st.SearchStrategy[str]) -> tuple[list[str], list[list[object]]]:
    header = draw(names)
    rows = draw(st.integers(8, 30))
    columns: list[list[object]] = []
    for index in range(len(header)):
        kind = "integer" if index == 0 else draw(st.sampled_from([*KINDS, "text"]))
        cells = KINDS.get(kind, text)
        optional = cells if index == 0 else st.one_of(cells, cells, cells, st.none())
        columns.append(draw(st.lists(optional, min_size=rows, max_size=rows)))
    return header, columns


def encode(
    table: tuple[list[str], list[list[object]]], encoding: str, decimal: str, **dialect: object
) -> bytes:
    header, columns = table
    out = io.StringIO(newline="")
    writer = csv.writer(out, **dialect)
    writer.writerow(header)
    writer.writerows([[written(value, decimal) for value in row] for row in zip(*columns, strict=True)])
    return out.getvalue().encode(encoding, "replace")


def same(found: object, expected: object) -> bool:
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(found, expected, rel_tol=1e-15, abs_tol=0)
    return found == expected and (found is None) == (expected is None)


def check(table: tuple[list[str], list[list[object]]], result: ReadResult, found: list[list[object]]) -> None:
    header, columns = table
    assert [column.name for column in result.columns] == header
    assert result.rows == len(columns[0])
    for name, expected, values in zip(header, columns, found, strict=True):
        for value, wanted in zip(values, expected, strict=True):
            assert same(value, wanted), (name, value, wanted)
    for column, expected in zip(result.columns, columns, strict=True):
        assert column.missing == sum(value is None for value in expected)
        assert column.distinct == len({value for value in expected if value is not None})


@pytest.mark.slow
@RELAXED
@given(
    table=tables(plain_text),
    separator=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    decimal=st.sampled_from(".,"),
)
def test_a_table_is_read_as_it_was_written(
    table: tuple[list[str], list[list[object]]],
    separator: str,
    line_end: str,
    encoding: str,
    quoting: int,
    decimal: str,
) -> None:
    if decimal == ",":
        table = (
            table[0],
            [[v if not isinstance(v, float) or "e" not in repr(v) else None for v in c] for c in table[1]],
        )
    content = encode(table, encoding, decimal, delimiter=separator, lineterminator=line_end, quoting=quoting)
    result, found = read_bytes(content, ReadOptions())
    assert result.dialect.separator == separator
    check(table, result, found)


@pytest.mark.slow
@RELAXED
@given(table=tables(any_text), separator=st.sampled_from(",;\t| "), quote=st.sampled_from("\"'"))
def test_any_text_survives_when_the_dialect_is_told(
    table: tuple[list[str], list[list[object]]], separator: str, quote: str
) -> None:
    content = encode(table, "utf-8", ".", delimiter=separator, quotechar=quote, quoting=csv.QUOTE_ALL)
    options = ReadOptions(separator=separator, quote=quote, header=0, encoding="utf-8")
    result, found = read_bytes(content, options)
    check(table, result, found)


PREAMBLES = ([], ["Report of 2024"], ["Sales, all regions; 12", "", "made by hand | today"])
FOOTERS = ([], ["Total"], ["", "Source: the office", "2024"])


@dataclass(frozen=True)
class Style:
    """How a table is written down."""

    separator: str
    quote: str
    line_end: str
    encoding: str
    decimal: str
    missing: str
    dates: str
    preamble: list[str]
    footer: list[str]


styles = st.builds(
    Style,
    separator=st.sampled_from(",;\t|^"),
    quote=st.sampled_from("\"'"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"]),
    decimal=st.sampled_from(".,"),
    missing=st.sampled_from(["", "nothing", "-", "-999"]),
    dates=st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"]),
    preamble=st.sampled_from(PREAMBLES),
    footer=st.sampled_from(FOOTERS),
)


@pytest.mark.slow
@RELAXED
@given(table=tables(any_text), style=styles, split=st.data())
def test_what_a_person_decides_gives_exactly_what_the_file_says(
    table: tuple[list[str], list[list[object]]], style: Style, split: st.DataObject
) -> None:
    header, columns = table
    columns = [[None if str(v) == style.missing else v for v in c] for c in columns]
    columns = [
        [v.replace(year=v.year + 1000) if isinstance(v, datetime) and v.year < 1000 else v for v in c]
        for c in columns
    ]
    out = io.StringIO(newline="")
    out.writelines(line + style.line_end for line in style.preamble)
    writer = csv.writer(
        out,
        delimiter=style.separator,
        quotechar=style.quote,
        lineterminator=style.line_end,
        quoting=csv.QUOTE_ALL,
    )
    writer.writerow(header)
    for row in zip(*columns, strict=True):
        writer.writerow([spelt(value, style.decimal, style.dates, style.missing) for value in row])
    out.writelines(line + style.line_end for line in style.footer)
    decisions: dict[str, object] = {
        "encoding": style.encoding,
        "separator": style.separator,
        "quote": style.quote,
        "escape": "",
        "spaced": False,
        "comment": "",
        "keep_rows": True,
        "skip": len(style.preamble),
        "header_rows": 1,
        "footer": sum(1 for line in style.footer if line),
        "decimal": style.decimal,
        "thousands": "",
        "day_first": style.dates.startswith("%d"),
        "missing_values": [style.missing] if style.missing else [],
        "column_types": {name: type_of(c) for name, c in zip(header, columns, strict=True)},
    }
    # Decided at once or in two readings, in whatever order: the same comes of it.
    first = split.draw(st.sets(st.sampled_from(sorted(decisions))))
    before = laid_over({}, {name: value for name, value in decisions.items() if name in first})
    after = laid_over(before, {name: value for name, value in decisions.items() if name not in first})
    result, found = read_bytes(
        out.getvalue().encode(style.encoding), from_json(json.loads(json.dumps(after)))
    )
    check((header, columns), result, found)
    assert not {n.code for n in result.warnings} & {
        "data.unreadable_values",
        "data.day_first",
        "data.ambiguous_number",
    }
    assert from_json(result.dialect.overrides) == from_json(after)


def spelt(value: object, decimal: str, dates: str, missing: str) -> str:
    if value is None:
        return missing
    if isinstance(value, datetime):
        return value.strftime(dates)
    return written(value, decimal)


def type_of(cells: list[object]) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", datetime: "datetime"}
    return next((kinds.get(type(value), "string") for value in cells if value is not None), "string")


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text("abc019,;\t|\"'\r\n\x00 .-/:#$%é", max_size=300).map(lambda text: text.encode("utf-8")),
        st.text("abc019,;\t|\"'\r\n -", max_size=300).map(lambda text: text.encode("utf-16")),
    )
)
@example(b'a,b\n1,"2\n')
@example(b"\xff\xfea")
@example(b"a\n\n\n")
@example(b'"')
@example(b"\r\r\r,")
def test_bytes_of_any_kind_are_read_or_refused(content: bytes) -> None:
    try:
        result, found = read_bytes(content, ReadOptions())
    except AutoMLError as error:
        messages = [error.message(language) for language in ("en", "fr")]
        if not all(messages):
            pytest.fail(f"{error.code} has no sentence")
    else:
        assert result.rows > 0
        assert all(len(values) == result.rows for values in found)
        assert asdict(result)


options = st.builds(
    ReadOptions,
    encoding=st.sampled_from(
        [None, "utf-8", "cp1252", "utf-16", "ascii", "utf-7", "idna", "shift_jis", "rot13"]
    ),
    separator=st.one_of(st.none(), st.sampled_from(',; \t§"a'), st.text(max_size=2)),
    quote=st.one_of(st.none(), st.sampled_from(["", '"', "'", "«"]), st.text(max_size=2)),
    decimal=st.sampled_from([None, ".", ",", "x"]),
    thousands=st.sampled_from([None, "", ",", ".", " ", "'"]),
    header=st.one_of(st.none(), st.integers(-1, 4)),
    header_rows=st.sampled_from([None, 0, 1, 2, 3]),
    skip=st.sampled_from([None, -1, 0, 1, 3]),
    footer=st.sampled_from([None, 0, 1, 9]),
    escape=st.sampled_from([None, "", "\\"]),
    spaced=st.sampled_from([None, True, False]),
    comment=st.sampled_from([None, "", "#", "a", "//"]),
    keep_rows=st.sampled_from([None, True, False]),
    missing_values=st.one_of(st.none(), st.lists(st.sampled_from(["a", "1", "", "-"])).map(tuple)),
    day_first=st.sampled_from([None, True, False]),
    column_types=st.dictionaries(
        st.sampled_from(["a", "b", "column_1"]),
        st.sampled_from(["integer", "number", "boolean", "datetime", "string", "other"]),
        max_size=2,
    ),
    columns=st.dictionaries(
        st.sampled_from(["a", "b"]),
        st.builds(
            ColumnOptions,
            decimal=st.sampled_from([None, ".", ",", "x"]),
            thousands=st.sampled_from([None, "", ","]),
            day_first=st.sampled_from([None, True, False]),
            missing_values=st.sampled_from([None, (), ("1",)]),
        ),
        max_size=1,
    ),
)
cells = st.sampled_from(
    ["a", "1", "-2.5", "1,5", "", " ", "007", "01/02/2024", "NA", "true", '"', '"x', 'y"', "$3", "é", "'q'"]
)
loose_table = st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=8)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(loose_table, st.sampled_from(",; "), st.sampled_from(["a,b\n", ""]), options)
def test_whatever_a_person_decides_is_done_or_refused(
    rows: list[list[str]], separator: str, header: str, chosen: ReadOptions
) -> None:
    content = header + "".join(separator.join(row) + "\n" for row in rows)
    try:
        result, found = read_bytes(content.encode(), chosen)
    except AutoMLError as error:
        if not all(error.message(language) for language in ("en", "fr")):
            pytest.fail(f"{error.code} has no sentence")
    else:
        assert all(len(values) == result.rows for values in found)
        for column in result.columns:
            assert column.type == chosen.column_types.get(column.name, column.type)
