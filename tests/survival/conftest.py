"""Real Jupyter servers to which bad things happen, and what must be so afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import psutil
import pytest

from automl_jupyter.backends.database import new_id, open_database
from automl_jupyter.backends.records import VersionDraft
from automl_jupyter.backends.storage import open_storage
from automl_jupyter.client import Client
from automl_jupyter.engine import AutoMLClassifier, persist
from automl_jupyter.schemas import Dataset
from automl_jupyter.services.plans import model_key
from automl_jupyter.services.settings import local_settings

TOKEN = "open-sesame"
HELPERS = {"tables": "table_process", "predictions": "prediction_process"}
CSV = {"Content-Type": "text/csv"}
PIECE = {"Content-Type": "application/offset+octet-stream"}

QUICK = """
# A helper that shows no sign of life is given up after a minute; nobody waits that long in a test.
from automl_jupyter.services import container

container.STUCK_SECONDS = 3.0
"""


def happens(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Poll until something is so, and give it back."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"did not happen within {seconds} s")


def is_there(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Later:
    """A request under way, in a thread of its own."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._answer: Any = None
        self._error: BaseException | None = None

        def run() -> None:
            try:
                self._answer = ask()
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the answer is asked for
                self._error = error

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def answer(self, seconds: float = 60.0) -> Any:
        """The answer; whatever went wrong is raised here."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the request hangs"
        if self._error is not None:
            raise self._error
        assert self._answer is not None
        return self._answer


@dataclass
class Server:
    """A running Jupyter server on a data folder."""

    process: subprocess.Popen[bytes]
    base: str
    data_dir: Path
    root: Path
    log: Path
    files: Path
    _clients: list[httpx.Client] = field(default_factory=list)
    _spooled_before: set[Path] = field(default_factory=set)

    @property
    def client(self) -> httpx.Client:
        """A client of its own for each use, so that a cut connection harms no other."""
        client = httpx.Client(
            base_url=f"{self.base}/automl", headers={"Authorization": f"token {TOKEN}"}, timeout=60
        )
        self._clients.append(client)
        return client

    # --- what a person does

    def upload(self, data: bytes) -> httpx.Response:
        return self.client.post("/api/upload/", params={"filename": "t.csv"}, content=data, headers=CSV)

    def through_python(self, data: bytes) -> Dataset:
        """Upload with the Python client, which sends pieces and does not give up soon."""
        with Client(self.base, TOKEN) as client:
            return client.upload(data, name="python.csv")

    def begin(self, size: int) -> str:
        answer = self.client.post("/api/uploads/", json={"filename": "pieces.csv", "size": size})
        assert answer.status_code == 201, answer.text
        return f"/api/uploads/{answer.json()['id']}/"

    def send(self, path: str, offset: int, data: bytes) -> httpx.Response:
        return self.client.patch(path, content=data, headers={**PIECE, "Upload-Offset": str(offset)})

    def predict(self, data: bytes) -> httpx.Response:
        return self.client.post("/api/predict/customers/", content=data, headers=CSV)

    def wire(self, method: str, path: str, size: int, first: bytes, **headers: str) -> socket.socket:
        """A connection on which the head of a request was sent, and the first bytes of its body."""
        host, _, port = self.base.removeprefix("http://").partition(":")
        wire = socket.create_connection((host, int(port)), timeout=30)
        lines = {"Host": f"{host}:{port}", "Authorization": f"token {TOKEN}", "Content-Length": str(size)}
        head = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **headers}.items())
        wire.sendall(f"{method} /automl{path} HTTP/1.1\r\n{head}\r\n".encode() + first)
        return wire

    # --- what bad luck does

    def family(self) -> list[psutil.Process]:
        """All processes that the server started, and those that they started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def helper(self, name: str) -> psutil.Process:
        """A helper process, once it runs."""

        def found() -> psutil.Process | None:
            for child in psutil.Process(self.process.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    if HELPERS[name] in " ".join(child.cmdline()):
                        return child
            return None

        process = happens(found)
        assert isinstance(process, psutil.Process)
        return process

    def ready_helper(self, name: str) -> psutil.Process:
        """A helper process that has answered, and waits for what it is asked next.

        One that is lost while it starts is replaced without a word, and whoever asks waits for it to start.
        """
        if name == "tables":
            # Nothing is kept of a file without rows, but it takes this process to see that there are none.
            answer, status = self.upload(b"age,city\n"), 422
        else:
            answer, status = self.predict(b"age,city\n30,Paris\n"), 200
        assert answer.status_code == status, answer.text
        # What that answer had in the spool goes right after it, and must not be taken for the next one's.
        self._spooled_before = self._spooled()
        return self.helper(name)

    def kill(self) -> list[psutil.Process]:
        """Kill the server alone; gives back what it had started."""
        family = self.family()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        return family

    def pause(self) -> None:
        """Stop the server where it does not hold the database, which nobody else could write then."""

        def stopped() -> bool:
            self.process.send_signal(signal.SIGSTOP)
            with contextlib.closing(sqlite3.connect(self.data_dir / "automl.sqlite", timeout=0)) as database:
                try:
                    database.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    self.process.send_signal(signal.SIGCONT)
                    return False
                return True

        happens(stopped)

    def stop(self) -> None:
        """End in good order."""
        self.process.terminate()
        self.process.wait(60)

    def clear(self) -> None:
        """Leave nothing to the next test: the server leads a group, and its helpers end with it."""
        for client in self._clients:
            client.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    # --- what must be so

    def is_at_work(self) -> None:
        """Wait until a helper was asked for something that has a folder in the spool."""
        happens(lambda: self._spooled() - self._spooled_before)
        # The folder is made right before the helper is asked; after an answer to this, it has been.
        self.listed()

    def _spooled(self) -> set[Path]:
        return {path for path in (self.data_dir / "spool").glob("*/*") if path.is_dir()}

    def listed(self) -> list[dict[str, Any]]:
        answer = self.client.get("/api/datasets/")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def remains(self) -> list[str]:
        """Whatever lies in the data folder that nobody knows of, after the sweep."""
        known = {f"datasets/{item['id']}" for item in self.listed()}
        models = self.client.get("/api/models/").json()["items"]
        jobs = {version["job_id"] for model in models for version in model["versions"]}
        known |= {f"models/{job}" for job in jobs}
        stored = {
            path.relative_to(self.files).as_posix()
            for kind in ("datasets", "jobs", "models")
            for path in (self.files / kind).glob("*")
        }
        temporary = {path.name for path in (self.files / ".temporary").glob("*")}
        spool = {
            path.relative_to(self.data_dir).as_posix()
            for path in (self.data_dir / "spool").rglob("*")
            if "dask-scratch-space" not in path.parts and path.name != "alive.lock"
        }
        spool -= {f"spool/{self.folder}"}
        return sorted((stored - known) | temporary | spool)

    @property
    def folder(self) -> str:
        """The name of the server's own folder in the spool: the one whose lock it holds."""
        opened = Path(f"/proc/{self.process.pid}/fd").iterdir()
        held = {str(entry.readlink()) for entry in opened if entry.exists()}
        for lock in (self.data_dir / "spool").glob("*/alive.lock"):
            if str(lock) in held:
                return lock.parent.name
        return ""

    def is_clean(self) -> None:
        """Nothing lies about; a sweep may still be at work."""
        try:
            happens(lambda: not self.remains(), 30)
        except AssertionError:
            raise AssertionError(f"left behind: {self.remains()}") from None

    def told(self, answer: httpx.Response, status: int, code: str) -> None:
        """An answer is an error with a sentence in both languages, not one of our insides."""
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.json()["message"].endswith(".")


@dataclass
class Home:
    """Where servers live one after the other, on one data folder."""

    folder: Path
    data_dir: Path
    files: Path | None = None
    servers: list[Server] = field(default_factory=list)

    def start(self, *options: str, quick: bool = False, before: Sequence[str] = ()) -> Server:
        for name in ("root", "config", "runtime", "jupyter-data"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "config" / "jupyter_server_config.py").write_text(QUICK if quick else "", "utf-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if self.files is not None:
            options = (*options, f"--AutoML.storage_url={self.files.as_uri()}")

        log = self.folder / "server.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [
                    *before,
                    *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
                    "--ServerApp.ip=127.0.0.1",
                    f"--ServerApp.port={port}",
                    "--ServerApp.port_retries=0",
                    f"--ServerApp.root_dir={self.folder / 'root'}",
                    f"--IdentityProvider.token={TOKEN}",
                    "--ServerApp.jpserver_extensions=automl_jupyter=True",
                    f"--AutoML.data_dir={self.data_dir}",
                    *options,
                ],
                stdout=output,
                stderr=output,
                cwd=self.folder / "root",
                env={
                    # What is killed writes no count of its lines, and counting makes each start slower.
                    **{name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
                    "PYTHONPATH": os.pathsep.join(
                        [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
                    ),
                    "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
                    "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
                    "JUPYTER_DATA_DIR": str(self.folder / "jupyter-data"),
                },
                start_new_session=True,
            )
        base = f"http://127.0.0.1:{port}"
        files = self.files or self.data_dir / "files"
        server = Server(process, base, self.data_dir, self.folder / "root", log, files)
        self.servers.append(server)

        def answers() -> bool:
            assert process.poll() is None, log.read_text("utf-8")[-3000:]
            try:
                return httpx.get(f"{base}/login", timeout=5).status_code < 500
            except httpx.TransportError:
                return False

        happens(answers, 60)
        return server


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path, tmp_path / "automl")
    yield made
    for server in made.servers:
        server.clear()


def customers(rows: int) -> bytes:
    """A table of which something can be learnt."""
    dice = random.Random(0)
    lines = ["age,city,note,bought"]
    for _ in range(rows):
        age, city = dice.randint(18, 80), dice.choice(["Paris", "Lyon", "Nice"])
        note = "".join(dice.choices("abcdefghij", k=12))
        lines.append(f"{age},{city},{note},{'yes' if age + dice.gauss(0, 10) > 50 else 'no'}")
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture(scope="session")
def table() -> bytes:
    return customers(300)


@pytest.fixture(scope="session")
def large() -> bytes:
    """About 6 MB, and not much less as Parquet."""
    return customers(220_000)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, table: bytes) -> Path:
    """A data folder with a model in service: a small one, put there without the minute that a job takes."""
    folder = tmp_path_factory.mktemp("trained")
    home = Home(folder, folder / "automl")
    server = home.start()
    try:
        dataset = server.upload(table).json()["id"]
        server.stop()
    finally:
        server.clear()
    frame = pd.read_csv(BytesIO(table))
    model = AutoMLClassifier(time_budget=2, n_jobs=1).fit(frame[["age", "city"]], frame["bought"])
    settings = local_settings(home.data_dir)
    local, key = folder / "model.bin", model_key("offline", 1)
    digest, size = persist.save(model, local), local.stat().st_size
    open_storage(settings.storage_url).put_file(local, key)
    database = open_database(settings.database_url)
    draft = VersionDraft(
        id=new_id(), job_id="offline", dataset_id=dataset, created=datetime.now(UTC), metric="log_loss",
        score=0.5, low=None, high=None, baseline_score=None, key=key, digest=digest, bytes=size,
        contract=[], leaderboard=[], mlflow_run_id=None, mlflow_version=None,
    )  # fmt: skip
    owner = database.counts().datasets
    database.add_version(next(iter(owner)), name="customers", task="binary", target="bought", draft=draft)
    database.close()
    return home.data_dir


@pytest.fixture
def trained_home(home: Home, trained: Path) -> Home:
    """A copy of that folder."""
    shutil.copytree(trained, home.data_dir)
    return home


@pytest.fixture(name="wait_for", scope="session")
def waiter() -> Callable[..., Any]:
    return happens


@pytest.fixture(scope="session")
def gone() -> Callable[[list[psutil.Process]], None]:
    """Waits until processes have ended, all of them."""

    def wait(family: list[psutil.Process]) -> None:
        try:
            happens(lambda: not any(is_there(process) for process in family), 30)
        except AssertionError:
            left = [" ".join(process.cmdline()) for process in family if is_there(process)]
            raise AssertionError(f"still there: {left}") from None

    return wait


@pytest.fixture(scope="session")
def later() -> type[Later]:
    return Later


@dataclass(frozen=True)
class Disk:
    """A small disk of its own."""

    folder: Path

    def free(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> Path:
        """Take all the room but so many bytes; whoever removes the file gives it back."""
        ballast = self.folder / "ballast"
        with ballast.open("wb", buffering=0) as file:
            os.posix_fallocate(file.fileno(), 0, self.free() - leave)
        return ballast

    def remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of 48 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m", "none", str(folder)]
    mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a disk cannot be mounted here: {mounted.stderr.strip()}")
    yield Disk(folder)
    subprocess.run(["umount", "-l", folder], check=True)
