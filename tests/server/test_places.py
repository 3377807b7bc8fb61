"""The same product wherever it stands: below another base URL, under JupyterLab, in French."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from automl_jupyter.server import application

pytestmark = pytest.mark.slow

BASE = "/user/ada%20b/"


@pytest.fixture(scope="module")
def hub_like(start_server, tmp_path_factory) -> Iterator[object]:
    """A server where JupyterHub would put it."""
    running = start_server(
        tmp_path_factory.mktemp("hub"), "--IdentityProvider.token=secret", f"--ServerApp.base_url={BASE}"
    )
    yield running
    running.stop()


@pytest.fixture(scope="module")
def ada(hub_like) -> Iterator[httpx.Client]:
    with hub_like.client("secret") as client:
        yield client


def test_everything_stands_below_the_base_url(ada, table):
    assert ada.get("/automl/api/user/").status_code == 404
    assert ada.get(f"{BASE}automl/api/user/").json()["username"] == "local"
    made = ada.post(f"{BASE}automl/api/upload/", content=table, headers={"Content-Type": "text/csv"})
    assert made.status_code == 201
    assert made.headers["location"].startswith(f"{BASE}automl/api/datasets/")
    assert ada.get(made.headers["location"]).json()["id"] == made.json()["id"]
    assert ada.get(f"{BASE}automl/api/openapi.json").json()["servers"] == [{"url": f"{BASE}automl"}]


@pytest.mark.parametrize("path", ["", "csv/", "api/docs/"])
def test_pages_link_below_the_base_url(path, ada):
    page = ada.get(f"{BASE}automl/{path}")
    assert page.status_code == 200
    links = [part.split('"')[0] for part in page.text.split('href="')[1:]]
    assert links
    assert all(link.startswith((f"{BASE}automl/", f"{BASE}static/automl/", "#")) for link in links)


@pytest.mark.parametrize("path", ["", "csv/", "api/docs/"])
@pytest.mark.parametrize(("language", "word"), [("en", "Home"), ("fr", "Accueil")])
def test_pages_speak_the_readers_language_and_run_no_scripts_but_the_applications(path, language, word, ada):
    page = ada.get(f"{BASE}automl/{path}", headers={"Accept-Language": language})
    assert f'<html lang="{language}">' in page.text
    assert word in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    scripts = re.findall("<script[^>]*>", page.text)
    if path == "" and application.is_built():
        assert len(scripts) == 1
        assert f'src="{BASE}static/automl/page.js?v=' in scripts[0]
        nonce = re.search('nonce="([^"]*)"', scripts[0]).group(1)
        assert f"; script-src 'nonce-{nonce}';" in policy
        # Nobody can know what the next page will be known by.
        assert len(nonce) >= 22
        assert f"'nonce-{nonce}'" not in ada.get(f"{BASE}automl/").headers["content-security-policy"]
    else:
        assert not scripts
        assert "script-src" not in policy


def test_the_applications_files_are_there_for_whoever_loads_the_page(ada):
    if not application.is_built():
        pytest.skip("the application is not built")
    for name in application.files().values():
        answer = ada.get(f"{BASE}static/automl/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] in (
            "application/javascript",
            "text/javascript",
            "text/css",
        )


def test_a_last_slash_may_be_left_out(ada):
    for path in ("api/user", "api/datasets", "csv", "api/docs"):
        assert ada.get(f"{BASE}automl/{path}").status_code == 200


def test_names_and_cells_are_never_html(ada):
    nasty = b"<img src=x onerror=alert(1)>,b\n<script>alert(2)</script>,1\n<b>x</b>,2\n"
    made = ada.post(
        f"{BASE}automl/api/upload/",
        params={"filename": "<svg onload=alert(3)>.csv"},
        content=nasty,
        headers={"Content-Type": "text/csv"},
    )
    assert made.status_code == 201, made.text
    page = ada.get(f"{BASE}automl/csv/", params={"dataset": made.json()["id"]}).text
    for danger in ("<img src=x", "<script>", "<svg onload"):
        assert danger not in page
    assert "&lt;script&gt;" in page


def test_an_error_of_a_page_is_a_page(ada):
    page = ada.get(f"{BASE}automl/csv/", params={"dataset": "none"}, headers={"Accept-Language": "fr"})
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert 'role="alert"' in page.text
    assert "{" not in page.text.split('role="alert">')[1].split("<")[0]


def test_a_method_that_is_not_there_says_which_are(ada):
    answer = ada.put(f"{BASE}automl/api/jobs/")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "OPTIONS"}
    assert answer.json()["code"] == "server.method_not_allowed"
