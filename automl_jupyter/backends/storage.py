# ruff: noqa: D102 - what a verb does is told once, in Storage
"""Where files live: data sets, trials, models, control files.

A storage maps keys such as ``datasets/9f2c/table.parquet`` to bytes. It is named by a URL, so that a worker
process rebuilds it with :func:`open_storage`. A folder is the default; any object store that fsspec knows
may take its place.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from automl_jupyter import errors
from automl_jupyter.backends.disk import disk_told
from automl_jupyter.backends.hosts import host_name, is_running

Keys = list[str]

_SEGMENT = re.compile(r"[^\x00-\x1f\x7f/\\.][^\x00-\x1f\x7f/\\]*")
_LONGEST_KEY = 512
_TEMPORARY = ".temporary"
_ABANDONED_AFTER = 86_400.0


def checked(key: str) -> str:
    """Return the key itself, if it is one: parts joined by ``/``, none empty, none beginning with a dot.

    Raises
    ------
    Malformed
        ``backends.bad_key``, for anything that could leave the storage or hide in it.
    """
    if len(key) > _LONGEST_KEY or not all(_SEGMENT.fullmatch(part) for part in key.split("/")):
        raise errors.Malformed("backends.bad_key", key=key[:_LONGEST_KEY])
    return key


class Storage(ABC):
    """Bytes by key.

    Every implementation keeps this contract:

    - A key is ``a/b/c``: relative, without empty parts and without parts that begin with a dot;
      anything else raises ``Malformed("backends.bad_key")``.
    - A write is atomic: a reader, in this process or another, sees the bytes from before or those from
      after, never a part of them, even if the writer is killed.
    - All methods may be called from several threads and processes at once; the last write wins.
    - Reading a key that is not there raises ``NotFound("backends.no_such_file")``; deleting one is no error.
    - Nothing is readable by other users of the machine.
    - A disk that is full raises ``NoSpace``, one that may not be written or fails ``Unavailable``; a write
      that failed so leaves nothing behind.
    """

    @property
    @abstractmethod
    def url(self) -> str:
        """What :func:`open_storage` takes to reach the same storage from another process."""

    @abstractmethod
    def read_bytes(self, key: str) -> bytes:
        """Read all bytes under a key."""

    @abstractmethod
    def write_bytes(self, key: str, data: bytes) -> None:
        """Put bytes under a key, in place of those that were there."""

    @abstractmethod
    def put_file(self, local: Path, key: str) -> None:
        """Take a local file over, moving it where that is possible; ``local`` is gone afterwards."""

    @abstractmethod
    def get_file(self, key: str, local: Path) -> None:
        """Copy what is under a key to a local file, readable by its owner alone."""

    @abstractmethod
    def local_path(self, key: str) -> Path | None:
        """Tell where the file itself is, to be read only; None where the storage is no folder."""

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Tell whether there is anything under a key."""

    @abstractmethod
    def list(self, prefix: str = "") -> Keys:
        """List all keys below a folder such as ``jobs/9f2c`` (everything by default), sorted."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove a key."""

    @abstractmethod
    def delete_tree(self, prefix: str) -> None:
        """Remove every key below a folder."""

    @abstractmethod
    def digest(self, key: str) -> str:
        """Compute the SHA-256 of what is under a key, in hexadecimal."""

    @abstractmethod
    def sweep_temporary(self) -> Keys:
        """Remove what killed writers left half written; returns the names. Writers at work are left alone."""


class FolderStorage(Storage):
    """A folder on this machine, made if it is not there; folders have mode 0700, files 0600.

    Half-written files stand in one hidden folder below the root, on the same file system, and get their
    place by a rename. Their name says which process writes them.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._host = host_name()
        with disk_told():
            _make_folders(self._root)

    @property
    def url(self) -> str:
        return self._root.as_uri()

    def _path(self, key: str) -> Path:
        return self._root / checked(key)

    def _present(self, key: str) -> Path:
        path = self._path(key)
        with disk_told():
            if not path.is_file():
                raise errors.NotFound("backends.no_such_file", key=key)
        return path

    def _temporary(self) -> Path:
        folder = self._root / _TEMPORARY
        _make_folders(folder)
        return folder / f"{self._host}-{os.getpid()}-{secrets.token_hex(8)}"

    def read_bytes(self, key: str) -> bytes:
        with disk_told():
            return self._present(key).read_bytes()

    def write_bytes(self, key: str, data: bytes) -> None:
        path = self._path(key)
        with disk_told(), self._writing(path) as file:
            file.write(data)

    def put_file(self, local: Path, key: str) -> None:
        path = self._path(key)
        if local.is_symlink() or not local.is_file():
            raise errors.NotFound("backends.no_such_file", key=key)
        with disk_told():
            local.chmod(0o600)
            try:
                _rename(local, path)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                with local.open("rb") as source, self._writing(path) as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                local.unlink()

    @contextmanager
    def _writing(self, path: Path) -> Iterator[BinaryIO]:
        """A file that gets its place when it is whole and on the disk; nothing is left of it otherwise."""
        temporary = self._temporary()
        try:
            with _private(temporary) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _rename(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def get_file(self, key: str, local: Path) -> None:
        source = self._present(key)
        with disk_told():
            local.unlink(missing_ok=True)
            with source.open("rb") as reader, _private(local) as writer:
                shutil.copyfileobj(reader, writer, 1 << 20)

    def local_path(self, key: str) -> Path | None:
        return self._present(key)

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def list(self, prefix: str = "") -> Keys:
        top = self._path(prefix) if prefix else self._root
        keys: Keys = []
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if not name.startswith(".")]
            keys += [
                (Path(folder) / name).relative_to(self._root).as_posix()
                for name in names
                if not name.startswith(".")
            ]
        return sorted(keys)

    def delete(self, key: str) -> None:
        path = self._path(key)
        with disk_told():
            path.unlink(missing_ok=True)
            _remove_empty(path.parent, self._root)

    def delete_tree(self, prefix: str) -> None:
        top = self._path(prefix)
        with disk_told():
            self._delete_tree(top)

    def _delete_tree(self, top: Path) -> None:
        if top.is_dir():
            # One rename takes the folder out of sight, so that nobody sees half of it.
            doomed = self._temporary()
            try:
                top.rename(doomed)
            except FileNotFoundError:
                return
            # A write under way may still land in it; what is left after that is swept like any other.
            for _ in range(100):
                shutil.rmtree(doomed, ignore_errors=True)
                if not doomed.exists():
                    return

    def digest(self, key: str) -> str:
        with disk_told(), self._present(key).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def sweep_temporary(self) -> Keys:
        with disk_told():
            return self._sweep_temporary()

    def _sweep_temporary(self) -> Keys:
        folder = self._root / _TEMPORARY
        swept = []
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if self._is_abandoned(path):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
                swept.append(path.name)
        return swept

    def _is_abandoned(self, path: Path) -> bool:
        host, _, pid = path.name.rpartition("-")[0].rpartition("-")
        if host == self._host and pid.isdigit() and not is_running(int(pid)):
            return True
        try:
            return time.time() - path.stat().st_mtime > _ABANDONED_AFTER
        except FileNotFoundError:
            return False


class FsspecStorage(Storage):
    """Any store that fsspec reaches and that shows an object only when it is whole.

    Memory, S3, Google Cloud Storage and Azure are such; a network file system is not, mount it and use
    :class:`FolderStorage`. Credentials come from the environment, as each of these systems has its own way.

    Parameters
    ----------
    url : str
        For example ``s3://bucket/folder`` or ``memory://name``.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        self._url = url.rstrip("/")
        self._files: Any
        self._files, root = fsspec.core.url_to_fs(self._url)
        self._root = root.rstrip("/")

    @property
    def url(self) -> str:
        return self._url

    def _path(self, key: str) -> str:
        return f"{self._root}/{checked(key)}"

    def _present(self, key: str) -> str:
        path = self._path(key)
        if not self._files.isfile(path):
            raise errors.NotFound("backends.no_such_file", key=key)
        return path

    def read_bytes(self, key: str) -> bytes:
        return bytes(self._files.cat_file(self._present(key)))

    def write_bytes(self, key: str, data: bytes) -> None:
        path = self._path(key)
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(path, data)

    def put_file(self, local: Path, key: str) -> None:
        path = self._path(key)
        if local.is_symlink() or not local.is_file():
            raise errors.NotFound("backends.no_such_file", key=key)
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.put_file(str(local), path)
        local.unlink()

    def get_file(self, key: str, local: Path) -> None:
        path = self._present(key)
        local.unlink(missing_ok=True)
        with self._files.open(path, "rb") as reader, _private(local) as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)

    def local_path(self, key: str) -> Path | None:
        self._present(key)
        return None

    def exists(self, key: str) -> bool:
        return bool(self._files.isfile(self._path(key)))

    def list(self, prefix: str = "") -> Keys:
        top = self._path(prefix) if prefix else self._root
        if not self._files.isdir(top):
            return []
        return sorted(path[len(self._root) + 1 :] for path in self._files.find(top))

    def delete(self, key: str) -> None:
        path = self._path(key)
        if self._files.isfile(path):
            self._files.rm_file(path)

    def delete_tree(self, prefix: str) -> None:
        path = self._path(prefix)
        if self._files.isdir(path):
            self._files.rm(path, recursive=True)

    def digest(self, key: str) -> str:
        with self._files.open(self._present(key), "rb") as file:
            total = hashlib.sha256()
            while piece := file.read(1 << 20):
                total.update(piece)
            return total.hexdigest()

    def sweep_temporary(self) -> Keys:
        return []


def open_storage(url: str) -> Storage:
    """Open the storage that a URL names.

    Parameters
    ----------
    url : str
        ``file:///folder``, the absolute path of a folder, or a URL that fsspec knows.
    """
    parts = urlsplit(url)
    if parts.scheme in ("", "file"):
        return FolderStorage(Path(unquote(parts.path) if parts.scheme else url))
    return FsspecStorage(url)


def _make_folders(folder: Path) -> None:
    if not folder.is_dir():
        _make_folders(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _remove_empty(folder: Path, root: Path) -> None:
    # A write at the same moment makes the folder again if it has to.
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _rename(source: Path, target: Path) -> None:
    # A tree deleted at the same moment may take the folder away between the two steps.
    for _ in range(100):
        try:
            _make_folders(target.parent)
            source.replace(target)
        except FileNotFoundError:
            if not source.exists():
                raise
        else:
            return
    raise errors.Unavailable("backends.storage_busy")
