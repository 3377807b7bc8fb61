"""What made the prediction of one row: where usual rows are, what each column adds, where it ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl_jupyter.engine.charts import draw
from automl_jupyter.engine.charts.chart import Chart, Sheet, number, percent, plain, said

MOST_PARTS, LONGEST_CELL = 10, 40


@dataclass(frozen=True)
class Answer:
    """What was predicted of a row.

    Attributes
    ----------
    target : str
        The column that is predicted.
    scale : str
        On which contributions add up: ``target``, ``log_odds`` or ``centred_log_probability``.
    label : object
        The class that contributions are about; None for a quantity.
    share : float or None
        The probability of that class.
    """

    target: str
    scale: str
    label: object = None
    share: float | None = None

    @property
    def title(self) -> str:
        """What the axis shows."""
        if self.scale == "target":
            return plain(self.target)
        return said(f"charts.axis_{self.scale}", label=plain(self.label))


def contributions(
    base: float,
    columns: Sequence[str],
    cells: Sequence[object],
    parts: Sequence[float],
    answer: Answer,
    about: str | None = None,
) -> Chart:
    """What each column adds to the prediction of one row: they add up to it.

    Parameters
    ----------
    base : float
        What is predicted of usual rows.
    columns : sequence of str
        The columns.
    cells : sequence
        What the row holds in them; None for nothing.
    parts : sequence of float
        What each adds.
    answer : Answer
        What was predicted.
    about : str, optional
        Which row it is.
    """
    import altair as alt

    order = np.argsort(-np.abs(np.asarray(parts)), kind="stable")
    kept, rest = order[:MOST_PARTS], order[MOST_PARTS:]
    rows, at = [], base
    for i in kept:
        rows.append((_holds(columns[i], cells[i]), at, at + parts[i], parts[i]))
        at += parts[i]
    if len(rest):
        more = float(np.asarray(parts)[rest].sum())
        rows.append((said("charts.other_columns"), at, at + more, more))
        at += more
    signed = [(*row, said("charts.raises" if row[3] >= 0 else "charts.lowers")) for row in rows]
    titles = [said("charts.axis_column"), said("charts.axis_from"), answer.title, said("charts.axis_adds")]
    sheet = Sheet.of([*titles, said("charts.axis_direction")], *zip(*signed, strict=True))
    bars = (
        alt.Chart(sheet.data())
        .mark_bar(cornerRadius=2)
        .encode(
            y=draw.channel(sheet, "y", 0, "N", sort=None, title=None),
            x=draw.channel(sheet, "x", 1, "Q", title=sheet.title(2), scale=alt.Scale(zero=False, padding=12)),
            x2="c2",
            color=draw.channel(
                sheet,
                "color",
                4,
                "N",
                title=None,
                scale=alt.Scale(domain=[said("charts.raises"), said("charts.lowers")]),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=draw.tips(sheet, "NQQQN"),
        )
    )
    drawing = draw.level(base, "x") + bars
    chart = draw.finished("contributions", drawing, sheet, {}, about, height=draw.steps(len(rows)))
    code = f"charts.contributions_{answer.scale}"
    return Chart(chart.name, chart.spec, chart.sheet, code, _figures(base, at, rows[0][0], answer), about)


def _figures(base: float, end: float, first: str, answer: Answer) -> dict[str, object]:
    if answer.scale == "target":
        return {"base": number(base), "prediction": number(end), "first": first}
    told = {"label": plain(answer.label), "first": first}
    share = _probability(end) if answer.share is None else answer.share
    if answer.scale == "log_odds":
        return {**told, "percent": percent(share), "base": percent(_probability(base))}
    return {**told, "percent": percent(share)}


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(min(log_odds, 700.0), -700.0)))


def _holds(column: str, cell: object) -> str:
    if cell is None:
        return said("charts.column_empty", column=plain(column))
    if isinstance(cell, bool) or not isinstance(cell, int | float | np.number):
        text = plain(cell)
        shown = text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
    else:
        shown = number(float(cell))
    return said("charts.column_is", column=plain(column), cell=shown)
