"""Jupyter's own provider: one person behind token and cookie, and protection against forged requests."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from automl_jupyter.server.routes import ROUTES

pytestmark = pytest.mark.slow

READS = [r.path for r in ROUTES if "get" in r.operations and "{" not in r.path]
WRITES = {
    "/api/uploads/": ({"filename": "a.csv"}, 201),
    "/api/models/none/promote/": ({"version": 1}, 404),
    "/api/jobs/none/cancel/": (None, 404),
    "/api/train/none/": ({"target": "a"}, 404),
    "/api/predict/none/": ({"rows": [{"a": 1}]}, 404),
}


@pytest.fixture(scope="module")
def shared(start_server, tmp_path_factory) -> Iterator[object]:
    running = start_server(tmp_path_factory.mktemp("shared"), "--IdentityProvider.token=secret")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser(shared) -> Iterator[httpx.Client]:
    """A client with Jupyter's login cookie and no token, as a browser is after the login."""
    with shared.client(None) as client:
        client.get("/login")
        form = {"password": "secret", "_xsrf": client.cookies["_xsrf"]}
        answer = client.post("/login", data=form)
        assert answer.status_code == 302
        yield client


@pytest.mark.parametrize("path", READS)
def test_token_and_cookie_read_the_same_routes(path, shared, browser):
    with shared.client("secret") as scripted:
        assert scripted.get("/automl" + path).status_code == 200
    referer = {"Referer": f"{shared.base}/lab"}
    assert browser.get("/automl" + path, headers=referer).status_code == 200


@pytest.mark.parametrize("path", WRITES)
def test_a_cookie_needs_the_xsrf_header(path, browser):
    body, expected = WRITES[path]
    forged = browser.post("/automl" + path, json=body)
    assert forged.status_code == 403
    assert forged.json()["code"] == "server.xsrf"
    meant = browser.post("/automl" + path, json=body, headers={"X-XSRFToken": browser.cookies["_xsrf"]})
    assert meant.status_code == expected, meant.text


def test_an_upload_with_a_cookie_needs_the_xsrf_header_before_a_byte_is_kept(browser, table, shared):
    headers = {"Content-Type": "text/csv"}
    assert browser.post("/automl/api/upload/", content=table, headers=headers).status_code == 403
    assert not list((shared.data_dir / "spool").rglob("*.part"))
    headers["X-XSRFToken"] = browser.cookies["_xsrf"]
    assert browser.post("/automl/api/upload/", content=table, headers=headers).status_code == 201


def test_token_and_cookie_are_the_same_person(shared, browser):
    with shared.client("secret") as scripted:
        first = scripted.get("/automl/api/user/").json()
        again = scripted.get("/automl/api/user/").json()
    assert first["username"] == again["username"] == "local"
    assert browser.get("/automl/api/user/").json()["username"] == "local"
    assert first["roles"] == ["user", "admin"]


def test_the_form_page_uploads_and_trains_without_scripts(browser, table):
    page = browser.get("/automl/csv/").text
    assert "<script" not in page
    action = page.split('action="')[1].split('"')[0].replace("&amp;", "&")
    answer = browser.post(
        action, files={"file": ("people.csv", table, "text/csv")}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 303, answer.text
    shown = browser.get(answer.headers["location"])
    assert "people" in shown.text
    assert "bought" in shown.text
