"""In which encoding texts are whose letters are hardly any Western ones: East Asian and Cyrillic.

Bytes beyond ASCII stand alone among Western letters and in runs elsewhere. Which encoding makes a run text is
judged by how many of its characters are common ones there: each of the East Asian standards keeps the common
characters in a range of first bytes of its own (JIS X 0208, GB 2312, Big5, KS X 1001, level one of each).
"""

from __future__ import annotations

import re

_RUN = re.compile(rb"[\x80-\xff][\x40-\xff]*[\x80-\xff]|[\x80-\xff]")
_LEAST_RUN = 2.5
_SURE = 0.85
_KANA = (0x3041, 0x30FC)
_HANGUL = (0xAC00, 0xD7A3)
_LEVEL_ONE = {
    "shift_jis": (0x88, 0x98),
    "gb18030": (0xB0, 0xD7),
    "big5": (0xA4, 0xC6),
    "euc_jp": (0xB0, 0xCF),
}
_CYRILLIC = {"cp1251": (0xE0, 0xFF), "koi8-r": (0xC0, 0xDF), "cp866": (0xA0, 0xAF)}
_SAMPLE = 20_000


def detect(head: bytes) -> str | None:
    """Return the East Asian or Cyrillic encoding that bytes are in, or ``None`` if they seem Western.

    Parameters
    ----------
    head : bytes
        The first bytes of a file, which are no valid UTF-8.
    """
    runs = _RUN.findall(head)[:_SAMPLE]
    if not runs or sum(map(len, runs)) < _LEAST_RUN * len(runs):
        return None
    scores = {"euc_kr": _hangul(head), **{name: _common(head, name) for name in _LEVEL_ONE}}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] >= _SURE:
        return best
    high = b"".join(runs)
    small = {name: sum(a <= byte <= b for byte in high) / len(high) for name, (a, b) in _CYRILLIC.items()}
    likely = max(small, key=lambda name: small[name])
    return likely if small[likely] >= 0.6 else None


def _decoded(head: bytes, name: str) -> str | None:
    """Return the text beyond ASCII, or ``None`` if the bytes are not of the encoding but for their end."""
    try:
        text = head.decode(name)
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return None
        text = head[: error.start].decode(name)
    return "".join(c for c in text if c > "\x7f")[:_SAMPLE]


def _hangul(head: bytes) -> float:
    text = _decoded(head, "euc_kr")
    return sum(_HANGUL[0] <= ord(c) <= _HANGUL[1] for c in text) / len(text) if text else 0.0


def _common(head: bytes, name: str) -> float:
    """Return the share of characters that are kana, or common ideographs of the encoding."""
    text = _decoded(head, name)
    if not text:
        return 0.0
    low, high = _LEVEL_ONE[name]
    japanese = name in ("shift_jis", "euc_jp")
    known = 0.0
    for c in text:
        if japanese and _KANA[0] <= ord(c) <= _KANA[1]:
            # Kana mean Japanese for sure: more than ideographs, which any of these encodings could have.
            known += 1.1
        elif len(code := c.encode(name)) == 2 and low <= code[0] <= high:
            known += 1
    return known / len(text)
