"""What stands below a table in its file and could be taken for a row: totals, and lines after a gap."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from automl_jupyter.data.cells import Grammar, OpenQuote, Record, kind, records
from automl_jupyter.data.dialect import split_lines
from automl_jupyter.data.model import Notice

_TAIL = 1 << 16
_LOOKED_AT = 30
_MOST_BELOW = 5
_LEAST_ABOVE = 3
_SHOWN = 80
_TOTAL = re.compile(
    r"(?:(?:grand|sub|sous)[ -]?)?tota(?:l|ls|ux)(?: (?:g[ée]n[ée]ral|amount|sum))?|sum|somme|ensemble"
    r"|(?:gesamt)?summe|gesamt",
    re.IGNORECASE,
)


def look(source: Path, encoding: str, grammar: Grammar, width: int) -> list[Notice]:
    """Look at the end of a file for rows that may be no data.

    Parameters
    ----------
    source : Path
        The file.
    encoding : str
        Python's name.
    grammar : Grammar
        How its lines divide.
    width : int
        How many cells a row has.
    """
    lines = _last_lines(source, encoding)
    while lines and not lines[-1].strip():
        lines.pop()
    above, below = _divided(lines)
    try:
        rows = list(records(below or lines[-1:], grammar))
    except OpenQuote:
        return []
    if width < 2 or not rows or any(len(row.cells) != width for row in rows):
        return []
    texts = [" ".join(filter(None, row.cells))[:_SHOWN] for row in rows]
    action = {"footer": len(rows)}
    if below and len(above) >= _LEAST_ABOVE:
        return [Notice("data.rows_below", {"n": len(rows), "texts": texts}, action=action)]
    return [Notice("data.totals", {"text": texts[-1]}, action={"footer": 1})] if _is_total(rows[-1]) else []


def _last_lines(source: Path, encoding: str) -> list[str]:
    start = max(0, source.stat().st_size - _TAIL) // 4 * 4
    with source.open("rb") as file:
        file.seek(start)
        data = file.read()
    # The mark that tells the order of bytes stands at the beginning only.
    name = f"{encoding}-le" if start and encoding in ("utf-16", "utf-32") else encoding
    lines = split_lines(data.decode(name, "replace").rstrip("\x1a"))
    return (lines[1:] if start else lines)[-_LOOKED_AT:]


def _divided(lines: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the lines above and below a gap near the end, if it is the only one there."""
    gaps = [index for index, line in enumerate(lines) if not line.strip()]
    if not gaps or gaps[-1] - gaps[0] != len(gaps) - 1 or len(lines) - gaps[-1] - 1 > _MOST_BELOW:
        return lines, []
    return lines[: gaps[0]], lines[gaps[-1] + 1 :]


def _is_total(row: Record) -> bool:
    filled = [cell.strip() for cell in row.cells if cell.strip()]
    if not filled or not _TOTAL.fullmatch(filled[0].rstrip(" :")):
        return False
    return any(kind(cell) == "number" for cell in filled[1:])
