"""Taking a table to the server: in one go, or in pieces that survive a cut connection."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, runtime_checkable

from automl_jupyter.client.transport import ServerFault, Transport
from automl_jupyter.errors import AutoMLError, Conflict, NoSpace, NotFound, Unavailable

if TYPE_CHECKING:
    import httpx

    from automl_jupyter.schemas import Dataset, Upload

PIECE = 8_000_000
"""Bytes: a file up to this size is sent in one go, a larger one in pieces of it."""

ATTEMPTS = 6
"""How often in a row a cut is taken up again before it is given up; about ten seconds in all."""

READING = 900.0
"""Seconds to wait while the server reads a table or predicts a file."""

Progress = Callable[[int, int], None]
"""Told the bytes that the server has, and the bytes in all."""


@runtime_checkable
class Writable(Protocol):
    """What is used of a pandas DataFrame, so that pandas is imported only by who has one."""

    def to_csv(self, path_or_buf: IO[bytes], *, index: bool) -> None:
        """Write as CSV."""


Source = str | Path | bytes | Writable


def upload(transport: Transport, source: Source, name: str | None, progress: Progress | None) -> Dataset:
    """Have a table taken in; the parameters are those of :meth:`Client.upload`."""
    with _opened(source) as file:
        size = file.seek(0, 2)
        file.seek(0)
        filename = name or (Path(source).name if isinstance(source, str | Path) else "table.csv")
        told = progress or _nobody
        told(0, size)
        if size > PIECE:
            return _in_pieces(transport, file, size, filename, told)
        dataset = _at_once(transport, file.read(), filename)
        told(size, size)
        return dataset


def _at_once(transport: Transport, content: bytes, filename: str) -> Dataset:
    answer = transport.request(
        "POST",
        "api/upload/",
        content=content,
        params={"filename": filename},
        headers={"Content-Type": "text/csv"},
        patience=READING,
    )
    return _dataset(transport, answer)


def _in_pieces(transport: Transport, file: IO[bytes], size: int, filename: str, told: Progress) -> Dataset:
    from automl_jupyter.schemas import Upload

    earlier = {dataset.id for dataset in _newest(transport)}
    started = transport.request("POST", "api/uploads/", json={"filename": filename, "size": size})
    upload = transport.read(Upload, started)
    piece = min(PIECE, upload.max_piece_bytes)
    offset, failures = 0, 0
    while True:
        file.seek(offset)
        try:
            answer = _send(transport, upload.id, offset, file.read(piece))
        except NotFound as problem:
            if not failures:
                raise
            return _outcome(transport, upload, size, earlier, problem)
        except NoSpace:
            # Whoever tries again begins anew: what has arrived would only take the room that is missing.
            with suppress(AutoMLError):
                transport.request("DELETE", f"api/uploads/{upload.id}/")
            raise
        except (Unavailable, ServerFault, Conflict) as problem:
            failures += 1
            if failures > ATTEMPTS:
                raise
            time.sleep(0.15 * 2**failures)
            arrived = _arrived(transport, upload.id, offset)
            if arrived is None or arrived >= size:
                return _outcome(transport, upload, size, earlier, problem)
            offset = arrived
            continue
        if answer.status_code == 201:
            told(size, size)
            return _dataset(transport, answer)
        offset, failures = transport.read(Upload, answer).offset, 0
        told(offset, size)


def _send(transport: Transport, id_: str, offset: int, piece: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    return transport.request("PATCH", f"api/uploads/{id_}/", content=piece, headers=headers, patience=READING)


def _arrived(transport: Transport, id_: str, sent: int) -> int | None:
    """Where to go on: where it was, if the server cannot be asked now, and None, if the upload is gone."""
    try:
        answer = transport.request("HEAD", f"api/uploads/{id_}/")
    except NotFound:
        return None
    except (Unavailable, ServerFault):
        return sent
    return int(answer.headers.get("Upload-Offset", sent))


def _outcome(
    transport: Transport, upload: Upload, size: int, earlier: Set[str], problem: AutoMLError
) -> Dataset:
    """What became of an upload of which every byte arrived, but not the answer to the last piece.

    The server reads the table whether or not somebody waits for it, and forgets the upload when it is done.
    Where its reading was ended, an empty piece has it begin again.
    """
    until, failures = time.monotonic() + READING, 0
    while time.monotonic() < until and failures < ATTEMPTS:
        try:
            return _dataset(transport, _send(transport, upload.id, size, b""))
        except NotFound:
            break
        except Conflict:
            time.sleep(0.5)
        except (Unavailable, ServerFault):
            failures += 1
            time.sleep(0.15 * 2**failures)
    names = (upload.filename, Path(upload.filename).stem)
    for dataset in _newest(transport):
        if dataset.id not in earlier and dataset.bytes == size and dataset.name in names:
            return dataset
    raise problem


def _newest(transport: Transport) -> list[Dataset]:
    from automl_jupyter.schemas import DatasetPage

    return transport.read(DatasetPage, transport.request("GET", "api/datasets/")).items


def _dataset(transport: Transport, answer: httpx.Response) -> Dataset:
    from automl_jupyter.schemas import Dataset

    return transport.read(Dataset, answer)


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes):
        yield BytesIO(source)
    elif isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            yield file
    else:
        with tempfile.TemporaryFile() as file:
            source.to_csv(file, index=False)
            yield file


def _nobody(_done: int, _total: int) -> None:
    """Hear of progress on behalf of who did not ask."""
