"""Writes a file again as a plain, regular CSV where it is not one, and says what it had to mend."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
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
_MAX_NOTES = 100


@dataclass
class _Tally:
    """How often something was met, and on which lines first."""

    n: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, line: int) -> None:
        self.n += 1
        if len(self.lines) < _LISTED:
            self.lines.append(str(line))

    def notice(self, code: str, action: Mapping[str, object] | None = None) -> list[Notice]:
        return [Notice(code, {"n": self.n, "lines": self.lines}, action=action)] if self.n else []


@dataclass
class _Repairs:
    short: _Tally = field(default_factory=_Tally)
    empty_extra: _Tally = field(default_factory=_Tally)
    notes: _Tally = field(default_factory=_Tally)
    comments: _Tally = field(default_factory=_Tally)
    headers: _Tally = field(default_factory=_Tally)
    stray: _Tally = field(default_factory=_Tally)
    nul: _Tally = field(default_factory=_Tally)
    replaced: _Tally = field(default_factory=_Tally)
    second_table: int = 0
    long_comments: bool = False

    def notices(self, *, trailing: bool) -> tuple[Notice, ...]:
        found = [
            *self.short.notice("data.short_rows"),
            *([] if trailing else self.empty_extra.notice("data.extra_separators")),
            # A comment with more cells than the table cannot be kept as a row.
            *self.comments.notice("data.comments", None if self.long_comments else {"comment": ""}),
            *self.notes.notice("data.notes_below", {"keep_rows": True}),
            *self.headers.notice("data.repeated_header", {"keep_rows": True}),
            *self.stray.notice("data.stray_quotes"),
            *self.nul.notice("data.nul_bytes"),
            *self.replaced.notice("data.invalid_bytes", {"encoding": "iso8859-1"}),
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
        ``data.long_row`` for a row with too many cells, ``data.another_table`` where it looks like names,
        ``data.open_quote`` for a quote
        that never closes, ``data.quote_across_rows`` for one that closes in the middle of a later row.
    UnicodeDecodeError
        If the file is not in the encoding of the layout.
    """
    repairs = _Repairs()
    with open_text(source, layout) as text, target.open("w", encoding="utf-8", newline="") as out:
        try:
            rows = records(_cleaned(text, layout, repairs), layout.grammar, layout.start.data_line)
            rewriter = _Rewriter(out, layout, repairs)
            for count, row in enumerate(_without_footer(rows, layout.footer)):
                rewriter.take(row)
                if progress is not None and not count % _PROGRESS_EVERY:
                    progress(text.buffer.tell())
            rewriter.finish()
        except OpenQuote as error:
            raise Unprocessable("data.open_quote", line=error.line) from error
    return repairs.notices(trailing=layout.start.trailing)


def _without_footer(rows: Iterable[Record], footer: int) -> Iterator[Record]:
    """Return all rows but the last ones."""
    held: deque[Record] = deque()
    for row in rows:
        held.append(row)
        if len(held) > footer:
            yield held.popleft()


def _cleaned(text: TextIO, layout: Layout, repairs: _Repairs) -> Iterator[str]:
    """Return the lines of data without zero bytes."""
    for number, line in enumerate(lines_of(text), start=1):
        if number < layout.start.data_line:
            continue
        if number == 1:
            line = line.removeprefix("\ufeff")  # noqa: PLW2901 - the line goes on without it
        if layout.lenient and "\ufffd" in line:
            repairs.replaced.add(number)
        if "\x00" in line:
            repairs.nul.add(number)
            line = line.replace("\x00", "")  # noqa: PLW2901 - the line goes on without them
        yield line


@dataclass(frozen=True)
class _Run:
    """Short rows of one width on end: how many, the cells of the first, and its line."""

    rows: int
    first: list[str]
    line: int

    def extended(self, row: Record) -> _Run:
        if len(row.cells) != len(self.first):
            return _Run(1, row.cells, row.line)
        return _Run(self.rows + 1, self.first, self.line)


_NO_RUN = _Run(0, [], 0)


class _Rewriter:
    """Writes rows as regular ones, and notes what was mended on the way."""

    def __init__(self, out: TextIO, layout: Layout, repairs: _Repairs) -> None:
        self._out, self._repairs = out, repairs
        self._names, self._trailing = list(layout.start.names), layout.start.trailing
        self._keep_rows, self._comments = layout.keep_rows, layout.comments
        self._line = layout.start.data_line - 1
        self._last_empty = False
        self._before: list[str] = self._names
        self._run = _NO_RUN
        self._notes: list[Record] = []

    def take(self, row: Record) -> None:
        """Write a row, or hold back what may be a note below the table."""
        gap = row.line > self._line + 1
        self._line = row.last_line
        if row.stray and row.last_line > row.line:
            raise Unprocessable("data.quote_across_rows", line=row.line, last=row.last_line)
        below = gap or 0 < len(self._notes) < _MAX_NOTES
        if len(self._names) > 1 and len(row.cells) == 1 and below and not self._keep_rows:
            self._notes.append(row)
            return
        self._write_notes()
        if row.stray:
            self._repairs.stray.add(row.line)
        if self._is_comment(row):
            self._repairs.comments.add(row.line)
            self._repairs.long_comments = self._repairs.long_comments or len(row.cells) > len(self._names)
        elif not self._keep_rows and self._repeats_names(row):
            self._repairs.headers.add(row.line)
        else:
            self._look_for_second_table(row, gap=gap)
            self._write(row)

    def _is_comment(self, row: Record) -> bool:
        other = len(row.cells) != len(self._names)
        return self._comments and other and row.cells[0].lstrip().startswith("#")

    def _repeats_names(self, row: Record) -> bool:
        return row.cells[0] == self._names[0] and [cell.strip() for cell in row.cells] == self._names

    def finish(self) -> None:
        """Leave out the notes below the table."""
        for row in self._notes:
            self._repairs.notes.add(row.line)

    def _write_notes(self) -> None:
        """Write what was held back as the short rows that they are after all."""
        for row in self._notes:
            self._write(row)
        self._notes.clear()

    def _look_for_second_table(self, row: Record, *, gap: bool) -> None:
        """Note a row that looks like names amid data: after a blank line, or before others as short as it."""
        short = len(row.cells) < len(self._names)
        if gap and not short and _like_names(row.cells) and not _like_names(self._before):
            self._repairs.second_table = self._repairs.second_table or row.line
        self._before = row.cells
        self._run = self._run.extended(row) if short else _NO_RUN
        if self._run.rows == _SECOND_TABLE_ROWS and _like_names(self._run.first):
            self._repairs.second_table = self._repairs.second_table or self._run.line

    def _write(self, row: Record) -> None:
        cells, width = row.cells, len(self._names)
        if len(cells) < width:
            self._repairs.short.add(row.line)
            cells = cells + [""] * (width - len(cells))
        elif len(cells) > width:
            cells = self._cut(row)
        # A last column with empty cells cannot tell a separator too many at the end from one further left.
        self._last_empty = self._last_empty or not cells[-1]
        self._out.write(_line(cells))

    def _cut(self, row: Record) -> list[str]:
        """Return a long row without the empty cells at its end, if that is no guess."""
        width = len(self._names)
        if any(cell.strip() for cell in row.cells[width:]) or (self._last_empty and not self._trailing):
            if _like_names(row.cells):
                raise Unprocessable("data.another_table", line=row.line, cells=len(row.cells), width=width)
            raise Unprocessable("data.long_row", line=row.line, cells=len(row.cells), width=width)
        self._repairs.empty_extra.add(row.line)
        return row.cells[:width]


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
