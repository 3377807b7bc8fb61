"""JSON lines: how the processes of one job or one server speak to each other over pipes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes that one line may have."""


def clean(value: object) -> object:
    """Copy a value with every number that JSON cannot hold (NaN and the infinities) as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


def to_json(value: object) -> str:
    """Write JSON text in one line; NaN and the infinities become null."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(clean(value), allow_nan=False, separators=(",", ":"))


def to_line(value: object) -> bytes:
    """Write one line of the protocol."""
    return to_json(value).encode() + b"\n"


def from_line(line: bytes) -> dict[str, Any]:
    """Read the object that a line holds.

    Raises
    ------
    ValueError
        If the line is not a JSON object.
    """
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("a line of the protocol is a JSON object")
    return value
