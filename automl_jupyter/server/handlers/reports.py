"""Charts and the card of a model version."""

from __future__ import annotations

import json
from typing import get_args

from jupyter_server.auth.decorator import authorized
from tornado import web

from automl_jupyter import messages, schemas
from automl_jupyter.errors import FieldError, Malformed
from automl_jupyter.server.handlers.studying import StudyHandler
from automl_jupyter.server.identity import RESOURCE

MEANINGS = ("importance", "dependence")
"""Charts that take a while: they ask the model many times."""

_MEDIA = {"html": "text/html; charset=UTF-8", "markdown": "text/markdown; charset=UTF-8"}
_ENDINGS = {"html": "html", "markdown": "md"}


class ReportingHandler(StudyHandler):
    """Reads what is wished for from the query."""

    def one_of(self, name: str, known: tuple[str, ...], default: str | None) -> str | None:
        """A word of the query.

        Raises
        ------
        Malformed
            If it is none of the known ones.
        """
        given = self.get_query_argument(name, default)
        if given is not None and given not in known:
            words = [*known]
            problem = FieldError(name, "server.not_one_of", {"field": name, "known": words})
            raise Malformed("server.not_one_of", errors=[problem], field=name, known=words)
        return given


class ChartsHandler(ReportingHandler):
    """``api/models/{name}/charts/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, name: str) -> None:
        """Draw a version, its search and its data: all charts, or those named by `chart`.

        Charts are computed when they are first asked for: 202 says how far they are. `importance` and
        `dependence` take longer and come only when they are named.
        """
        from automl_jupyter.engine.charts.chart import Chart
        from automl_jupyter.services.study_kinds import CHARTS, MEANINGS_CHARTS

        version = self.wanted_version()
        wanted = self.one_of("chart", get_args(schemas.ChartName), None)
        theme = self.one_of("theme", get_args(schemas.ChartTheme), "light") or "light"
        found = await self.study(name, version, MEANINGS_CHARTS if wanted in MEANINGS else CHARTS)
        if found is not None:
            kept = [Chart.from_dict(item) for item in json.loads(found.content)]
            items = [chart.told(self.language, theme) for chart in kept if wanted in (None, chart.name)]
            told = {"model": name, "version": found.version.version, "items": items}
            self.answer(schemas.Charts.model_validate(told))


class ReportHandler(ReportingHandler):
    """``api/models/{name}/report/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, name: str) -> None:
        """Write the card of a version, as a file to keep: one page of HTML, or Markdown.

        It is computed when it is first asked for: 202 says how far it is.
        """
        from automl_jupyter.services.study_kinds import REPORT

        version = self.wanted_version()
        format_ = self.one_of("format", get_args(schemas.ReportFormat), "html") or "html"
        language = self.one_of("language", messages.LANGUAGES, self.language)
        found = await self.study(name, version, REPORT, {"format": format_, "language": language})
        if found is not None:
            file = f"{name}-{found.version.version}-card.{_ENDINGS[format_]}"
            # On Jupyter's origin a page that is shown could act as its reader.
            self.set_header("Content-Disposition", f'attachment; filename="{file}"')
            self.set_header("Content-Security-Policy", "sandbox")
            self.set_header("X-Content-Type-Options", "nosniff")
            self.finish(found.content, set_content_type=_MEDIA[format_])
