"""A real Jupyter server, and the command line as a process of its own."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl_jupyter.client import Server
from automl_jupyter.demo import running_server

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
def model(connected: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The reference of a model that was trained from Python."""
    from automl_jupyter.client import Client

    rows = [f"{hour},{'yes' if hour > 15 else 'no'}" for hour in range(5, 24)] * 20
    with Client(connected["JUPYTER_SERVER_URL"], connected["JUPYTER_TOKEN"]) as client:
        table = client.upload(("hour,late\n" + "\n".join(rows) + "\n").encode(), name="hours.csv")
        job = client.wait(client.train(table, "late", time_budget=5, name="hours-late"), timeout=60)
    assert job.model is not None, job.error
    return f"{job.model.name}:{job.model.version}"
