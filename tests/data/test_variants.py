"""Files as they come: each odd way to write a table, and what is right for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from automl_jupyter.data import ReadResult
from automl_jupyter.errors import UnsupportedType

Read = Callable[..., ReadResult]
BASE = "id,name,price\n1,anna,1.5\n2,bert,2.5\n3,carl,3.5\n4,dora,4.5\n"


def codes(result: ReadResult) -> set[str]:
    return {notice.code for notice in result.warnings}


def column(result: ReadResult, name: str) -> list[object]:
    index = [found.name for found in result.columns].index(name)
    return [row[index] for row in result.preview]


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        (("名前", "田中", "東京", "カメラ"), "shift_jis"),
        (("名前", "田中", "東京", "ひらがな"), "euc_jp"),
        (("姓名", "王明", "北京", "上海"), "gb18030"),
        (("姓名", "王明", "臺北", "高雄"), "big5"),
        (("이름", "김민준", "서울", "부산"), "euc_kr"),
        (("имя", "Иван", "Москва", "Петербург"), "cp1251"),
        (("имя", "Иван", "Москва", "Петербург"), "koi8-r"),
        (("nom", "José", "Orléans", "Nîmes"), "cp1252"),
        (("nom", "José", "Orléans", "Nîmes"), "mac-roman"),
    ],
)
def test_an_encoding_is_found_by_what_it_makes_of_the_bytes(
    read: Read, words: tuple[str, ...], encoding: str
) -> None:
    name, *values = words
    lines = [f"n;{name}", *(f"{i};{value}" for i, value in enumerate(values * 4))]
    result = read("\n".join(lines).encode(encoding))
    assert result.dialect.encoding == encoding
    assert column(result, name) == values * 4
    told = next(n for n in result.warnings if n.code == "data.encoding_guessed")
    assert told.action is not None
    assert read("\n".join(lines).encode(encoding), **told.action).rows == 12


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_found_whatever_its_letters(read: Read, encoding: str) -> None:
    result = read("имя,город\nИван,Москва\nПётр,Казань\n".encode(encoding))
    assert (result.dialect.encoding, column(result, "имя")) == (encoding, ["Иван", "Пётр"])


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("(1,234.50)", "2,000.00", "(3.25)"), [-1234.5, 2000.0, -3.25]),
        (("$(1,234.50)", "$2,000.00", "($3.25)"), [-1234.5, 2000.0, -3.25]),
        (("1234.5-", "2000", "3.25-"), [-1234.5, 2000.0, -3.25]),
        (("−1.5", "2.5", "∞"), [-1.5, 2.5, "inf"]),
        (("1’234’567.5", "12.5", "1’000.0"), [1234567.5, 12.5, 1000.0]),
        (("(1)", "(2)", "(3)"), ["(1)", "(2)", "(3)"]),
        (("1.234.567,89", "12,5", "1.000,0"), [1234567.89, 12.5, 1000.0]),
        (("1 234,56 €", "12,00 €", "-3,5 €"), [1234.56, 12.0, -3.5]),
        (("1\u202f234,56\u00a0€", "12,00\u00a0€", "0,5\u00a0€"), [1234.56, 12.0, 0.5]),
    ],
)
def test_numbers_as_people_write_them(read: Read, cells: tuple[str, ...], values: list[object]) -> None:
    result = read("x;y\n" + "".join(f"{cell};t\n" for cell in cells))
    assert column(result, "x") == values
    signed = any(cell.endswith((")", "-")) for cell in cells) and values[0] != "(1)"
    assert ("data.signs" in codes(result)) == signed


def test_signs_far_down_are_read_like_those_at_the_top(read: Read) -> None:
    many = [f"{i},x" for i in range(1, 200)]
    assert column(read("\n".join(["a,b", "(5),x", *many])), "a")[:2] == [-5, 1]


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (("31 décembre 2020", "1er février 2021", "3 août 2021"), "2020-12-31T00:00:00"),
        (("31-déc-2020", "01-févr.-2021", "03-juil-2021"), "2020-12-31T00:00:00"),
        (("31-Dec-20", "01-Feb-21", "03-Mar-21"), "2020-12-31T00:00:00"),
        (("2024-01-01 10:00:00 +02:00", "2024-01-02 10:00:00 UTC"), "2024-01-01T08:00:00+00:00"),
        (("2024-01-01T10:00:00.5Z", "2024-01-02T10:00:00Z"), "2024-01-01T10:00:00.500000+00:00"),
    ],
)
def test_dates_as_people_write_them(read: Read, cells: tuple[str, ...], first: str) -> None:
    result = read("x;y\n" + "".join(f"{cell};t\n" for cell in cells))
    assert (result.columns[0].type, column(result, "x")[0]) == ("datetime", first)


def test_dates_of_both_orders_stay_text_and_are_told(read: Read) -> None:
    result = read("d,x\n12/31/2020,1\n31/12/2020,2\n01/02/2020,3\n")
    assert result.columns[0].type == "string"
    assert "data.mixed_dates" in codes(result)


def test_truth_values_of_a_french_spreadsheet(read: Read) -> None:
    assert column(read("b;x\nVRAI;1\nFAUX;2\n;3\n"), "b") == [True, False, None]


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_several_rows_of_names(read: Read, rows: int) -> None:
    more = ["name,Q1,Q2,Q1", "-,EUR,EUR,EUR", "x,net,net,net"][:rows]
    content = "\n".join(
        ["site,2023,2024,2025", *more, "Paris,1,2,3", "Lyon,4,5,6", "Nice,7,8,9", "Lille,1,1,1"]
    )
    result = read(content)
    assert [found.type for found in result.columns] == ["string", "integer", "integer", "integer"]
    assert (result.rows, result.dialect.header_rows) == (4, 1 + rows)
    joined = read(content, header_rows=1 + rows)
    assert joined.columns[1].name == "2023 Q1 EUR net"[: [7, 11, 15][rows - 1]]
    assert joined.rows == 4


@pytest.mark.parametrize(
    ("end", "code", "rows"),
    [
        ("Total,6,61.5\n", "data.totals", 3),
        ("Total général :,6,61.5\n", "data.totals", 3),
        ("\nSource: INSEE,2024,\n", "data.rows_below", 3),
        ("\n\na,1,2\nb,3,4\n", "data.rows_below", 3),
    ],
)
def test_what_stands_below_the_table_is_told_and_can_be_left_out(
    read: Read, end: str, code: str, rows: int
) -> None:
    content = "city,n,amount\nParis,1,10.5\nLyon,2,20.5\nNice,3,30.5\n" + end
    told = next(n for n in read(content).warnings if n.code == code)
    assert told.action is not None
    again = read(content, **told.action)
    assert (again.rows, code in codes(again)) == (rows, False)
    assert [found.type for found in again.columns] == ["string", "integer", "number"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_totals_at_the_end_of_a_long_file_are_seen(read: Read, encoding: str) -> None:
    lines = ["city,n", *(f"Orléans {i},{i}" for i in range(9000)), "Total,9000"]
    content = "\n".join(lines).encode(encoding)
    assert "data.totals" in codes(read(content))
    assert read(content, footer=1).rows == 9000


def test_a_column_called_total_is_no_total(read: Read) -> None:
    assert "data.totals" not in codes(read("kind,n\ntotal,1\npart,2\nrest,3\n"))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\n%PDF-1.4\n%\xe2\xe3\n1 0 obj\n", "data.is_pdf"),
        (b"<rows><row><a>1</a></row><row><a>2</a></row></rows>\n", "data.is_markup"),
        (b"SQLite format 3\x00" + bytes(100), "data.is_binary"),
        (b"PK\x03\x04" + bytes(60), "data.is_compressed"),
        (b'[{"a": 1}]', "data.is_json"),
    ],
)
def test_other_kinds_of_file_are_told(read: Read, content: bytes, code: str) -> None:
    with pytest.raises(UnsupportedType) as caught:
        read(content)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "content",
    [
        BASE.replace("\n", "\r\r\n"),
        "\ufeff" + BASE.replace(",", ";"),
        "sep=;\r\n" + BASE.replace(",", ";").replace("\n", "\r\n"),
        '"sep=;"\r\n' + BASE.replace(",", ";").replace("\n", "\r\n"),
        "\n\n\n" + BASE,
        BASE + "   \n\t\n",
        BASE + "\x1a",
        "# made by hand\n# in 2024\n" + BASE,
        BASE.replace("\n", ",\n").replace("price,", "price"),
        "\u200b" + BASE,
        BASE.replace(",", "\t"),
        BASE.replace(",", " | ").replace(" ", ""),
    ],
)
def test_the_same_table_in_other_clothes(read: Read, content: str) -> None:
    result = read(content)
    assert [found.name for found in result.columns] == ["id", "name", "price"]
    assert result.preview == [[1, "anna", 1.5], [2, "bert", 2.5], [3, "carl", 3.5], [4, "dora", 4.5]]
