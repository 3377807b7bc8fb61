"""Charts: of model versions, of rows that they predict, of data sets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from jupyter_server.auth.decorator import authorized
from tornado import web

from automl_jupyter import schemas
from automl_jupyter.server.base import AutoMLHandler
from automl_jupyter.server.handlers.studying import StudyHandler
from automl_jupyter.server.identity import RESOURCE

MEANINGS, LEARNING = ("importance", "dependence"), "learning"
"""Charts that take a while: they ask the model many times, or learn again."""

OF_ROWS = ("contributions",)
"""Charts that need rows."""

COSTS = ("false_positive_cost", "false_negative_cost")

OF_VERSIONS = tuple(name for name in get_args(schemas.ChartName) if name not in OF_ROWS)


class DrawingHandler(AutoMLHandler):
    """Shows charts as the query wishes."""

    def shown(self, kept: Iterable[Mapping[str, Any]], wanted: str | None = None) -> list[dict[str, Any]]:
        """Charts in the reader's language and on their ground: all, or those of one name."""
        from automl_jupyter.engine.charts.chart import Chart
        from automl_jupyter.engine.charts.costs import at_costs

        theme, costs = self.theme(), self.costs()
        charts = [Chart.from_dict(item) for item in kept if wanted in (None, item["name"])]
        if costs is not None:
            charts = [at_costs(chart, costs) if chart.name == "threshold" else chart for chart in charts]
        return [chart.told(self.language, theme) for chart in charts]

    def costs(self) -> tuple[float, float] | None:
        """What a false positive and a false negative cost, by the query; None where it names neither.

        Raises
        ------
        Malformed
            If one is no number above 0.
        """
        given = [self.amount(name) for name in COSTS]
        return None if given == [None, None] else (given[0] or 1.0, given[1] or 1.0)

    def theme(self) -> str:
        """The ``theme`` of the query.

        Raises
        ------
        Malformed
            If it is none.
        """
        return self.one_of("theme", get_args(schemas.ChartTheme), "light") or "light"


class ChartsHandler(DrawingHandler, StudyHandler):
    """``api/models/{name}/charts/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, name: str) -> None:
        """Draw a version, its search and its data: all charts, or those named by `chart`.

        Charts are computed when they are first asked for: 202 says how far they are. `importance`,
        `dependence` and `learning` take longer and come only when they are named. What errors cost is for
        `threshold`.
        """
        from automl_jupyter.services import study_kinds as kinds

        version = self.wanted_version()
        wanted = self.one_of("chart", OF_VERSIONS, None)
        self.theme()
        self.costs()
        kind = kinds.MEANINGS_CHARTS if wanted in MEANINGS else kinds.CHARTS
        found = await self.study(name, version, kinds.LEARNING if wanted == LEARNING else kind)
        if found is not None:
            items = self.shown(json.loads(found.content), wanted)
            told = {"model": name, "version": found.version.version, "items": items}
            self.answer(schemas.Charts.model_validate(told))

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, name: str) -> None:
        """Draw rows: one chart each of what every column adds to the prediction."""
        request = self.body(schemas.DrawRequest)
        self.theme()
        model, version, found = await (await self.services()).explanations.charts(
            self.owner, name, self.wanted_version(), request.rows, request.max_predict_ms
        )
        told = {"model": model.name, "version": version.version, "items": self.shown(found)}
        self.answer(schemas.Charts.model_validate(told))


class DatasetChartsHandler(DrawingHandler):
    """``api/datasets/{dataset_id}/charts/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, dataset_id: str) -> None:
        """Draw a data set: which cells are empty together, and the values of each column."""
        wanted = self.one_of("chart", get_args(schemas.DatasetChartName), None)
        self.theme()
        found = await (await self.services()).datasets.charts(self.owner, dataset_id)
        told = {"dataset": dataset_id, "items": self.shown(found, wanted)}
        self.answer(schemas.DatasetCharts.model_validate(told))
