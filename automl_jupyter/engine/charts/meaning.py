"""What a model relies on: importance, and how predictions depend on a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.charts import draw
from automl_jupyter.engine.charts.chart import Chart, Sheet, number, plain, said
from automl_jupyter.engine.charts.theme import STRONG

MOST_COLUMNS, MOST_CURVES = 20, 40

F64 = npt.NDArray[np.float64]


def importance(
    columns: Sequence[str], drops: Sequence[float], intervals: Sequence[tuple[float, float]]
) -> Chart:
    """How much the score falls when a column is shuffled.

    Parameters
    ----------
    columns : sequence of str
        The columns, or groups of columns that say the same.
    drops : sequence of float
        How much the score falls.
    intervals : sequence of tuple of float
        From where to where it may lie.
    """
    import altair as alt

    order = np.argsort(-np.asarray(drops), kind="stable")[:MOST_COLUMNS]
    rows = [(plain(columns[i]), drops[i], *intervals[i]) for i in order]
    sheet = Sheet.of(
        [said(f"charts.axis_{c}") for c in ("column", "drop", "from", "to")], *zip(*rows, strict=True)
    )
    base = alt.Chart(sheet.data()).encode(
        y=draw.channel(sheet, "y", 0, "N", sort=None, title=None), tooltip=draw.tips(sheet, "NQQQ")
    )
    bars = base.mark_bar(opacity=0.75).encode(x=draw.channel(sheet, "x", 1, "Q"))
    reach = base.mark_rule(style=STRONG, strokeWidth=2.5).encode(x="c2:Q", x2="c3")
    useless = sum(low <= 0 for _, _, low, _ in rows)
    params = {"column": rows[0][0], "drop": number(rows[0][1]), "n": useless}
    chart = draw.finished("importance", bars + reach, sheet, params, height=draw.steps(len(rows)))
    return chart if useless else replace(chart, code="charts.importance_all")


def learning(
    rows: Sequence[int],
    scores: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    gain: tuple[float, float, float],
    metric: str,
    name: str,
) -> Chart:
    """The score of a pipeline by the number of rows that it learnt from.

    Parameters
    ----------
    rows : sequence of int
        How many rows.
    scores, intervals : sequence of float, of tuple of float
        The score there, and from where to where it may lie.
    gain : tuple of float
        By how much it rose with the last step, and from where to where that may lie.
    metric, name : str
        What the score is, and which pipeline has it.
    """
    import altair as alt

    points = [(n, score, *reach) for n, score, reach in zip(rows, scores, intervals, strict=True)]
    titles = [
        said("charts.axis_learnt_rows"),
        plain(metric),
        said("charts.axis_from"),
        said("charts.axis_to"),
    ]
    sheet = Sheet.of(titles, *zip(*points, strict=True))
    scale = alt.Scale(type="log", nice=False, padding=12)
    axis = alt.Axis(format=",~r", values=list(rows), labelOverlap=True)
    base = alt.Chart(sheet.data()).encode(
        x=draw.channel(sheet, "x", 0, "Q", scale=scale, axis=axis), tooltip=draw.tips(sheet, "QQQQ")
    )
    reach = base.mark_area(opacity=0.25).encode(
        y=draw.channel(sheet, "y", 2, "Q", title=sheet.title(1), scale=alt.Scale(zero=False)), y2="c3"
    )
    line = base.mark_line(point=alt.OverlayMarkDef(size=60, opacity=1)).encode(
        y=draw.channel(sheet, "y", 1, "Q", scale=alt.Scale(zero=False))
    )
    params = {
        "name": plain(name),
        "half": rows[-2],
        "all": rows[-1],
        "gain": number(gain[0]),
        "low": number(gain[1]),
        "high": number(gain[2]),
    }
    code = "charts.learning_rising" if gain[1] > 0 else "charts.learning_flat"
    return replace(draw.finished("learning", reach + line, sheet, params), code=code)


def dependence(column: str, values: Sequence[object], mean: F64, curves: F64, what: str) -> Chart:
    """How predictions change with one column while the others stay.

    Parameters
    ----------
    column : str
        The column.
    values : sequence
        Where it was asked about, numbers or categories.
    mean : ndarray of shape (points,)
        The mean prediction.
    curves : ndarray of shape (rows, points)
        The prediction of each row alone.
    what : str
        What is predicted, the target or the probability of a class, as :func:`plain` or :func:`said` give it.
    """
    import altair as alt

    numeric = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in values)
    shown = curves[:MOST_CURVES]
    values = [v if isinstance(v, int | float | np.number) else plain(v) for v in values]
    rows = [(v, m, "-1") for v, m in zip(values, mean.tolist(), strict=True)]
    rows += [(v, y, str(i)) for i, c in enumerate(shown) for v, y in zip(values, c.tolist(), strict=True)]
    sheet = Sheet.of([plain(column), what, said("charts.axis_row")], *zip(*rows, strict=True))
    type_ = "Q" if numeric else "N"
    x = draw.channel(
        sheet, "x", 0, type_, **({"scale": alt.Scale(zero=False)} if numeric else {"sort": None})
    )
    base = alt.Chart(sheet.data()).encode(
        x=x, y=draw.channel(sheet, "y", 1, "Q", scale=alt.Scale(zero=False)), detail="c2:N"
    )
    each = base.mark_line(strokeWidth=1, opacity=0.35).transform_filter("datum.c2 != '-1'")
    middle = base.mark_line(style=STRONG, strokeWidth=3.5, filled=False)
    middle = middle.transform_filter("datum.c2 == '-1'").encode(
        tooltip=draw.tips(sheet, "QQ" if numeric else "NQ")
    )
    low, high = int(np.argmin(mean)), int(np.argmax(mean))
    params = {
        "column": plain(column),
        "low": number(float(mean[low])),
        "high": number(float(mean[high])),
        "at_low": _value(values[low]),
        "at_high": _value(values[high]),
    }
    told = replace(sheet, rows=[[v, y, _whose(i)] for v, y, i in sheet.rows])
    return draw.finished("dependence", each + middle, told, params, about=plain(column))


def _whose(line: object) -> str:
    return said("charts.all_rows") if line == "-1" else str(int(str(line)) + 1)


def _value(value: object) -> str:
    return number(float(value)) if isinstance(value, int | float | np.number) else plain(value)
