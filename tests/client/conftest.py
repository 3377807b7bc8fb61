"""A real Jupyter server for the whole session, and a wire that can be cut."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from automl_jupyter.client import Client, Server
from automl_jupyter.demo import running_server
from automl_jupyter.schemas import Dataset, Event, Job

Train = Callable[..., Job]

NO_SERVER = ("JUPYTERHUB_API_TOKEN", "JUPYTER_SERVER_URL", "JUPYTER_URL", "JUPYTER_TOKEN", "JPY_PARENT_PID")


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """Nothing of the machine's own Jupyter: no configuration, no running servers, no tokens."""
    with pytest.MonkeyPatch.context() as patch:
        for name in NO_SERVER:
            patch.delenv(name, raising=False)
        for name in ("CONFIG", "DATA", "RUNTIME"):
            patch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path_factory.mktemp(name.lower())))
        patch.setenv("LC_ALL", "C")
        yield patch


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jupyter")


@pytest.fixture(scope="session")
def server(environment: pytest.MonkeyPatch, folder: Path) -> Iterator[Server]:
    with running_server(folder) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[Client]:
    with Client(server.url, server.token) as connected:
        yield connected


@pytest.fixture(scope="session")
def table() -> bytes:
    """400 rows of which a model can learn something: y is mostly "yes" where x is large."""
    dice = random.Random(0)
    lines = ["x,colour,y"]
    for _ in range(400):
        x = dice.random()
        colour, answer = dice.choice(["red", "green", "blue"]), x + dice.gauss(0, 0.2) > 0.5
        lines.append(f"{x:.4f},{colour},{'yes' if answer else 'no'}")
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture(scope="session")
def train(client: Client) -> Train:
    """Train until there is a model, then stop: as long as it takes on a busy machine, and no longer."""

    def until_ready(dataset: Dataset, name: str, on_event: Callable[[Event], None] | None = None) -> Job:
        job = client.train(dataset, "y", time_budget=100, name=name, metric="roc_auc")
        asked = False
        for event in client.events(job):
            if on_event:
                on_event(event)
            ready = event.kind == "trial" and event.data["score"] is not None and not event.data["baseline"]
            if ready and not asked:
                client.stop(job)
                asked = True
        ended = client.wait(job, timeout=60)
        assert ended.model is not None, ended.error
        return ended

    return until_ready


class Wire:
    """A TCP proxy in front of the server that can be told to cut a connection after so many bytes."""

    def __init__(self, server: Server) -> None:
        self._target = ("127.0.0.1", int(server.url.rsplit(":", 1)[1].split("/")[0]))
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}/"
        self._lock = threading.Lock()
        self._allowed: dict[str, list[int]] = {"up": [], "down": []}
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, direction: str, *after: int) -> None:
        """Cut one connection for each number in `after`, once that many bytes went ``up`` or ``down``."""
        with self._lock:
            self._allowed[direction] = list(after)

    def close(self) -> None:
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            for direction, source, sink in (("up", near, far), ("down", far, near)):
                threading.Thread(target=self._pass, args=(direction, source, sink), daemon=True).start()

    def _pass(self, direction: str, source: socket.socket, sink: socket.socket) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(65536):
                passed += len(data)
                if self._is_enough(direction, passed):
                    break
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _is_enough(self, direction: str, passed: int) -> bool:
        with self._lock:
            limits = self._allowed[direction]
            if limits and passed > limits[0]:
                limits.pop(0)
                self.cuts += 1
                return True
            return False


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    cuttable = Wire(server)
    yield cuttable
    cuttable.close()


@pytest.fixture
def client_on_wire(server: Server, wire: Wire) -> Iterator[Client]:
    with Client(wire.url, server.token) as connected:
        yield connected
