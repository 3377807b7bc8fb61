"""Predictions: rows in JSON answered in JSON, CSV answered in CSV."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from jupyter_server.auth.decorator import authorized
from tornado import web

from automl_jupyter import schemas
from automl_jupyter.errors import Malformed
from automl_jupyter.server import present
from automl_jupyter.server.identity import RESOURCE
from automl_jupyter.server.receiving import MEGABYTE, FormFile, Memory, RawFile, ReceivingHandler

if TYPE_CHECKING:
    from automl_jupyter.backends.records import ModelRecord, VersionRecord

CHUNK = 256 * 1024
ANSWERED_BY = "AutoML-Answered-By"


class _PredictingHandler(ReceivingHandler):
    action: ClassVar[str] = "execute"
    max_json_bytes: ClassVar[int] = 16 * MEGABYTE

    async def predict(self, model: ModelRecord, version: VersionRecord) -> None:
        sink = await self.received()
        limit = self.amount("max_predict_ms")
        match sink:
            case Memory():
                await self._rows(model, version, bytes(sink.data), limit)
            case FormFile() | RawFile():
                await self._table(model, version, sink.file.path, limit)
            case _:
                raise Malformed("server.bad_request")

    async def _rows(
        self, model: ModelRecord, version: VersionRecord, body: bytes, limit: float | None
    ) -> None:
        request = self.parsed(schemas.PredictRequest, body)
        if request.max_predict_ms is not None:
            limit = request.max_predict_ms
        found = await (await self.services()).predictions.rows(model, version, request.rows, limit)
        self.set_header(ANSWERED_BY, found.answered_by)
        self.answer(present.predictions(found, self.language))

    async def _table(
        self, model: ModelRecord, version: VersionRecord, source: Path, limit: float | None
    ) -> None:
        services = await self.services()
        found = await services.predictions.table(model, version, source, self.language, limit)
        try:
            self.set_header(ANSWERED_BY, found.answered_by)
            self.set_header("Content-Type", "text/csv; charset=utf-8")
            self.set_header("X-AutoML-Model", f"{found.model}:{found.version}")
            self.set_attachment_header(f"{found.model}-predictions.csv")
            with found.path.open("rb") as file:
                while chunk := await asyncio.to_thread(file.read, CHUNK):
                    self.write(chunk)
                    await self.flush()
        finally:
            found.path.unlink(missing_ok=True)
        self.finish(set_content_type="text/csv; charset=utf-8")


class PredictHandler(_PredictingHandler):
    """``api/predict/{name}/``."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, name: str) -> None:
        """Predict with the version in service."""
        services = await self.services()
        await self.predict(*(await services.predictions.in_service(self.owner, name)))


class TestModelHandler(_PredictingHandler):
    """``api/test-model/{dataset_id}/{model}/``."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, dataset_id: str, model: str) -> None:
        """Predict with a version to try: `name` (the latest there), `name:version` or `name@alias`."""
        services = await self.services()
        await self.predict(*(await services.predictions.on_dataset(self.owner, dataset_id, model)))
