"""Files on their way in: whole, in pieces, or from Jupyter's own files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado import web

from automl_jupyter import schemas
from automl_jupyter.errors import Forbidden, Malformed, NotFound
from automl_jupyter.server import present
from automl_jupyter.server.base import AutoMLHandler, whole
from automl_jupyter.server.identity import RESOURCE
from automl_jupyter.server.receiving import FormFile, Memory, RawFile, ReceivingHandler, Sink

if TYPE_CHECKING:
    from automl_jupyter.backends.records import DatasetRecord, UploadRecord
    from automl_jupyter.services.uploads import SpooledFile


def contents_path(root: Path, path: str) -> Path:
    """The file that a path inside Jupyter's files names.

    Raises
    ------
    Forbidden
        If it leads out of Jupyter's files, also through a link, or to something hidden.
    NotFound
        If there is no such file.
    """
    root = root.expanduser().resolve()
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    if any(part.startswith(".") for part in parts):
        raise Forbidden("server.path_hidden", path=path)
    try:
        found = root.joinpath(*parts).resolve()
        is_file = found.is_file()
    except (OSError, RuntimeError, ValueError):
        # A name that is too long, links in a circle, a zero byte, a folder that must not be looked into.
        raise NotFound("server.no_such_path", path=path) from None
    if not found.is_relative_to(root) or any(p.startswith(".") for p in found.relative_to(root).parts):
        raise Forbidden("server.path_outside", path=path)
    if not is_file:
        raise NotFound("server.no_such_path", path=path)
    return found


class UploadHandler(ReceivingHandler):
    """``api/upload/``."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Start the reading process while the body is on its way."""
        await super().prepare()
        if self.sink is not None:
            await (await self.services()).datasets.warm()

    @web.authenticated
    @authorized("write", resource=RESOURCE)
    async def post(self) -> None:
        """Take in a CSV file: as a form's `file`, as the body itself, or by its path in Jupyter's files."""
        sink = await self.received()
        match sink:
            case FormFile() | RawFile():
                record = await self._take_in(sink.file.path, sink.name or "", consume=True)
            case Memory():
                path = await self._from_jupyter(schemas.UploadFromPath, bytes(sink.data))
                record = await self._take_in(path, path.name, consume=False)
            case _:
                raise Malformed("server.bad_request")
        self._answer(record)

    async def _take_in(self, path: Path, filename: str, *, consume: bool) -> DatasetRecord:
        services = await self.services()
        taking = services.datasets.take_in(self.owner, path, filename, consume=consume)
        record = await self.while_wanted(taking)
        services.training.warm()
        return record

    async def _from_jupyter(self, kind: type[schemas.UploadFromPath], body: bytes) -> Path:
        if not await self.permitted("read", "contents"):
            raise Forbidden("server.forbidden")
        request = self.parsed(kind, body)
        root = getattr(self.contents_manager, "root_dir", None)
        if not root:
            # Files that stand in no folder of this machine, such as those of an object store.
            raise NotFound("server.no_such_path", path=request.path)
        return await asyncio.to_thread(contents_path, Path(root), request.path)

    def _answer(self, record: DatasetRecord) -> None:
        if "text/html" in self.request.headers.get("Accept", ""):
            self.redirect(f"{self.base_url}automl/csv/?dataset={record.id}", status=303)
            return
        self.set_header("Location", f"{self.base_url}automl/api/datasets/{record.id}/")
        self.answer(present.dataset(record, self.language), 201)


class UploadsHandler(AutoMLHandler):
    """``api/uploads/``."""

    @web.authenticated
    @authorized("write", resource=RESOURCE)
    async def post(self) -> None:
        """Begin an upload in pieces."""
        request = self.body(schemas.UploadStart)
        services = await self.services()
        record = await services.uploads.begin(self.owner, request.filename, request.size)
        await services.datasets.warm()
        self.set_header("Location", f"{self.base_url}automl/api/uploads/{record.id}/")
        self.answer(present.upload(record, schemas.PIECE_BYTES), 201)


class PieceSink:
    """The next piece of an upload; what was there before stays if it is cut short."""

    def __init__(self, file: SpooledFile) -> None:
        self.file = file

    async def take(self, data: bytes) -> None:
        """Take the next bytes."""
        await self.file.write(data)

    async def close(self) -> None:
        """The piece is complete."""
        await self.file.close()

    def discard(self) -> None:
        """Close the file; it goes with the upload."""
        self.file.abort()


class PiecesHandler(ReceivingHandler):
    """``api/uploads/{upload_id}/``."""

    receiving = frozenset({"PATCH"})

    async def open_sink(self) -> tuple[Sink, int]:
        """The upload's file, at the piece's offset."""
        offset = whole(self.request.headers.get("Upload-Offset", ""), 16)
        if offset is None:
            raise Malformed("server.offset_missing")
        uploads = (await self.services()).uploads
        self._record = await uploads.get(self.owner, self.path_args[0])
        return PieceSink(uploads.piece(self._record, offset)), schemas.PIECE_BYTES

    @web.authenticated
    @authorized("write", resource=RESOURCE)
    async def patch(self, upload_id: str) -> None:
        """Take the piece that starts at `Upload-Offset`; the last one answers with the data set."""
        sink = await self.received()
        if not isinstance(sink, PieceSink):
            raise Malformed("server.bad_request")
        services = await self.services()
        record = await services.uploads.advance(self._record, sink.file.size)
        if record.offset == record.size or self.request.headers.get("Upload-Complete") == "?1":
            await self._complete(record)
        else:
            self.set_header("Upload-Offset", str(record.offset))
            self.answer(present.upload(record, schemas.PIECE_BYTES))

    async def _complete(self, record: UploadRecord) -> None:
        # To its end even if the client goes away: it can ask later what became of its upload.
        services = await self.services()
        async with services.uploads.completing(record) as path:
            dataset = await services.datasets.take_in(self.owner, path, record.filename, consume=True)
        self.set_header("Location", f"{self.base_url}automl/api/datasets/{dataset.id}/")
        self.answer(present.dataset(dataset, self.language), 201)

    @web.authenticated
    @authorized("write", resource=RESOURCE)
    async def head(self, upload_id: str) -> None:
        """Ask where the next piece starts: the header `Upload-Offset`."""
        record = await (await self.services()).uploads.get(self.owner, upload_id)
        self.set_header("Upload-Offset", str(record.offset))
        self.set_header("Cache-Control", "no-store")
        self.finish()

    @web.authenticated
    @authorized("write", resource=RESOURCE)
    async def delete(self, upload_id: str) -> None:
        """Abandon an upload."""
        await (await self.services()).uploads.abandon(self.owner, upload_id)
        self.nothing()
