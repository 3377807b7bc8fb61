"""Each guess about a file can be undone, and what was decided once holds until it is decided anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from automl_jupyter.data import ReadOptions, ReadResult
from automl_jupyter.data.overrides import as_json, fitting, from_json, laid_over
from automl_jupyter.errors import Unprocessable

Read = Callable[..., ReadResult]


def column(result: ReadResult, name: str) -> list[object]:
    index = [found.name for found in result.columns].index(name)
    return [row[index] for row in result.preview]


def codes(result: ReadResult) -> set[str]:
    return {notice.code for notice in result.warnings}


def test_lines_before_the_table(read: Read) -> None:
    content = "Sales of the year\nall in euros\n1,a\n2,b\n3,c\n"
    plain = read(content, skip=2, header=-1)
    assert (plain.rows, plain.dialect.skipped_lines, plain.dialect.header) == (3, 2, -1)
    found = read("x,y\n\nn,t\n1,a\n2,b\n", skip=2)
    assert [c.name for c in found.columns] == ["n", "t"]
    assert "data.preamble" not in codes(found)


def test_names_in_several_rows(read: Read) -> None:
    content = "site,2023,2023\n,Q1,Q2\n,EUR,EUR\nParis,1,2\nLyon,3,4\n"
    result = read(content, header_rows=3)
    assert [c.name for c in result.columns] == ["site", "2023 Q1 EUR", "2023 Q2 EUR"]
    assert (result.rows, result.dialect.header_rows) == (2, 3)
    assert column(result, "2023 Q2 EUR") == [2, 4]


def test_units_below_the_names_can_be_a_row(read: Read) -> None:
    content = "time,mass\ns,kg\n1,2\n3,4\n5,6\n7,8\n"
    told = next(n for n in read(content).warnings if n.code == "data.second_header")
    assert told.action == {"header_rows": 1}
    again = read(content, **told.action)
    assert again.rows == 5
    assert column(again, "time") == ["s", "1", "3", "5", "7"]


@pytest.mark.parametrize(
    ("content", "code", "rows"),
    [
        ("a,b\n1,2\n# a remark\n3,4\n", "data.comments", 3),
        ("a,b\n1,2\n3,4\n\nSource: the office\n", "data.notes_below", 3),
        ("a,b\n1,2\na,b\n3,4\n", "data.repeated_header", 3),
    ],
)
def test_lines_that_were_left_out_can_be_kept(read: Read, content: str, code: str, rows: int) -> None:
    first = read(content)
    told = next(n for n in first.warnings if n.code == code)
    assert told.action is not None
    again = read(content, **told.action)
    assert code not in codes(again)
    assert (first.rows, again.rows) == (2, rows)


def test_comments_are_left_out_as_asked(read: Read) -> None:
    content = "% say \"what\na,b\n%,1\n1,2\n % two, three\n3,4\n'%x',5\n"
    result = read(content, comment="%", quote='"')
    assert [c.name for c in result.columns] == ["a", "b"]
    assert column(result, "a") == ["1", "3", "'%x'"]


def test_an_escape_and_blanks_are_a_choice(read: Read) -> None:
    content = 'a,b\n"x\\"y",1\n"z", 2\n'
    assert column(read(content), "a") == ['x"y', "z"]
    told = read("a, b\nx, y\nz, w\n", spaced=False)
    assert (told.dialect.spaced, column(told, "b")) == (False, [" y", " w"])
    guessed = read("a, b\nx, y\nz, w\n")
    assert (guessed.dialect.spaced, column(guessed, "b")) == (True, ["y", "w"])


def test_what_holds_for_one_column_leaves_the_others(read: Read) -> None:
    content = "p;q;d;e;w\n1,234;1.5;01/02/2024;03/04/2024;-\n5,678;2.5;05/06/2024;07/08/2024;x\n"
    result = read(
        content,
        columns={
            "p": {"decimal": ".", "thousands": ","},
            "e": {"day_first": False},
            "w": {"missing_values": ["-"]},
        },
    )
    assert column(result, "p") == [1234, 5678]
    assert column(result, "q") == [1.5, 2.5]
    assert column(result, "d")[0] == "2024-02-01T00:00:00"
    assert column(result, "e")[0] == "2024-03-04T00:00:00"
    assert column(result, "w") == [None, "x"]


def test_how_a_column_was_read_is_told(read: Read) -> None:
    row = "1.234,{0} €;{0} %;28/02/2024;2024-02-28T10:00:0{0}Z;n.d.;00{0}\n"
    content = "m;p;d;z;n;t\n" + "".join(map(row.format, range(1, 5)))
    found = {c.name: c.read for c in read(content).columns}
    assert (found["m"].decimal, found["m"].thousands, found["m"].unit) == (",", ".", "€")
    assert (found["p"].unit, found["p"].asked) == ("%", False)
    assert (found["d"].date_order, found["d"].zoned) == ("dmy", False)
    assert (found["z"].date_order, found["z"].zoned) == ("iso", True)
    assert found["t"].text_because == "leading_zeros"
    asked = read(content, column_types={"t": "integer"}).columns[5]
    assert (asked.read.asked, asked.type) == (True, "integer")


def test_what_was_decided_is_told(read: Read) -> None:
    given = {"separator": ";", "column_types": {"b": "string"}, "columns": {"a": {"decimal": ","}}}
    assert read("a;b\n1;2\n", **given).dialect.overrides == given
    assert read("a;b\n1;2\n").dialect.overrides == {}
    assert as_json(from_json(given)) == given


@pytest.mark.parametrize(
    ("before", "asked", "expected"),
    [
        ({"separator": ";"}, {"decimal": ","}, {"separator": ";", "decimal": ","}),
        ({"separator": ";"}, {"separator": None}, {}),
        ({"decimal": ".", "thousands": ","}, {"decimal": ","}, {"decimal": ","}),
        ({"decimal": ","}, {"thousands": ","}, {"thousands": ","}),
        ({"header": 3}, {"skip": 1}, {"skip": 1}),
        ({"header": -1}, {"skip": 1}, {"header": -1, "skip": 1}),
        (
            {"column_types": {"a": "string", "b": "number"}},
            {"column_types": {"a": None, "c": "boolean"}},
            {"column_types": {"b": "number", "c": "boolean"}},
        ),
        ({"column_types": {"a": "string"}}, {"column_types": None}, {}),
        (
            {"columns": {"a": {"decimal": ".", "thousands": ","}}},
            {"columns": {"a": {"decimal": ",", "day_first": True}}},
            {"columns": {"a": {"decimal": ",", "day_first": True}}},
        ),
        ({"columns": {"a": {"decimal": "."}}}, {"columns": {"a": None}}, {}),
        ({"columns": {"a": {"decimal": "."}}}, {"columns": {"a": {"decimal": None}}}, {}),
        ({"missing_values": ["x"]}, {"missing_values": []}, {"missing_values": []}),
        ({"header": 2}, {"header": 0}, {"header": 0}),
    ],
)
def test_decisions_are_laid_over_each_other(
    before: dict[str, Any], asked: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert laid_over(before, asked) == expected
    assert isinstance(from_json(expected), ReadOptions)


def test_columns_that_are_gone_are_forgotten_unless_asked_for() -> None:
    before = {"column_types": {"a": "string", "b": "number"}, "columns": {"c": {"decimal": ","}}}
    assert fitting(before, {}, ["b"]) == {"column_types": {"b": "number"}}
    assert fitting(before, {"columns": {"c": {}}}, []) == {"columns": {"c": {"decimal": ","}}}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"separator": ",,"}, "separator"),
        ({"quote": "''"}, "quote"),
        ({"escape": "\n"}, "escape"),
        ({"comment": "//"}, "comment"),
        ({"decimal": "x"}, "decimal"),
        ({"decimal": ",", "thousands": ","}, "thousands"),
        ({"columns": {"x": {"decimal": "-"}}}, "columns.x.decimal"),
        ({"columns": {"z": {"decimal": "."}}}, "columns.z"),
        ({"column_types": {"z": "string"}}, "column_types.z"),
        ({"column_types": {"x": "float"}}, "column_types.x"),
        ({"encoding": "klingon"}, "encoding"),
        ({"encoding": "utf-16"}, "encoding"),
        ({"header": 99}, "header"),
        ({"header": -2}, "header"),
        ({"skip": 99}, "skip"),
        ({"header_rows": 0}, "header_rows"),
    ],
)
def test_an_error_names_its_field(read: Read, options: dict[str, Any], field: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        read("x,y\n1,2\n3,é\n", **options)
    assert [error.field for error in caught.value.errors] == [field]
    assert all(caught.value.message(language) for language in ("en", "fr"))
