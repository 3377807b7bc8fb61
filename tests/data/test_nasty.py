"""Awkward files, each with what is right for it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from automl_jupyter.data import ReadResult
from automl_jupyter.data.read import convert
from automl_jupyter.errors import AutoMLError, Unprocessable, UnsupportedType

FOLDER = Path(os.environ.get("AUTOML_TEST_DATA", ""))


def manifest(folder: str) -> list[dict[str, str]]:
    path = FOLDER / folder / "manifest.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


CASES, TABLE_CASES = manifest("nasty"), manifest("tables")

REFUSED = {
    "unterminated_quote": (Unprocessable, "data.open_quote", {"line": 2}),
    "single_quote_char": (Unprocessable, "data.long_row", {"line": 7, "cells": 10, "width": 9}),
    "tweet_quoted_newlines": (Unprocessable, "data.long_row", {"line": 11}),
    "ragged_too_many": (Unprocessable, "data.long_row", {"line": 5, "cells": 10, "width": 9}),
    "header_only": (Unprocessable, "data.header_only", {}),
    "empty_file": (Unprocessable, "data.empty_file", {}),
    "png_renamed": (UnsupportedType, "data.is_image", {}),
    "gzip_renamed": (UnsupportedType, "data.is_compressed", {}),
}


def columns(result: ReadResult) -> dict[str, tuple[str, str]]:
    return {column.name: (column.type, column.role) for column in result.columns}


def codes(result: ReadResult) -> set[str]:
    return {notice.code for notice in result.warnings}


def column_values(result: ReadResult, name: str) -> list[object]:
    index = [column.name for column in result.columns].index(name)
    return [row[index] for row in result.preview]


def check_french(result: ReadResult) -> None:
    assert result.dialect.decimal == ","
    assert columns(result)["DATE"] == ("datetime", "datetime")
    assert result.dialect.day_first is True
    assert 6.75 in column_values(result, "VISIBILITY_AVG_KM")
    assert "météo très défavorable" in column_values(result, "Météo_€")


def check_parcoursup(result: ReadResult) -> None:
    assert result.columns[0].name.startswith(
        "Statut de l’etablissement de la filiere de formation (public, prive…"
    )
    assert result.columns[5].name == "Coordonnées GPS de la formation"


def check_commas(result: ReadResult) -> None:
    assert (
        column_values(result, "commas")
        == column_values(result, "periods")
        == [1.1, 0.25, 15300.0, 15300.0, -15300.0]
    )


def check_names(result: ReadResult) -> None:
    assert [row[0] for row in result.preview][:3] == ["José Álvarez", "Müller", "François Dupont"]


def check_address(result: ReadResult) -> None:
    assert result.preview == [["John", "Doe", "120 any st.", "Anytown, WW", "08123"]]


def check_duplicates(result: ReadResult) -> None:
    assert {"data.duplicate_names", "data.unnamed_columns"} <= codes(result)
    assert len({column.name for column in result.columns}) == 13
    assert result.preview[0][-1] == "value1"


def check_no_header(result: ReadResult) -> None:
    assert "data.no_header" in codes(result)
    assert result.columns[0].name == "column_1"
    assert result.dialect.header == -1


def check_preamble(result: ReadResult) -> None:
    notice = next(notice for notice in result.warnings if notice.code == "data.preamble")
    assert notice.params["n"] == result.dialect.skipped_lines == result.dialect.header == 2
    check_orders(result)


def check_orders(result: ReadResult) -> None:
    found = columns(result)
    assert found["DATE"] == ("datetime", "datetime")
    assert found["Price"] == ("number", "numeric")
    assert found["Comments"][1] == "empty"
    assert "data.unit" in codes(result)
    assert result.preview[0][0] == "2018-01-28T00:00:00"
    assert result.preview[0][4] == 74.69


def check_short(result: ReadResult) -> None:
    notice = next(notice for notice in result.warnings if notice.code == "data.short_rows")
    assert notice.params["lines"] == ["5"]


def check_two_tables(result: ReadResult) -> None:
    notice = next(notice for notice in result.warnings if notice.code == "data.second_table")
    assert notice.params["line"] == 85


def check_zero_bytes(result: ReadResult) -> None:
    assert result.rows == 3
    assert column_values(result, "name") == ["alpha", None, "gamma"]
    assert "data.nul_bytes" in codes(result)


def check_formulas(result: ReadResult) -> None:
    assert columns(result)["amount"][0] == "integer"
    assert column_values(result, "comment")[0] == "=cmd|' /C calc'!A0"


def check_telco(result: ReadResult) -> None:
    assert columns(result)["TotalCharges"] == ("number", "numeric")
    assert next(column.missing for column in result.columns if column.name == "TotalCharges") == 3
    assert " " in result.dialect.missing_values


def check_ids(result: ReadResult) -> None:
    found = columns(result)
    assert found["account"] == ("string", "id")
    assert found["card"] == ("integer", "id")
    assert found["zip"][0] == "string"
    assert column_values(result, "card")[0] == "9007199254740993"
    assert column_values(result, "zip")[0] == "00000"


CHECKS: dict[str, Callable[[ReadResult], None]] = {
    "fr_excel_cp1252": check_french,
    "fr_excel_utf8_bom": check_french,
    "fr_parcoursup_head": check_parcoursup,
    "decimal_comma_semicolon": check_commas,
    "latin1": check_names,
    "comma_in_quotes": check_address,
    "utf8_bom": lambda result: check_equal([column.name for column in result.columns], ["id", "name"]),
    "quoted_newlines_crlf": lambda result: check_equal(
        column_values(result, "a"), ["1", "Once upon \na time", "7"]
    ),
    "quotes_and_newlines": lambda result: check_equal(column_values(result, "b"), ['ha \n"ha" \nha', "4"]),
    "tab_separated": check_orders,
    "cr_only_line_ends": check_orders,
    "double_trailing_newline": check_orders,
    "pollock_source_orders": check_orders,
    "duplicate_headers": check_duplicates,
    "no_header": check_no_header,
    "preamble_lines": check_preamble,
    "ragged_too_few": check_short,
    "two_tables": check_two_tables,
    "nul_bytes": check_zero_bytes,
    "formula_injection": check_formulas,
    "html_script_cells": lambda result: check_equal(result.columns[1].name, "<b>name</b>"),
    "telco_blank_numbers": check_telco,
    "ids_and_big_integers": check_ids,
    "all_missing_target": lambda result: check_equal(result.columns[2].role, "empty"),
    "constant_target": lambda result: check_equal(result.columns[2].role, "constant"),
    "long_cell_2MB": lambda result: check_equal(len(str(result.preview[0][1])), 200),
}


def check_equal(found: object, expected: object) -> None:
    assert found == expected


def test_the_manifest_is_there(shared_data: Path) -> None:
    assert CASES
    assert TABLE_CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"].removesuffix(".csv"))
def test_awkward_file(case: dict[str, str], shared_data: Path, tmp_path: Path) -> None:
    name = case["file"].removesuffix(".csv")
    source, target = shared_data / "nasty" / case["file"], tmp_path / "table.parquet"
    if name in REFUSED:
        kind, code, params = REFUSED[name]
        with pytest.raises(kind) as caught:
            convert(source, target)
        assert isinstance(caught.value, AutoMLError)
        assert caught.value.code == code
        assert caught.value.params | params == caught.value.params
        assert all(caught.value.message(language) for language in ("en", "fr"))
        assert not list(tmp_path.iterdir())
        return
    result = convert(source, target)
    if case["rows"]:
        assert (result.rows, len(result.columns)) == (int(case["rows"]), int(case["cols"]))
    if name != "single_column":
        assert result.dialect.separator == {"tab": "\t"}.get(case["sep"], case["sep"])
    encodings = {"latin-1": "cp1252"}
    assert result.dialect.encoding == encodings.get(case["encoding"], case["encoding"])
    if "warning" in case["expected"] and name not in ("rare_class_target", "duplicate_rows_and_column"):
        assert result.warnings
    json.dumps(asdict(result), allow_nan=False)
    if name in CHECKS:
        CHECKS[name](result)


@pytest.mark.parametrize("case", TABLE_CASES, ids=lambda case: case["name"])
def test_real_table(case: dict[str, str], shared_data: Path, tmp_path: Path) -> None:
    result = convert(shared_data / "tables" / case["file"], tmp_path / "table.parquet")
    assert (result.rows, len(result.columns)) == (int(case["rows"]), int(case["cols"]))
    assert sum(column.missing for column in result.columns) == int(case["missing_cells"])
    assert case["target"] in columns(result)
    assert result.dialect.header == 0
