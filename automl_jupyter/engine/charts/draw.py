"""The few forms that charts are made of, in Altair; all titles come from the sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automl_jupyter.engine.charts.chart import Chart, Sheet, said
from automl_jupyter.engine.charts.theme import QUIET

WIDTH, HEIGHT, ROW = 420, 300, 24


def channel(sheet: Sheet, kind: str, column: int, type_: str, **more: Any) -> Any:
    """An encoding of a column: ``x``, ``y``, ``color``, … of type Q, N or O."""
    import altair as alt

    made = {"x": alt.X, "y": alt.Y, "color": alt.Color, "x2": alt.X2, "y2": alt.Y2, "text": alt.Text}[kind]
    if kind in ("x2", "y2"):
        return made(f"c{column}")
    if kind != "text":
        more.setdefault("title", sheet.title(column))
    return made(f"c{column}:{type_}", **more)


def tips(sheet: Sheet, types: str) -> list[Any]:
    """What is shown of a point: all columns, by their types in one word such as ``"QQN"``."""
    import altair as alt

    return [
        alt.Tooltip(f"c{j}:{t}", title=sheet.title(j), **({"format": ".4~g"} if t == "Q" else {}))
        for j, t in enumerate(types)
    ]


def steps(count: int) -> int:
    """The height of so many rows of bars."""
    return max(60, ROW * count)


def finished(
    name: str, drawing: Any, sheet: Sheet, params: Mapping[str, Any], about: str | None = None, **size: Any
) -> Chart:
    """Give a drawing its title and size, and write it down."""
    size = {"width": WIDTH, "height": HEIGHT, **size}
    spec = drawing.properties(title=said(f"charts.{name}"), **size).to_dict()
    return Chart(name, spec, sheet, f"charts.{name}_said", params, about)


def diagonal(low: float, high: float) -> Any:
    """A quiet dashed line from corner to corner."""
    import altair as alt

    ends = alt.Data(values=[{"x": low, "y": low}, {"x": high, "y": high}])
    return (
        alt.Chart(ends)
        .mark_line(style=QUIET, strokeDash=[4, 4], strokeWidth=1.5, filled=False)
        .encode(x="x:Q", y="y:Q")
    )


def level(at: float, axis: str) -> Any:
    """A quiet dashed line across, at a place of ``x`` or ``y``."""
    import altair as alt

    rule = alt.Chart(alt.Data(values=[{axis: at}])).mark_rule(style=QUIET, strokeDash=[4, 4], strokeWidth=1.5)
    return rule.encode(**{axis: f"{axis}:Q"})
