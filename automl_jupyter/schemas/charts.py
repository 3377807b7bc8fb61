"""Charts of a model version, as Vega-Lite, with their tables and sentences."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from automl_jupyter.schemas.base import Answer

ChartName = Literal[
    "budget",
    "calibration",
    "cluster_evidence",
    "cluster_places",
    "cluster_sizes",
    "cluster_traits",
    "confusion",
    "dependence",
    "error_by_range",
    "gain",
    "histogram",
    "importance",
    "leaderboard",
    "missing",
    "precision_recall",
    "predicted",
    "residuals",
    "roc",
    "threshold",
]
ChartTheme = Literal["light", "dark", "contrast"]
ReportFormat = Literal["html", "markdown"]


class ChartTable(Answer):
    """The same as the chart, as a table."""

    columns: list[str]
    rows: list[list[str | float | bool | None]]


class Chart(Answer):
    """A chart."""

    name: ChartName
    about: str | None = Field(description="The column that it is about, where there is one chart for each.")
    title: str
    sentence: str = Field(description="What to see.")
    spec: dict[str, JsonValue] = Field(description="Vega-Lite 5, with its data and the colours of the theme.")
    table: ChartTable


class Charts(Answer):
    """Charts of a version."""

    model: str
    version: int
    items: list[Chart]
