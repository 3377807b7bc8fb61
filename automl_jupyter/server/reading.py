"""How a file was read, for the page of a data set: in sentences, and as a form that has it read again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from automl_jupyter import schemas
from automl_jupyter.server.base import whole

LISTED = 200
"""The most columns that the page shows and asks about."""

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "space": " "}
DECIMALS = {"point": ".", "comma": ","}
ORDERS = {"day": True, "month": False}
AGAIN = "again"
"""What a field of the form says for: find it out again."""

Sentence = tuple[str, dict[str, object], bool]
"""A code, its values, and whether a person decided it."""


def sentences(dataset: schemas.Dataset) -> list[Sentence]:
    """Each guess about a file, or decision, in a sentence."""
    dialect = dataset.dialect
    decided = dialect.get("overrides")
    told = decided if isinstance(decided, dict) else {}

    def told_of(*fields: str) -> bool:
        return any(field in told for field in fields)

    found: list[Sentence] = [
        ("pages.read_encoding", {"encoding": dialect["encoding"]}, told_of("encoding")),
        (f"pages.read_separator_{_name(dialect['separator'])}", dict(dialect), told_of("separator")),
        _header(dialect, decided=told_of("header", "header_rows", "skip")),
    ]
    numbers = [column for column in dataset.columns if column.read.decimal is not None]
    if numbers:
        code = "pages.read_decimal_comma" if dialect["decimal"] == "," else "pages.read_decimal_point"
        found.append((code, {}, told_of("decimal")))
    if dialect["thousands"]:
        found.append(("pages.read_thousands", {"thousands": dialect["thousands"]}, told_of("thousands")))
    if dialect["day_first"] is not None:
        code = "pages.read_day_first" if dialect["day_first"] else "pages.read_month_first"
        found.append((code, {}, told_of("day_first")))
    words = _strings(dialect["missing_values"])
    shown: list[str] = [word for word in words if word.strip()]
    code = "pages.read_missing" if shown else "pages.read_missing_none"
    found.append((code, {"words": shown}, told_of("missing_values")))
    return found


def of_column(column: schemas.Column) -> list[Sentence]:
    """How the values of one column were read, where it is worth a word."""
    read = column.read
    found: list[Sentence] = []
    if read.text_because is not None:
        found.append((f"pages.stays_{read.text_because}", {}, False))
    if read.decimal == ",":
        found.append(("pages.with_decimal_comma", {}, False))
    if read.thousands:
        found.append(("pages.with_thousands", {"thousands": read.thousands}, False))
    if read.unit:
        found.append(("pages.without_unit", {"unit": read.unit}, False))
    if read.date_order in ("dmy", "mdy"):
        found.append((f"pages.order_{read.date_order}", {}, False))
    if read.zoned:
        found.append(("pages.in_utc", {}, False))
    words = [word for word in read.missing_values if word.strip()]
    if words:
        found.append(("pages.missing_here", {"words": words}, False))
    if read.asked:
        found.append(("pages.type_asked", {}, True))
    return found


def asked(form: Mapping[str, str], dataset: schemas.Dataset) -> bytes:
    """The body of a request to read again that a filled-in form stands for."""
    if "action" in form:
        return form["action"].encode()
    given: dict[str, object] = {}
    choices: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("separator", SEPARATORS),
        ("decimal", DECIMALS),
        ("day_first", ORDERS),
    )
    for field, meanings in choices:
        if form.get(field):
            given[field] = None if form[field] == AGAIN else meanings.get(form[field], form[field])
    if form.get("encoding", "").strip():
        given["encoding"] = form["encoding"].strip()
    if form.get("header", "").strip():
        line = form["header"].strip()
        number = whole(line, 9)
        given["header"] = line if number is None else number - 1
    types = {
        column.name: None if form[f"type-{index}"] == AGAIN else form[f"type-{index}"]
        for index, column in enumerate(dataset.columns[:LISTED])
        if form.get(f"type-{index}")
    }
    if types:
        given["column_types"] = types
    return json.dumps(given).encode()


def problems(errors: Sequence[schemas.FieldProblem], dataset: schemas.Dataset) -> dict[str, str]:
    """The sentence for each field of the form that is wrong, by the field's name."""
    names = {f"column_types.{column.name}": f"type-{i}" for i, column in enumerate(dataset.columns[:LISTED])}
    return {names.get(error.field, error.field): error.message for error in errors}


def acted_on(findings: Sequence[schemas.Finding], chosen: Sequence[int]) -> dict[str, Any]:
    """The fields of a request to train that act on the chosen findings at once."""
    together: dict[str, Any] = {}
    for index in chosen:
        action = findings[index].action if 0 <= index < len(findings) else None
        for field, value in (action or {}).items():
            if field == "columns" and isinstance(value, list) and field in together:
                together[field] = [name for name in together[field] if name in value]
            else:
                together[field] = value
    return together


def _header(dialect: Mapping[str, Any], *, decided: bool) -> Sentence:
    if dialect["header"] < 0:
        return "pages.read_no_header", {}, decided
    return "pages.read_header", {"line": dialect["header"] + 1}, decided


def _name(separator: object) -> str:
    return next((name for name, mark in SEPARATORS.items() if mark == separator), "other")


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
