"""How figures are written in a language: in sentences and tables by a mark, in drawings by Vega's locale."""

from __future__ import annotations

from typing import Any

POINT = "\x03"
"""Stands for the decimal sign until a chart is shown."""

_SIGNS = {"en": ".", "fr": ","}
_FRENCH: dict[str, Any] = {
    "number": {
        "decimal": ",",
        "thousands": "\N{NARROW NO-BREAK SPACE}",
        "grouping": [3],
        "currency": ["", "\N{NO-BREAK SPACE}€"],
        "percent": "\N{NO-BREAK SPACE}%",
    },
    "time": {
        "dateTime": "%A %e %B %Y à %X",
        "date": "%d/%m/%Y",
        "time": "%H:%M:%S",
        "periods": ["AM", "PM"],
        "days": ["dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"],
        "shortDays": ["dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."],
        "months": [
            *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août"),
            *("septembre", "octobre", "novembre", "décembre"),
        ],
        "shortMonths": [
            *("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août"),
            *("sept.", "oct.", "nov.", "déc."),
        ],
    },
}


def figure(text: str) -> str:
    """A figure that is text already, whose decimal sign will be that of the reader."""
    return text.replace(".", POINT)


def settled(text: str, language: str) -> str:
    """A text with the decimal sign of the language."""
    return text.replace(POINT, _SIGNS[language])


def config(language: str) -> dict[str, Any]:
    """What Vega-Lite's ``config`` has for a language; Vega's own way of writing is the English one."""
    return {"locale": _FRENCH} if language == "fr" else {}
