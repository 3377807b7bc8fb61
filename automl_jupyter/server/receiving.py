"""Bodies that are taken while they arrive: permission first, limits second, then to disk piece by piece."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from tornado import web
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from automl_jupyter.errors import AutoMLError, Malformed, TooLarge, UnsupportedType
from automl_jupyter.server.base import MAX_BODY_BYTES, AutoMLHandler, whole

if TYPE_CHECKING:
    from automl_jupyter.services.uploads import SpooledFile

T = TypeVar("T")

MEGABYTE = 1024 * 1024
MULTIPART_SLACK = MEGABYTE
"""What the other parts and the boundaries of a form may add to its file."""

CLIENT_GONE = 499
"""The status of a request whose answer nobody waits for, in the measurements; nginx has it as well."""

CSV_TYPES = frozenset(
    {"text/csv", "text/plain", "text/tab-separated-values", "application/csv", "application/vnd.ms-excel",
     "application/octet-stream", "application/offset+octet-stream"}
)  # fmt: skip


class Sink(Protocol):
    """Where a body goes while it arrives."""

    async def take(self, data: bytes) -> None:
        """Take the next bytes."""

    async def close(self) -> None:
        """The body is complete."""

    def discard(self) -> None:
        """Whatever was taken is not needed any more."""


class Memory:
    """A small body, kept in memory."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self._limit = limit

    async def take(self, data: bytes) -> None:
        """Take the next bytes."""
        self.data += data
        if len(self.data) > self._limit:
            raise TooLarge("services.too_large", megabytes=self._limit // MEGABYTE)

    async def close(self) -> None:
        """The body is complete."""

    def discard(self) -> None:
        """Nothing to remove."""


class RawFile:
    """A body that is a file as a whole."""

    def __init__(self, file: SpooledFile, name: str) -> None:
        self.file = file
        self.name = name

    async def take(self, data: bytes) -> None:
        """Take the next bytes."""
        await self.file.write(data)

    async def close(self) -> None:
        """The body is complete."""
        await self.file.close()

    def discard(self) -> None:
        """Remove the file."""
        self.file.discard()


@contextmanager
def _readable() -> Iterator[None]:
    """What the parser of forms cannot read, or does not want to, is no form."""
    try:
        yield
    except ValueError:
        raise Malformed("server.bad_form") from None


class FormFile:
    """A form of which one part, ``file``, is a file."""

    def __init__(self, file: SpooledFile, content_type: str) -> None:
        # Only forms need it, and every first request would pay for it.
        from python_multipart.multipart import MultipartParser, parse_options_header

        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise Malformed("server.bad_form")
        self._options = parse_options_header
        self.file = file
        self.name: str | None = None
        self._ready: list[bytes] = []
        self._header = bytearray()
        self._value = bytearray()
        self._ours = False
        self._complete = False
        with _readable():
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header_ends,
                    "on_part_data": self._part_data,
                    "on_end": self._ends,
                },
            )

    def _part_begins(self) -> None:
        self._ours = False

    def _header_ends(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            options = self._options(bytes(self._value))[1]
            if options.get(b"name") == b"file" and self.name is None:
                self._ours = True
                self.name = options.get(b"filename", b"").decode("utf-8", "replace")
        self._header.clear()
        self._value.clear()

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._ours:
            self._ready.append(data[start:end])

    def _ends(self) -> None:
        self._complete = True

    async def take(self, data: bytes) -> None:
        """Take the next bytes."""
        with _readable():
            self._parser.write(data)
        ready, self._ready = self._ready, []
        for piece in ready:
            await self.file.write(piece)

    async def close(self) -> None:
        """The body is complete.

        Raises
        ------
        Malformed
            If the form is cut short or has no file.
        """
        if not self._complete:
            raise Malformed("server.bad_form")
        if self.name is None:
            raise Malformed("server.form_without_file")
        await self.file.close()

    def discard(self) -> None:
        """Remove the file."""
        self.file.discard()


@web.stream_request_body
class ReceivingHandler(AutoMLHandler):
    """A handler whose body goes into a sink while it arrives.

    Attributes
    ----------
    receiving : frozenset of str
        The methods that have a body.
    action : str
        What the caller must be allowed to do before a byte is read.
    max_json_bytes : int
        The largest body in JSON.
    """

    receiving: ClassVar[frozenset[str]] = frozenset({"POST"})
    action: ClassVar[str] = "write"
    max_json_bytes: ClassVar[int] = MAX_BODY_BYTES
    sink: Sink | None = None
    _failure: AutoMLError | None = None
    _prepared = False
    _gone = False
    _work: asyncio.Task[Any] | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        """Check user, permission and size; then open where the body goes."""
        await super().prepare()
        if self.request.method in self.receiving and not self._finished:
            await self._receive()
        self._prepared = True

    async def _receive(self) -> None:
        await self.admit(self.action)
        sink, limit = await self.open_sink()
        self.sink = sink
        self._check_length(limit)
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.set_max_body_size(limit)

    async def open_sink(self) -> tuple[Sink, int]:
        """Where the body goes, and how many bytes it may have at most."""
        most = self.app.max_upload_bytes
        if self.content_type == "application/json":
            return Memory(self.max_json_bytes), self.max_json_bytes
        uploads = (await self.services()).uploads
        if self.content_type == "multipart/form-data":
            return FormFile(uploads.whole(), self.request.headers["Content-Type"]), most + MULTIPART_SLACK
        if self.content_type in CSV_TYPES:
            return RawFile(uploads.whole(), self.given_filename()), most
        raise UnsupportedType("server.csv_expected", given=self.content_type or "-")

    def given_filename(self) -> str:
        """The name that came with a raw body, in the query."""
        return self.get_query_argument("filename", "")

    def _check_length(self, limit: int) -> None:
        length = self.request.headers.get("Content-Length", "0")
        if re.fullmatch("[0-9]{17,}", length) or (whole(length, 16) or 0) > limit:
            raise TooLarge("services.too_large", megabytes=limit // MEGABYTE)

    async def data_received(self, chunk: bytes) -> None:
        """Take the next bytes; after a failure the rest is let pass, so that the answer can be read."""
        if self.sink is None or self._failure is not None:
            return
        try:
            await self.sink.take(chunk)
        except AutoMLError as error:
            self._failure = error

    async def received(self) -> Sink:
        """The sink, once the body is complete.

        Raises
        ------
        AutoMLError
            If the body was refused while it arrived.
        """
        if self._failure is not None:
            raise self._failure
        if self.sink is None:
            raise Malformed("server.bad_request")
        await self.sink.close()
        if self._gone:
            raise Malformed("server.bad_request")
        return self.sink

    async def while_wanted(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work that is of use to whoever waits for the answer alone: if they go away, it is cancelled.

        Raises
        ------
        StreamClosedError
            If they went away.
        """
        task = asyncio.create_task(work)
        self._work = task
        if self._gone:
            task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            if self._gone:
                raise StreamClosedError from None
            raise

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an error; one that comes before the body was read ends the connection, and says so."""
        if self._gone:
            self.set_status(CLIENT_GONE, "Client Closed Request")
            self.finish()
            return
        if not self._prepared:
            self.set_header("Connection", "close")
        super().write_error(status_code, **kwargs)

    def on_finish(self) -> None:
        """Remove what was taken, whatever came of it."""
        if self.sink is not None:
            self.sink.discard()
        super().on_finish()

    def on_connection_close(self) -> None:
        """Remove what was taken of a body, and end what was made of it; there is nobody left to answer."""
        self._gone = True
        if self._work is not None:
            self._work.cancel()
        if self.sink is not None:
            self.sink.discard()
        super().on_connection_close()
