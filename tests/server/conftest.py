"""A real Jupyter server whose identity provider knows people, and what two of them made on it."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

PEOPLE = '''
from jupyter_server.auth import Authorizer, IdentityProvider, User


class People(IdentityProvider):
    """Knows everybody by a token of their own: ``<name>-token``."""

    def get_user(self, handler):
        kind, _, token = handler.request.headers.get("Authorization", "").partition(" ")
        name = token.removesuffix("-token")
        if kind != "token" or name == token:
            return None
        handler._token_authenticated = True
        return User(name, display_name=name.title())


class Gate(Authorizer):
    """Lets nobody called mallory do anything, and lets a reader read."""

    def is_authorized(self, handler, user, action, resource):
        if user.username == "mallory":
            return False
        return user.username != "reader" or action == "read"
'''


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """A running Jupyter server."""

    process: subprocess.Popen[bytes]
    base: str
    root: Path
    data_dir: Path
    log: Path

    def client(self, token: str | None, **headers: str) -> httpx.Client:
        if token is not None:
            headers["Authorization"] = f"token {token}"
        return httpx.Client(base_url=self.base, headers=headers, timeout=60)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(30)


def happens(what: Callable[[], object], seconds: float = 60.0) -> object:
    """Poll until something is so; a test that waits for ever is a test that says nothing."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"did not happen within {seconds} s")


def launch(folder: Path, *options: str, data_dir: Path | None = None) -> Server:
    """Start ``jupyter server`` with the extension, in a folder of its own."""
    root = folder / "root"
    for name in ("root", "config", "runtime", "jupyter-data"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "people.py").write_text(PEOPLE, encoding="utf-8")
    port = free_port()
    data_dir = data_dir or folder / "automl"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(
            [str(folder), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        ),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter-data"),
    }
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyter_server",
                "--no-browser",
                "--allow-root",
                "--ServerApp.ip=127.0.0.1",
                f"--ServerApp.port={port}",
                "--ServerApp.port_retries=0",
                f"--ServerApp.root_dir={root}",
                "--ServerApp.jpserver_extensions=automl_jupyter=True",
                f"--AutoML.data_dir={data_dir}",
                *options,
            ],
            stdout=output,
            stderr=output,
            env=environment,
            cwd=root,
        )
    server = Server(process, f"http://127.0.0.1:{port}", root, data_dir, log)

    def answers() -> bool:
        if process.poll() is not None:
            raise AssertionError(log.read_text(encoding="utf-8")[-3000:])
        try:
            httpx.get(f"{server.base}/login", timeout=5)
        except httpx.TransportError:
            return False
        return True

    happens(answers, 120)
    return server


PEOPLE_OPTIONS = (
    "--ServerApp.identity_provider_class=people.People",
    "--ServerApp.authorizer_class=people.Gate",
    "--ServerApp.allow_unauthenticated_access=False",
    "--AutoML.metrics_token=measure",
    "--AutoML.admins=root",
    "--AutoML.mlflow_ui_url=https://mlflow.example.org/ui",
)


@pytest.fixture(scope="session", name="start_server")
def starter() -> Callable[..., Server]:
    return launch


@pytest.fixture(scope="session", name="wait_for")
def waiter() -> Callable[..., object]:
    return happens


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = launch(tmp_path_factory.mktemp("people"), *PEOPLE_OPTIONS)
    yield running
    running.stop()


def customers(rows: int = 400, seed: int = 0) -> bytes:
    """A table of which something can be learnt: older people, and those of Paris, buy more often."""
    dice = random.Random(seed)
    lines = ["age,city,since,bought"]
    for _ in range(rows):
        age, city = dice.randint(18, 80), dice.choice(["Paris", "Lyon", "Nice"])
        bought = age + (20 if city == "Paris" else 0) + dice.gauss(0, 10) > 55
        since = f"2024-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}"
        lines.append(f"{age},{city},{since},{'yes' if bought else 'no'}")
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture(scope="session")
def table() -> bytes:
    return customers()


EFFORT: Mapping[str, object] = {"max_trials": 3}
"""As much of a search as most tests need: too few candidates for a second level or a quick model."""


@dataclass(frozen=True)
class World:
    """What alice made: a data set, an ended job, a model with a version in service, an upload under way."""

    dataset: str
    job: str
    model: str
    upload: str


def upload(client: httpx.Client, data: bytes, filename: str = "customers.csv") -> str:
    answer = client.post(
        "/automl/api/upload/",
        params={"filename": filename},
        content=data,
        headers={"Content-Type": "text/csv"},
    )
    assert answer.status_code == 201, answer.text
    identifier: str = answer.json()["id"]
    return identifier


def train(client: httpx.Client, dataset: str, **request: object) -> str:
    answer = client.post(f"/automl/api/train/{dataset}/", json=request)
    assert answer.status_code == 202, answer.text
    identifier: str = answer.json()["id"]
    return identifier


def ended(client: httpx.Client, job: str, seconds: float = 180.0) -> dict[str, object]:
    final = {"done", "failed", "stopped", "cancelled", "interrupted"}

    def state() -> object:
        body = client.get(f"/automl/api/jobs/{job}/").json()
        return body if body["state"] in final else None

    body = happens(state, seconds)
    assert isinstance(body, dict)
    return body


@pytest.fixture(scope="session")
def world(server: Server, table: bytes) -> World:
    with server.client("alice-token") as alice:
        dataset = upload(alice, table)
        job = train(alice, dataset, target="bought", time_budget=120, name="customers", **EFFORT)
        begun = alice.post("/automl/api/uploads/", json={"filename": "more.csv", "size": 10}).json()["id"]
        body = ended(alice, job)
        assert body["state"] == "done", body
    return World(dataset, job, "customers", begun)


@pytest.fixture
def alice(server: Server) -> Iterator[httpx.Client]:
    with server.client("alice-token") as client:
        yield client


@pytest.fixture
def bob(server: Server) -> Iterator[httpx.Client]:
    with server.client("bob-token") as client:
        yield client


def cut_short(client: httpx.Client, job: str) -> dict[str, object]:
    """Stop a job as soon as it has a model: quick where the machine is, patient where it is not."""

    def has_one() -> bool:
        body = client.get(f"/automl/api/jobs/{job}/").json()
        learnt = [t for t in body["leaderboard"] if t["state"] == "done" and not t["baseline"]]
        return bool(learnt) or body["state"] not in ("queued", "running")

    happens(has_one, 180)
    client.post(f"/automl/api/jobs/{job}/stop/")
    return ended(client, job)


def model(client: httpx.Client, dataset: str, **request: object) -> dict[str, object]:
    """Have a model made as soon as can be, where it does not matter how good it is; gives back the job."""
    job = train(client, dataset, time_budget=60, **request)

    def in_mlflow() -> bool:
        body = client.get(f"/automl/api/jobs/{job}/").json()
        return bool(body["mlflow_run_id"]) or body["state"] not in ("queued", "running")

    # A job that is stopped does not wait long for MLflow, which takes a while to start.
    happens(in_mlflow, 180)
    body = cut_short(client, job)
    assert body["model"] is not None, (body["state"], body["error"], body["leaderboard"])
    return body


@dataclass(frozen=True)
class Verbs:
    """The steps of the main job, for tests that are about something else."""

    upload: Callable[..., str]
    train: Callable[..., str]
    ended: Callable[..., dict[str, object]]
    cut_short: Callable[..., dict[str, object]]
    model: Callable[..., dict[str, object]]
    effort: Mapping[str, object] = field(default_factory=lambda: EFFORT)


@pytest.fixture(scope="session")
def verbs() -> Verbs:
    return Verbs(upload, train, ended, cut_short, model)


GROUND_OPTIONS = (*PEOPLE_OPTIONS, "--AutoML.max_time_budget=60", "--AutoML.max_active_jobs=2")
FUZZ_EXAMPLES = "AUTOML_FUZZ_EXAMPLES"


@dataclass(frozen=True)
class Ground:
    """A server to be asked nonsense: jobs are short and few; alice has a data set, a job and a model."""

    server: Server
    world: World

    @property
    def ids(self) -> dict[str, str]:
        """What stands for the parameters of a path."""
        made = self.world
        return {
            "dataset_id": made.dataset,
            "job_id": made.job,
            "name": made.model,
            "model": made.model,
            "upload_id": made.upload,
        }


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    running = launch(tmp_path_factory.mktemp("ground"), *GROUND_OPTIONS)
    with running.client("alice-token") as alice:
        dataset = upload(alice, customers(80))
        job = train(alice, dataset, target="bought", time_budget=60, name="customers")
        begun = alice.post("/automl/api/uploads/", json={"filename": "more.csv"}).json()["id"]
        assert cut_short(alice, job)["model"] == {"name": "customers", "version": 1}
    yield Ground(running, World(dataset, job, "customers", begun))
    running.stop()


@pytest.fixture(scope="session")
def fuzz_examples() -> Callable[[int], int]:
    """How many examples to try: few, always the same ones, unless ``AUTOML_FUZZ_EXAMPLES`` asks for more."""
    asked = os.environ.get(FUZZ_EXAMPLES)
    return lambda usual: int(asked) if asked else usual


@pytest.fixture(scope="session")
def tally(record_testsuite_property: Callable[[str, object], None]) -> Iterator[Counter[str]]:
    """How many requests were made, by kind; told in JUnit's file."""
    counts: Counter[str] = Counter()
    yield counts
    for kind, count in sorted(counts.items()):
        record_testsuite_property(f"fuzzed {kind}", count)
