"""Every sentence that a person can read, by code and language.

Sentences stand in gettext catalogues, ``locale/<language>/LC_MESSAGES/<domain>.po`` (compiled by
``make messages``), one domain for each room of the package. A code such as ``data.empty_file`` names the
domain before its first dot and is the message id. English is a catalogue like any other. Values are put in
with :meth:`str.format`; they are plain text and are escaped by whoever makes HTML of them.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "fr")
"""The languages that are complete; the first is the default."""

LOCALE = Path(__file__).parent / "locale"


@cache
def _catalogue(domain: str, language: str) -> gettext.NullTranslations:
    return gettext.translation(domain, LOCALE, [language])


def _shown(value: object) -> object:
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return value


def render(code: str, params: Mapping[str, object] | None = None, language: str = "en") -> str:
    """The sentence for a code.

    Parameters
    ----------
    code : str
        ``<domain>.<what>``.
    params : mapping, optional
        The values that the sentence mentions; lists are joined by commas. With a whole number ``n`` among
        them, the plural form that fits it is chosen.
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
    return text.format_map({key: _shown(value) for key, value in values.items()})


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
