"""What a data set looks like: values of each column, and where cells are empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from automl_jupyter.engine.charts import draw
from automl_jupyter.engine.charts.chart import Chart, Sheet, number, percent, plain, said

MOST_COLUMNS, MOST_VALUES, MOST_PATTERNS = 30, 10, 12


def charts(profile: Mapping[str, Any], table: pd.DataFrame | None = None) -> list[Chart]:
    """Draw the charts of a data set.

    Parameters
    ----------
    profile : mapping
        What :func:`automl_jupyter.data.profile.profile` says.
    table : DataFrame, optional
        The rows, for the patterns of empty cells.
    """
    found = [histogram(column, profile["rows"]) for column in profile["columns"][:MOST_COLUMNS]]
    gaps = [] if table is None else [missing(table)]
    return [*gaps, *(chart for chart in found if chart is not None)]


def histogram(column: Mapping[str, Any], rows: int) -> Chart | None:
    """How often values of a column occur; None if it has none."""
    name, filled = plain(column["name"]), int(column["count"])
    if not filled:
        return None
    bins = column.get("histogram")
    if bins:
        return _binned(name, column, bins, filled)
    return _counted(name, column["top"], filled) if column.get("top") else None


def _binned(name: str, column: Mapping[str, Any], bins: Mapping[str, Any], filled: int) -> Chart:
    import altair as alt

    edges, temporal = bins["edges"], isinstance(bins["edges"][0], str)
    type_ = "T" if temporal else "Q"
    sheet = Sheet.of(
        [name, said("charts.axis_to"), said("charts.axis_rows")], edges[:-1], edges[1:], bins["counts"]
    )
    # Bars from edge to edge: Vega's own bins would have to be of one width.
    scale = alt.Scale(type="utc") if temporal else alt.Scale(zero=False, nice=False)
    base = alt.Chart(sheet.data()).mark_rect(stroke="transparent", strokeWidth=1)
    bars = base.encode(
        x=draw.channel(sheet, "x", 0, type_, scale=scale),
        x2="c1",
        y=draw.channel(sheet, "y", 2, "Q"),
        y2=alt.datum(0),
        tooltip=draw.tips(sheet, f"{type_}{type_}Q"),
    )
    middle = column["quantiles"]["0.5"] if column.get("quantiles") else None
    params = {
        "column": name,
        "low": _shown(column["min"]),
        "high": _shown(column["max"]),
        "middle": _shown(middle),
        "missing": percent(column["missing"] / max(filled + column["missing"], 1)),
    }
    return draw.finished("histogram", bars, sheet, params, about=name, height=220)


def _counted(name: str, top: Sequence[Any], filled: int) -> Chart:
    import altair as alt

    pairs = [
        (entry["value"], entry["count"]) if isinstance(entry, Mapping) else tuple(entry) for entry in top
    ]
    pairs = [(plain(value), int(count)) for value, count in pairs[:MOST_VALUES]]
    sheet = Sheet.of([name, said("charts.axis_rows")], *zip(*pairs, strict=True))
    bars = (
        alt.Chart(sheet.data())
        .mark_bar()
        .encode(
            y=draw.channel(sheet, "y", 0, "N", sort=None),
            x=draw.channel(sheet, "x", 1, "Q"),
            tooltip=draw.tips(sheet, "NQ"),
        )
    )
    params = {"column": name, "value": pairs[0][0], "percent": percent(pairs[0][1] / filled)}
    chart = draw.finished("histogram", bars, sheet, params, about=name, height=draw.steps(len(pairs)))
    return Chart(chart.name, chart.spec, chart.sheet, "charts.values_said", params, name)


def _shown(value: object) -> str:
    return number(float(value)) if isinstance(value, int | float) else plain(value)[:10]


def missing(table: pd.DataFrame) -> Chart:
    """Which columns are empty together, and in how many rows."""
    import altair as alt

    empty = table.isna()
    gaps = empty.mean()
    names = list(gaps[gaps > 0].sort_values(ascending=False).index[:MOST_COLUMNS])
    if not names:
        sheet = Sheet.of([said("charts.axis_column"), said("charts.axis_share_of_rows")], ["–"], [0.0])
        drawing = (
            alt.Chart(sheet.data())
            .mark_bar()
            .encode(
                y=draw.channel(sheet, "y", 0, "N"),
                x=draw.channel(
                    sheet, "x", 1, "Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%")
                ),
            )
        )
        chart = draw.finished("missing", drawing, sheet, {}, height=40)
        return Chart(chart.name, chart.spec, chart.sheet, "charts.missing_none")
    patterns = empty[names].value_counts()
    patterns = patterns[[any(key) for key in patterns.index]][:MOST_PATTERNS]
    rows = []
    for i, (key, count) in enumerate(patterns.items(), 1):
        flags = key if isinstance(key, tuple) else (key,)
        rows += [
            (
                plain(name),
                f"{i}",
                said("charts.empty" if flag else "charts.filled"),
                int(count),
                count / len(table),
            )
            for name, flag in zip(names, flags, strict=True)
        ]
    titles = [said(f"charts.axis_{c}") for c in ("column", "pattern", "cell", "rows", "share_of_rows")]
    sheet = Sheet.of(titles, *zip(*rows, strict=True))
    order = [plain(name) for name in names]
    cells = (
        alt.Chart(sheet.data())
        .mark_rect(cornerRadius=2)
        .encode(
            y=draw.channel(sheet, "y", 0, "N", sort=order, title=None),
            x=draw.channel(sheet, "x", 1, "O", sort=None, axis=alt.Axis(labelAngle=0)),
            opacity=alt.Opacity(
                "c2:N",
                title=None,
                scale=alt.Scale(domain=[said("charts.empty"), said("charts.filled")], range=[1, 0.25]),
            ),
            tooltip=draw.tips(sheet, "NNNQQ"),
        )
    )
    top = (
        alt.Chart(sheet.data())
        .mark_bar()
        .encode(
            x=draw.channel(sheet, "x", 1, "O", sort=None, axis=None),
            y=alt.Y("max(c3):Q", title=sheet.title(3)),
        )
    )
    width = max(160, 36 * len(patterns))
    drawing = alt.vconcat(
        top.properties(height=80, width=width),
        cells.properties(height=draw.steps(len(names)), width=width),
        spacing=6,
    ).resolve_scale(x="shared")
    spec = drawing.properties(title=said("charts.missing")).to_dict()
    params = {
        "column": order[0],
        "percent": percent(float(gaps[names[0]])),
        "whole": percent(float((~empty.any(axis=1)).mean())),
        "n": int((gaps > 0).sum()),
    }
    return Chart("missing", spec, sheet, "charts.missing_said", params)
