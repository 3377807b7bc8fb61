"""Lines of text into cells, exactly, with line numbers; and what kind of thing a cell looks like."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["missing", "number", "date", "boolean", "word", "text"]


@dataclass(frozen=True)
class Grammar:
    """How a line divides into cells.

    Attributes
    ----------
    separator : str
        One character.
    quote : str
        One character around cells, doubled to stand for itself; empty for none.
    spaced : bool
        Whether blanks after a separator belong to the separator; with a blank as the separator, whether
        runs of it count once.
    escape : str
        The character that, within quotes, makes a quote after it stand for itself; empty for none.
    comment : str
        The character that starts lines to leave out; empty for none.
    """

    separator: str
    quote: str
    spaced: bool = False
    escape: str = ""
    comment: str = ""


class Record(NamedTuple):
    """One row: the number, from 1, of its first line and of its last, and its cells."""

    line: int
    last_line: int
    cells: list[str]
    stray: bool
    """Whether something stood between a closing quote and the next separator."""


class OpenQuote(Exception):
    """A quote that never closes."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def records(lines: Iterable[str], grammar: Grammar, first_line: int = 1) -> Iterator[Record]:
    """Divide lines into rows of cells; a row may span lines within quotes.

    Blank lines are left out, and so is the character by which DOS ended files.

    Parameters
    ----------
    lines : iterable of str
        Lines with their ends.
    grammar : Grammar
        How they divide.
    first_line : int
        The number of the first of them.

    Raises
    ------
    OpenQuote
        When the lines end within quotes.
    """
    number = first_line - 1
    source = iter(lines)
    for line in source:
        number += 1
        body = line.rstrip("\r\n")
        if grammar.spaced and grammar.separator == " " and (not grammar.quote or grammar.quote not in body):
            body = re.sub(" +", " ", body.strip(" "))
        if not body or ((body.isspace() or body == _END_OF_FILE) and grammar.separator not in body):
            continue
        if grammar.comment and body.lstrip().startswith(grammar.comment):
            continue
        if not grammar.quote or grammar.quote not in body:
            cells = body.split(grammar.separator)
            if grammar.spaced:
                cells = [cell.lstrip(" ") for cell in cells]
            yield Record(number, number, cells, False)
            continue
        simple = None if grammar.spaced or grammar.escape else _simple(line, grammar)
        if simple is not None:
            yield Record(number, number, simple, False)
            continue
        cells, more, stray = _quoted(line, source, grammar, number)
        yield Record(number, number + more, cells, stray)
        number += more


def _simple(line: str, grammar: Grammar) -> list[str] | None:
    """Cells of a row of one line by way of the faster standard reader, if it finds nothing amiss."""
    try:
        return next(csv.reader([line], delimiter=grammar.separator, quotechar=grammar.quote, strict=True))
    except csv.Error:
        return None


def _quoted(first: str, source: Iterator[str], grammar: Grammar, line: int) -> tuple[list[str], int, bool]:
    """Cells of a row with quotes in it, how many further lines it took, and whether something was stray."""
    quote, separator = grammar.quote, grammar.separator
    cells: list[str] = []
    text, position, more, stray = first, 0, 0, False
    while True:
        if grammar.spaced:
            while text.startswith(" ", position):
                position += 1
        if not text.startswith(quote, position):
            end = text.find(separator, position)
            if end < 0:
                cells.append(text[position:].rstrip("\r\n"))
                return cells, more, stray
            cells.append(text[position:end])
            position = end + 1
            continue
        parts: list[str] = []
        length = 0
        position += 1
        while True:
            end = text.find(quote, position)
            if end < 0:
                parts.append(text[position:])
                length += len(text) - position
                following = next(source, None)
                if following is None or length > _MAX_CELL:
                    raise OpenQuote(line)
                text, position, more = following, 0, more + 1
                continue
            if grammar.escape and _odd(text, position, end, grammar.escape):
                parts.append(text[position : end - 1] + quote)
                position = end + 1
                continue
            parts.append(text[position:end])
            position = end + 1
            if not text.startswith(quote, position):
                break
            parts.append(quote)
            position += 1
        end = text.find(separator, position)
        rest = text[position:end] if end >= 0 else text[position:].rstrip("\r\n")
        if rest.strip():
            stray = True
            parts.append(rest)
        cell = "".join(parts)
        cells.append(cell.replace(grammar.escape * 2, grammar.escape) if grammar.escape else cell)
        if end < 0:
            return cells, more, stray
        position = end + 1


def _odd(text: str, start: int, end: int, escape: str) -> bool:
    """Whether an odd number of escape characters stands before a position."""
    first = end
    while first > start and text[first - 1] == escape:
        first -= 1
    return (end - first) % 2 == 1


_MAX_CELL = 1 << 27
_END_OF_FILE = "\x1a"
_NUMBER = re.compile(
    r"[-+−]?(?:inf|infinity|∞)|[-+−(]?\s*[$€£¥]?\s*[-+−(]?"
    r"(?:\d+(?:[ .,'’\u00a0\u202f]\d{3})*(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?\s*[%$€£¥]?\)?",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|"
    r"\d{1,2}[- ][^\W\d_]{3,9}\.?[- ]\d{2,4})"
    r"(?:[ T]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AaPp][Mm])?"
)
_WORD = re.compile(r"[^\s,;|\t\"][^,;|\t\"\r\n]{0,39}")
_LINK = re.compile(r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+\.[\w.]+")
_NOTHING = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "null", "none", "?", "-", "--", ".", "nd", "\\n", "<na>"}
)
_BOOLEANS = frozenset({"true", "false"})


def kind(cell: str) -> Kind:  # noqa: PLR0911 - one line for each kind
    """Return what a single cell looks like, whatever its column; a first impression, not a decision."""
    text = cell.strip()
    if len(text) <= 8:
        lowered = text.lower()
        if lowered in _NOTHING:
            return "missing"
        if lowered in _BOOLEANS:
            return "boolean"
    if len(text) <= 40:
        if _NUMBER.fullmatch(text):
            return "number"
        if _DATE.fullmatch(text):
            return "date"
        if _WORD.fullmatch(text):
            return "word"
    if len(text) <= 300 and _LINK.fullmatch(text):
        return "word"
    return "text"
