"""In a server that a real JupyterHub started: who is who, how a notebook finds its own server, its page."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from jupyter_client.blocking import BlockingKernelClient
from playwright.sync_api import Browser, expect

from automl_jupyter.server import application

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.skipif(find_spec("jupyterhub") is None, reason="JupyterHub is not installed"),
]

HUB_TOKEN = "for-the-test-alone"
PATIENCE = 90.0
CONFIGURATION = '''
import json
import sys
from pathlib import Path

from jupyterhub.proxy import Proxy


class Direct(Proxy):
    """Notes where each server is; a test that needs a proxy starts one that looks there."""

    should_start = False
    routes = {{}}

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {{"routespec": routespec, "target": target, "data": data}}
        said = json.dumps({{key: one["target"] for key, one in self.routes.items()}})
        # Whoever reads it meanwhile finds all of it.
        Path("routes.json.part").write_text(said)
        Path("routes.json.part").rename("routes.json")

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return self.routes


c = get_config()  # noqa: F821
c.JupyterHub.proxy_class = Direct
c.JupyterHub.bind_url = "http://127.0.0.1:{public}/"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.services = [{{"name": "tester", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [
    {{
        "name": "tester",
        "services": ["tester"],
        "scopes": ["admin:users", "admin:servers", "tokens", "access:servers"],
    }}
]
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", "--AutoML.data_dir={folder}/automl-{{username}}"]
folders = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"]
c.Spawner.env_keep = ["PATH", "PYTHONPATH", "LANG", *folders]
c.Spawner.notebook_dir = "{folder}"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}"
'''


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@dataclass(frozen=True)
class Hub:
    """A running JupyterHub."""

    api: httpx.Client
    folder: Path
    runtime: Path

    def server_of(self, name: str) -> httpx.Client:
        """Start the server of somebody, and speak to it as they do."""
        assert self.api.post(f"/users/{name}").status_code == 201
        assert self.api.post(f"/users/{name}/server").status_code in (201, 202)
        happens(lambda: (self.api.get(f"/users/{name}").json()["servers"].get("") or {}).get("ready"))
        token = self.api.post(f"/users/{name}/tokens", json={"note": "test"}).json()["token"]
        prefix = f"/user/{name}/"
        place = json.loads((self.folder / "routes.json").read_text())[prefix]
        headers = {"Authorization": f"token {token}"}
        return httpx.Client(base_url=f"{place}{prefix}", headers=headers, timeout=60)

    def target(self, path: str) -> tuple[str, int] | None:
        """Who answers to a path, as the hub has told its proxy."""
        routes = json.loads((self.folder / "routes.json").read_text())
        known = [spec for spec in routes if path.startswith(spec)]
        if not known:
            return None
        place = urlsplit(routes[max(known, key=len)])
        assert place.hostname is not None
        assert place.port is not None
        return place.hostname, place.port

    def kernel(self, server: httpx.Client) -> BlockingKernelClient:
        """Have a server start a kernel, and speak to it."""
        started = server.post("api/kernels", json={"name": "python3"})
        assert started.status_code == 201, started.text
        client = BlockingKernelClient(
            connection_file=str(self.runtime / f"kernel-{started.json()['id']}.json")
        )
        client.load_connection_file()
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        return client


def happens(what: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def hub(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder, runtime = tmp_path_factory.mktemp("hub"), tmp_path_factory.mktemp("hub-runtime")
    enabled = Path(environ["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.d"
    enabled.mkdir(parents=True, exist_ok=True)
    extension = {"ServerApp": {"jpserver_extensions": {"automl_jupyter": True}}}
    (enabled / "automl_jupyter.json").write_text(json.dumps(extension))
    public, port = free_ports(2)
    configuration = CONFIGURATION.format(public=public, hub=port, token=HUB_TOKEN, folder=folder)
    (folder / "jupyterhub_config.py").write_text(configuration)
    place = {**environ, "JUPYTER_RUNTIME_DIR": str(runtime), "HOME": str(folder)}
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(folder / "jupyterhub_config.py")],
            cwd=folder,
            env={**place, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])},
            stdout=log,
            stderr=log,
        )
    headers = {"Authorization": f"token {HUB_TOKEN}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/hub/api", headers=headers, timeout=60) as api:

        def answers() -> bool:
            assert process.poll() is None, (folder / "hub.log").read_text()[-3000:]
            try:
                return api.get("/users").status_code == 200
            except httpx.TransportError:
                return False

        happens(answers)
        yield Hub(api, folder, runtime)
    # On this signal it ends the servers that it started, and they their kernels.
    process.terminate()
    process.wait(60)


@pytest.fixture(scope="module")
def ada(hub: Hub) -> Iterator[httpx.Client]:
    """Somebody's server."""
    with hub.server_of("ada") as server:
        yield server


def said(client: BlockingKernelClient, code: str) -> str:
    """What a cell prints."""
    printed: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        content = message["content"]
        printed.append(content.get("text", "") or "\n".join(content.get("traceback", [])))

    client.execute_interactive(code, timeout=PATIENCE, output_hook=hear)
    return "".join(printed)


def test_a_notebook_finds_its_own_server_and_its_owner(hub: Hub, ada: httpx.Client) -> None:
    with hub.server_of("bob") as bob:
        assert ada.get("automl/api/user/").json()["username"] == "ada"
        kernel = hub.kernel(ada)
        try:
            begun = "%load_ext automl_jupyter\nfrom automl_jupyter.client import Client\n"
            told = said(kernel, f"{begun}with Client() as c: print(c.user().username, c.url)")
            assert told == f"ada {ada.base_url}\n"
            taken = "import pandas as pd\ntable = pd.DataFrame({'a': range(30), 'b': range(30)})\n"
            named = said(kernel, f"{taken}made = %automl upload table\nprint(made.name, made.rows)")
            assert named.endswith("table 30\n")
            opened = said(kernel, "from automl_jupyter import Panel\nprint(len(Panel().children) > 3)")
            assert opened.endswith("True\n")
        finally:
            kernel.stop_channels()
        assert ada.get("automl/api/datasets/", params={"limit": 1}).json()["items"][0]["name"] == "table"
        assert bob.get("automl/api/datasets/").json()["total"] == 0
        assert bob.get("automl/api/user/").json()["username"] == "bob"


@pytest.mark.skipif(not application.is_built(), reason="the application is not built")
def test_the_page_is_used_behind_the_login_of_the_hub(
    hub: Hub, ada: httpx.Client, browser: Browser, behind: Callable[..., str]
) -> None:
    outside = f"http://{behind(hub.target)}/user/ada/automl/"
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda told: complaints.append(told.text) if "Content Security" in told.text else None)

    def log_in() -> None:
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill("whatever")
        page.get_by_role("button", name="Sign in").click()

    page.goto(outside)
    log_in()
    app = page.locator(".am-app")
    drop = app.locator(".am-drop input")
    drop.wait_for()
    assert page.url.startswith(outside)
    table = "hour,late\n" + "".join(f"{hour},{'yes' if hour > 15 else 'no'}\n" for hour in range(5, 24))
    drop.set_input_files({"name": "seen.csv", "mimeType": "text/csv", "buffer": table.encode()})
    expect(app.get_by_role("heading", level=1, name="seen")).to_be_visible(timeout=PATIENCE * 1000)
    expect(app).to_contain_text("19 rows × 2 columns")
    names = [item["name"] for item in ada.get("automl/api/datasets/").json()["items"]]
    assert "seen" in names
    # Whose login has expired comes back to where they were.
    context.clear_cookies()
    app.get_by_role("link", name="Train", exact=True).click()
    app.get_by_role("button", name="Start the training", exact=True).click()
    app.get_by_role("link", name="Log in").first.click()
    log_in()
    app.get_by_role("heading", level=1, name="Train a model").wait_for()
    app.get_by_role("link", name="About", exact=True).click()
    expect(app.locator(".am-pairs")).to_contain_text("ada")
    assert complaints == []
    context.close()
