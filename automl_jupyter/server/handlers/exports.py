"""A model version as a file for use elsewhere."""

from __future__ import annotations

from typing import get_args

from jupyter_server.auth.decorator import authorized
from tornado import web

from automl_jupyter import messages, schemas
from automl_jupyter.server.handlers.studying import StudyHandler
from automl_jupyter.server.identity import RESOURCE

TOLD = ("notebook", "python")
"""Formats with sentences, which are written in a language."""

MEDIA = {"zip": "application/zip"}
"""By the suffix of the file; any other is plain bytes."""


class ExportHandler(StudyHandler):
    """``api/models/{name}/export/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, name: str) -> None:
        """Export a version as a file for use elsewhere.

        ``notebook`` and ``python`` are code that makes its best single pipeline again, ``onnx`` is its quick
        model, ``mlflow`` the folder that MLflow loads.

        It is computed when it is first asked for: 202 says how far it is.
        """
        from automl_jupyter.services.study_kinds import EXPORTS

        version = self.wanted_version()
        format_ = self.one_of("format", get_args(schemas.ExportFormat), "notebook") or "notebook"
        language = self.one_of("language", messages.LANGUAGES, self.language)
        kind = EXPORTS[format_]
        options = {"language": language} if format_ in TOLD else {}
        found = await self.study(name, version, kind, options)
        if found is not None:
            form = "" if format_ == kind.suffix else f"-{format_}"
            file = f"{name}-{found.version.version}{form}.{kind.suffix}"
            self.set_header("Content-Disposition", f'attachment; filename="{file}"')
            self.set_header("Content-Security-Policy", "sandbox")
            self.set_header("X-Content-Type-Options", "nosniff")
            media = MEDIA.get(kind.suffix, "application/octet-stream")
            self.finish(found.content, set_content_type=media)
