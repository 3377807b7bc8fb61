"""Every route, asked by nobody, by someone who may not, by someone who may, and by somebody else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from automl_jupyter.server.routes import ROUTES, Route

pytestmark = pytest.mark.slow

OPERATIONS = [(route, verb) for route in ROUTES for verb in route.operations]
NAMES = [f"{verb.upper()} {route.path}" for route, verb in OPERATIONS]
PUBLIC_METRICS = "/api/monitoring/metrics/"
QUERIES = {
    "/api/models/{name}/dependence/": {"column": "age"},
    "/api/models/{name}/compare/": {"versions": "1,1"},
}
BODIES = {
    "/api/models/{name}/charts/": {"rows": [{"age": 40, "city": "Paris", "since": "2024-01-01"}]},
    "/api/models/{name}/explain/": {"rows": [{"age": 40, "city": "Paris", "since": "2024-01-01"}]},
    "/api/uploads/": {"filename": "a.csv"},
    "/api/train/{dataset_id}/": {"target": "bought", "time_budget": 5, "name": "customers"},
    "/api/datasets/{dataset_id}/reread/": {"decimal": "."},
    "/api/models/{name}/promote/": {"version": 1},
    "/api/predict/{name}/": {"rows": [{"age": 40, "city": "Paris", "since": "2024-01-01"}]},
    "/api/test-model/{dataset_id}/{model}/": {"rows": [{"age": 40, "city": "Paris", "since": "2024-01-01"}]},
}
# What the right person is answered where it is not a plain success: the state of things does not allow it.
STATES = {
    ("post", "/api/jobs/{job_id}/stop/"): 409,
    ("post", "/api/jobs/{job_id}/cancel/"): 409,
    ("post", "/api/jobs/{job_id}/resume/"): 409,
    ("post", "/api/models/{name}/rollback/"): 409,
    ("post", "/csv/"): 404,
    ("post", "/csv/{dataset_id}/reread/"): 303,
    ("patch", "/api/uploads/{upload_id}/"): 200,
    ("delete", "/api/datasets/{dataset_id}/"): 409,
}
CHANGES = {
    ("delete", "/api/models/{name}/"),
    ("delete", "/api/uploads/{upload_id}/"),
    ("post", "/api/train/{dataset_id}/"),
}


def path_of(route: Route, world: object) -> str:
    values = {
        "dataset_id": world.dataset,
        "job_id": world.job,
        "name": world.model,
        "model": world.model,
        "upload_id": world.upload,
    }
    return "/automl" + re.sub(r"\{(\w+)\}", lambda found: values[found[1]], route.path)


def ask(client: httpx.Client, route: Route, verb: str, world: object) -> httpx.Response:
    headers, content, json = {}, None, BODIES.get(route.path) if verb == "post" else None
    if route.path == "/api/upload/":
        headers, content = {"Content-Type": "text/csv"}, b"a,b\n1,2\n3,4\n"
    if verb == "patch":
        headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        content = b""
    if route.path == "/csv/{dataset_id}/reread/":
        headers, content = {"Content-Type": "application/x-www-form-urlencoded"}, b"decimal=point"
    if route.path == "/csv/" and verb == "post":
        headers, content = {"Content-Type": "application/x-www-form-urlencoded"}, b"dataset=none&target=a"
    return client.request(
        verb.upper(),
        path_of(route, world),
        params=QUERIES.get(route.path),
        headers=headers,
        content=content,
        json=json,
    )


@pytest.fixture(scope="module")
def clients(server) -> Iterator[dict[str, httpx.Client]]:
    people = {name: server.client(f"{name}-token") for name in ("alice", "bob", "mallory", "reader", "root")}
    people["nobody"] = server.client(None)
    yield people
    for client in people.values():
        client.close()


@pytest.mark.parametrize(("route", "verb"), OPERATIONS, ids=NAMES)
def test_nobody_gets_in(route, verb, clients, world):
    answer = ask(clients["nobody"], route, verb, world)
    if route.handler.__name__.endswith(("HomeHandler", "FilesHandler", "DocsHandler")) and verb == "get":
        assert answer.status_code == 302
        assert "/login" in answer.headers["location"]
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize(("route", "verb"), OPERATIONS, ids=NAMES)
def test_who_may_not_is_refused(route, verb, clients, world):
    answer = ask(clients["mallory"], route, verb, world)
    assert answer.status_code == 403
    if verb != "head" and "html" not in answer.headers["content-type"]:
        assert answer.json()["code"] == "server.forbidden"


@pytest.mark.parametrize(("route", "verb"), OPERATIONS, ids=NAMES)
def test_a_reader_changes_nothing(route, verb, clients, world):
    answer = ask(clients["reader"], route, verb, world)
    if verb in ("get", "head") and verb != "head":
        assert answer.status_code in (200, 202, 403, 404)
        assert (answer.status_code == 403) == (route.path == PUBLIC_METRICS)
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("route", "verb"),
    [pair for pair in OPERATIONS if (pair[1], pair[0].path) not in CHANGES],
    ids=[n for n, pair in zip(NAMES, OPERATIONS, strict=True) if (pair[1], pair[0].path) not in CHANGES],
)
def test_who_may_is_answered(route, verb, clients, world):
    who = "root" if route.path == PUBLIC_METRICS else "alice"
    answer = ask(clients[who], route, verb, world)
    expected = STATES.get((verb, route.path))
    if expected is None:
        assert answer.is_success, answer.text
    else:
        assert answer.status_code == expected, answer.text


@pytest.mark.parametrize(
    ("route", "verb"),
    [pair for pair in OPERATIONS if "{" in pair[0].path],
    ids=[n for n, pair in zip(NAMES, OPERATIONS, strict=True) if "{" in pair[0].path],
)
def test_what_belongs_to_somebody_else_is_not_there(route, verb, clients, world):
    answer = ask(clients["bob"], route, verb, world)
    assert answer.status_code == 404
    if verb != "head":
        assert "alice" not in answer.text


@pytest.mark.parametrize("path", ["datasets", "jobs", "models"])
def test_lists_hold_the_callers_own(path, clients, world):
    assert clients["bob"].get(f"/automl/api/{path}/").json()["total"] == 0
    assert clients["alice"].get(f"/automl/api/{path}/").json()["total"] >= 1


def test_names_are_each_persons_own(clients, world):
    assert clients["alice"].get("/automl/api/user/").json()["username"] == "alice"
    assert clients["bob"].get("/automl/api/user/").json()["display_name"] == "Bob"


@pytest.mark.parametrize("kind", ["Bearer", "token"])
def test_the_metrics_token_opens_the_metrics_and_nothing_else(kind, clients):
    headers = {"Authorization": f"{kind} measure"}
    nobody = clients["nobody"]
    assert nobody.get("/automl" + PUBLIC_METRICS, headers=headers).status_code == 200
    assert nobody.get("/automl/api/jobs/", headers=headers).status_code == 403
    assert (
        nobody.get("/automl" + PUBLIC_METRICS, headers={"Authorization": f"{kind} guess"}).status_code == 403
    )


def test_administrators_alone_see_everybodys_metrics(clients):
    assert clients["root"].get("/automl" + PUBLIC_METRICS).status_code == 200
    refused = clients["alice"].get("/automl" + PUBLIC_METRICS)
    assert refused.status_code == 403
    assert refused.json()["code"] == "server.administrators_only"
