"""Charts in a notebook: one as a drawing, several as a list of what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automl_jupyter.cli.charting import grounded
from automl_jupyter.notebook.markup import Html, el, join, table
from automl_jupyter.schemas import Chart
from automl_jupyter.wording import Wording

VEGA_LITE = "application/vnd.vegalite.v5+json"
"""What JupyterLab and Notebook draw by themselves."""


@dataclass(frozen=True)
class Gallery:
    """Some charts.

    Attributes
    ----------
    items : tuple of Chart
        The charts.
    theme : str
        The ground that they lie on.
    """

    items: tuple[Chart, ...]
    theme: str = "light"


def drawing(chart: Chart, ground: str | None) -> dict[str, Any]:
    """A chart as a front end draws it, or as a sentence.

    It brings its ground along, of one of the themes; with None it lies on that of the page.

    Its table is not among these forms: JupyterLab would show HTML rather than draw.
    """
    spec = chart.spec if ground is None else grounded(chart.spec, ground)
    # Vega's menu has no name for screen readers, and an entry that sends the figures to an editor elsewhere.
    options = {"embedOptions": {"actions": False}}
    return {
        VEGA_LITE: {**spec, "usermeta": options},
        "text/plain": f"{chart.title}: {chart.sentence}",
    }


def figures(chart: Chart, wording: Wording) -> Html:
    """The sentence of a chart, and its table where somebody wants to see it."""
    label = el("summary", wording.text("notebook.model.figures"))
    return join([el("p", chart.sentence), el("details", label, table_of(chart, wording))])


def table_of(chart: Chart, wording: Wording) -> Html:
    """The same as a chart, in figures."""
    heads = [(column, "") for column in chart.table.columns]
    rows = (("", [wording.value(cell) for cell in row]) for row in chart.table.rows)
    return table(chart.title, heads, rows)


def listed(gallery: Gallery, wording: Wording) -> Html:
    """What charts say, one below the other."""
    heads = [(wording.text("cli.charts.name"), ""), (wording.text("cli.charts.sentence"), "")]
    rows = (("", (el("b", named(chart)), chart.sentence)) for chart in gallery.items)
    return table(wording.text("notebook.caption.charts"), heads, rows)


def named(chart: Chart) -> str:
    """What a chart is called among others."""
    return chart.name if chart.about is None else f"{chart.name} {chart.about}"
