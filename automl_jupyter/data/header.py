"""Where a table starts in its file, whether its first row holds names, and which names the columns get."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from automl_jupyter.data.cells import Record, kind
from automl_jupyter.data.model import Notice, ReadOptions
from automl_jupyter.errors import FieldError, Unprocessable

_SAMPLE = 100
_MAX_LISTED = 5


@dataclass(frozen=True)
class Start:
    """Where the table starts.

    Attributes
    ----------
    header : int
        Index of the line with the names, or -1.
    header_rows : int
        How many rows are names, or words below them that are left out.
    skipped_lines : int
        Lines before the names, or before the data if there are none.
    data_line : int
        Number, from 1, of the first line of data.
    names : tuple of str
        Final names, one for each column.
    trailing : bool
        Whether every row ends with a separator too many.
    notices : tuple of Notice
        What was guessed and renamed.
    """

    header: int
    header_rows: int
    skipped_lines: int
    data_line: int
    names: tuple[str, ...]
    trailing: bool
    notices: tuple[Notice, ...]


def find(rows: Sequence[Record], options: ReadOptions, lines: int) -> Start:
    """Find the names and the first row of data.

    Parameters
    ----------
    rows : sequence of Record
        The first rows of the file, at least one.
    options : ReadOptions
        What a person decided on ``header``, ``header_rows`` and ``skip``.
    lines : int
        How many lines the sample has.

    Raises
    ------
    Unprocessable
        ``data.header_only`` if no data follow the names; ``data.header_beyond_end`` if the line given does
        not exist.
    """
    rows, named, notices = _locate(rows, options, lines)
    first, data = rows[0], list(rows[1:] if named else rows)
    last = first.last_line if named else first.line - 1
    taken = int(named)
    if named and options.header_rows is not None:
        more = data[: options.header_rows - 1]
        taken += len(more)
        del data[: len(more)]
        last = more[-1].last_line if more else last
        first = _joined(first, more)
    elif named and options.header is None and (below := _names_below(data)):
        last, taken = data[below - 1].last_line, 1 + below
        shown = [cell for row in data[:below] for cell in row.cells if cell.strip()][:_MAX_LISTED]
        params: dict[str, int | list[str]] = {"n": below, "line": data[0].line, "texts": shown}
        notices.append(Notice("data.second_header", params, action={"header_rows": 1}))
        del data[:below]
    if not data:
        raise Unprocessable("data.header_only", line=first.line)
    raw, trailing, told = _fitted(first, data) if named else ([""] * _width(rows), False, [])
    names, renamed = _unique(raw, named=named)
    return Start(
        header=first.line - 1 if named else -1,
        header_rows=taken,
        skipped_lines=first.line - 1,
        data_line=last + 1,
        names=names,
        trailing=trailing,
        notices=(*notices, *told, *renamed),
    )


def _told(rows: Sequence[Record], line: int, field: str, lines: int) -> Sequence[Record]:
    """Return the rows from a line on that a person named."""
    kept = [row for row in rows if row.last_line > line]
    if not kept:
        wrong = FieldError(field, "data.header_beyond_end", {"line": line + 1, "lines": lines})
        raise Unprocessable(wrong.code, errors=[wrong], line=line + 1, lines=lines)
    return kept


def _joined(first: Record, more: Sequence[Record]) -> Record:
    """Return the names of several rows as one row, the parts of each joined by blanks."""
    width = max(len(row.cells) for row in (first, *more))
    columns = ([row.cells[i].strip() for row in (first, *more) if i < len(row.cells)] for i in range(width))
    return first._replace(cells=[" ".join(filter(None, parts)) for parts in columns])


def _locate(
    rows: Sequence[Record], options: ReadOptions, lines: int
) -> tuple[Sequence[Record], bool, list[Notice]]:
    """Skip what stands before the table, and decide whether its first row holds names."""
    notices: list[Notice] = []
    header = options.header
    if header is not None and header >= 0:
        return _told(rows, header, "header", lines), True, notices
    if options.skip is not None:
        rows = _told(rows, options.skip, "skip", lines)
    width = _width(rows)
    skipped = _preamble(rows, width) if options.skip is None else 0
    shown = [" ".join(cell for cell in row.cells if cell)[:80] for row in rows[:skipped]]
    if skipped and not (skipped == 1 and rows[0].cells[0].lower() == "sep="):
        texts = [text for text in shown if text][:_MAX_LISTED]
        params: dict[str, int | list[str]] = {"n": rows[skipped].line - 1, "texts": texts}
        notices.append(Notice("data.preamble", params, action={"header": 0}))
    rows = rows[skipped:]
    if header is not None or options.header_rows is not None:
        return rows, header is None, notices
    named, doubtful = _has_names(rows, width)
    line = rows[0].line - 1
    if not named:
        notices.append(Notice("data.no_header", {"line": line + 1}, action={"header": line}))
    elif doubtful:
        notices.append(Notice("data.header_doubtful", {"line": line + 1}, action={"header": -1}))
    return rows, named, notices


def _fitted(first: Record, data: Sequence[Record]) -> tuple[list[str], bool, list[Notice]]:
    """Return a name for every column, and whether every row ends with a separator too many."""
    raw, width = list(first.cells), _width([first, *data])
    while len(raw) > width and not raw[-1].strip():
        raw.pop()
    if len(raw) == width - 1:
        if all(len(row.cells) < width or not row.cells[-1].strip() for row in data):
            return raw, True, [Notice("data.trailing_separator", {})]
        return ["", *raw], False, [Notice("data.row_names", {"line": first.line, "name": "column_1"})]
    return raw + [""] * (width - len(raw)), False, []


def _names_below(data: Sequence[Record]) -> int:
    """How many rows below the names, three at most, hold words where all rows after them hold numbers."""
    for count in (3, 2, 1):
        after = data[count:]
        if after and all(_is_second_names([row, *after]) for row in data[:count]):
            return count
    return 0


def _is_second_names(data: Sequence[Record]) -> bool:
    """Whether the first row below the names holds words, such as units, where all others hold numbers."""
    if len(data) < 4:
        return False
    cells, below = data[0].cells, [row.cells for row in data[1 : _SAMPLE + 1]]
    numeric = 0
    for index, cell in enumerate(cells[:500]):
        what = kind(cell)
        if what in ("number", "date", "boolean"):
            return False
        kinds = [kind(row[index]) for row in below if index < len(row)]
        present = [k for k in kinds if k != "missing"]
        if present and sum(k in ("number", "date") for k in present) >= 0.9 * len(present):
            if what == "missing":
                return False
            numeric += 1
    return numeric >= 2 or (numeric == 1 and len(cells) == 1)


def _width(rows: Sequence[Record]) -> int:
    """Return the number of cells that most rows have; between equals, that of the first row."""
    counts = Counter(len(row.cells) for row in rows if not row.cells[0].startswith("#"))
    if not counts:
        counts = Counter(len(row.cells) for row in rows)
    first = len(rows[0].cells)

    def weight(width: int) -> float:
        share = (width - 1) / width if width > 1 else 0.3
        return (counts[width] + (0.75 if width == first > 1 else 0.0)) * share

    return max(counts, key=weight)


def _preamble(rows: Sequence[Record], width: int) -> int:
    """How many rows at the top are titles, notes and comments rather than part of the table."""
    for index, row in enumerate(rows[:-1]):
        filled = [cell for cell in row.cells if cell.strip()]
        following = next((n for n in map(_filled, rows[index + 1 :]) if n), 0)
        note = row.cells[0].startswith("#") and len(row.cells) != width
        hint = len(row.cells) <= 2 and row.cells[0].lower().startswith("sep=")
        short = len(row.cells) < width - 1 and len(row.cells) <= max(1, width // 2)
        bare = width >= 3 and len(filled) * 2 < width and (not filled or following > len(filled))
        wordy = all(kind(cell) in ("word", "text") for cell in filled)
        if not (note or hint or (short and wordy) or (short and width >= 4) or (bare and wordy)):
            return index
    return 0 if not rows else len(rows) - 1 if len(rows[-1].cells) == width else 0


def _filled(row: Record) -> int:
    return sum(bool(cell.strip()) for cell in row.cells)


def _has_names(rows: Sequence[Record], width: int) -> tuple[bool, bool]:
    """Whether the first row holds names, and whether that is doubtful."""
    first, below = rows[0].cells, rows[1 : _SAMPLE + 1]
    kinds = [kind(cell) for cell in first]
    if len(first) > 1 and any(row.cells == first for row in below) and set(kinds) <= {"word", "text"}:
        counts = Counter(tuple(row.cells) for row in below)
        if counts[tuple(first)] == 1 and len(counts) > 2 and _names_again(first, below):
            return True, False
    if not below:
        return not any(k in ("number", "date") for k in kinds), False
    if _counts_up(first, kinds, below):
        return True, False
    rising = _rises(first, kinds)
    for_names, against = 0.0, 0.0
    shift = 1 if len(first) == width - 1 else 0
    for index, cell in enumerate(first[:500]):
        column = [row.cells[index] for row in below if index < len(row.cells)]
        vote = _vote(cell, column)
        if not vote and shift:
            vote = _vote(cell, [row.cells[index + 1] for row in below if index + 1 < len(row.cells)])
        for_names += max(vote, 0.0)
        if not (rising and kinds[index] == "number"):
            against += max(-vote, 0.0)
    if for_names == against == 0:
        plain = all(k == "word" for k in kinds) and len(set(first)) == len(first)
        return plain or all(k in ("word", "text") for k in kinds), True
    return for_names > against, for_names <= 2 * against


def _names_again(first: Sequence[str], below: Sequence[Record]) -> bool:
    """Whether other rows than a repetition of the first hold numbers or dates where it holds words."""
    others = [row.cells for row in below if row.cells != first]
    return any(kind(cell) in ("number", "date") for cells in others for cell in cells)


def _vote(name: str, column: Sequence[str]) -> float:  # noqa: PLR0911 - one line for each kind of evidence
    """How much a column speaks for its first cell being a name: positive for, negative against."""
    what = kind(name)
    values = [cell.strip() for cell in column if kind(cell) != "missing"]
    if not values:
        return 0.3 if what in ("word", "text") else 0.0
    if what == "missing":
        return 0.0
    if what == "text" and len(name) > 200:
        return -1.0
    name = name.strip()
    numbers = Counter(kind(value) for value in values)
    for one in ("number", "date", "boolean"):
        if numbers[one] >= 0.9 * len(values):
            other = what in ("word", "text") or (what, one) == ("date", "number")
            return -1.0 if what == one else 1.0 if other else 0.0
    if name in values:
        return -1.0
    shapes = Counter(map(_shape, values))
    shape, often = shapes.most_common(1)[0]
    if "9" in shape and often >= 0.9 * len(values) and len(values) >= 2:
        return -1.0 if _shape(name) == shape else 1.0
    if what in ("number", "date"):
        return -0.5
    return 0.5 if len(set(values)) <= 0.5 * len(values) else 0.0


def _shape(text: str) -> str:
    """Return a text with its letters as ``a``, its digits as ``9`` and runs of them shortened."""
    return re.sub(r"9+", "9", re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "9", text[:60])))


def _counts_up(cells: Sequence[str], kinds: Sequence[str], below: Sequence[Record]) -> bool:
    """Whether the numbers of a row are years or positions in order: names, for all that they are numbers."""
    places = [index for index, k in enumerate(kinds) if k == "number"]
    numbers = [cells[index].strip() for index in places]
    if len(numbers) < 2 or not all(n.isascii() and n.isdigit() for n in numbers):
        return False
    values = [int(n[:18]) for n in numbers]
    if len(values) >= 4 and values == list(range(len(values))):
        return True
    in_order = len({later - earlier for earlier, later in pairwise(values)} - {0}) == 1
    if not in_order or not all(map(_is_year, numbers)):
        return False
    others = [row.cells[index] for row in below for index in places if index < len(row.cells)]
    return sum(map(_is_year, others)) < 0.5 * len(others)


def _is_year(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and 1800 <= int(cell[:18]) <= 2200


def _rises(cells: Sequence[str], kinds: Sequence[str]) -> bool:
    """Whether the numbers of a row, beside words, rise like the bounds or positions that names may be."""
    numbers = [cell.strip() for cell, k in zip(cells, kinds, strict=True) if k == "number"]
    if (
        len(numbers) < 3
        or len(numbers) == len(cells)
        or not all(n.isascii() and n.isdigit() for n in numbers)
    ):
        return False
    values = [int(n[:18]) for n in numbers]
    return all(low < high for low, high in pairwise(values))


def _unique(raw: Sequence[str], *, named: bool) -> tuple[tuple[str, ...], list[Notice]]:
    """Names trimmed, filled in where empty and made unique, and what to say about it."""
    notices: list[Notice] = []
    names = [cell.replace("\x00", "").strip().strip("\ufeff\u200b") for cell in raw]
    empty = [i for i, name in enumerate(names) if not name]
    taken = {name for name in names if name}
    counts: Counter[str] = Counter()
    renamed: list[str] = []
    for index, name in enumerate(names):
        wanted = name or f"column_{index + 1}"
        counts[wanted] += 1
        if (name and counts[wanted] == 1) or (not name and wanted not in taken):
            new = wanted
        else:
            number = 2
            while (new := f"{wanted}_{number}") in taken:
                number += 1
            if name:
                renamed.append(new)
        names[index] = new
        taken.add(new)
    if named and empty:
        listed = [names[i] for i in empty[:_MAX_LISTED]]
        notices.append(Notice("data.unnamed_columns", {"n": len(empty), "names": listed}))
    if renamed:
        notices.append(Notice("data.duplicate_names", {"n": len(renamed), "names": renamed[:_MAX_LISTED]}))
    return tuple(names), notices
