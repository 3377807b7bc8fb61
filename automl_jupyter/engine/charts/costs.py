"""The chart of thresholds at other costs of errors, made of the one that is kept, without the model.

Whoever moves a cost wants to see at once where the threshold goes: it takes the counts of both errors alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from automl_jupyter.engine.charts.chart import Chart, Sheet, number, percent, plain

CURVE, BEST = "curve", "best"
"""What the data of the line and of its lowest point are called in the drawing."""


def figures(
    label: str, cuts: Sequence[float], totals: Sequence[float], costs: tuple[float, float], rows: int
) -> dict[str, Any]:
    """The values that the sentence mentions.

    Parameters
    ----------
    label : str
        The second of the two classes.
    cuts, totals : sequence of float
        Thresholds, and what errors cost there for each row.
    costs : tuple of float
        What a false positive and a false negative cost.
    rows : int
        How many rows were counted.
    """
    best, half = lowest(totals), min(range(len(cuts)), key=lambda i: abs(cuts[i] - 0.5))
    return {
        "class": plain(label),
        "percent": percent(cuts[best]),
        "cost": number(totals[best]),
        "half": number(totals[half]),
        "alarm": number(costs[0]),
        "miss": number(costs[1]),
        "rows": rows,
    }


def lowest(totals: Sequence[float]) -> int:
    """Where errors cost least."""
    return min(range(len(totals)), key=totals.__getitem__)


def at_costs(chart: Chart, costs: tuple[float, float]) -> Chart:
    """The chart of thresholds at other costs.

    Parameters
    ----------
    chart : Chart
        What :func:`automl_jupyter.engine.charts.classes.threshold` drew.
    costs : tuple of float
        What a false positive and a false negative cost.
    """
    count = int(chart.params["rows"])
    cuts = [float(row[0] or 0.0) for row in chart.sheet.rows]
    errors = [(int(row[2] or 0), int(row[3] or 0)) for row in chart.sheet.rows]
    totals = [(costs[0] * alarms + costs[1] * misses) / max(count, 1) for alarms, misses in errors]
    sheet = Sheet.of(chart.sheet.titles, cuts, totals, *zip(*errors, strict=True))
    best = lowest(totals)
    values: dict[str, list[dict[str, Any]]] = {
        CURVE: [*sheet.values()],
        BEST: [{"x": cuts[best], "y": totals[best]}],
    }
    told = figures(str(chart.params["class"]), cuts, totals, costs, count)
    return Chart(chart.name, _refilled(chart.spec, values), sheet, chart.code, told, chart.about)


def _refilled(spec: Mapping[str, Any], values: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    layers = []
    for layer in spec["layer"]:
        name = layer.get("data", {}).get("name")
        layers.append({**layer, "data": {"name": name, "values": values[name]}} if name in values else layer)
    return {**spec, "layer": layers}
