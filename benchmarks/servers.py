"""Real Jupyter servers to measure, and a connection that costs next to nothing itself."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import psutil

from benchmarks.common import ROOT

OURS = "automl_jupyter"
PULSE = "benchmarks.pulse"
USER, STATUS = "/automl/api/user/", "/api/status"
FINAL = frozenset({"done", "failed", "stopped", "cancelled", "interrupted"})
START_SECONDS = 60.0
END_SECONDS = 30.0
POLL = 0.005
BLOCK = 64 * 1024


class Refused(RuntimeError):
    """The server answered with an error, so there is nothing to measure."""


@dataclass(frozen=True)
class Address:
    """Where a server listens and what opens it; plain values, so that another process can be told."""

    port: int
    token: str


class Connection:
    """One connection that stays open; the standard library's, because a richer client takes longer itself."""

    def __init__(self, address: Address, timeout: float = 600.0) -> None:
        self._token = address.token
        self._http = http.client.HTTPConnection("127.0.0.1", address.port, timeout=timeout, blocksize=BLOCK)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | BinaryIO | None = None,
        kind: str = "application/json",
        more: Mapping[str, str] | None = None,
    ) -> bytes:
        """Ask for one thing and read the whole answer.

        Raises
        ------
        Refused
            If the answer is 400 or above.
        """
        headers = {"Authorization": f"token {self._token}", "Content-Type": kind, **(more or {})}
        if body is not None and not isinstance(body, bytes):
            headers["Content-Length"] = str(os.fstat(body.fileno()).st_size)
        self._http.request(method, path, body, headers)
        answer = self._http.getresponse()
        data = answer.read()
        if answer.status >= 400:
            raise Refused(f"{method} {path}: {answer.status} {data[:500].decode(errors='replace')}")
        return data

    def get(self, path: str) -> Any:
        """Read JSON."""
        return json.loads(self.ask("GET", path))

    def post(self, path: str, body: object = None) -> Any:
        """Send JSON, read JSON."""
        return json.loads(self.ask("POST", path, json.dumps(body if body is not None else {}).encode()))

    def timed(self, path: str, body: bytes | None = None, kind: str = "application/json") -> float:
        """Milliseconds from the question to the last byte of the answer; a body makes it a POST."""
        began = time.perf_counter()
        self.ask("GET" if body is None else "POST", path, body, kind)
        return (time.perf_counter() - began) * 1000


@dataclass(frozen=True)
class Server:
    """A running Jupyter server.

    Attributes
    ----------
    started : float
        ``time.perf_counter()`` just before its process was made.
    answered : float
        The same when ``GET api/status`` was first answered.
    """

    process: subprocess.Popen[bytes]
    address: Address
    folder: Path
    started: float
    answered: float = field(default=0.0)

    @property
    def data_dir(self) -> Path:
        """Where the extension keeps everything."""
        return self.folder / "automl"

    @property
    def start_seconds(self) -> float:
        """From exec to the first answer."""
        return self.answered - self.started

    def resident(self) -> int:
        """Resident memory of the server's own process, in bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def cpu_seconds(self) -> float:
        """Processor time that the server's own process has used."""
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def connect(self) -> Connection:
        """Open a connection."""
        return Connection(self.address)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(folder: Path, token: str) -> dict[str, str]:
    scratch = folder / "tmp"
    scratch.mkdir()
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        # Whatever else is installed stays off, so that two servers differ by the named extensions alone.
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter-data"),
        "JUPYTER_TOKEN": token,
        "TMPDIR": str(scratch),
    }


def _command(folder: Path, port: int, extensions: Sequence[str]) -> list[str]:
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder / 'root'}",
    ]
    options += [f"--ServerApp.jpserver_extensions={name}=True" for name in extensions]
    if OURS in extensions:
        options.append(f"--AutoML.data_dir={folder / 'automl'}")
    return [sys.executable, "-m", "jupyter_server", *options]


def _first_answer(server: Server) -> float:
    """Ask until ``GET api/status`` is answered; returns when that was."""
    end = server.started + START_SECONDS
    while time.perf_counter() < end:
        if server.process.poll() is not None:
            break
        with suppress(OSError, http.client.HTTPException), server.connect() as connection:
            connection.ask("GET", STATUS)
            return time.perf_counter()
        time.sleep(POLL)
    log = (server.folder / "server.log").read_text(encoding="utf-8", errors="replace")
    raise Refused(f"the server did not start:\n{log[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    helpers = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, left = psutil.wait_procs(helpers, timeout=5)
    for helper in left:
        with suppress(psutil.NoSuchProcess):
            helper.kill()


@contextmanager
def running(*extensions: str, folder: Path | None = None) -> Iterator[Server]:
    """A server with these extensions and no others, in a folder of its own; ended afterwards.

    Parameters
    ----------
    *extensions : str
        Modules; none is a bare server.
    folder : Path, optional
        An empty folder to use; one that is removed afterwards unless given.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as temporary:
        home = folder or Path(temporary)
        (home / "root").mkdir()
        address = Address(free_port(), secrets.token_hex(16))
        environment = _environment(home, address.token)
        command = _command(home, address.port, extensions)
        with (home / "server.log").open("wb") as log:
            began = time.perf_counter()
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=home / "root",
                start_new_session=True,
            )
        try:
            server = Server(process, address, home, began)
            yield Server(process, address, home, began, _first_answer(server))
        finally:
            _end(process)


# --- the steps of the main job


def upload(connection: Connection, file: Path) -> dict[str, Any]:
    """Upload a CSV file; returns the data set."""
    with file.open("rb") as body:
        path = f"/automl/api/upload/?filename={file.name}"
        found: dict[str, Any] = json.loads(connection.ask("POST", path, body, "text/csv"))
    return found


def begin(connection: Connection, dataset: str, target: str | None, budget: float) -> dict[str, Any]:
    """Start a training; returns the job as it began."""
    body = {"target": target, "time_budget": budget}
    job: dict[str, Any] = connection.post(f"/automl/api/train/{dataset}/", body)
    return job


def finish(connection: Connection, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of a job; returns it as it ended.

    Raises
    ------
    Refused
        If it does not end within three minutes beyond its budget.
    """
    end = time.monotonic() + job["time_budget"] + 180
    while job["state"] not in FINAL:
        if time.monotonic() > end:
            raise Refused(f"the job is still {job['state']}")
        time.sleep(0.1)
        job = connection.get(f"/automl/api/jobs/{job['id']}/")
    return job


def train(connection: Connection, dataset: str, target: str | None, budget: float) -> dict[str, Any]:
    """Train and wait; returns the job as it ended.

    Raises
    ------
    Refused
        If it does not end within three minutes beyond its budget.
    """
    return finish(connection, begin(connection, dataset, target, budget))


def first_rows(connection: Connection, dataset: str, target: str | None) -> list[dict[str, Any]]:
    """The data set's first rows without the target, as a person would send them."""
    preview = connection.get(f"/automl/api/datasets/{dataset}/preview/")
    return [
        {name: value for name, value in zip(preview["columns"], row, strict=True) if name != target}
        for row in preview["rows"]
    ]
