"""Which values become which types, and what is told about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from automl_jupyter.data import Notice, ReadResult
from automl_jupyter.errors import Unprocessable

Read = Callable[..., ReadResult]


def one(result: ReadResult, name: str = "x") -> tuple[str, list[object]]:
    """The type and the values of a column."""
    index = [column.name for column in result.columns].index(name)
    return result.columns[index].type, [row[index] for row in result.preview]


def notice(result: ReadResult, code: str) -> Notice:
    return next(notice for notice in result.warnings if notice.code == code)


def table(*cells: str, separator: str = ",", second: str = "t") -> str:
    quoted = [f'"{cell}"' if separator in cell else cell for cell in cells]
    return "".join(f"{line}\n" for line in [f"x{separator}y", *(f"{c}{separator}{second}" for c in quoted)])


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (("1", "-2", "30"), "integer", [1, -2, 30]),
        (("1", "2.5", "-3e2"), "number", [1.0, 2.5, -300.0]),
        (("+1", "+2.5"), "number", [1.0, 2.5]),
        ((" 1", "2 "), "integer", [1, 2]),
        (("9007199254740993", "1"), "integer", ["9007199254740993", 1]),
        (("0x1F", "12"), "string", ["0x1F", "12"]),
        (("007", "12"), "string", ["007", "12"]),
        (("0", "10"), "integer", [0, 10]),
        (("0.5", "00.5"), "number", [0.5, 0.5]),
        (("inf", "-Infinity", "1.5"), "number", ["inf", "-inf", 1.5]),
        (("true", "FALSE", "True"), "boolean", [True, False, True]),
        (("true", "maybe"), "string", ["true", "maybe"]),
        (("yes", "no"), "string", ["yes", "no"]),
        (("1,234", "12,345,678"), "integer", [1234, 12345678]),
        (("1,234.5", "7"), "number", [1234.5, 7.0]),
        (("1.234,5", "7"), "number", [1234.5, 7.0]),
        (("1 234,5", "1\u202f000"), "number", [1234.5, 1000.0]),
        (("1'234.5", "7"), "number", [1234.5, 7.0]),
        (("1,53e4", "0,25"), "number", [15300.0, 0.25]),
        (("$1,234.50", "-$3", "($5)"), "number", [1234.5, -3.0, -5.0]),
        (("12,50 €", "3 €"), "number", [12.5, 3.0]),
        (("12%", "3.5%"), "number", [12.0, 3.5]),
        (("$1", "€2"), "string", ["$1", "€2"]),
        (("12-34-56", "+1+1", "1.2.3"), "string", ["12-34-56", "+1+1", "1.2.3"]),
        (("192.168.0.1", "10.0.0.1"), "string", ["192.168.0.1", "10.0.0.1"]),
    ],
)
def test_numbers_and_truth_values(
    read: Read, cells: tuple[str, ...], kind: str, values: list[object]
) -> None:
    result = read(table(*cells, separator=";" if any("," in cell for cell in cells) else ","))
    assert one(result) == (kind, values)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("2024-02-28", "2024-12-01"), ["2024-02-28T00:00:00", "2024-12-01T00:00:00"]),
        (
            ("2024-02-28 10:30", "2024-02-28T10:30:15.25"),
            ["2024-02-28T10:30:00", "2024-02-28T10:30:15.250000"],
        ),
        (
            ("2024-02-28T10:30:15.123456789", "2024-02-28"),
            ["2024-02-28T10:30:15.123456", "2024-02-28T00:00:00"],
        ),
        (
            ("2024-02-28T10:30Z", "2024-02-28T10:30+02:00"),
            ["2024-02-28T10:30:00+00:00", "2024-02-28T08:30:00+00:00"],
        ),
        (("2024/2/28", "2024/12/1"), ["2024-02-28T00:00:00", "2024-12-01T00:00:00"]),
        (("28/02/2024", "1/2/2024"), ["2024-02-28T00:00:00", "2024-02-01T00:00:00"]),
        (("02/28/2024", "1/2/2024"), ["2024-02-28T00:00:00", "2024-01-02T00:00:00"]),
        (("28.02.2024 9:05", "01.02.2024 23:59:59"), ["2024-02-28T09:05:00", "2024-02-01T23:59:59"]),
        (("2/28/2024 12:05 AM", "2/28/2024 1:05 PM"), ["2024-02-28T00:05:00", "2024-02-28T13:05:00"]),
        (("28/02/24", "01/02/99"), ["2024-02-28T00:00:00", "1999-02-01T00:00:00"]),
        (("28 Feb 2024", "1-March-2024"), ["2024-02-28T00:00:00", "2024-03-01T00:00:00"]),
        (("Feb 28, 2024", "March 1, 2024"), ["2024-02-28T00:00:00", "2024-03-01T00:00:00"]),
    ],
)
def test_dates(read: Read, cells: tuple[str, ...], values: list[str]) -> None:
    assert one(read(table(*cells, separator=";"))) == ("datetime", values)


@pytest.mark.parametrize("cell", ["30/02/2024", "2024-13-01", "28/02/2024 25:00", "2024", "28-02"])
def test_what_is_no_date_stays_as_it_is(read: Read, cell: str) -> None:
    kind, values = one(read(table(cell, cell)))
    assert kind != "datetime"
    assert values == [int(cell)] * 2 if cell.isdigit() else values == [cell] * 2


def test_an_ambiguous_day_is_told_with_the_way_back(read: Read) -> None:
    cells = ("01/02/2024", "03/04/2024")
    told = notice(read(table(*cells)), "data.day_first")
    assert told.column == "x"
    assert told.action == {"columns": {"x": {"day_first": False}}}
    again = read(table(*cells), **told.action)
    assert one(again)[1] == ["2024-01-02T00:00:00", "2024-03-04T00:00:00"]
    assert not again.warnings


def test_another_column_of_the_file_decides_the_day(read: Read) -> None:
    result = read("x,y\n01/02/2024,02/28/2024\n03/04/2024,03/15/2024\n")
    assert one(result)[1][0] == "2024-01-02T00:00:00"
    assert result.dialect.day_first is False


def test_a_comma_between_three_digits_is_told_with_the_way_back(read: Read) -> None:
    content = table("1,234", "5,678")
    told = notice(read(content), "data.ambiguous_number")
    assert one(read(content)) == ("integer", [1234, 5678])
    assert one(read(content, **told.action)) == ("number", [1.234, 5.678])


def test_a_dot_between_three_digits_is_told_where_commas_may_be_decimal(read: Read) -> None:
    result = read("x;y\n1.234;a\n5.678;b\n")
    assert one(result) == ("number", [1.234, 5.678])
    told = notice(result, "data.ambiguous_number")
    assert one(read("x;y\n1.234;a\n5.678;b\n", **told.action)) == ("integer", [1234, 5678])
    for sure in ("x,y\n1.234,a\n5.678,b\n", "x;y\n0.234;a\n5.678;b\n", "x;y\n1.234;a\n5.67;b\n"):
        assert not read(sure).warnings


def test_a_decimal_comma_elsewhere_decides(read: Read) -> None:
    result = read("x;y;z\n1,234;0,5;1.234\n5,678;1,25;5.678\n")
    assert one(result) == ("number", [1.234, 5.678])
    assert one(result, "z") == ("integer", [1234, 5678])
    assert [n.column for n in result.warnings if n.code == "data.ambiguous_number"] == ["z"]
    assert (result.dialect.decimal, result.dialect.thousands) == (",", ".")


def test_numbers_too_long_for_any_type_stay_text(read: Read) -> None:
    result = read(table("123456789012345678901", "123456789012345678902"))
    assert one(result) == ("string", ["123456789012345678901", "123456789012345678902"])
    assert notice(result, "data.long_digits").column == "x"
    mixed = read(table("9007199254740993", "1.5"))
    assert one(mixed)[0] == "string"


def test_infinite_numbers_are_told(read: Read) -> None:
    assert notice(read(table("inf", "-inf", "1.5")), "data.infinite").params["n"] == 2


@pytest.mark.parametrize(
    "word", ["NA", "N/A", "n/a", "null", "NaN", "nan", "?", "-", "#N/A", " ", "None", "\\N", "nd"]
)
def test_words_among_numbers_are_missing(read: Read, word: str) -> None:
    result = read(table("1", word, "3"))
    assert one(result) == ("integer" if word.lower() != "nan" else one(result)[0], [1, None, 3])
    assert result.dialect.missing_values == (word,)
    assert result.columns[0].missing == 1


def test_nan_among_decimals_is_missing(read: Read) -> None:
    result = read(table("1.5", "nan", "NaN"))
    assert one(result) == ("number", [1.5, None, None])
    assert result.dialect.missing_values == ("NaN", "nan")
    assert result.columns[0].distinct == 1


def test_strong_words_among_texts_are_missing_and_told(read: Read) -> None:
    result = read("x,y\nred,1\nNA,2\n?,3\nnone,4\n-,5\n")
    assert one(result)[1] == ["red", None, None, "none", "-"]
    told = notice(result, "data.missing_words")
    assert told.params["words"] == ["?", "NA"]
    assert one(read("x,y\nred,1\nNA,2\n?,3\nnone,4\n-,5\n", missing_values=()))[1] == [
        "red",
        "NA",
        "?",
        "none",
        "-",
    ]


def test_a_word_that_numbers_prove_missing_is_missing_among_texts_too(read: Read) -> None:
    assert one(read("x,y\nred,1\n-,-\nblue,3\n"))[1] == ["red", None, "blue"]


def test_na_stays_among_codes_of_two_letters(read: Read) -> None:
    result = read("x,y\nFR,1\nDE,2\nNA,3\nUS,4\n")
    assert one(result)[1] == ["FR", "DE", "NA", "US"]
    told = notice(result, "data.na_kept")
    assert one(read("x,y\nFR,1\nDE,2\nNA,3\nUS,4\n", **told.action))[1] == ["FR", "DE", None, "US"]


def test_words_given_are_the_only_ones(read: Read) -> None:
    result = read(table("1", "-999", "NA"), missing_values=("-999",))
    assert one(result) == ("string", ["1", None, "NA"])
    assert one(read(table("1", "-999", "3"), missing_values=("-999",))) == ("integer", [1, None, 3])


@pytest.mark.parametrize(
    ("kind", "cells", "values", "lost"),
    [
        ("string", ("1", "2"), ["1", "2"], 0),
        ("integer", ("007", "12"), [7, 12], 0),
        ("integer", ("7", "w", "1.0", "1.5"), [7, None, 1, None], 2),
        ("number", ("7", "abc", "1,5", "1.5"), [7.0, None, None, 1.5], 2),
        ("number", ("007", "1.5"), [7.0, 1.5], 0),
        ("number", ("$1,000.50", "$7"), [1000.5, 7.0], 0),
        ("number", ("12345678901234567890", "1"), [12345678901234567890.0, 1.0], 0),
        ("boolean", ("yes", "no", "1", "perhaps"), [True, False, True, None], 1),
        ("datetime", ("01/02/2024", "31/02/2024"), ["2024-02-01T00:00:00", None], 1),
        ("datetime", ("2024-02-01", "soon"), ["2024-02-01T00:00:00", None], 1),
    ],
)
def test_a_type_that_a_person_asks_for(
    read: Read, kind: str, cells: tuple[str, ...], values: list[object], lost: int
) -> None:
    result = read(table(*cells), column_types={"x": kind})
    assert one(result) == (kind, values)
    told = [n for n in result.warnings if n.code == "data.unreadable_values"]
    assert [n.params["n"] for n in told] == ([lost] if lost else [])


def test_the_way_out_of_every_notice_leads_somewhere(read: Read) -> None:
    content = "zip,price,mixed\n01234,$5,1\n75001,$6,2\n75002,$7,3\n75003,$8,4\n75004,$9,oops\n"
    for told in read(content).warnings:
        assert told.action is not None
        again = read(content, **told.action)
        assert told.code not in {n.code for n in again.warnings if n.column == told.column}


@pytest.mark.slow
def test_a_late_value_changes_the_type_of_the_whole_column(read: Read) -> None:
    many = 400_000
    lines = [f"{i},{i},{i % 7},{i % 9 + 1:02}/{i % 8 + 1:02}/2024,{i % 5}" for i in range(many)]
    content = "\n".join(["a,b,c,d,e", *lines, "oops,1.5,007,01/13/2024,n.d."])
    result = read(content)
    assert result.rows == many + 1
    assert [column.type for column in result.columns] == ["string", "number", "string", "datetime", "integer"]
    assert result.dialect.day_first is False
    assert result.columns[4].missing == 1
    assert notice(result, "data.mixed_numbers").params["examples"] == ["oops"]
    assert notice(result, "data.leading_zeros").column == "c"
    assert result.columns[0].distinct_capped
    assert result.preview[1] == ["1", 1.0, "1", "2024-02-02T00:00:00", 1]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"column_types": {"z": "integer"}}, "data.unknown_column"),
        ({"column_types": {"x": "float"}}, "data.unknown_type"),
        ({"encoding": "klingon"}, "data.unknown_encoding"),
        ({"encoding": "base64"}, "data.unknown_encoding"),
        ({"encoding": "idna"}, "data.unknown_encoding"),
        ({"encoding": "punycode"}, "data.unknown_encoding"),
        ({"separator": ",,"}, "data.bad_option"),
        ({"separator": ""}, "data.bad_option"),
        ({"separator": "\n"}, "data.bad_option"),
        ({"separator": "'", "quote": "'"}, "data.bad_option"),
        ({"decimal": "-"}, "data.bad_option"),
        ({"header": 99}, "data.header_beyond_end"),
    ],
)
def test_options_that_make_no_sense_are_refused(read: Read, options: dict[str, object], code: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        read(table("1", "2"), **options)
    assert caught.value.code == code
    assert caught.value.message("fr")
