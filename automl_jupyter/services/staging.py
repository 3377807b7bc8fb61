"""What is temporary of one server: a folder of its own, of which a lock says whether that server is alive.

The lock is the system's and ends with the process, however it ends. So a server that was stopped for a while,
or that others took for dead, does not lose its files, and those of a killed one can be told at once.

Beside files on their way, the folder holds *notes*: what is just being made or erased in the storage, written
before the first step and removed after the last. From the notes of a dead server, whoever sweeps knows what
may have been left half done; see :mod:`automl_jupyter.services.sweep`.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from automl_jupyter.backends.database import new_id
from automl_jupyter.backends.disk import disk_told
from automl_jupyter.backends.records import Erased

LOCK = "alive.lock"
NOTE = ".note"


@dataclass(frozen=True)
class Staging:
    """The folder of a server that is alive; made by :func:`open_staging`."""

    folder: Path
    _descriptor: int

    def file(self) -> Path:
        """A new name for bytes on their way in."""
        return self.folder / f"{new_id()}.part"

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Path]:
        """A new folder for as long as the block runs.

        Raises
        ------
        NoSpace, Unavailable
            If it cannot be made.
        """
        with disk_told():
            made = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self.folder))
        try:
            yield made
        finally:
            await asyncio.to_thread(shutil.rmtree, made, ignore_errors=True)

    def note(self, things: Erased) -> Path:
        """Note what is about to be made or erased; whoever has done it removes the file.

        Raises
        ------
        NoSpace, Unavailable
            If it cannot be written.
        """
        path = self.folder / f"{new_id()}{NOTE}"
        told = {"datasets": things.datasets, "jobs": things.jobs, "keys": things.keys}
        with disk_told():
            path.write_text(json.dumps(told), encoding="utf-8")
        return path

    def close(self) -> None:
        """Remove the folder, unless a note says that something is left to do, and give up the lock."""
        if not list(self.folder.glob(f"*{NOTE}")):
            shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._descriptor)


def open_staging(spool: Path, server_id: str) -> Staging:
    """Make a server's folder.

    Raises
    ------
    NoSpace, Unavailable
        If it cannot be made.
    """
    folder = spool / server_id
    with disk_told():
        while True:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Whoever sweeps may have taken the folder for a dead server's before the lock was ours.
            descriptor = _lock(folder, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX)
            if descriptor is not None:
                return Staging(folder, descriptor)


@contextmanager
def taken_over(folder: Path) -> Iterator[bool]:
    """Whether a folder is that of a dead server; nobody else takes it over while the block runs."""
    descriptor = _lock(folder, os.O_RDWR, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def notes(folder: Path) -> list[Erased]:
    """What a dead server had under way; a note that was not finished precedes anything that was done."""
    found = []
    for path in folder.glob(f"*{NOTE}"):
        try:
            found.append(Erased(**json.loads(path.read_text(encoding="utf-8"))))
        except ValueError:
            continue
    return found


def _lock(folder: Path, flags: int, how: int) -> int | None:
    """Lock a server's folder; None if somebody else has it, or if it is gone or none."""
    path = folder / LOCK
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, how)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
