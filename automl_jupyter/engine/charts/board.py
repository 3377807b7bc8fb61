"""How the search went: the leaderboard, and what more time brought."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automl_jupyter.engine.charts import draw
from automl_jupyter.engine.charts.chart import Chart, Sheet, number, plain, said
from automl_jupyter.engine.charts.theme import QUIET
from automl_jupyter.engine.trials import DONE, Trial

MOST_TRIALS = 20


def charts(trials: Sequence[Trial], metric: str) -> list[Chart]:
    """Draw the charts of a search.

    Parameters
    ----------
    trials : sequence of Trial
        The leaderboard, what is served first.
    metric : str
        What the score is.
    """
    done = [trial for trial in trials if trial.state == DONE and np.isfinite(trial.score)]
    return [leaderboard(done, metric), budget(done, metric)] if done else []


def leaderboard(done: Sequence[Trial], metric: str) -> Chart:
    """Scores with their intervals, the best first, the baseline as a line."""
    import altair as alt

    baseline = next((trial for trial in done if trial.baseline), None)
    shown = [trial for trial in done if not trial.baseline][:MOST_TRIALS]
    shown = shown or list(done)
    rows = [
        (t.name, t.family, t.score, *t.interval, said("charts.tied" if t.tied_with_best else "charts.behind"))
        for t in shown
    ]
    titles = [said("charts.axis_model"), said("charts.axis_family"), plain(metric)]
    titles += [said(f"charts.axis_{c}") for c in ("from", "to", "place")]
    sheet = Sheet.of(titles, *zip(*rows, strict=True))
    colour = draw.channel(
        sheet,
        "color",
        5,
        "N",
        sort=[said("charts.tied"), said("charts.behind")],
        title=None,
        legend=alt.Legend(orient="top"),
    )
    base = alt.Chart(sheet.data()).encode(
        y=draw.channel(sheet, "y", 0, "N", sort=None, title=None),
        color=colour,
        tooltip=draw.tips(sheet, "NNQQQN"),
    )
    low, high = min(t.interval[0] for t in shown), max(t.interval[1] for t in shown)
    # A baseline far away would leave no room to tell the others apart.
    is_near = baseline is not None and baseline is not shown[0] and low - baseline.score < high - low
    scale = alt.Scale(zero=False, nice=True)
    reach = base.mark_rule(strokeWidth=3, opacity=0.55).encode(
        x=draw.channel(sheet, "x", 3, "Q", scale=scale, title=sheet.title(2)), x2="c4"
    )
    dots = base.mark_point(size=80, opacity=1).encode(x=draw.channel(sheet, "x", 2, "Q", scale=scale))
    drawing = reach + dots
    if is_near and baseline is not None:
        drawing = draw.level(baseline.score, "x") + drawing
    params = {
        "model": shown[0].name,
        "score": number(shown[0].score),
        "n": max(sum(trial.tied_with_best for trial in shown) - 1, 0),
        "baseline": "–" if baseline is None else number(baseline.score),
    }
    return draw.finished("leaderboard", drawing, sheet, params, height=draw.steps(len(rows)))


def budget(done: Sequence[Trial], metric: str) -> Chart:
    """What each model cost to fit, and what its score is; the line joins those that no cheaper one beats."""
    import altair as alt

    rows = sorted((max(t.fit_seconds, 1e-3), t.score, t.name) for t in done if not t.baseline) or [
        (1e-3, done[0].score, done[0].name)
    ]
    best, front = -np.inf, []
    for seconds, score, _ in rows:
        if score > best:
            best = score
            front.append((seconds, score))
    front.append((rows[-1][0], best))
    titles = [said("charts.axis_fit_seconds"), plain(metric), said("charts.axis_model")]
    sheet = Sheet.of(titles, *zip(*rows, strict=True))
    points = (
        alt.Chart(sheet.data())
        .mark_point(size=70, opacity=0.9)
        .encode(
            x=draw.channel(
                sheet, "x", 0, "Q", scale=alt.Scale(type="log"), axis=alt.Axis(format="~g", tickCount=5)
            ),
            y=draw.channel(sheet, "y", 1, "Q", scale=alt.Scale(zero=False)),
            tooltip=draw.tips(sheet, "QQN"),
        )
    )
    line = alt.Chart(alt.Data(values=[{"x": x, "y": y} for x, y in front])).mark_line(
        style=QUIET, interpolate="step-after", filled=False
    )
    whole = rows[-1][0]
    enough = next(seconds for seconds, score in front if score >= best - 0.01 * abs(best))
    params = {"seconds": number(enough), "score": number(best), "most": number(whole)}
    return draw.finished("budget", line.encode(x="x:Q", y="y:Q") + points, sheet, params)
