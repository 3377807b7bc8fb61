"""How a model of classes fares on rows that it had not seen.

Fawcett (2006), "An introduction to ROC analysis"; Davis and Goadrich (2006) on precision and recall;
Niculescu-Mizil and Caruana (2005) on calibration; Elkan (2001) on thresholds and costs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine import metrics
from automl_jupyter.engine.charts import costs, draw
from automl_jupyter.engine.charts.chart import Chart, Sheet, number, percent, plain, said
from automl_jupyter.engine.charts.theme import ON_EMPTY, ON_FULL, STRONG
from automl_jupyter.engine.charts.writing import figure

MOST_CLASSES, MOST_CURVES, CURVE_POINTS, BINS = 12, 6, 300, 10

F64 = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]


def charts(
    truth: Codes,
    q: F64,
    names: Sequence[object],
    cost: tuple[float, float] = (1.0, 1.0),
    part: metrics.Part | None = None,
) -> list[Chart]:
    """Draw all charts of classes.

    Parameters
    ----------
    truth : ndarray of shape (n,)
        Codes of the true classes.
    q : ndarray of shape (n, K)
        Probabilities by models that had not seen the row.
    names : sequence
        The K classes.
    cost : tuple of float
        What a false alarm and a miss cost, for two classes.
    part : ndarray of shape (n,), optional
        The fold of each row, where each was predicted by a model of its own.
    """
    known = [plain(name) for name in names]
    found = [confusion(truth, q, known), roc(truth, q, known, part), precision_recall(truth, q, known)]
    found += [calibration(truth, q, known), gain(truth, q, known)]
    return found + ([threshold(truth, q, known, cost)] if len(known) == 2 else [])


def confusion(truth: Codes, q: F64, names: Sequence[str]) -> Chart:
    """How often each true class was predicted as each class."""
    import altair as alt

    true, predicted, shown = _fewer(truth, q.argmax(axis=1), names)
    k = len(shown)
    table = np.bincount(true * k + predicted, minlength=k * k).reshape(k, k)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    rows = [(shown[i], shown[j], int(table[i, j]), share[i, j]) for i in range(k) for j in range(k)]
    titles = [said(f"charts.axis_{c}") for c in ("true", "predicted", "rows", "share_of_class")]
    sheet = Sheet.of(titles, *zip(*rows, strict=True))
    base = alt.Chart(sheet.data()).encode(
        x=draw.channel(sheet, "x", 1, "N", sort=shown, axis=alt.Axis(labelAngle=0 if k < 5 else -40)),
        y=draw.channel(sheet, "y", 0, "N", sort=shown),
        tooltip=draw.tips(sheet, "NNQQ"),
    )
    cells = base.mark_rect(cornerRadius=2).encode(
        color=draw.channel(
            sheet, "color", 3, "Q", scale=alt.Scale(domain=[0, 1]), legend=alt.Legend(format=".0%")
        )
    )
    letters = 13 if k < 7 else 10
    full = base.mark_text(fontSize=letters, style=ON_FULL).transform_filter("datum.c3 > 0.5")
    empty = base.mark_text(fontSize=letters, style=ON_EMPTY).transform_filter("datum.c3 <= 0.5")
    drawing = cells + full.encode(text="c2:Q") + empty.encode(text="c2:Q")
    wrong = table.copy()
    np.fill_diagonal(wrong, 0)
    i, j = np.unravel_index(int(wrong.argmax()), wrong.shape)
    right = float(np.trace(table) / max(table.sum(), 1))
    params = {"percent": percent(right), "true": shown[i], "predicted": shown[j], "count": int(wrong[i, j])}
    params = {key: _readable(value) for key, value in params.items()}
    size = max(160, min(360, 70 * k))
    return draw.finished("confusion", drawing, sheet, params, width=size, height=size)


def _readable(value: object) -> object:
    return "…" if isinstance(value, str) and value.startswith("\x01") else value


def _fewer(true: Codes, predicted: Codes, names: Sequence[str]) -> tuple[Codes, Codes, list[str]]:
    """Join all but the most frequent classes into one where there are too many to read."""
    true = true.astype(np.intp)
    if len(names) <= MOST_CLASSES:
        return true, predicted, list(names)
    counts = np.bincount(true, minlength=len(names))
    frequent = np.sort(np.argsort(-counts, kind="stable")[: MOST_CLASSES - 1])
    place = np.full(len(names), MOST_CLASSES - 1)
    place[frequent] = np.arange(len(frequent))
    return place[true], place[predicted], [*(names[i] for i in frequent), said("charts.other_classes")]


def _curves(truth: Codes, names: Sequence[str]) -> list[tuple[int, str]]:
    """Which classes get a curve: the second of two, else the most frequent ones."""
    if len(names) == 2:
        return [(1, names[1])]
    counts = np.bincount(truth.astype(np.intp), minlength=len(names))
    return [(int(c), names[c]) for c in np.sort(np.argsort(-counts, kind="stable")[:MOST_CURVES])]


def _ranked(truth: Codes, q: F64, code: int) -> tuple[F64, F64, F64]:
    """True and false positives among the first so many rows, and the thresholds between runs of ties."""
    order = np.argsort(-q[:, code], kind="stable")
    hits = (truth[order] == code).astype(np.float64)
    last = np.r_[np.diff(q[order, code]) != 0, True]
    true, false = np.cumsum(hits)[last], np.cumsum(1 - hits)[last]
    return np.r_[0.0, true], np.r_[0.0, false], np.r_[1.0, q[order, code][last]]


def _thinned(*columns: F64, most: int = CURVE_POINTS) -> list[F64]:
    n = len(columns[0])
    kept = np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int))
    return [column[kept] for column in columns]


def roc(truth: Codes, q: F64, names: Sequence[str], part: metrics.Part | None = None) -> Chart:
    """Part of a class that is found against part of the others that is taken for it.

    The area that is told is the score's: within folds where they are known, while the curve is of all rows.
    """
    import altair as alt

    rows, areas = [], []
    for code, name in _curves(truth, names):
        true, false, cut = _ranked(truth, q, code)
        tpr, fpr = true / max(true[-1], 1), false / max(false[-1], 1)
        likely = np.column_stack([1 - q[:, code], q[:, code]])
        areas.append(metrics.get("roc_auc").score(truth == code, likely, part))
        rows += [(f, t, c, name) for f, t, c in zip(*_thinned(fpr, tpr, cut), strict=True)]
    titles = [said(f"charts.axis_{c}") for c in ("false_positives", "true_positives", "threshold", "class")]
    sheet = Sheet.of(titles, *zip(*rows, strict=True))
    axis = alt.Axis(format=".0%")
    line = (
        alt.Chart(sheet.data())
        .mark_line()
        .encode(
            x=draw.channel(sheet, "x", 0, "Q", scale=alt.Scale(domain=[0, 1]), axis=axis),
            y=draw.channel(sheet, "y", 1, "Q", scale=alt.Scale(domain=[0, 1]), axis=axis),
            order=alt.Order("c0:Q"),
            tooltip=draw.tips(sheet, "QQQN"),
            **_coloured(sheet, 3, len(areas)),
        )
    )
    area = float(np.mean(areas))
    params = {"area": figure(f"{area:.3f}"), "percent": percent(area)}
    return draw.finished("roc", draw.diagonal(0, 1) + line, sheet, params, width=320, height=320)


def _coloured(sheet: Sheet, column: int, count: int) -> dict[str, object]:
    """A colour for each class where there are several."""
    return {"color": draw.channel(sheet, "color", column, "N")} if count > 1 else {}


def precision_recall(truth: Codes, q: F64, names: Sequence[str]) -> Chart:
    """Part of what is taken for a class that is of it, against part of the class that is found."""
    import altair as alt

    rows, averages = [], []
    for code, name in _curves(truth, names):
        true, false, cut = _ranked(truth, q, code)
        recall, precision = true[1:] / max(true[-1], 1), true[1:] / (true[1:] + false[1:])
        averages.append(float((np.diff(np.r_[0.0, recall]) * precision).sum()))
        thin = _thinned(recall, precision, cut[1:])
        rows += [(r, p, c, name) for r, p, c in zip(*thin, strict=True)]
    titles = [said(f"charts.axis_{c}") for c in ("recall", "precision", "threshold", "class")]
    sheet = Sheet.of(titles, *zip(*rows, strict=True))
    axis = alt.Axis(format=".0%")
    line = (
        alt.Chart(sheet.data())
        .mark_line(interpolate="step-before")
        .encode(
            x=draw.channel(sheet, "x", 0, "Q", scale=alt.Scale(domain=[0, 1]), axis=axis),
            y=draw.channel(sheet, "y", 1, "Q", scale=alt.Scale(domain=[0, 1]), axis=axis),
            order=alt.Order("c0:Q"),
            tooltip=draw.tips(sheet, "QQQN"),
            **_coloured(sheet, 3, len(averages)),
        )
    )
    base = float(np.mean([(truth == code).mean() for code, _ in _curves(truth, names)]))
    drawing = draw.level(base, "y") + line
    params = {"average": figure(f"{np.mean(averages):.3f}"), "chance": figure(f"{base:.3f}")}
    return draw.finished("precision_recall", drawing, sheet, params, width=320, height=320)


def calibration(truth: Codes, q: F64, names: Sequence[str]) -> Chart:
    """How often what was given a probability came true; bins of equal numbers of rows."""
    import altair as alt

    if len(names) == 2:
        said_, came = q[:, 1], (truth == 1).astype(np.float64)
    else:
        said_, came = q.max(axis=1), (truth == q.argmax(axis=1)).astype(np.float64)
    order = np.argsort(said_, kind="stable")
    parts = [part for part in np.array_split(order, min(BINS, max(1, len(order) // 20))) if len(part)]
    rows = []
    for part in parts:
        n, mean = len(part), float(came[part].mean())
        # Wilson (1927): an interval that holds for few rows as well.
        z = 1.645
        centre = (mean + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n))
        rows.append((float(said_[part].mean()), mean, centre - half, centre + half, n))
    titles = [said(f"charts.axis_{c}") for c in ("said", "came_true", "from", "to", "rows")]
    sheet = Sheet.of(titles, *zip(*rows, strict=True))
    unit, axis = alt.Scale(domain=[0, 1]), alt.Axis(format=".0%")
    base = alt.Chart(sheet.data()).encode(
        x=draw.channel(sheet, "x", 0, "Q", scale=unit, axis=axis), tooltip=draw.tips(sheet, "QQQQQ")
    )
    y = draw.channel(sheet, "y", 2, "Q", scale=unit, axis=axis, title=sheet.title(1))
    bars = base.mark_rule(strokeWidth=2, opacity=0.6).encode(y=y, y2="c3")
    dots = base.mark_line(point=alt.OverlayMarkDef(size=60, opacity=1)).encode(
        y=draw.channel(sheet, "y", 1, "Q", scale=unit, axis=axis)
    )
    off = sum(abs(r[0] - r[1]) * r[4] for r in rows) / max(sum(r[4] for r in rows), 1)
    return draw.finished(
        "calibration",
        draw.diagonal(0, 1) + bars + dots,
        sheet,
        {"points": number(100 * off)},
        width=320,
        height=320,
    )


def gain(truth: Codes, q: F64, names: Sequence[str]) -> Chart:
    """Part of a class among the rows that look most like it."""
    import altair as alt

    rows, at_fifth = [], []
    for code, name in _curves(truth, names):
        hits = (truth[np.argsort(-q[:, code], kind="stable")] == code).astype(np.float64)
        found = np.r_[0.0, np.cumsum(hits) / max(hits.sum(), 1)]
        asked = np.linspace(0, 1, len(found))
        at_fifth.append(float(np.interp(0.2, asked, found)))
        rows += [(a, f, name) for a, f in zip(*_thinned(asked, found, most=200), strict=True)]
    titles = [said(f"charts.axis_{c}") for c in ("asked", "found", "class")]
    sheet = Sheet.of(titles, *zip(*rows, strict=True))
    axis = alt.Axis(format=".0%")
    line = (
        alt.Chart(sheet.data())
        .mark_line()
        .encode(
            x=draw.channel(sheet, "x", 0, "Q", scale=alt.Scale(domain=[0, 1]), axis=axis),
            y=draw.channel(sheet, "y", 1, "Q", scale=alt.Scale(domain=[0, 1]), axis=axis),
            tooltip=draw.tips(sheet, "QQN"),
            **_coloured(sheet, 2, len(at_fifth)),
        )
    )
    params = {"percent": percent(float(np.mean(at_fifth)))}
    return draw.finished("gain", draw.diagonal(0, 1) + line, sheet, params, width=320, height=320)


def threshold(truth: Codes, q: F64, names: Sequence[str], cost: tuple[float, float] = (1.0, 1.0)) -> Chart:
    """What errors cost by the probability from which the second of two classes is answered."""
    import altair as alt

    cuts = np.linspace(0, 1, 101)
    order = np.sort(q[truth == 0, 1]), np.sort(q[truth == 1, 1])
    alarms = len(order[0]) - np.searchsorted(order[0], cuts, side="left")
    misses = np.searchsorted(order[1], cuts, side="left")
    total = (cost[0] * alarms + cost[1] * misses) / max(len(truth), 1)
    best = costs.lowest(total.tolist())
    titles = [said(f"charts.axis_{c}") for c in ("threshold", "cost", "false_alarms", "misses")]
    sheet = Sheet.of(titles, cuts, total, alarms, misses)
    line = (
        alt.Chart(sheet.data(costs.CURVE))
        .mark_line()
        .encode(
            x=draw.channel(sheet, "x", 0, "Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%")),
            y=draw.channel(sheet, "y", 1, "Q"),
            tooltip=draw.tips(sheet, "QQQQ"),
        )
    )
    lowest = alt.InlineData(values=[{"x": float(cuts[best]), "y": float(total[best])}], name=costs.BEST)
    mark = alt.Chart(lowest)
    dot = mark.mark_point(style=STRONG, size=110, opacity=1).encode(x="x:Q", y="y:Q")
    params = costs.figures(names[1], cuts.tolist(), total.tolist(), cost, len(truth))
    return draw.finished("threshold", draw.level(0.5, "x") + line + dot, sheet, params)
