"""Every sentence that a person can read, by code and language.

Sentences stand in gettext catalogues, ``locale/<language>/LC_MESSAGES/<domain>.po`` (compiled by
``make messages``), one domain for each room of the package. A code such as ``data.empty_file`` names the
domain before its first dot and is the message id. English is a catalogue like any other. Values are put in
with :meth:`str.format`; they are plain text and are escaped by whoever makes HTML of them. Numbers among them
are written as the language does; texts stay as they are, so that no name or code is taken for a number.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import TypeGuard

LANGUAGES = ("en", "fr")
"""The languages that are complete; the first is the default."""

LOCALE = Path(__file__).parent / "locale"

_SIGNS = {"en": {}, "fr": str.maketrans({".": ",", ",": "\N{NARROW NO-BREAK SPACE}"})}
"""What stands for the decimal point and for the comma between groups of three digits."""

_EXACT = 1e15
"""From here on whole numbers are written with an exponent."""


@cache
def _catalogue(domain: str, language: str) -> gettext.NullTranslations:
    return gettext.translation(domain, LOCALE, [language])


def written(value: float, spec: str, language: str) -> str:
    """A number as a language writes it.

    Parameters
    ----------
    value : float
        The number.
    spec : str
        How Python would format it, such as ``.4g``; with a comma for groups of three digits.
    language : str
        One of :data:`LANGUAGES`.
    """
    return format(value, spec).translate(_SIGNS[language])


def cell(value: object, digits: int = 6) -> object:
    """A value of a table, as a parameter of a sentence.

    Parameters
    ----------
    value : object
        The value.
    digits : int
        How many digits of a number count; a whole one keeps all of them.

    Returns
    -------
    object
        A whole number as text, without groups of digits: it may be a year or a code. What is no number stays
        as it is.
    """
    if not _is_number(value):
        return value
    if isinstance(value, float) and not _is_whole(value):
        value = float(f"{value:.{digits}g}")
        if not _is_whole(value):
            return value
    return str(int(value))


def _is_whole(value: float) -> bool:
    return value.is_integer() and abs(value) < _EXACT


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Integral | Real) and not isinstance(value, bool)


class _Figure:
    """A number within a sentence, which is formatted there."""

    def __init__(self, value: float, language: str) -> None:
        self._value, self._language = value, language

    def __format__(self, spec: str) -> str:
        if spec:
            return written(self._value, spec, self._language)
        whole = isinstance(self._value, float) and _is_whole(self._value)
        value = int(self._value) if whole else self._value
        # English sentences have no groups of digits.
        return written(value, "" if self._language == "en" else ",", self._language)


def _shown(value: object, language: str) -> object:
    if isinstance(value, list | tuple):
        return ", ".join(f"{_shown(item, language)}" for item in value)
    return _Figure(value, language) if _is_number(value) else value


def render(code: str, params: Mapping[str, object] | None = None, language: str = "en") -> str:
    """The sentence for a code.

    Parameters
    ----------
    code : str
        ``<domain>.<what>``.
    params : mapping, optional
        The values that the sentence mentions; lists are joined by commas, numbers are written as the language
        does. With a whole number ``n`` among them, the plural form that fits it is chosen.
    language : str
        One of :data:`LANGUAGES`.

    Raises
    ------
    LookupError
        If the catalogue has no such code, or the sentence needs a value that was not given.
    """
    values = dict(params or {})
    catalogue = _catalogue(code.partition(".")[0], language)
    n = values.get("n")
    text = catalogue.ngettext(code, code, n) if isinstance(n, int) else catalogue.gettext(code)
    if text == code:
        text = catalogue.gettext(code)
    if text == code:
        raise LookupError(f"no sentence for {code!r} in {language!r}")
    return text.format_map({key: _shown(value, language) for key, value in values.items()})


def negotiate(accept_language: str | None) -> str:
    """The best of :data:`LANGUAGES` for an ``Accept-Language`` header (RFC 9110, section 12.5.4)."""
    wanted: list[tuple[float, str]] = []
    for item in (accept_language or "").split(","):
        tag, *options = (part.strip() for part in item.split(";"))
        quality = 1.0
        for option in options:
            if option.startswith("q="):
                try:
                    quality = float(option[2:])
                except ValueError:
                    quality = 0.0
        language = tag.partition("-")[0].lower()
        if language in LANGUAGES and quality > 0:
            wanted.append((quality, language))
    return max(wanted, key=lambda pair: pair[0])[1] if wanted else LANGUAGES[0]
