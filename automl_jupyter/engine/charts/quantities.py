"""How a model of a quantity fares on rows that it had not seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.charts import draw
from automl_jupyter.engine.charts.chart import Chart, Sheet, number, percent, said
from automl_jupyter.engine.charts.theme import STRONG

POINTS, RANGES = 1500, 10

F64 = npt.NDArray[np.float64]


def charts(truth: F64, predictions: F64) -> list[Chart]:
    """Draw all charts of quantities.

    Parameters
    ----------
    truth : ndarray of shape (n,)
        True values.
    predictions : ndarray of shape (n,)
        What models predicted that had not seen the row.
    """
    return [predicted(truth, predictions), residuals(truth, predictions), error_by_range(truth, predictions)]


def _some(truth: F64, predictions: F64) -> tuple[F64, F64]:
    rows = np.arange(len(truth))
    if len(rows) > POINTS:
        rows = np.sort(np.random.default_rng(0).choice(len(truth), POINTS, replace=False))
    return truth[rows], predictions[rows]


def predicted(truth: F64, predictions: F64) -> Chart:
    """Predicted against true values."""
    import altair as alt

    t, p = _some(truth, predictions)
    sheet = Sheet.of([said("charts.axis_true"), said("charts.axis_predicted")], t, p)
    nice = alt.Scale(zero=False)
    points = (
        alt.Chart(sheet.data())
        .mark_point()
        .encode(
            x=draw.channel(sheet, "x", 0, "Q", scale=nice),
            y=draw.channel(sheet, "y", 1, "Q", scale=nice),
            tooltip=draw.tips(sheet, "QQ"),
        )
    )
    low, high = float(min(t.min(), p.min())), float(max(t.max(), p.max()))
    spread = float(((truth - truth.mean()) ** 2).sum())
    explained = 1 - float(((truth - predictions) ** 2).sum()) / spread if spread > 0 else 0.0
    off = float(np.median(np.abs(truth - predictions)))
    params = {"percent": percent(max(explained, 0.0)), "error": number(off)}
    return draw.finished("predicted", points + draw.diagonal(low, high), sheet, params, width=340, height=340)


def residuals(truth: F64, predictions: F64) -> Chart:
    """Errors by what was predicted, with their middle in ranges."""
    import altair as alt

    t, p = _some(truth, predictions)
    sheet = Sheet.of([said("charts.axis_predicted"), said("charts.axis_residual")], p, t - p)
    nice = alt.Scale(zero=False)
    points = (
        alt.Chart(sheet.data())
        .mark_point()
        .encode(
            x=draw.channel(sheet, "x", 0, "Q", scale=nice),
            y=draw.channel(sheet, "y", 1, "Q"),
            tooltip=draw.tips(sheet, "QQ"),
        )
    )
    parts = _parts(predictions)
    middles = [(float(predictions[i].mean()), float(np.median(truth[i] - predictions[i]))) for i in parts]
    trend = alt.Chart(alt.Data(values=[{"x": x, "y": y} for x, y in middles]))
    line = trend.mark_line(style=STRONG, filled=False).encode(x="x:Q", y="y:Q")
    widths = [float(np.subtract(*np.quantile(truth[i] - predictions[i], [0.9, 0.1]))) for i in parts]
    low, high = float(np.mean(widths[: len(widths) // 2 + 1])), float(np.mean(widths[len(widths) // 2 :]))
    chart = draw.finished("residuals", points + draw.level(0, "y") + line, sheet, {})
    code = "charts.residuals_even"
    if high > 1.5 * low:
        code = "charts.residuals_wider"
    elif low > 1.5 * high:
        code = "charts.residuals_narrower"
    params = {"low": number(low), "high": number(high)}
    return Chart(chart.name, chart.spec, chart.sheet, code, params)


def _parts(values: F64) -> list[npt.NDArray[np.intp]]:
    order = np.argsort(values, kind="stable")
    return [part for part in np.array_split(order, min(RANGES, max(1, len(order) // 10))) if len(part)]


def error_by_range(truth: F64, predictions: F64) -> Chart:
    """How large errors are, by ranges of the true value that hold equally many rows."""
    import altair as alt

    error, rows = np.abs(truth - predictions), []
    for i, part in enumerate(_parts(truth)):
        low, high = float(truth[part].min()), float(truth[part].max())
        quarter, middle, most = np.quantile(error[part], [0.25, 0.5, 0.75]).tolist()
        rows.append((f"{number(low)} – {number(high)}", quarter, middle, most, len(part), i))
    titles = [
        said(f"charts.axis_{c}") for c in ("true_range", "error_quarter", "error_half", "error_most", "rows")
    ]
    sheet = Sheet.of(titles, *list(zip(*rows, strict=True))[:5])
    order = [row[0] for row in rows]
    base = alt.Chart(sheet.data()).encode(
        x=draw.channel(sheet, "x", 0, "N", sort=order, axis=alt.Axis(labelAngle=-40)),
        tooltip=draw.tips(sheet, "NQQQQ"),
    )
    box = base.mark_bar(opacity=0.55).encode(
        y=draw.channel(sheet, "y", 1, "Q", title=said("charts.axis_error")), y2="c3"
    )
    tick = base.mark_tick(style=STRONG, thickness=3).encode(y="c2:Q")
    worst = max(rows, key=lambda row: row[2])
    overall = float(np.median(error))
    params = {"range": worst[0], "error": number(worst[2]), "overall": number(overall)}
    return draw.finished("error_by_range", box + tick, sheet, params)
