"""Which server is found, from what is said, what the environment says and what is running."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from automl_jupyter.client.discovery import Server, find_server, language_of
from automl_jupyter.errors import Malformed, Unavailable

Announce = Callable[..., None]


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runtime"
    folder.mkdir()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture
def announce(runtime: Path) -> Announce:
    """Leave in the runtime folder what a running server leaves there."""

    def write(
        port: int, root: Path, *, pid: int | None = None, age: float = 0.0, sock: str = "", base: str = "/"
    ) -> None:
        pid = pid or os.getpid()
        info = {
            "base_url": base,
            "hostname": "localhost",
            "password": False,
            "pid": pid,
            "port": port,
            "root_dir": str(root),
            "secure": False,
            "sock": sock,
            "token": f"token-{port}",
            "url": f"http://localhost:{port}{base}",
            "version": "2.21.1",
        }
        # One process stands for several servers here, so that the file's own name tells them apart.
        file = runtime / f"jpserver-{port}.json"
        file.write_text(json.dumps(info))
        stamp = file.stat().st_mtime - age
        os.utime(file, (stamp, stamp))

    return write


def test_an_address_and_a_token_are_taken_as_they_are() -> None:
    assert find_server("http://box:9000/base", "secret", environ={}) == Server(
        "http://box:9000/base/", "secret"
    )


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://localhost:8888/lab?token=abc", "http://localhost:8888/"),
        ("http://localhost:8888/tree/data?token=abc", "http://localhost:8888/"),
        ("https://hub.example/user/ada/lab/tree/x.ipynb?token=abc", "https://hub.example/user/ada/"),
        ("localhost:8888/?token=abc", "http://localhost:8888/"),
        ("http://localhost:8888/automl/?token=abc", "http://localhost:8888/"),
    ],
)
def test_an_address_copied_from_the_browser_works(url: str, base: str) -> None:
    assert find_server(url, environ={}) == Server(base, "abc")


@pytest.mark.parametrize("url", ["ftp://box/", "http://", "http://box:port/", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Malformed, match="not the address"):
        find_server(url, environ={})


def test_jupyterhub_tells_its_servers_where_they_are() -> None:
    environ = {
        "JUPYTERHUB_API_TOKEN": "hub-token",
        "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:41111/user/ada/",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/",
    }
    assert find_server(environ=environ) == Server("http://127.0.0.1:41111/user/ada/", "hub-token")


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("name", ["JUPYTER_SERVER_URL", "JUPYTER_URL"])
def test_the_environment_can_name_a_server(name: str) -> None:
    environ = {name: "http://localhost:7777", "JUPYTER_TOKEN": "secret"}
    assert find_server(environ=environ) == Server("http://localhost:7777/", "secret")


def test_a_terminal_in_jupyterlab_knows_the_address_and_the_runtime_folder_the_token(
    announce: Announce, tmp_path: Path
) -> None:
    announce(7001, tmp_path)
    announce(7002, tmp_path, age=60)
    environ = {"JUPYTER_SERVER_URL": "http://127.0.0.1:7002/"}
    assert find_server(environ=environ) == Server("http://127.0.0.1:7002/", "token-7002")


def test_a_token_is_never_sent_to_another_server(announce: Announce, tmp_path: Path) -> None:
    announce(7001, tmp_path)
    environ = {
        "JUPYTER_URL": "http://localhost:7777",
        "JUPYTER_TOKEN": "secret",
        "JUPYTERHUB_API_TOKEN": "hub-token",
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:41111/",
    }
    assert find_server("http://elsewhere:7777/", environ=environ) == Server("http://elsewhere:7777/", None)


def test_the_token_of_a_running_server_is_found_by_its_address(announce: Announce, tmp_path: Path) -> None:
    announce(7001, tmp_path)
    assert find_server("http://127.0.0.1:7001", environ={}).token == "token-7001"


def test_the_server_whose_folder_holds_the_working_directory_wins(
    announce: Announce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "project" / "notebooks"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    announce(7001, tmp_path / "elsewhere")
    announce(7002, tmp_path / "project", age=50)
    announce(7003, tmp_path, age=20)
    found = find_server(environ={})
    assert (found.url, found.token) == ("http://localhost:7002/", "token-7002")
    assert found.others == ("http://localhost:7003/", "http://localhost:7001/")


def test_among_equals_the_newest_wins(
    announce: Announce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for port, age in ((7001, 90), (7002, 10), (7003, 50)):
        announce(port, tmp_path / "elsewhere", age=age)
    assert find_server(environ={}).url == "http://localhost:7002/"


def test_a_kernel_finds_the_server_that_started_it(announce: Announce, tmp_path: Path) -> None:
    announce(7001, tmp_path)
    announce(7002, tmp_path / "elsewhere", age=99, pid=os.getppid())
    assert find_server(environ={"JPY_PARENT_PID": str(os.getppid())}).url == "http://localhost:7002/"


def test_what_a_dead_server_left_behind_is_overlooked(
    announce: Announce, runtime: Path, tmp_path: Path
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    announce(7001, tmp_path, pid=gone.pid)
    (runtime / "jpserver-9.json").write_text("{")
    (runtime / "jpserver-10.json").write_text('{"pid": 1}')
    (runtime / "jpserver-11.json").write_text("[]")
    announce(7002, tmp_path, age=60)
    assert find_server(environ={}).url == "http://localhost:7002/"


def test_a_server_on_a_unix_socket_is_reached_through_it(announce: Announce, tmp_path: Path) -> None:
    announce(0, tmp_path, sock="/run/user/1000/jupyter.sock", base="/base/")
    found = find_server(environ={})
    assert (found.url, found.socket) == ("http://localhost/base/", "/run/user/1000/jupyter.sock")


@pytest.mark.usefixtures("runtime")
def test_without_a_server_the_person_is_told_what_to_do() -> None:
    with pytest.raises(Unavailable, match="jupyter lab"):
        find_server(environ={})


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LC_ALL": "fr_FR.UTF-8", "LANG": "en_US.UTF-8"}, "fr-FR"),
        ({"LANG": "fr_CA"}, "fr-CA"),
        ({"LC_ALL": "C", "LANG": "fr_FR"}, "en"),
        ({"LC_ALL": "", "LANG": "fr_FR.UTF-8"}, "fr-FR"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_environments(environ: dict[str, str], language: str) -> None:
    assert language_of(environ) == language
