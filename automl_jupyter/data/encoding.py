"""In which encoding the bytes of a file are."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from pathlib import Path

from automl_jupyter.data import foreign
from automl_jupyter.errors import FieldError, Unprocessable

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNUSED_IN_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")
_WESTERN = ("cp1252", "mac-roman", "cp850")
_COMMON = frozenset("éèêëàâäáãåîïíìôöóòõøùûüúçñæœßÉÈÊËÀÂÄÁÎÏÔÖÓØÙÛÜÚÇÑÆŒŸ€£§°«»’‘“”–—…\u00a0")
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_ASCII = bytes(range(128))
_NO_TEXT = b"\xff\xff\xff\xff"
_MOSTLY_VALID = 10
UTF8_NAMES = frozenset({"utf-8", "utf-8-sig", "ascii"})
"""The encodings that can be read without decoding and encoding again."""


def named(name: str) -> str:
    """Python's own name for an encoding that a person named.

    Raises
    ------
    Unprocessable
        ``data.unknown_encoding`` if there is no such text encoding.
    """
    try:
        found = codecs.lookup(name)
        # Some are for names of hosts alone, and cannot say where a file is broken.
        ("".encode(found.name) + _NO_TEXT).decode(found.name, "replace")
    except (LookupError, UnicodeError, ValueError) as error:
        wrong_name = FieldError("encoding", "data.unknown_encoding", {"encoding": name})
        raise Unprocessable(wrong_name.code, errors=[wrong_name], encoding=name) from error
    return found.name


def wrong(name: str) -> Unprocessable:
    """The error that the file is not in the encoding that a person named."""
    field = FieldError("encoding", "data.wrong_encoding", {"encoding": name})
    return Unprocessable(field.code, errors=[field], encoding=name)


def detect(head: bytes) -> str:
    """Return the encoding that the first bytes of a file are in.

    A byte order mark decides; zero bytes at every second place mean UTF-16; bytes that are valid UTF-8, or
    mostly so, are UTF-8; anything else is read as Western European.

    Parameters
    ----------
    head : bytes
        The first bytes, which may end within a character.

    Returns
    -------
    str
        ``utf-8``, ``utf-8-sig``, ``utf-16``, ``utf-16-le``, ``utf-16-be``, ``utf-32``, ``cp1252`` or
        ``iso8859-1``.
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    even, odd = head[0::2], head[1::2]
    if len(head) >= 4:
        if 0 in head and (wide := _utf16(head)):
            return wide
        if odd.count(0) > 0.6 * len(odd) and even.count(0) < 0.2 * len(even):
            return "utf-16-le"
        if even.count(0) > 0.6 * len(even) and odd.count(0) < 0.2 * len(odd):
            return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return beyond_utf8(head)
    return "utf-8"


def _utf16(head: bytes) -> str | None:
    """Return which UTF-16 makes text with lines of bytes that have zeros among them, whatever its letters."""
    whole = head[: len(head) // 2 * 2]
    for name in ("utf-16-le", "utf-16-be"):
        try:
            text = codecs.getincrementaldecoder(name)().decode(whole)
        except UnicodeDecodeError:
            continue
        odd = sum(c < " " and c not in "\t\r\n" for c in text)
        if "\n" in text and not odd and any(mark in text for mark in ",;\t|"):
            return name
    return None


def beyond_utf8(head: bytes) -> str:
    """Return the encoding that bytes which are not all UTF-8 are most likely in.

    Returns
    -------
    str
        ``utf-8`` where broken bytes are the exception among valid sequences, else ``cp1252``, or where its
        letters would make no sense, ``mac-roman``, ``cp850`` or ``iso8859-1``.
    """
    valid, broken, others = _census(head)
    name = foreign.detect(head) if valid <= _MOSTLY_VALID * broken else None
    return name or _judge(valid, broken, others)


def of_whole(source: Path) -> str:
    """Return the encoding that the bytes of a whole file, which are not all UTF-8, are most likely in."""
    valid, broken, others = 0, 0, Counter[int]()
    first = b""
    with source.open("rb") as file:
        while block := file.read(1 << 22):
            census = _census(block)
            first = first or (block if census[1] else b"")
            valid, broken = valid + census[0], broken + census[1]
            others += census[2]
    name = foreign.detect(first) if valid <= _MOSTLY_VALID * broken else None
    return name or _judge(valid, broken, others)


def alternative(name: str) -> str:
    """Return the encoding to try where the letters of a guessed one look wrong."""
    # Each of these knows every byte, so that reading again in it cannot fail.
    return {"cp1252": "mac-roman", "mac-roman": "cp850", "cp850": "iso8859-1"}.get(name, "mac-roman")


def _census(block: bytes) -> tuple[int, int, Counter[int]]:
    """Count valid UTF-8 sequences and other bytes beyond ASCII, and how often each such byte is there."""
    high = block.translate(None, _ASCII)
    sequences = _UTF8_SEQUENCE.findall(block) if high else []
    return len(sequences), len(high) - sum(map(len, sequences)), Counter(high)


def _judge(valid: int, broken: int, others: Counter[int]) -> str:
    if valid > _MOSTLY_VALID * broken:
        return "utf-8"
    scores = {name: _letters(others, name) for name in _WESTERN}
    best = max(_WESTERN, key=lambda name: scores[name])
    # The usual encoding is kept unless another one makes far more sense.
    if scores[best] >= 0.8 and scores[best] > scores["cp1252"] + 0.3:
        return best
    return "iso8859-1" if _UNUSED_IN_CP1252.intersection(others) else "cp1252"


def _letters(others: Counter[int], name: str) -> float:
    """Return the share of bytes beyond ASCII that are common letters and signs in an encoding."""
    total = sum(others.values())
    known = sum(n for byte, n in others.items() if bytes([byte]).decode(name, "replace") in _COMMON)
    return known / total if total else 0.0
