"""A real Jupyter server, and the command line as a process of its own."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl_jupyter.client import Client, Server
from automl_jupyter.demo import running_server
from automl_jupyter.schemas import Job

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment without anything of the machine's own Jupyter, in plain English."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "LC_"))
    }
    folders = {
        f"JUPYTER_{name}_DIR": str(tmp_path_factory.mktemp(name.lower())) for name in ("CONFIG", "DATA")
    }
    return {**kept, **folders, "LANG": "C.UTF-8"}


@pytest.fixture(scope="session")
def server(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        with running_server(tmp_path_factory.mktemp("jupyter")) as running:
            yield running


@pytest.fixture(scope="session")
def connected(environ: dict[str, str], server: Server) -> dict[str, str]:
    """The environment of a shell that knows the server."""
    return {**environ, "JUPYTER_SERVER_URL": server.url, "JUPYTER_TOKEN": str(server.token)}


@pytest.fixture
def run(connected: dict[str, str], tmp_path: Path) -> Run:
    """Run ``jupyter automl`` with some arguments, and return what became of it."""

    def automl(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "automl_jupyter.cli", *map(str, arguments)],
            cwd=tmp_path,
            check=False,
            env={**connected, **more},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=100,
        )

    return automl


@pytest.fixture(scope="session")
def client(connected: dict[str, str]) -> Iterator[Client]:
    with Client(connected["JUPYTER_SERVER_URL"], connected["JUPYTER_TOKEN"]) as asking:
        yield asking


@pytest.fixture
def stopped_when_ready(client: Client) -> Iterator[None]:
    """Stop the next job that starts as soon as it has a model, however long that takes on a busy machine."""
    known = {job.id for job in client.jobs().items}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.3):
            for job in client.jobs(limit=5).items:
                if job.id not in known and job.state == "running" and _has_model(job):
                    known.add(job.id)
                    client.stop(job)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


def _has_model(job: Job) -> bool:
    return any(trial.score is not None and not trial.baseline for trial in job.leaderboard)


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    """400 flights, late where the departure is late in the day."""
    dice = random.Random(0)
    lines = ["hour,carrier,late"]
    for _ in range(400):
        hour = dice.randrange(5, 24)
        late = hour + dice.gauss(0, 4) > 15
        lines.append(f"{hour},{dice.choice(['UA', 'AA', 'B6'])},{'yes' if late else 'no'}")
    file = tmp_path / "flights.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture(scope="session")
def model(client: Client) -> str:
    """The reference of a model that was trained from Python."""
    rows = [f"{hour},{'yes' if hour > 15 else 'no'}" for hour in range(5, 24)] * 20
    table = client.upload(("hour,late\n" + "\n".join(rows) + "\n").encode(), name="hours.csv")
    job = client.train(table, "late", time_budget=100, name="hours-late")
    while not _has_model(client.job(job.id)):
        time.sleep(0.3)
    client.stop(job)
    job = client.wait(job, timeout=60)
    assert job.model is not None, job.error
    return f"{job.model.name}:{job.model.version}"
