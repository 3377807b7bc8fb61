"""Where the rows of a file are and how they divide into cells, before any value is read."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from automl_jupyter.data import dialect, encoding, ending, header, kinds
from automl_jupyter.data.cells import Grammar
from automl_jupyter.data.model import Notice, ReadOptions
from automl_jupyter.errors import Unprocessable

_HEAD = 1 << 18
_MAX_HEAD = 1 << 24
_ENOUGH_LINES = 12
_MAX_LINE = 1 << 28


@dataclass(frozen=True)
class Layout:
    """How a file is laid out.

    Attributes
    ----------
    encoding : str
        Python's name.
    lenient : bool
        Whether bytes that are not of that encoding are replaced rather than refused.
    grammar : Grammar
        How lines divide into cells.
    line_end : str
        The usual end of a line.
    start : header.Start
        Where the data start, and the names.
    offset : int
        Where the data start, in bytes; of use for encodings that extend ASCII.
    plain : bool
        Whether nothing in the first rows needs repair.
    footer : int
        How many rows at the end are no data.
    keep_rows : bool
        Whether every row below the names is data.
    comments : bool
        Whether to look for rows that are comments.
    notices : tuple of Notice
        What was guessed.
    """

    encoding: str
    lenient: bool
    grammar: Grammar
    line_end: str
    start: header.Start
    offset: int
    plain: bool
    footer: int
    keep_rows: bool
    comments: bool
    notices: tuple[Notice, ...]


def detect(
    source: Path, options: ReadOptions, encoding_name: str | None = None, at_least: int = _HEAD
) -> Layout:
    """Look at the beginning of a file and find out how it is laid out.

    Parameters
    ----------
    source : Path
        The file.
    options : ReadOptions
        What a person decided.
    encoding_name : str, optional
        The encoding, where an earlier reading has found it.
    at_least : int
        How many bytes to look at; more where the first row does not end within them.

    Raises
    ------
    UnsupportedType
        If it is another kind of file.
    Unprocessable
        If there is no table in it.
    """
    head, whole = _head(source, at_least)
    if not head:
        raise Unprocessable("data.empty_file")
    kinds.refuse_other_kinds(head)
    name = encoding.named(options.encoding) if options.encoding else encoding_name or encoding.detect(head)
    if options.encoding is None and not name.startswith(("utf-16", "utf-32")):
        kinds.refuse_binary(head)
    text = _decode(head, name, whole=whole, told=options.encoding is not None).replace("\x00", "")
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise Unprocessable("data.empty_file")
    lines = dialect.split_lines(text)
    if not whole and len(lines) > 1:
        lines.pop()
    guess, notices = dialect.detect("".join(lines), options)
    if guess.open_quote and (whole or len(guess.rows) <= 1):
        if not whole and len(head) < _MAX_HEAD:
            return detect(source, options, encoding_name, 8 * len(head))
        raise Unprocessable("data.open_quote", line=guess.open_quote)
    if not guess.rows:
        raise Unprocessable("data.empty_file")
    start = header.find(guess.rows, options, len(lines))
    width = len(start.names)
    data = [row for row in guess.rows if row.line >= start.data_line]
    gaps = any(after.line > before.last_line + 1 for before, after in pairwise(data))
    regular = all(len(row.cells) == width and not row.stray for row in data)
    if (
        name not in encoding.UTF8_NAMES
        and options.encoding is None
        and not name.startswith(("utf-16", "utf-32"))
    ):
        other = {"encoding": encoding.alternative(name)}
        notices.append(Notice("data.encoding_guessed", {"encoding": name}, action=other))
    if options.footer is None and not options.keep_rows:
        notices += ending.look(source, name, guess.grammar, width)
    before = "".join(lines[: start.data_line - 1])
    signature = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    grammar = guess.grammar
    return Layout(
        encoding="utf-8-sig" if name == "utf-8" and signature else name,
        lenient=False,
        grammar=grammar,
        line_end=dialect.line_end(text),
        start=start,
        offset=signature + len(before.encode("utf-8", "replace")),
        plain=regular
        and name in encoding.UTF8_NAMES
        and not grammar.spaced
        and not grammar.escape
        and not grammar.comment
        and not options.footer
        and not gaps
        and not start.trailing
        and grammar.separator.isascii()
        and grammar.quote.isascii()
        and b"\x00" not in head,
        footer=options.footer or 0,
        keep_rows=options.keep_rows is True,
        comments=options.comment is None and not options.keep_rows,
        notices=(*notices, *start.notices),
    )


def _head(source: Path, at_least: int) -> tuple[bytes, bool]:
    """Return the first bytes of a file, enough for some lines, and whether they are all of it."""
    size = source.stat().st_size
    wanted = min(at_least, _MAX_HEAD)
    with source.open("rb") as file:
        head = file.read(wanted)
        while len(head) < min(size, _MAX_HEAD) and max(head.count(b"\n"), head.count(b"\r")) < _ENOUGH_LINES:
            wanted *= 4
            head += file.read(wanted - len(head))
    return head, len(head) >= size


def _decode(head: bytes, name: str, *, whole: bool, told: bool) -> str:
    decoder = codecs.getincrementaldecoder(name)("strict" if told else "replace")
    try:
        return decoder.decode(head, final=whole)
    except UnicodeError as error:
        raise encoding.wrong(name) from error


def open_text(source: Path, layout: Layout) -> TextIO:
    """Open a file as text whose line ends are left as they are."""
    errors = "replace" if layout.lenient else "strict"
    return io.TextIOWrapper(source.open("rb", buffering=1 << 20), layout.encoding, errors, newline="")


def lines_of(text: TextIO) -> Iterator[str]:
    """Return the lines of a text with their ends.

    Raises
    ------
    Unprocessable
        ``data.line_too_long`` for a line that would fill the memory.
    """
    number = 0
    while line := text.readline(_MAX_LINE):
        number += 1
        if len(line) >= _MAX_LINE:
            raise Unprocessable("data.line_too_long", line=number)
        yield line
