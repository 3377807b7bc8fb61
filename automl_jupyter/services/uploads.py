"""Bytes on their way in: spooled to disk while they arrive, whole or in pieces."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from automl_jupyter.backends.database import Database, new_id
from automl_jupyter.backends.disk import disk_told
from automl_jupyter.backends.records import UploadRecord
from automl_jupyter.errors import Conflict, NoSpace, NotFound, TooLarge, Unavailable
from automl_jupyter.schemas import PIECE_BYTES
from automl_jupyter.services.settings import Settings
from automl_jupyter.services.staging import Staging

MEGABYTE = 1024 * 1024
MAX_NAME = 255
UNNAMED = "data.csv"


def clean_filename(name: str) -> str:
    """The last part of a path that a browser or a person gave, without control characters.

    Where nothing is left, the file is called ``data.csv``: it is the rows that matter.
    """
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(c for c in last if c.isprintable()).strip()[:MAX_NAME] or UNNAMED


class SpooledFile:
    """A file that grows on disk while its bytes arrive.

    Writes happen in a thread, a megabyte at a time, so that a slow disk never holds up the event loop.

    Parameters
    ----------
    path : Path
        Where; what stands there beyond ``start`` is dropped.
    limit : int
        The largest size in bytes.
    start : int
        Where writing begins.

    Raises
    ------
    NoSpace, Unavailable
        From here on with every write, if the disk is full or may not be written.
    """

    def __init__(self, path: Path, *, limit: int, start: int = 0) -> None:
        self.path = path
        self.size = start
        self._limit = limit
        self._waiting = bytearray()
        self._file = self._open(start)

    def _open(self, start: int) -> BinaryIO:
        with disk_told():
            # Without a buffer: what a full disk does not take must not be tried again on closing.
            file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
            file.truncate(start)
            file.seek(start)
            return file

    async def write(self, data: bytes) -> None:
        """Take more bytes.

        Raises
        ------
        TooLarge
            If the file would grow past the limit.
        """
        self.size += len(data)
        if self.size > self._limit:
            raise TooLarge("services.too_large", megabytes=self._limit // MEGABYTE)
        self._waiting += data
        if len(self._waiting) >= MEGABYTE:
            await self._flush()

    async def _flush(self) -> None:
        waiting, self._waiting = bytes(self._waiting), bytearray()
        await asyncio.to_thread(self._put, waiting)

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        with disk_told():
            while left and not self._file.closed:
                try:
                    left = left[self._file.write(left) :]
                except ValueError:
                    # The client has gone, and the file with it, while this waited for a thread.
                    if not self._file.closed:
                        raise

    async def close(self) -> None:
        """Write what is waiting; the file stays."""
        await self._flush()
        await asyncio.to_thread(self._file.close)

    def discard(self) -> None:
        """Close and remove the file, wherever it is in its life; may be called again."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def abort(self) -> None:
        """Close the file without writing what is waiting; what was there before ``start`` stays."""
        self._file.close()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # The lock is the system's: it ends with the process. A file without bytes may not be there yet.
    with disk_told():
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Conflict("services.upload_being_read") from None
    try:
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Uploads:
    """Uploads in pieces: begin, append at an offset, end or abandon.

    Their bytes lie beside the folders of the servers, as any server may go on with them.
    """

    database: Database
    settings: Settings
    staging: Staging

    async def begin(self, owner: str, filename: str, size: int | None) -> UploadRecord:
        """Begin an upload of ``size`` bytes, where the size is known."""
        if size is not None and size > self.settings.max_upload_bytes:
            raise TooLarge("services.too_large", megabytes=self.settings.max_upload_bytes // MEGABYTE)
        now = datetime.now(UTC)
        record = UploadRecord(
            id=new_id(),
            owner=owner,
            filename=clean_filename(filename),
            offset=0,
            size=size,
            created=now,
            updated=now,
        )
        await asyncio.to_thread(self.database.add_upload, record)
        return record

    async def get(self, owner: str, upload_id: str) -> UploadRecord:
        """Look one up: its ``offset`` is where the next piece starts.

        Where a machine went down before its disk had all that the database says, that is told and noted.
        """
        return await asyncio.to_thread(self._get, owner, upload_id)

    def _get(self, owner: str, upload_id: str) -> UploadRecord:
        record = self.database.get_upload(owner, upload_id)
        try:
            there = self.path(record).stat().st_size
        except FileNotFoundError:
            there = 0
        if there < record.offset:
            return self.database.advance_upload(owner, upload_id, record.offset, there)
        return record

    def path(self, record: UploadRecord) -> Path:
        """Where its bytes lie."""
        return self.settings.spool / f"{record.id}.part"

    def piece(self, record: UploadRecord, offset: int) -> SpooledFile:
        """The file, ready for the piece that starts at ``offset``.

        Raises
        ------
        Conflict
            If the next piece starts elsewhere.
        """
        if offset != record.offset:
            raise Conflict("services.wrong_offset", expected=record.offset, given=offset)
        end = record.size if record.size is not None else self.settings.max_upload_bytes
        return SpooledFile(self.path(record), limit=min(end, offset + PIECE_BYTES), start=offset)

    def whole(self) -> SpooledFile:
        """A file for an upload in one go."""
        return SpooledFile(self.staging.file(), limit=self.settings.max_upload_bytes)

    @asynccontextmanager
    async def completing(self, record: UploadRecord) -> AsyncIterator[Path]:
        """The file of an upload that is complete, for one reader at a time; afterwards it is forgotten.

        Where the reader raises ``NoSpace`` or ``Unavailable`` the file itself was good, so it stays: the last
        piece, which may be empty, can be sent again.

        Raises
        ------
        Conflict
            If it is being read already, by this server or another.
        """
        path = self.path(record)
        with _locked(path):
            try:
                yield path
            except (NoSpace, Unavailable):
                raise
            except BaseException:
                await self.abandon(record.owner, record.id)
                raise
            # Whoever waited may have removed it themselves meanwhile.
            with suppress(NotFound):
                await self.abandon(record.owner, record.id)

    async def advance(self, record: UploadRecord, offset: int) -> UploadRecord:
        """Note that everything before ``offset`` has arrived.

        Raises
        ------
        Conflict
            If another piece was taken in meanwhile.
        """
        return await asyncio.to_thread(
            self.database.advance_upload, record.owner, record.id, record.offset, offset
        )

    async def abandon(self, owner: str, upload_id: str) -> None:
        """Forget an upload and its bytes."""
        record = await self.get(owner, upload_id)
        await asyncio.to_thread(self.database.delete_upload, owner, upload_id)
        await asyncio.to_thread(self.path(record).unlink, missing_ok=True)
