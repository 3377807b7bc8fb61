"""A real Jupyter server, and kernels that find it as those of a notebook do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from automl_jupyter.client import Client, Server
from automl_jupyter.demo import running_server
from automl_jupyter.schemas import Job, ModelRef

UntilModel = Callable[[Client, Job], ModelRef]

ROOT = Path(__file__).parents[2]
PATIENCE = 100.0
"""Seconds that a cell may take on a busy machine."""


@dataclass
class Output:
    """What a cell gave.

    Attributes
    ----------
    status : str
        ``ok`` or ``error``.
    printed : str
        What it printed.
    error : str
        What is shown of its error.
    shown : list of dict
        The outputs as they are at the end, each by its MIME types.
    states : list of dict
        All that stood in an output at any time.
    """

    status: str = ""
    printed: str = ""
    error: str = ""
    shown: list[dict[str, str]] = field(default_factory=list)
    states: list[dict[str, str]] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)

    @property
    def html(self) -> str:
        return "\n".join(one.get("text/html", "") for one in self.shown)

    @property
    def text(self) -> str:
        return "\n".join([self.printed, *(one.get("text/plain", "") for one in self.shown)])

    def take(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "stream":
            self.printed += content["text"]
        elif kind == "error":
            self.error = "\n".join(content["traceback"])
        elif kind in ("display_data", "execute_result", "update_display_data"):
            self.states.append(content["data"])
            place = content.get("transient", {}).get("display_id")
            if kind == "update_display_data":
                self.shown[self._places[place]] = content["data"]
                return
            if place is not None:
                self._places[place] = len(self.shown)
            self.shown.append(content["data"])


class Notebook:
    """A kernel and what is asked of it, one cell after the other."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager = manager
        self._client = client

    def run(self, code: str, when: Callable[[Output], None] | None = None) -> Output:
        """Run a cell; `when` is told of each output as it comes."""
        output = Output()

        def hear(message: dict[str, Any]) -> None:
            output.take(message["header"]["msg_type"], message["content"])
            if when is not None:
                when(output)

        reply = self._client.execute_interactive(
            code, timeout=PATIENCE, output_hook=hear, stop_on_error=False
        )
        output.status = reply["content"]["status"]
        return output

    def complete(self, code: str) -> list[str]:
        """What the Tab key proposes at the end of some code."""
        reply = self._client.complete(code, len(code), reply=True, timeout=PATIENCE)
        return list(reply["content"]["matches"])

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment without anything of the machine's own Jupyter and IPython, in plain English."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "JPY_", "LC_", "IPYTHON"))
    }
    folders = {
        f"JUPYTER_{name}_DIR": str(tmp_path_factory.mktemp(name.lower())) for name in ("CONFIG", "DATA")
    }
    return {
        **kept,
        **folders,
        "IPYTHONDIR": str(tmp_path_factory.mktemp("ipython")),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "LANG": "C.UTF-8",
    }


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the server serves."""
    return tmp_path_factory.mktemp("jupyter")


@pytest.fixture(scope="session")
def server(environ: dict[str, str], root: Path) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        with running_server(root) as running:
            yield running


@pytest.fixture(scope="session")
def connected(environ: dict[str, str], server: Server) -> dict[str, str]:
    """The environment of a kernel of the server."""
    return {**environ, "JUPYTER_SERVER_URL": server.url, "JUPYTER_TOKEN": str(server.token)}


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[Client]:
    with Client(server.url, server.token, language="en") as asking:
        yield asking


Start = Callable[..., Notebook]


@pytest.fixture(scope="session")
def start(connected: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start kernels, which are gone at the end."""
    running: list[tuple[KernelManager, BlockingKernelClient]] = []

    def begin(*arguments: str, **more: str) -> Notebook:
        manager = KernelManager(kernel_name="python3")
        folder = str(tmp_path_factory.mktemp("notebook"))
        manager.start_kernel(env={**connected, **more}, cwd=folder, extra_arguments=list(arguments))
        asking = manager.client()
        asking.start_channels()
        running.append((manager, asking))
        asking.wait_for_ready(timeout=60)
        return Notebook(manager, asking)

    yield begin
    for manager, asking in running:
        asking.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def notebook(start: Start, flights_csv: str) -> Notebook:
    """A notebook with the magics, and a table of flights in the variable ``flights``."""
    begun = start()
    begun.run("%load_ext automl_jupyter")
    begun.run(
        f"import io\nimport pandas as pd\nflights_csv = {flights_csv!r}\n"
        "flights = pd.read_csv(io.StringIO(flights_csv))"
    )
    return begun


@pytest.fixture(scope="session")
def model(client: Client, flights_csv: str, until_model: UntilModel) -> str:
    """The name of a model that was trained from Python."""
    table = client.upload(flights_csv.encode(), name="known.csv")
    return until_model(client, client.train(table, "late", time_budget=100, name="known-late")).name
