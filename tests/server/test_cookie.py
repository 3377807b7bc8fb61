"""Jupyter's own provider: one person behind token and cookie, and protection against forged requests."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from automl_jupyter.server.handlers.pages import PageHandler
from automl_jupyter.server.routes import ROUTES

pytestmark = pytest.mark.slow

READS = [r.path for r in ROUTES if "get" in r.operations]
CHANGES = [
    pytest.param(route, verb, id=f"{verb.upper()} {route.path}")
    for route in ROUTES
    for verb in route.operations
    if verb not in ("get", "head")
]
# What makes sense, where an empty body does not; whatever has an id is not there.
BODIES = {
    "/api/models/{name}/charts/": {"rows": [{"a": 1}]},
    "/api/uploads/": {"filename": "a.csv"},
    "/api/models/{name}/promote/": {"version": 1},
    "/api/models/{name}/explain/": {"rows": [{"a": 1}]},
    "/api/predict/{name}/": {"rows": [{"a": 1}]},
    "/api/test-model/{dataset_id}/{model}/": {"rows": [{"a": 1}]},
}
QUERIES = {
    "/api/models/{name}/dependence/": {"column": "a"},
    "/api/models/{name}/compare/": {"versions": "1,2"},
}
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY")


def nowhere(path: str) -> str:
    """A path whose ids belong to nothing."""
    return "/automl" + re.sub(r"\{\w+\}", "none", path)


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
@pytest.mark.parametrize("slash", ["/", ""])
def test_token_and_cookie_read_the_same_routes(path, slash, shared, browser):
    url, query = nowhere(path).rstrip("/") + slash, QUERIES.get(path)
    with shared.client("secret") as scripted:
        answer = scripted.get(url, params=query)
    assert answer.status_code == (404 if "{" in path else 200)
    referer = {"Referer": f"{shared.base}/lab"}
    assert browser.get(url, params=query, headers=referer).status_code == answer.status_code


@pytest.mark.parametrize(("route", "verb"), CHANGES)
def test_a_cookie_needs_the_xsrf_header(route, verb, shared, browser):
    url, body = nowhere(route.path), BODIES.get(route.path, {})
    forged = browser.request(verb.upper(), url, json=body)
    assert forged.status_code == 403
    if not issubclass(route.handler, PageHandler):
        assert forged.json()["code"] == "server.xsrf"
    told = {"X-XSRFToken": browser.cookies["_xsrf"], "Upload-Offset": "0"}
    meant = browser.request(verb.upper(), url, json=body, headers=told)
    with shared.client("secret") as scripted:
        scripted.headers["Upload-Offset"] = "0"
        same = scripted.request(verb.upper(), url, json=body)
    assert meant.status_code == same.status_code, meant.text
    assert meant.status_code != 403
    if "{" in route.path:
        assert meant.status_code == 404, meant.text


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
@pytest.mark.parametrize("slash", ["/", ""])
def test_a_method_that_a_route_does_not_have_is_told_which_it_has(route, slash, shared, browser):
    url = nowhere(route.path).rstrip("/") + slash
    told = {"X-XSRFToken": browser.cookies["_xsrf"], "Referer": f"{shared.base}/lab"}
    has = {verb.upper() for verb in route.operations}
    with shared.client("secret") as scripted:
        for method in set(VERBS) - has:
            for answer in (scripted.request(method, url), browser.request(method, url, headers=told)):
                assert answer.status_code == 405, method
                assert set(answer.headers["Allow"].split(", ")) == {*has, "OPTIONS"}
                if method != "HEAD" and not issubclass(route.handler, PageHandler):
                    assert answer.json()["code"] == "server.method_not_allowed"


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
