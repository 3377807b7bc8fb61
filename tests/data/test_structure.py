"""Rows and names: where a table starts, what is mended, and what is refused."""

from __future__ import annotations

import codecs
import os
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from automl_jupyter import messages
from automl_jupyter.data import ReadOptions, ReadResult
from automl_jupyter.data.read import convert
from automl_jupyter.errors import AutoMLError, Unprocessable, UnsupportedType

Read = Callable[..., ReadResult]
ROWS = "".join(f"{i},t{i % 3},{i * 2.5}\n" for i in range(30))
SOLID = "a,b,c\n" + ROWS


def names(result: ReadResult) -> list[str]:
    return [column.name for column in result.columns]


def told(result: ReadResult) -> dict[str, dict[str, object]]:
    for notice in result.warnings:
        for language in messages.LANGUAGES:
            assert messages.render(notice.code, notice.params, language)
    return {notice.code: dict(notice.params) for notice in result.warnings}


def zipped(name: str) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, "x")
    return data.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "data.is_image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "data.is_image"),
        (b"GIF89a\x01\x00", "data.is_image"),
        (b"%PDF-1.7\n", "data.is_pdf"),
        (zipped("xl/workbook.xml"), "data.is_spreadsheet"),
        (zipped("[Content_Types].xml"), "data.is_spreadsheet"),
        (zipped("table.csv"), "data.is_compressed"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "data.is_spreadsheet"),
        (b"\x1f\x8b\x08\x00", "data.is_compressed"),
        (b"BZh91AY&SY\x01\x02\x00", "data.is_compressed"),
        (b"t.csv".ljust(257, b"\x00") + b"ustar\x0000", "data.is_compressed"),
        (b"PAR1\x15\x04\x15", "data.is_parquet"),
        (b"SQLite format 3\x00", "data.is_binary"),
        (bytes(range(256)) * 4, "data.is_binary"),
        (b"\n <!DOCTYPE html><html>", "data.is_markup"),
        (b"<?xml version='1.0'?>", "data.is_markup"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "data.is_lfs_pointer"),
        (b"% a comment\n@RELATION iris\n", "data.is_arff"),
        (b"@relation iris\n@attribute a numeric\n", "data.is_arff"),
        (b'{"a": 1}\n{"a": 2}\n', "data.is_json"),
        (b'[\n  {"a": 1}\n]', "data.is_json"),
        (b'\xef\xbb\xbf[{"a": [1, 2', "data.is_json"),
    ],
)
def test_other_kinds_of_file_are_refused_by_name(read: Read, content: bytes, code: str) -> None:
    with pytest.raises(UnsupportedType) as caught:
        read(content)
    assert caught.value.code == code
    assert caught.value.message("en") != caught.value.message("fr")


@pytest.mark.parametrize(
    "content",
    ["[id],b\n1,2\n", "{id},b\n1,2\n", "BM,PAR1\n1,2\n", "BZh,b\n1,2\n", "<b>,c\n1,2\n", "version,b\n1,2\n"],
)
def test_names_like_the_marks_of_other_kinds_do_no_harm(read: Read, content: str) -> None:
    assert read(content).rows == 1


@pytest.mark.parametrize(
    ("content", "code", "params"),
    [
        ("", "data.empty_file", {}),
        (" \n\r\n\t\n", "data.empty_file", {}),
        ("\ufeff", "data.empty_file", {}),
        ("a,b\n", "data.header_only", {"line": 1}),
        ("a,b\n# nothing\n# yet\n", "data.header_only", {}),
        ("\n\na,b\n\n", "data.header_only", {"line": 3}),
        ('a,b\n1,"x\n2,y\n', "data.open_quote", {"line": 2}),
        ('a,b\n1,"x,2\n3,"y\n4,z\n5,w"\n', "data.quote_across_rows", {"line": 2, "last": 3}),
        (SOLID + "1,2,3,4\n", "data.long_row", {"line": 32, "cells": 4, "width": 3}),
        (SOLID + "x,y,z,w\n1,2,3,4\n", "data.another_table", {"line": 32}),
    ],
)
def test_what_cannot_be_read_for_sure_is_refused(
    read: Read, content: str, code: str, params: dict[str, int]
) -> None:
    with pytest.raises(Unprocessable) as caught:
        read(content)
    assert caught.value.code == code
    assert caught.value.params == caught.value.params | params
    assert caught.value.message("fr")


def test_a_quote_that_swallows_rows_far_down_is_found(read: Read) -> None:
    start = '"id","name","v"\n' + "".join(f'"{i}","n{i}","{i}"\n' for i in range(30_000))
    with pytest.raises(Unprocessable) as caught:
        read(start + '1,"abc,2\n2,def,3\n3,"ghi,4\n4,x,5\n')
    assert caught.value.code == "data.quote_across_rows"
    assert caught.value.params["line"] == 30_002


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_short_rows_are_filled_up_and_told_by_line(read: Read, end: str) -> None:
    result = read((SOLID + "1,t\n2,t,5\n").replace("\n", end))
    assert result.rows == 32
    assert result.columns[2].missing == 1
    assert told(result)["data.short_rows"] == {"n": 1, "lines": ["32"]}


def test_separators_too_many_are_cut_only_where_this_is_no_guess(read: Read) -> None:
    assert told(read(SOLID + "1,t,5,,\n"))["data.extra_separators"] == {"n": 1, "lines": ["32"]}
    with pytest.raises(Unprocessable):
        read("a,b,c\n1,t,\n" + ROWS + "1,t,x,\n")


def test_every_row_may_end_with_a_separator(read: Read) -> None:
    result = read("a,b,c\n" + ROWS.replace("\n", ",\n"))
    assert names(result) == ["a", "b", "c"]
    assert set(told(result)) == {"data.trailing_separator"}


def test_comments_repeated_names_and_notes_are_left_out_and_told(read: Read) -> None:
    result = read("# a file\n" + SOLID + "# half\n" + "a,b,c\n" + ROWS + "\nSource: me\n")
    assert result.rows == 60
    assert [column.type for column in result.columns] == ["integer", "string", "number"]
    said = told(result)
    assert said["data.preamble"]["n"] == 1
    assert said["data.comments"]["lines"] == ["33"]
    assert said["data.repeated_header"]["lines"] == ["34"]
    assert said["data.notes_below"]["lines"] == ["66"]


def test_repeated_names_far_down_are_found(read: Read) -> None:
    result = read("a,b,c\n" + ROWS * 500 + "a,b,c\n" + ROWS)
    assert result.rows == 30 * 501
    assert result.columns[0].type == "integer"


def test_a_second_table_is_told(read: Read) -> None:
    assert told(read(SOLID + "name,city\nbob,paris\nann,rome\nzoe,oslo\n"))["data.second_table"]["line"] == 32
    assert told(read(SOLID + "\nx,y,z\n1,2,3\n"))["data.second_table"]["line"] == 33


def test_units_below_the_names_are_left_out_and_told(read: Read) -> None:
    result = read("name,height,weight\ntext,cm,kg\n" + "".join(f"n{i},{i},{i}\n" for i in range(9)))
    assert result.rows == 9
    assert told(result)["data.second_header"]["line"] == 2


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (ROWS, ["column_1", "column_2", "column_3"]),
        ("1\n2\n3\n", ["column_1"]),
        ("FR,2019,2020\nDE,2015,2018\nIT,2011,2019\n", ["column_1", "column_2", "column_3"]),
        ("red,1\nblue,2\nred,3\n", ["column_1", "column_2"]),
        ("red,small\nblue,big\n" * 4, ["column_1", "column_2"]),
        ("MG-8769,x y z\nRI-3895,a b\nRI-8070,c d\nBH-1,e f\n", ["column_1", "column_2"]),
    ],
)
def test_data_in_the_first_row_are_told(read: Read, content: str, expected: list[str]) -> None:
    result = read(content)
    assert names(result) == expected
    assert result.dialect.header == -1
    assert "data.no_header" in told(result)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("country,2019,2020,2021\nFR,1,2,3\nDE,4,5,6\n", ["country", "2019", "2020", "2021"]),
        ("country,2019,2020\nFR,1,2\nDE,4,5\n", ["country", "2019", "2020"]),
        ("id,1,2,5\n1,0.5,0.6,0.7\n2,0.5,0.1,0.2\n", ["id", "1", "2", "5"]),
        ("id,2024-01-01,2024-01-02\na,1,2\nb,3,4\n", ["id", "2024-01-01", "2024-01-02"]),
        ("0,1,2,3\n5,6,7,8\n9,10,11,12\n", ["0", "1", "2", "3"]),
        ("colour,size\n" + "red,small\nblue,big\n" * 4, ["colour", "size"]),
        (" a , b\n1,2\n", ["a", "b"]),
        (",v\n1,2\n3,4\n", ["column_1", "v"]),
        ("a,a,,a_2\n1,2,3,4\n", ["a", "a_3", "column_3", "a_2"]),
        ('"x","y"\n"1",2,3\n"2",4,5\n', ["column_1", "x", "y"]),
        ("sep=;\na;b\n1,5;x\n2,5;y\n", ["a", "b"]),
        ('"two\nlines",b\n1,2\n', ["two\nlines", "b"]),
    ],
)
def test_names(read: Read, content: str, expected: list[str]) -> None:
    assert names(read(content)) == expected


def test_the_line_of_the_names_can_be_told(read: Read) -> None:
    content = "1,2\n3,4\n5,6\n"
    assert names(read(content, header=0)) == ["1", "2"]
    assert names(read(content, header=1)) == ["3", "4"]
    assert read(content, header=1).rows == 1
    assert names(read("a,b\n1,2\n", header=-1)) == ["column_1", "column_2"]
    assert not read(content, header=0).warnings


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
def test_separators(read: Read, separator: str) -> None:
    result = read(SOLID.replace(",", separator))
    assert result.dialect.separator == separator
    assert [column.type for column in result.columns] == ["integer", "string", "number"]


def test_blanks_after_separators_belong_to_them(read: Read) -> None:
    result = read('a, b, c\n1, "x, y", 3\n2, z, 4\n3, w, 5\n')
    assert result.preview == [[1, "x, y", 3], [2, "z", 4], [3, "w", 5]]


def test_columns_of_blanks(read: Read) -> None:
    assert read("a   b     c\n1   2     3.5\n10  20   30.5\n4   5     6\n").preview[1] == [10, 20, 30.5]


def test_texts_with_blanks_are_one_column(read: Read) -> None:
    assert names(read("comment\n" + "one two three 4\n" * 5)) == ["comment"]


def test_quotes_doubled_escaped_and_single(read: Read) -> None:
    assert read('a,b\n"x ""y"" z",1\n"p",2\n').preview[0][0] == 'x "y" z'
    assert read('a,b\n"x \\"y\\", z",1\n"p\\\\q",2\n').preview == [['x "y", z', 1], ["p\\q", 2]]
    assert read("a,b\n'x, y',1\n'it''s',2\n'z',3\n").preview[:2] == [["x, y", 1], ["it's", 2]]
    assert read("a,b\n'tis,1\n'twas,2\nno,3\n").preview[0][0] == "'tis"
    assert read('a,b\n5" pipe,1\n6" pipe,2\n').preview[0][0] == '5" pipe'


def test_text_after_a_closing_quote_is_kept_and_told(read: Read) -> None:
    result = read('a,b\n"x"y,1\nz,2\n')
    assert result.preview[0][0] == "xy"
    assert told(result)["data.stray_quotes"]["lines"] == ["2"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "mac-roman"]
)
def test_encodings_are_found(read: Read, encoding: str) -> None:
    result = read("name,v\nÉlodie,1\nFrançois,2\nGaëtan,3\n".encode(encoding))
    assert [row[0] for row in result.preview] == ["Élodie", "François", "Gaëtan"]
    assert names(result) == ["name", "v"]
    assert ("data.encoding_guessed" in told(result)) == (encoding in ("cp1252", "mac-roman"))


def test_an_encoding_can_be_told(read: Read) -> None:
    content = "name,v\nЮлия,1\nИван,2\n".encode("cp1251")
    assert read(content, encoding="cp1251").preview[0][0] == "Юлия"
    with pytest.raises(Unprocessable) as caught:
        read(content, encoding="utf-8")
    assert caught.value.code == "data.wrong_encoding"
    assert read(codecs.BOM_UTF8 + b"1,2\n3,4\n", encoding="utf-8", header=-1).preview[0] == [1, 2]


def test_letters_far_down_decide_the_encoding(read: Read) -> None:
    result = read(b"name,v\n" + b"abc,1\n" * 60_000 + b"Fran\xe7ois,2\n")
    assert result.dialect.encoding == "cp1252"
    assert result.columns[0].distinct == 2


def test_a_few_broken_bytes_do_not_spoil_the_rest(read: Read) -> None:
    result = read(b"name,v\n" + "René,1\n".encode() * 50 + b"Fran\xe7ois,2\n")
    assert result.preview[0][0] == "René"
    assert told(result)["data.invalid_bytes"]["lines"] == ["52"]


def test_a_cut_utf16_file_is_read_up_to_the_cut(read: Read) -> None:
    result = read("a,b\n1,é\n2,x".encode("utf-16") + b"\x31")
    assert result.rows == 2
    assert "data.invalid_bytes" in told(result)


def test_a_cell_larger_than_a_block(read: Read) -> None:
    result = read("id,text\n1," + "x" * 5_000_000 + "\n" + "2,y\n" * 10)
    assert result.rows == 11
    assert len(str(result.preview[0][1])) == 200


def test_two_separators_that_fit_are_told(read: Read) -> None:
    content = "1,5;2,5\n3,5;4,5\n5,5;6,5\n"
    result = read(content)
    assert result.preview[0] == [1.5, 2.5]
    other = next(notice for notice in result.warnings if notice.code == "data.separator_doubtful")
    assert other.action == {"separator": ","}
    assert read(content, **other.action).preview[0] == [1, "5;2", 5]


def test_blank_lines_are_no_rows(read: Read) -> None:
    assert read("\n\na,b\n\n1,2\n\n\n3,4\n\n").rows == 2
    assert read("a,b\n1,2\n3,4\n\x1a").rows == 2
    assert read('a\n1\n""\n3\n').preview == [[1], [None], [3]]


def test_an_error_leaves_an_earlier_result_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "t.csv", tmp_path / "t.parquet"
    source.write_text("a,b\n1,2\n")
    convert(source, target)
    before = target.read_bytes()
    source.write_text('a,b\n1,"2\n')
    with pytest.raises(AutoMLError):
        convert(source, target)
    assert target.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["t.csv", "t.parquet"]  # noqa: PTH208


@pytest.mark.slow
def test_reading_is_deterministic_and_tells_its_progress(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text(SOLID + "1,t\n" + ROWS * 20_000)
    shares: list[float] = []
    first = convert(source, tmp_path / "1.parquet", ReadOptions(), progress=shares.append)
    assert convert(source, tmp_path / "2.parquet") == first
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 3
