"""Writes a file again as a plain, regular CSV where it is not one, and says what it had to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from automl_jupyter.data.cells import Grammar, OpenQuote, Record, kind, records
from automl_jupyter.data.layout import Layout, lines_of, open_text
from automl_jupyter.data.model import Notice
from automl_jupyter.errors import Unprocessable

PLAIN = Grammar("\x1f", '"')
"""How the rows of a repaired file divide: by a character that hardly any text has."""

_LISTED = 5
_SECOND_TABLE_ROWS = 3
_PROGRESS_EVERY = 4096


@dataclass
class _Tally:
    """How often something was met, and on which lines first."""

    n: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, line: int) -> None:
        self.n += 1
        if len(self.lines) < _LISTED:
            self.lines.append(str(line))

    def notice(self, code: str) -> list[Notice]:
        return [Notice(code, {"n": self.n, "lines": self.lines})] if self.n else []


@dataclass
class _Repairs:
    short: _Tally = field(default_factory=_Tally)
    empty_extra: _Tally = field(default_factory=_Tally)
    comments: _Tally = field(default_factory=_Tally)
    headers: _Tally = field(default_factory=_Tally)
    stray: _Tally = field(default_factory=_Tally)
    nul: _Tally = field(default_factory=_Tally)
    replaced: _Tally = field(default_factory=_Tally)
    second_table: int = 0

    def notices(self, *, trailing: bool) -> tuple[Notice, ...]:
        found = [
            *self.short.notice("data.short_rows"),
            *([] if trailing else self.empty_extra.notice("data.extra_separators")),
            *self.comments.notice("data.comments"),
            *self.headers.notice("data.repeated_header"),
            *self.stray.notice("data.stray_quotes"),
            *self.nul.notice("data.nul_bytes"),
            *self.replaced.notice("data.invalid_bytes"),
        ]
        if self.second_table:
            found.append(Notice("data.second_table", {"line": self.second_table}))
        return tuple(found)


def rewrite(
    source: Path, target: Path, layout: Layout, progress: Callable[[int], None] | None = None
) -> tuple[Notice, ...]:
    """Write the rows of a file as regular UTF-8 rows without names, divided by :data:`PLAIN`.

    Short rows are filled up, empty cells too many are cut, comments and repeated names are left out, and each
    of these is told with its lines.

    Parameters
    ----------
    source : Path
        The file.
    target : Path
        The file to write.
    layout : Layout
        How the file is laid out.
    progress : callable, optional
        Called now and then with the number of bytes read.

    Returns
    -------
    tuple of Notice
        What was mended.

    Raises
    ------
    Unprocessable
        ``data.long_row`` for a row with too many cells that are not empty, ``data.open_quote`` for a quote
        that never closes, ``data.quote_across_rows`` for one that closes in the middle of a later row.
    UnicodeDecodeError
        If the file is not in the encoding of the layout.
    """
    repairs = _Repairs()
    with open_text(source, layout) as text, target.open("w", encoding="utf-8", newline="") as out:
        try:
            rows = records(_cleaned(text, layout, repairs), layout.grammar, layout.start.data_line)
            _copy(rows, out, layout, repairs, lambda: progress(text.buffer.tell()) if progress else None)
        except OpenQuote as error:
            raise Unprocessable("data.open_quote", line=error.line) from error
    return repairs.notices(trailing=layout.start.trailing)


def _cleaned(text: TextIO, layout: Layout, repairs: _Repairs) -> Iterator[str]:
    """Return the lines of data without zero bytes."""
    for number, line in enumerate(lines_of(text), start=1):
        if number < layout.start.data_line:
            continue
        if layout.lenient and "\ufffd" in line:
            repairs.replaced.add(number)
        if "\x00" in line:
            repairs.nul.add(number)
            line = line.replace("\x00", "")  # noqa: PLW2901 - the line goes on without them
        yield line


def _copy(
    rows: Iterator[Record], out: TextIO, layout: Layout, repairs: _Repairs, tick: Callable[[], None]
) -> None:
    names = list(layout.start.names)
    width = len(names)
    last_empty = False
    run, run_line, run_width, run_named = 0, 0, 0, False
    for count, row in enumerate(rows):
        if not count % _PROGRESS_EVERY:
            tick()
        cells = row.cells
        if row.stray and row.last_line > row.line:
            raise Unprocessable("data.quote_across_rows", line=row.line, last=row.last_line)
        if row.stray:
            repairs.stray.add(row.line)
        if len(cells) != width:
            if cells[0].lstrip().startswith("#"):
                repairs.comments.add(row.line)
                continue
            cells = _fitted(row, width, repairs, cut=layout.start.trailing or not last_empty)
        elif cells[0] == names[0] and [cell.strip() for cell in cells] == names:
            repairs.headers.add(row.line)
            continue
        if len(row.cells) < width:
            if len(row.cells) != run_width:
                run, run_line, run_width, run_named = 0, row.line, len(row.cells), _like_names(row.cells)
            run += 1
            if run == _SECOND_TABLE_ROWS and run_named and not repairs.second_table:
                repairs.second_table = run_line
        else:
            run_width = 0
        # A last column with empty cells cannot tell a separator too many at the end from one further left.
        last_empty = last_empty or not cells[-1]
        out.write(_line(cells))


def _fitted(row: Record, width: int, repairs: _Repairs, *, cut: bool) -> list[str]:
    """Return the cells of an irregular row filled up, or rid of empty ones at its end if that is no guess."""
    cells = row.cells
    if len(cells) < width:
        repairs.short.add(row.line)
        return cells + [""] * (width - len(cells))
    if not cut or any(cell.strip() for cell in cells[width:]):
        raise Unprocessable("data.long_row", line=row.line, cells=len(cells), width=width)
    repairs.empty_extra.add(row.line)
    return cells[:width]


def _like_names(cells: list[str]) -> bool:
    return len(cells) > 1 and all(kind(cell) == "word" for cell in cells)


def _line(cells: list[str]) -> str:
    separator, quote = PLAIN.separator, PLAIN.quote
    line = separator.join(cells)
    if (
        line
        and quote not in line
        and "\n" not in line
        and "\r" not in line
        and line.count(separator) == len(cells) - 1
    ):
        return line + "\n"
    return separator.join(quote + cell.replace(quote, quote * 2) + quote for cell in cells) + "\n"
