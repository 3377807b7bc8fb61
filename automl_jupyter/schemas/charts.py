"""Charts of a model version, of rows and of a data set, as Vega-Lite, with their tables and sentences."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import FailFast, Field, JsonValue

from automl_jupyter.schemas.base import Answer, Milliseconds, Request
from automl_jupyter.schemas.predictions import Row

DRAWN_ROWS = 20
"""The most rows of one request for their charts."""

ChartName = Literal[
    "budget",
    "calibration",
    "cluster_evidence",
    "cluster_places",
    "cluster_sizes",
    "cluster_traits",
    "confusion",
    "contributions",
    "dependence",
    "error_by_range",
    "gain",
    "histogram",
    "importance",
    "leaderboard",
    "learning",
    "missing",
    "precision_recall",
    "predicted",
    "residuals",
    "roc",
    "threshold",
]
DatasetChartName = Literal["histogram", "missing"]
ChartTheme = Literal["light", "dark", "contrast"]
ReportFormat = Literal["html", "markdown"]


class ChartTable(Answer):
    """The same as the chart, as a table."""

    columns: list[str]
    rows: list[list[str | float | bool | None]]


class Chart(Answer):
    """A chart."""

    name: ChartName
    about: str | None = Field(
        description="The column, or the row from 0, that it is about, where there is one chart for each."
    )
    title: str
    sentence: str = Field(description="What to see.")
    spec: dict[str, JsonValue] = Field(description="Vega-Lite 5, with its data and the colours of the theme.")
    table: ChartTable


class Charts(Answer):
    """Charts of a version."""

    model: str
    version: int
    items: list[Chart]


class DatasetCharts(Answer):
    """Charts of a data set."""

    dataset: str
    items: list[Chart]


class DrawRequest(Request):
    """Rows whose predictions are to be drawn: one object each, from column name to value."""

    rows: Annotated[list[Row], FailFast()] = Field(
        min_length=1, max_length=DRAWN_ROWS, json_schema_extra={"maxItems": DRAWN_ROWS}
    )
    max_predict_ms: Milliseconds | None = Field(
        None, description="As in a PredictRequest: which model is asked.", examples=[5]
    )
