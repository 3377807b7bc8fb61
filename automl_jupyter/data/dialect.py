"""Which characters separate and quote the cells of a text."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from automl_jupyter.data.cells import Grammar, OpenQuote, Record, kind, records
from automl_jupyter.data.model import Notice, ReadOptions

SEPARATORS = (",", ";", "\t", "|", " ")
_LABELS = {",": ",", ";": ";", "\t": "tab", "|": "|", " ": "space"}
_MAX_RECORDS = 300
_MAX_CELLS = 3_000
_ONE_COLUMN = 1e-3
_DOUBT = 0.9
_EXCEL_HINT = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


@dataclass(frozen=True)
class Guess:
    """A grammar, the rows that it makes of the sample, and how good they look.

    Attributes
    ----------
    grammar : Grammar
        The characters.
    rows : tuple of Record
        The first rows of the sample.
    score : float
        0 and more.
    open_quote : int
        The line of a quote that the sample does not close, else 0.
    """

    grammar: Grammar
    rows: tuple[Record, ...]
    score: float
    open_quote: int


def split_lines(text: str) -> list[str]:
    """Lines with their ends; only a line feed, a carriage return or both end a line."""
    return list(io.StringIO(text, newline=""))


def line_end(text: str) -> str:
    """Return the line end that most lines of a text have."""
    pairs = text.count("\r\n")
    counts = {"\n": text.count("\n") - pairs, "\r\n": pairs, "\r": text.count("\r") - pairs}
    return max(counts, key=lambda end: counts[end])


def label(separator: str) -> str:
    """Return a separator as a sentence can show it."""
    return _LABELS.get(separator, separator)


def detect(text: str, options: ReadOptions) -> tuple[Guess, list[Notice]]:
    """Find the separator and the quote character of a text.

    Every pair of candidates is judged by how regular its rows are and how many of its cells look like
    something known, after van den Burg, Nazábal, Sutton, *Wrangling messy CSV files by detecting row and type
    patterns* (2019), simplified.

    Parameters
    ----------
    text : str
        The first lines of the file, whole lines unless the file is a single one.
    options : ReadOptions
        A separator or quote given there is kept.

    Returns
    -------
    guess : Guess
        The best reading of the sample.
    notices : list of Notice
        ``data.separator_doubtful`` if a second separator does nearly as well.
    """
    lines = split_lines(text)
    hint = _EXCEL_HINT.fullmatch(lines[0]) if lines else None
    separators: Sequence[str]
    if options.separator is not None:
        separators = (options.separator,)
    elif hint:
        separators = (hint.group(1),)
    else:
        separators = tuple(s for s in SEPARATORS if s in text) or (",",)
    quotes = _quotes(text, separators) if options.quote is None else (options.quote,)
    forced = options.separator is not None or hint is not None
    escapes: Sequence[str] = ("", "\\") if '\\"' in text or "\\'" in text else ("",)
    if options.escape is not None:
        escapes = (options.escape,)
    comment = options.comment or ""
    guesses = [
        _judge(lines, Grammar(s, q, _spaced(lines, s, options.spaced), e, comment), forced=forced)
        for s in separators
        for q in quotes
        for e in escapes
    ]
    best = max(
        guesses, key=lambda g: (g.score, -SEPARATORS.index(g.grammar.separator) if len(separators) > 1 else 0)
    )
    if best.score <= _ONE_COLUMN and options.separator is None and not hint:
        best = max(
            (
                _judge(
                    lines,
                    Grammar(",", quote, options.spaced is True, options.escape or "", comment),
                    forced=True,
                )
                for quote in quotes
            ),
            key=lambda g: (not g.open_quote, g.score),
        )
    notices = []
    others = [g for g in guesses if g.grammar.separator != best.grammar.separator]
    rival = max(others, key=lambda g: g.score, default=None)
    if rival is not None and rival.score > _DOUBT * best.score and rival.score > 2 * _ONE_COLUMN:
        notices.append(
            Notice(
                "data.separator_doubtful",
                {"separator": label(best.grammar.separator), "other": label(rival.grammar.separator)},
                action={"separator": rival.grammar.separator},
            )
        )
    return best, notices


def _quotes(text: str, separators: Sequence[str]) -> tuple[str, ...]:
    """Return the quote characters worth trying: the apostrophe only where it opens and closes cells."""
    edge = "[" + re.escape("".join(separators)) + r"\r\n]"
    opened = len(re.findall(rf"(?:^|{edge})'(?!')", text[:200_000]))
    closed = len(re.findall(rf"'(?:$|{edge})", text[:200_000]))
    double = len(re.findall(rf'(?:^|{edge}) ?"', text[:200_000]))
    return ('"', "'") if opened >= 2 and closed >= 2 and opened > double else ('"',)


def _judge(lines: Sequence[str], grammar: Grammar, *, forced: bool) -> Guess:
    rows: list[Record] = []
    open_quote = 0
    try:
        rows.extend(islice(records(lines, grammar), _MAX_RECORDS))
    except OpenQuote as error:
        open_quote = error.line
    widths = Counter(len(row.cells) for row in rows)
    total = sum(widths.values())
    if not total:
        return Guess(grammar, tuple(rows), 0.0, open_quote)
    pattern = sum(n * max(_ONE_COLUMN, w - 1) / w for w, n in widths.items()) / len(widths) / total
    known, cells = _known(rows)
    stray = sum(row.stray for row in rows) / total
    score = pattern * (known / cells) * (1 - stray) if cells else 0.0
    if open_quote and len(rows) < _MAX_RECORDS:
        score *= 0.5
    if grammar.separator == " " and not forced and not _clearly_spaced(rows, widths):
        score = 0.0
    return Guess(grammar, tuple(rows), score, open_quote)


def _known(rows: Sequence[Record]) -> tuple[float, int]:
    """How many cells of the first rows look like something known, of how many."""
    known, cells = 0.0, 0
    for row in rows:
        for cell in row.cells:
            what = kind(cell)
            known += 0.1 if what == "text" else 1.0
        cells += len(row.cells)
        if cells > _MAX_CELLS:
            break
    return known, cells


def _clearly_spaced(rows: Sequence[Record], widths: Counter[int]) -> bool:
    """Whether blanks separate cells rather than words: regular rows, most cells of which are no words."""
    width, often = widths.most_common(1)[0]
    if width < 2 or often < 0.9 * len(rows) or len(rows) < 3 or len(rows[0].cells) == 1:
        return False
    below = [kind(cell) for row in rows[1:50] for cell in row.cells]
    return sum(k in ("number", "date", "missing", "boolean") for k in below) >= 0.5 * len(below)


def _spaced(lines: Sequence[str], separator: str, told: bool | None) -> bool:
    if told is not None:
        return told
    return separator == " " or _follows_blank(lines, separator)


def _follows_blank(lines: Sequence[str], separator: str) -> bool:
    """Whether nearly every separator is followed by a blank that belongs to it, as in ``39, Private, 13``."""
    if separator in (" ", "\t"):
        return False
    text = "".join(lines[:200])
    total = text.count(separator)
    return total >= 3 and text.count(separator + " ") >= 0.97 * total
