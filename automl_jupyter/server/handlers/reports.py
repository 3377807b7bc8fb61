"""The card of a model version."""

from __future__ import annotations

from typing import get_args

from jupyter_server.auth.decorator import authorized
from tornado import web

from automl_jupyter import messages, schemas
from automl_jupyter.server.handlers.studying import StudyHandler
from automl_jupyter.server.identity import RESOURCE

_MEDIA = {"html": "text/html; charset=UTF-8", "markdown": "text/markdown; charset=UTF-8"}
_ENDINGS = {"html": "html", "markdown": "md"}


class ReportHandler(StudyHandler):
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
