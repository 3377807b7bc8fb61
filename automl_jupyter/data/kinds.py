"""What is no CSV: other kinds of file that carry its name, told by their first bytes."""

from __future__ import annotations

import json
import re

from automl_jupyter.errors import UnsupportedType

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "data.is_image"),
    (b"\xff\xd8\xff", "data.is_image"),
    (b"GIF87a", "data.is_image"),
    (b"GIF89a", "data.is_image"),
    (b"II*\x00", "data.is_image"),
    (b"MM\x00*", "data.is_image"),
    (b"BM", "data.is_image"),
    (b"%PDF-", "data.is_pdf"),
    (b"\n%PDF-", "data.is_pdf"),
    (b"\r\n%PDF-", "data.is_pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "data.is_spreadsheet"),
    (b"\x1f\x8b", "data.is_compressed"),
    (b"BZh", "data.is_compressed"),
    (b"\xfd7zXZ\x00", "data.is_compressed"),
    (b"\x28\xb5\x2f\xfd", "data.is_compressed"),
    (b"\x04\x22\x4d\x18", "data.is_compressed"),
    (b"7z\xbc\xaf\x27\x1c", "data.is_compressed"),
    (b"Rar!\x1a\x07", "data.is_compressed"),
    (b"PAR1", "data.is_parquet"),
    (b"ARROW1", "data.is_binary"),
    (b"SQLite format 3\x00", "data.is_binary"),
    (b"\x89HDF\r\n\x1a\n", "data.is_binary"),
    (b"\x7fELF", "data.is_binary"),
    (b"version https://git-lfs.github.com/spec/", "data.is_lfs_pointer"),
    (b"{\\rtf", "data.is_binary"),
)

_BARE_TEXT_CAN_START_SO = (b"BM", b"BZh", b"PAR1", b"ARROW1", b"II*\x00", b"MM\x00*")
_SPREADSHEET_PARTS = (b"xl/", b"[Content_Types].xml", b"opendocument.spreadsheet", b"_rels/.rels")
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
_MARKUP = re.compile(rb"\s*(?:<!doctype\b|<html\b|<head\b|<body\b|<table\b|<\?xml\b|<!--)", re.IGNORECASE)
_TAGS = re.compile(rb"\s*<[a-z][^<>]*>\s*(?:<[a-z][^<>]*>[^<>\n]*(?:</[a-z]+>)?\s*){2,}</", re.IGNORECASE)
_JSON_START = re.compile(r'\s*(?:\{\s*(?:"|\}|$)|\[\s*(?:["{\[\]]|$))')
_ARFF = re.compile(rb"(?:\s|%[^\n]*\n)*@relation\b", re.IGNORECASE)
_BINARY_SHARE = 0.02
_FEW = 3


def refuse_other_kinds(head: bytes) -> None:
    """Refuse a file whose first bytes show that it is no text table.

    Parameters
    ----------
    head : bytes
        The first bytes of the file, some thousands.

    Raises
    ------
    UnsupportedType
        With the code of the kind that it is.
    """
    for magic, code in _MAGIC:
        if head.startswith(magic) and (magic not in _BARE_TEXT_CAN_START_SO or _CONTROL.search(head[:512])):
            raise UnsupportedType(code)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        office = any(part in head for part in _SPREADSHEET_PARTS)
        raise UnsupportedType("data.is_spreadsheet" if office else "data.is_compressed")
    if head[257:262] == b"ustar":
        raise UnsupportedType("data.is_compressed")
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _MARKUP.match(text) or _TAGS.match(text):
        raise UnsupportedType("data.is_markup")
    if _ARFF.match(text):
        raise UnsupportedType("data.is_arff")
    if _is_json(text.decode("utf-8", "replace")):
        raise UnsupportedType("data.is_json")


def refuse_binary(head: bytes) -> None:
    """Refuse bytes of which too many are control characters.

    Parameters
    ----------
    head : bytes
        The first bytes of a file in an encoding whose letters are not zero bytes.

    Raises
    ------
    UnsupportedType
        ``data.is_binary``.
    """
    few = max(_FEW, _BINARY_SHARE * len(head))
    if len(_CONTROL.findall(head)) > few or head.count(0) > 0.3 * len(head):
        raise UnsupportedType("data.is_binary")


def _is_json(text: str) -> bool:
    if not _JSON_START.match(text):
        return False
    first, _, rest = text.strip().partition("\n")
    try:
        return isinstance(json.loads(first), dict | list)
    except ValueError:
        pass
    # A pretty-printed or cut document: its opening alone is no value, and what follows is indented or quoted.
    if first.strip() in ("{", "[", "[{", "[["):
        return rest.lstrip()[:1] in ('"', "{", "[", "}", "]", "-", *"0123456789tfn")
    try:
        json.JSONDecoder().raw_decode(text.strip())
    except json.JSONDecodeError as error:
        return error.pos >= min(len(text.strip()) - 64, 1000)
    return False
