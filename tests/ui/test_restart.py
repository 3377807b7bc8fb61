"""The server ends in the middle of a training, and another one comes up at the same address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from automl_jupyter.client import Client, Server
from automl_jupyter.schemas import Job

PATIENCE = 90_000
"""Milliseconds that something may take on a busy machine."""

TOKEN = "the-same-as-before"
pytestmark = [pytest.mark.slow]


@dataclass
class Home:
    """Where one server follows the other, with the same data, address and token."""

    folder: Path
    port: int
    extensions: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def server(self) -> Server:
        return Server(f"http://127.0.0.1:{self.port}/", TOKEN)

    def start(self) -> None:
        """Start a server and wait until it answers."""
        # What is killed writes no count of its lines, and counting makes each start slower.
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "JPY_", "COVERAGE_"))
        }
        places = {f"JUPYTER_{name}_DIR": str(self.folder / name) for name in ("CONFIG", "DATA", "RUNTIME")}
        paths = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        log = self.folder / "server.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "jupyter_server", "--allow-root", "--ServerApp.port_retries=0"),
                    *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}"),
                    "--ServerApp.jpserver_extensions=automl_jupyter=True",
                    f"--AutoML.data_dir={self.folder / 'automl'}",
                ],
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env={
                    **kept,
                    **places,
                    "JUPYTER_PATH": str(self.extensions),
                    "PYTHONPATH": paths,
                    "JUPYTER_TOKEN": TOKEN,
                },
                start_new_session=True,
            )
        self.processes.append(process)
        until = time.monotonic() + PATIENCE / 1000
        while True:
            assert process.poll() is None, log.read_text("utf-8")[-3000:]
            assert time.monotonic() < until, "the server does not answer"
            with suppress(httpx.TransportError):
                httpx.get(f"{self.server.url}login", timeout=5)
                return
            time.sleep(0.1)

    def end(self, how: signal.Signals) -> None:
        """End the server that runs."""
        self.processes[-1].send_signal(how)
        self.processes[-1].wait(PATIENCE / 1000)


@pytest.fixture
def home(tmp_path: Path, extensions: Path) -> Iterator[Home]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        made = Home(tmp_path, probe.getsockname()[1], extensions)
    yield made
    for process in made.processes:
        # Each leads a group; what it has started elsewhere notices that it has gone.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


def begin_training(at: Server, table: str) -> Job:
    """Begin what lasts longer than the test needs it."""
    with Client(at.url, TOKEN) as client:
        dataset = client.upload(table.encode(), name="flights.csv")
        return client.train(dataset, "late", time_budget=200, columns=["hour", "carrier"])


def test_a_training_goes_on_after_its_server_has_come_back(
    home: Home, open_page: Any, many_flights_csv: str
) -> None:
    home.start()
    job = begin_training(home.server, many_flights_csv)
    screen = open_page(f"job/{job.id}", at=home.server)
    best, trouble = screen.app.locator("tr.am-best"), screen.app.locator(".am-trouble")
    state = screen.app.locator(".am-card-head .am-pill")
    for way in (signal.SIGKILL, signal.SIGTERM):
        expect(best).to_be_visible(timeout=PATIENCE)
        home.end(way)
        if way == signal.SIGKILL:
            expect(trouble).to_contain_text("The server cannot be reached.", timeout=PATIENCE)
        else:
            # One that ends in good order may have had the time to tell what becomes of the training.
            expect(trouble.or_(state.filter(has_text="interrupted")).first).to_be_visible(timeout=PATIENCE)
        # What was known stays.
        expect(best).to_be_visible()
        screen.picture(f"page-away-{way.name}")
        home.start()
        # By itself.
        expect(trouble).to_have_count(0, timeout=PATIENCE)
        expect(state).to_have_text("interrupted", timeout=PATIENCE)
        expect(screen.app).to_contain_text("the training can go on from there")
        expect(best).to_be_visible()
        screen.picture(f"page-interrupted-{way.name}")
        screen.button("Go on").click()
        expect(state).to_have_text("running", timeout=PATIENCE)
    screen.until_model()
    screen.link("Open the model").click()
    screen.shows("flights-late")


def test_jupyterlab_takes_a_training_up_again_after_its_server_has_come_back(
    home: Home, open_lab: Any, many_flights_csv: str
) -> None:
    home.start()
    begin_training(home.server, many_flights_csv)
    lab = open_lab(home.server)
    # JupyterLab says so itself, when it gets to it.
    told = lab.page.get_by_role("dialog", name="Server Connection Error")
    lab.page.add_locator_handler(told, lambda dialog: dialog.get_by_role("button", name="Close").click())
    lab.open()
    lab.open_side()
    lab.side.app.get_by_role("region", name="Trainings").get_by_role("link", name="late").click()
    best, trouble = lab.app.locator("tr.am-best"), lab.app.locator(".am-trouble")
    state = lab.app.locator(".am-card-head .am-pill")
    expect(best).to_be_visible(timeout=PATIENCE)
    home.end(signal.SIGKILL)
    expect(trouble).to_contain_text("The server cannot be reached.", timeout=PATIENCE)
    expect(best).to_be_visible()
    lab.page.screenshot(path=lab.screen.folder / "lab-away.png")
    home.start()
    expect(trouble).to_have_count(0, timeout=PATIENCE)
    expect(state).to_have_text("interrupted", timeout=PATIENCE)
    expect(best).to_be_visible()
    lab.page.screenshot(path=lab.screen.folder / "lab-interrupted.png")
    lab.screen.button("Go on").click()
    expect(state).to_have_text("running", timeout=PATIENCE)
    # In the middle of the training the page is loaded anew as well.
    lab.noted("job/")
    lab.page.reload()
    expect(state).to_have_text("running", timeout=PATIENCE)
    lab.screen.until_model()
    lab.screen.link("Open the model").click()
    lab.shows("flights-late")
