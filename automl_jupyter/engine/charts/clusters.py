"""Groups of similar rows: how large, where, and what tells them apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.charts import draw
from automl_jupyter.engine.charts.chart import Chart, Sheet, number, percent, plain, said
from automl_jupyter.engine.grouping.contest import Evidence
from automl_jupyter.engine.grouping.profile import Profile

MOST_ROWS, MOST_COLUMNS, FARTHEST = 1500, 15, 3.0

F64 = npt.NDArray[np.float64]


def sizes(profiles: Sequence[Profile]) -> Chart:
    """Rows of each cluster."""
    import altair as alt

    rows = [(str(p.group), p.rows, p.share, p.sure, p.found_again) for p in profiles]
    titles = [said(f"charts.axis_{c}") for c in ("cluster", "rows", "share_of_rows", "sure", "found_again")]
    sheet = Sheet.of(titles, *zip(*rows, strict=True))
    bars = alt.Chart(sheet.data()).encode(
        x=draw.channel(sheet, "x", 0, "N", axis=alt.Axis(labelAngle=0)), y=draw.channel(sheet, "y", 1, "Q")
    )
    drawing = bars.mark_bar().encode(tooltip=draw.tips(sheet, "NQQQQ")) + bars.mark_text(dy=-8).encode(
        text="c1:Q"
    )
    params = {"n": len(rows), "percent": percent(rows[0][2]), "least": percent(rows[-1][2])}
    return draw.finished("cluster_sizes", drawing, sheet, params, width=max(160, 60 * len(rows)), height=240)


def evidence(found: Sequence[Evidence]) -> Chart:
    """How well groups are found again, by their number and the way they are found."""
    import altair as alt

    rows = sorted((e.groups, e.strength, e.silhouette, e.family, e.name) for e in found)
    titles = [said("charts.axis_groups"), said("charts.axis_strength"), said("charts.axis_silhouette")]
    titles += [said("charts.axis_family"), said("charts.axis_model")]
    sheet = Sheet.of(titles, *zip(*rows, strict=True))
    base = alt.Chart(sheet.data()).encode(
        x=draw.channel(sheet, "x", 0, "Q", axis=alt.Axis(tickMinStep=1, format="d")),
        y=draw.channel(sheet, "y", 1, "Q", scale=alt.Scale(domain=[0, 1])),
        color=draw.channel(sheet, "color", 3, "N"),
        tooltip=draw.tips(sheet, "QQQNN"),
    )
    lines = base.mark_line(opacity=0.5, strokeWidth=1.5).transform_filter("datum.c3 != 'hdbscan'")
    drawing = draw.level(0.8, "y") + lines + base.mark_point(size=60, opacity=1)
    chosen = next((e for e in found if e.chosen), None)
    if chosen is None:
        made = draw.finished("cluster_evidence", drawing, sheet, {})
        return Chart(made.name, made.spec, made.sheet, "charts.cluster_evidence_none")
    params = {
        "n": chosen.groups,
        "strength": number(chosen.strength),
        "silhouette": number(chosen.silhouette),
    }
    return draw.finished("cluster_evidence", drawing, sheet, params)


def places(points: F64, labels: npt.NDArray[np.intp]) -> Chart:
    """The rows on the plane on which they differ most (principal components).

    Parameters
    ----------
    points : ndarray of shape (n, p)
        The rows in the space in which they were grouped.
    labels : ndarray of shape (n,)
        Their clusters.
    """
    import altair as alt

    if len(points) > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(len(points), MOST_ROWS, replace=False))
        points, labels = points[chosen], labels[chosen]
    centred = points - points.mean(axis=0)
    _, strengths, turned = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((len(points), 2))
    plane[:, : min(2, len(turned))] = centred @ turned[:2].T
    titles = [said("charts.axis_first"), said("charts.axis_second"), said("charts.axis_cluster")]
    sheet = Sheet.of(titles, plane[:, 0], plane[:, 1], [str(label) for label in labels])
    dots = (
        alt.Chart(sheet.data())
        .mark_point(size=40)
        .encode(
            x=draw.channel(sheet, "x", 0, "Q", axis=alt.Axis(labels=False, ticks=False)),
            y=draw.channel(sheet, "y", 1, "Q", axis=alt.Axis(labels=False, ticks=False)),
            color=draw.channel(sheet, "color", 2, "N"),
            shape=alt.Shape("c2:N", title=sheet.title(2)),
            tooltip=draw.tips(sheet, "QQN"),
        )
    )
    kept = float((strengths[:2] ** 2).sum() / max((strengths**2).sum(), 1e-12))
    return draw.finished("cluster_places", dots, sheet, {"percent": percent(kept)}, width=380, height=340)


def traits(profiles: Sequence[Profile]) -> Chart | None:
    """In which columns each cluster differs from the other rows; None if in none."""
    import altair as alt

    strongest: dict[str, float] = {}
    for profile in profiles:
        for trait in profile.traits:
            strongest[trait.column] = max(strongest.get(trait.column, 0.0), abs(trait.effect))
    if not strongest:
        return None
    names = sorted(strongest, key=lambda name: -strongest[name])[:MOST_COLUMNS]
    rows = [
        (plain(t.column), str(p.group), float(np.clip(t.effect, -FARTHEST, FARTHEST)), t.effect)
        for p in profiles
        for t in p.traits
        if t.column in names
    ]
    titles = [said(f"charts.axis_{c}") for c in ("column", "cluster", "effect_shown", "effect")]
    sheet = Sheet.of(titles, *zip(*rows, strict=True))
    order = [plain(name) for name in names]
    base = alt.Chart(sheet.data()).encode(
        y=draw.channel(sheet, "y", 0, "N", sort=order, title=None), tooltip=draw.tips(sheet, "NNQQ")
    )
    bars = base.mark_bar().encode(
        x=draw.channel(sheet, "x", 2, "Q", scale=alt.Scale(domain=[-FARTHEST, FARTHEST])),
        color=draw.channel(sheet, "color", 1, "N"),
        yOffset=alt.YOffset("c1:N"),
    )
    first = max((t for p in profiles for t in p.traits), key=lambda t: abs(t.effect))
    which = next(p.group for p in profiles if first in p.traits)
    params = {"column": plain(first.column), "cluster": which}
    return draw.finished(
        "cluster_traits", bars + draw.level(0, "x"), sheet, params, height=draw.steps(len(names) * 2)
    )
