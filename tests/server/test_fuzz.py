"""Nonsense in: bodies, files, parameters, headers, broken HTTP: refused in our shape, never with 500."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from urllib.parse import quote_from_bytes, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from automl_jupyter import messages, schemas
from automl_jupyter.server.routes import CSV, FORM, ROUTES, Operation, Route

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

PATIENCE = 30.0
"""Seconds within which the worst of bodies is refused on a busy machine; usual are milliseconds."""

OPERATIONS = [(route, verb, operation) for route in ROUTES for verb, operation in route.operations.items()]


def those(wanted) -> list:
    return [
        pytest.param(route, verb, operation, id=f"{verb.upper()} {route.path}")
        for route, verb, operation in OPERATIONS
        if wanted(operation)
    ]


JSON_BODIES = those(lambda operation: operation.body is not None)
FILE_BODIES = those(lambda operation: CSV in operation.media)
PARAMETERS = those(lambda operation: operation.query or operation.headers)


def run(examples: int, test, **strategies: st.SearchStrategy) -> None:
    """Try a property on so many inputs, the same ones each time."""
    usual = settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    usual(given(**strategies)(test))()


@pytest.fixture(scope="module")
def client(ground) -> Iterator[httpx.Client]:
    with ground.server.client("alice-token") as asking:
        yield asking


@pytest.fixture(autouse=True)
def nothing_left(ground, client) -> Iterator[None]:
    """No job goes on, and the server had no accident."""
    begin = ground.server.log.stat().st_size
    yield
    for job in client.get("/automl/api/jobs/").json()["items"]:
        if job["state"] in ("queued", "running"):
            client.post(f"/automl/api/jobs/{job['id']}/cancel/")
    accidents = [
        line
        for line in ground.server.log.read_bytes()[begin:].decode(errors="replace").splitlines()
        if " 500 " in line or "Uncaught exception" in line
    ]
    assert not accidents, accidents[:3]


def path_of(route: Route, ground) -> str:
    return "/automl" + re.sub(r"\{(\w+)\}", lambda found: ground.ids[found[1]], route.path)


def judge(answer: httpx.Response, operation: Operation, *, valid: bool) -> None:
    """An answer that the contract knows; a refusal tells a person and a program what is wrong."""
    assert answer.elapsed.total_seconds() < PATIENCE
    known = {400, 403, *operation.answers, *operation.refusals}
    assert answer.status_code in known, (answer.status_code, answer.text[:500])
    if answer.status_code < 400:
        assert valid, "what makes no sense was taken"
    elif "html" not in answer.headers["content-type"] and answer.request.method != "HEAD":
        told = answer.json()
        assert told.keys() == schemas.ErrorBody.model_fields.keys()
        body = schemas.ErrorBody.model_validate(told)
        assert len(answer.content) < 100_000
        for code, sentence in [(body.code, body.message), *((e.code, e.message) for e in body.errors)]:
            assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", code)
            assert sentence
            assert sentence != code


# --- JSON

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, 2**63, -(2**64), 10**400, -1, 0]),
    st.floats(),
    st.text(max_size=20),
    st.text(st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), min_size=1, max_size=2),
    st.sampled_from(["", " ", "\x00", "a/../b", "..", "é" * 300, "1", "true", "NaN", "%00", "{}"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
ENTITIES = st.sampled_from(
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{",
        b"}",
        b'{"a"',
        b"nul",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 100_000,
        b'"' + b"x" * 900_000 + b'"',
        b"{" + b",".join(b'"k%d":1' % n for n in range(50_000)) + b"}",
        b'{"a":1,"a":2}',
        b"NaN",
        b"-Infinity",
        b'{"rows":[{"a":NaN}]}',
        b'{"rows":[{"a":Infinity}]}',
        b'{"rows":[{"a":1e999}]}',
        b'{"version":NaN}',
        b'{"time_budget":Infinity}',
        b'{"target":"\\ud800"}',
        b"<a/>",
        b"a=1",
    ]
)
CONTENT_TYPES = st.sampled_from(
    ["application/json"] * 6
    + [
        "",
        "text/plain",
        "application/json; charset=utf-16",
        "application/xml",
        "json",
        "APPLICATION/JSON",
        "é",
    ]
)


def bodies_of(model: type) -> st.SearchStrategy[bytes]:
    """JSON that resembles what is asked for: its fields with other values, others beside them, and worse."""
    names = st.sampled_from(sorted(model.model_fields)) | st.text(max_size=8)
    resembling = st.dictionaries(names, VALUES, max_size=4)
    return st.one_of((resembling | VALUES).map(lambda value: json.dumps(value).encode()), ENTITIES)


def accepted(model: type, body: bytes) -> bool:
    try:
        model.model_validate_json(body or b"{}")
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(("route", "verb", "operation"), JSON_BODIES)
def test_any_json(route, verb, operation, ground, client, fuzz_examples, tally):
    url = path_of(route, ground)

    def ask(body: bytes, kind: str) -> None:
        tally["JSON bodies"] += 1
        answer = client.request(
            verb.upper(), url, content=body, headers={"Content-Type": kind.encode("latin-1")}
        )
        # Where a file may come as well, other types of content are files.
        file = CSV in operation.media and kind != "application/json"
        judge(answer, operation, valid=file or accepted(operation.body, body))
        if answer.status_code == 202:
            client.post(f"/automl/api/jobs/{answer.json()['id']}/cancel/")

    run(fuzz_examples(40), ask, body=bodies_of(operation.body), kind=CONTENT_TYPES)


# The two routes that predict read the same object in the same way: one of them is enough.
@pytest.mark.parametrize(
    ("route", "verb", "operation"),
    [param for param in JSON_BODIES if not param.values[0].path.startswith("/api/test-model/")],
)
def test_a_body_with_millions_of_problems_is_refused_at_once(route, verb, operation, ground, client):
    heads = {"Content-Type": "application/json"}
    # Each as long as the longest body that is taken anywhere.
    for body in (
        b"{" + b",".join(b'"k%d":[]' % n for n in range(1_200_000)) + b"}",
        b'{"rows":[{' + b",".join(b'"k%d":[]' % n for n in range(1_200_000)) + b"}]}",
        b'{"rows":[' + b",".join([b"1"] * 8_000_000) + b"]}",
        b'{"rows":[' + b",".join([b'{"a":{}}'] * 1_500_000) + b"]}",
    ):
        answer = client.request(verb.upper(), path_of(route, ground), content=body, headers=heads)
        assert answer.status_code in (400, 404, 413)
        judge(answer, operation, valid=False)


# --- files

CELLS = st.one_of(
    st.integers(-99, 99).map(str),
    st.sampled_from(["Paris", "", "2024-01-02", "yes", '"', '"a\nb"', "=1+1", "1,5", "\x00", "\ufeff"]),
    st.text(max_size=6),
)
TABLES = st.builds(
    lambda rows, comma, code: "\n".join(comma.join(row) for row in rows).encode(code, "replace"),
    st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-16", "latin-1", "utf-8-sig"]),
)
FILES = st.one_of(
    TABLES,
    st.binary(max_size=80),
    TABLES.map(lambda table: b"age,city,since\n" + table),
    st.sampled_from(
        [b"", b"\n", b"a", b"a,b\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"\x00" * 99]
    ),
)
FILE_TYPES = st.sampled_from(
    ["text/csv", "text/plain", "text/csv; charset=x", "application/octet-stream", "image/png"]
)
NAMES = st.one_of(
    st.text(max_size=20), st.sampled_from(["", "/", "..", "a/b.csv", "a" * 400, "a\x00.csv", '"'])
)


def form(name: str, filename: str, data: bytes, *, ending: bytes = b"\r\n--b--\r\n") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
    return head.encode("utf-8", "surrogatepass") + data + ending


FORMS = st.one_of(
    st.builds(form, st.just("file"), NAMES, FILES),
    st.builds(form, st.text(max_size=5), NAMES, FILES),
    st.builds(lambda name, data: form("file", name, data, ending=b""), NAMES, FILES),
    st.builds(lambda data: form("other", "", data, ending=b"\r\n") + form("file", "a.csv", data), FILES),
    st.binary(max_size=60),
    st.sampled_from([b"", b"--b--\r\n", b"--b\r\n\r\n--b--", b"--b\r\n" + b"a: b\r\n" * 5000]),
)
BOUNDARIES = st.sampled_from(
    ["; boundary=b"] * 6 + ["", "; boundary=", "; boundary=c", '; boundary="', "; boundary=" + "b" * 300]
)


@pytest.mark.parametrize(("route", "verb", "operation"), FILE_BODIES)
def test_any_file(route, verb, operation, ground, client, fuzz_examples, tally):
    url = path_of(route, ground)

    def ask(data: bytes, kind: str, name: str) -> None:
        tally["files"] += 1
        asked = (
            {"filename": name.encode("utf-8", "replace").decode()} if "filename" in operation.query else {}
        )
        answer = client.post(url, content=data, headers={"Content-Type": kind}, params=asked)
        judge(answer, operation, valid=True)

    run(fuzz_examples(25), ask, data=FILES, kind=FILE_TYPES, name=NAMES)


@pytest.mark.parametrize(("route", "verb", "operation"), FILE_BODIES)
def test_any_form(route, verb, operation, ground, client, fuzz_examples, tally):
    url = path_of(route, ground)

    def ask(body: bytes, boundary: str) -> None:
        tally["forms"] += 1
        answer = client.post(url, content=body, headers={"Content-Type": FORM + boundary})
        judge(answer, operation, valid=True)

    run(fuzz_examples(25), ask, body=FORMS, boundary=BOUNDARIES)


def test_any_piece(ground, client, fuzz_examples, tally):
    route = next(route for route in ROUTES if route.path == "/api/uploads/{upload_id}/")
    operation = route.operations["patch"]

    def ask(size: int | None, data: bytes, offset: str, last: str) -> None:
        tally["pieces"] += 1
        begun = client.post("/automl/api/uploads/", json={"filename": "a.csv", "size": size}).json()["id"]
        heads = {"Upload-Offset": offset.encode("latin-1"), "Upload-Complete": last, "Content-Type": "a/b"}
        answer = client.patch(f"/automl/api/uploads/{begun}/", content=data, headers=heads)
        judge(answer, operation, valid=offset == "0")
        client.delete(f"/automl/api/uploads/{begun}/")

    run(
        fuzz_examples(40),
        ask,
        size=st.none() | st.integers(0, 80),
        data=FILES,
        offset=st.sampled_from(["0"] * 5 + ["1", "-1", "²", "9" * 5000, "", "0x0", "1e1", "99999999999"]),
        last=st.sampled_from(["?0", "?1", "", "yes"]),
    )


# --- parameters and headers

TEXTS = st.one_of(
    st.integers().map(lambda n: str(n).encode()),
    st.binary(max_size=12),
    st.text(max_size=12).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from(
        [b"", b"0", b"1", b"true", b"\xc2\xb2", "٣".encode(), b"9" * 5000, b"\x00", b"bought", b"1.0"]
    ),
)
HEADER_TEXTS = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20),
    st.sampled_from(
        ["fr", "fr;q=x", "fr-CA,en;q=0.5", "*", ";", ",", "²", "9" * 5000, "-1", "0", "text/html"]
    ),
)
HEADERS = ("Accept-Language", "Last-Event-ID", "Upload-Offset", "Upload-Complete", "Content-Type", "Accept")


@pytest.mark.parametrize(("route", "verb", "operation"), PARAMETERS)
def test_any_parameter(route, verb, operation, ground, client, fuzz_examples, tally):
    # What deletes is asked about something that is not there.
    ids = {} if verb == "delete" else ground.ids
    url = "/automl" + re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], "none"), route.path)
    names = st.sampled_from([*operation.query, "unknown", "limit"])

    def ask(query: dict[str, bytes], headers: dict[str, str]) -> None:
        tally["parameters and headers"] += 1
        asked = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in query.items())
        heads = {name: value.strip().encode("latin-1") for name, value in headers.items()}
        answer = client.request(verb.upper(), f"{url}?{asked}", headers=heads)
        judge(answer, operation, valid=True)

    run(
        fuzz_examples(25),
        ask,
        query=st.dictionaries(names, TEXTS, max_size=3),
        headers=st.dictionaries(st.sampled_from(HEADERS), HEADER_TEXTS, max_size=3),
    )


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_refusal_is_in_the_readers_language(language, ground, client):
    answer = client.post("/automl/api/train/none/", json={"target": 1}, headers={"Accept-Language": language})
    told = answer.json()
    assert told["message"] == messages.render(told["code"], told["params"], language)


# --- broken HTTP


def raw(ground, head: str, body: bytes, *, shut: bool = True) -> bytes:
    """Send bytes as they are; what came back until the server closed or the answer was complete."""
    place = urlsplit(ground.server.base)
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as connection:
        request = f"{head}\r\nHost: 127.0.0.1\r\nAuthorization: token alice-token\r\n"
        connection.sendall(request.encode("latin-1") + body)
        if shut:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
            if not shut and b"\r\n\r\n" in received:
                break
        return received


BROKEN = {
    "shorter than told": b"Content-Length: 100\r\n\r\na,b\n1,2\n",
    "longer than told": b"Content-Length: 4\r\n\r\na,b\n1,2\n3,4\n",
    "negative length": b"Content-Length: -1\r\n\r\na,b\n",
    "no number": b"Content-Length: four\r\n\r\na,b\n",
    "no digit": b"Content-Length: \xb2\r\n\r\na,b\n",
    "endless number": b"Content-Length: " + b"9" * 5000 + b"\r\n\r\na,b\n",
    "two lengths": b"Content-Length: 4\r\nContent-Length: 8\r\n\r\na,b\n1,2\n",
    "too large": b"Content-Length: 99999999999999\r\n\r\na,b\n",
    "chunks that end early": b"Transfer-Encoding: chunked\r\n\r\nff\r\na,b\n",
    "chunks that are none": b"Transfer-Encoding: chunked\r\n\r\nzz\r\na,b\n\r\n0\r\n\r\n",
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na,b\n\r\n0\r\n\r\n",
    "no length": b"\r\n",
    "no end of headers": b"Content-Type: text/csv",
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize(("route", "verb", "operation"), FILE_BODIES)
def test_broken_http_is_refused_or_ends_the_connection(
    route, verb, operation, kind, ground, client, wait_for
):
    spool = ground.server.data_dir / "spool"
    before = len(list(spool.glob("*"))) if spool.exists() else 0
    head = f"POST {path_of(route, ground)} HTTP/1.1\r\nContent-Type: text/csv"
    began = time.monotonic()
    answer = raw(ground, head, BROKEN[kind])
    assert time.monotonic() - began < PATIENCE
    # A table of one column and no row that stops where it should may be taken; what follows is no request.
    assert not answer.startswith(b"HTTP/1.1 5"), answer[:300]
    assert client.get("/automl/api/user/").status_code == 200
    wait_for(lambda: len(list(spool.glob("*"))) <= before, 10)


def test_too_much_is_refused_before_it_is_sent(ground):
    for route, _, _ in (param.values for param in FILE_BODIES):
        head = f"POST {path_of(route, ground)} HTTP/1.1\r\nContent-Type: text/csv"
        answer = raw(ground, head, BROKEN["too large"], shut=False)
        assert answer.startswith(b"HTTP/1.1 413"), answer[:300]
