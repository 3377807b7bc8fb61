"""Weak segments in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from automl_jupyter import messages


def segment(item: Mapping[str, Any], loss: str, language: str) -> dict[str, Any]:
    """A weak segment."""
    conditions = [{**one, "message": condition(one, language)} for one in item["conditions"]]
    where = [one["message"] for one in conditions]
    params = {
        "where": messages.render("explanations.and", {"first": where[0], "second": where[1]}, language)
        if len(where) > 1
        else where[0],
        "rows": item["rows"],
        "inside": _loss(item["inside"]),
        "outside": _loss(item["outside"]),
    }
    return {
        **item,
        "conditions": conditions,
        "message": messages.render(f"explanations.segment_{loss}", params, language),
    }


def condition(one: Mapping[str, Any], language: str) -> str:
    """What holds in a segment."""
    bounds = {name: _bound(one, name) for name in ("low", "high")}
    params = {"column": one["column"], "category": one["category"], **bounds}
    if one["missing"]:
        kind = "missing"
    elif one["category"] is not None:
        kind = "is"
    elif one["low"] is None:
        kind = "below"
    else:
        kind = "from" if one["high"] is None else "between"
    return messages.render(f"explanations.where_{kind}", params, language)


def _loss(value: float) -> object:
    return messages.cell(round(value) if abs(value) >= 1000 else value, 3)


def _bound(one: Mapping[str, Any], name: str) -> object:
    value = one[name]
    if value is None:
        return ""
    if one["kind"] == "datetime":
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d")
    return messages.cell(value, 4)
