"""Colours and type of charts, by theme: the drawing itself names none of them.

Colours are those of Okabe and Ito (2008), "Color universal design", which stay apart for colour-blind
readers; on dark ground lighter ones of the same hues. Backgrounds are transparent: a chart sits on any page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

THEMES = ("light", "dark", "contrast")
QUIET, STRONG, ON_FULL, ON_EMPTY = "quiet", "strong", "on_full", "on_empty"
"""Styles that marks name: guides, what to look at, text on full and on empty cells."""


@dataclass(frozen=True)
class Theme:
    """Colours for one kind of ground."""

    ink: str
    quiet: str
    grid: str
    palette: tuple[str, ...]
    ramp: tuple[str, ...]
    on_full: str


_BY_NAME: Mapping[str, Theme] = {
    "light": Theme(
        "#1f2328",
        "#667080",
        "#e3e6ea",
        ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5c00", "#4d4d4d"),
        ("#f3f7fb", "#a9cbe3", "#4a94c6", "#0072b2", "#00466e"),
        "#ffffff",
    ),
    "dark": Theme(
        "#e8eaed",
        "#a3abb6",
        "#3c424b",
        ("#56b4e9", "#ff8a4c", "#2fc79c", "#e59cc4", "#f0b93a", "#9ecbff", "#f0e442", "#c8c8c8"),
        ("#1d2a35", "#1f4f72", "#2c7fb5", "#56b4e9", "#a9dcfa"),
        "#0d1117",
    ),
    "contrast": Theme(
        "#ffffff",
        "#e0e0e0",
        "#6e6e6e",
        ("#6fd3ff", "#ffb000", "#5cffb1", "#ff9ad5", "#fff04d", "#c9b8ff", "#ff7f66", "#ffffff"),
        ("#10202c", "#1f6a96", "#41a8e0", "#8fe0ff", "#ffffff"),
        "#000000",
    ),
}


def config(theme: str) -> dict[str, Any]:
    """Vega-Lite's ``config`` for one of :data:`THEMES`."""
    t = _BY_NAME[theme]
    heavy = theme == "contrast"
    return {
        "background": None,
        "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
        "view": {"stroke": None, "continuousWidth": 400, "continuousHeight": 280},
        "axis": {
            "labelColor": t.ink,
            "titleColor": t.ink,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "gridColor": t.grid,
            "domainColor": t.quiet,
            "tickColor": t.quiet,
            "labelLimit": 180,
        },
        "axisY": {"domain": False, "ticks": False},
        "axisBand": {"grid": False, "domain": False, "ticks": False},
        "legend": {
            "labelColor": t.ink,
            "titleColor": t.ink,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "labelLimit": 200,
            "symbolStrokeWidth": 3,
            "symbolOpacity": 1,
        },
        "title": {
            "color": t.ink,
            "fontSize": 15,
            "fontWeight": 600,
            "anchor": "start",
            "offset": 12,
            "subtitleColor": t.quiet,
        },
        "header": {"labelColor": t.ink, "titleColor": t.ink},
        "range": {"category": list(t.palette), "heatmap": list(t.ramp), "ramp": list(t.ramp)},
        "mark": {"color": t.palette[0]},
        "rule": {"color": t.palette[0]},
        "line": {"strokeWidth": 3 if heavy else 2.2, "strokeCap": "round"},
        "bar": {"cornerRadiusEnd": 2},
        "point": {"filled": True, "size": 34, "opacity": 0.9 if heavy else 0.55},
        "text": {"color": t.ink, "fontSize": 12},
        "style": {
            QUIET: {"color": t.quiet},
            STRONG: {"color": t.palette[1]},
            ON_FULL: {"color": t.on_full},
            ON_EMPTY: {"color": t.ink},
        },
    }
