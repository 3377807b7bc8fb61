"""A real Jupyter server, and the command line as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl_jupyter.client import Client, Server
from automl_jupyter.demo import running_server
from automl_jupyter.schemas import Job, ModelRef

Run = Callable[..., "subprocess.CompletedProcess[str]"]
UntilModel = Callable[[Client, Job], ModelRef]


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
            timeout=200,
        )

    return automl


@pytest.fixture(scope="session")
def client(connected: dict[str, str]) -> Iterator[Client]:
    with Client(connected["JUPYTER_SERVER_URL"], connected["JUPYTER_TOKEN"]) as asking:
        yield asking


@pytest.fixture
def flights(tmp_path: Path, flights_csv: str) -> Path:
    """A file with the flights."""
    file = tmp_path / "flights.csv"
    file.write_text(flights_csv)
    return file


@pytest.fixture(scope="session")
def model(client: Client, until_model: UntilModel) -> str:
    """The reference of a model that was trained from Python."""
    rows = [f"{hour},{'yes' if hour > 15 else 'no'}" for hour in range(5, 24)] * 20
    table = client.upload(("hour,late\n" + "\n".join(rows) + "\n").encode(), name="hours.csv")
    made = until_model(client, client.train(table, "late", time_budget=100, name="hours-late"))
    return f"{made.name}:{made.version}"
