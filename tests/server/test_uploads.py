"""Files on their way in: whole, in pieces, from Jupyter's files; refused, cut off, too large."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.slow

CSV = {"Content-Type": "text/csv"}
PIECE = {"Content-Type": "application/offset+octet-stream"}


def spooled(server) -> list[str]:
    return sorted(path.name for path in (server.data_dir / "spool").rglob("*.part"))


def kept(server) -> set[str]:
    folder = server.data_dir / "files" / "datasets"
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_a_raw_body_becomes_a_dataset(alice, table):
    answer = alice.post("/automl/api/upload/", params={"filename": "a b.csv"}, content=table, headers=CSV)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["name"], body["rows"], body["bytes"]) == ("a b", 400, len(table))
    assert [column["name"] for column in body["columns"]] == ["age", "city", "since", "bought"]
    assert [column["type"] for column in body["columns"]] == ["integer", "string", "datetime", "string"]
    assert body["dialect"]["separator"] == ","
    assert alice.get(answer.headers["location"]).json() == body


def test_a_form_becomes_a_dataset(alice, table):
    files = {"note": (None, "not the file"), "file": ("späť ☂.csv", table, "text/csv")}
    answer = alice.post("/automl/api/upload/", files=files)
    assert answer.status_code == 201
    assert answer.json()["name"] == "späť ☂"


def test_the_original_bytes_are_kept(alice, server, table):
    identifier = alice.post("/automl/api/upload/", content=table, headers=CSV).json()["id"]
    assert (server.data_dir / "files" / "datasets" / identifier / "original.csv").read_bytes() == table


def test_a_file_that_jupyter_has(alice, server, table):
    (server.root / "data").mkdir(exist_ok=True)
    (server.root / "data" / "mine.csv").write_bytes(table)
    answer = alice.post("/automl/api/upload/", json={"path": "data/mine.csv"})
    assert answer.status_code == 201
    assert answer.json()["name"] == "mine"
    assert (server.root / "data" / "mine.csv").exists()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("none.csv", 404, "server.no_such_path"),
        ("../people.py", 403, "server.path_hidden"),
        (".hidden/a.csv", 403, "server.path_hidden"),
        ("link.csv", 403, "server.path_outside"),
        ("data", 404, "server.no_such_path"),
    ],
)
def test_paths_lead_nowhere_else(path, status, code, alice, server):
    (server.root / "data").mkdir(exist_ok=True)
    (server.root / ".hidden").mkdir(exist_ok=True)
    (server.root / ".hidden" / "a.csv").write_text("a,b\n1,2\n")
    link = server.root / "link.csv"
    if not link.is_symlink():
        link.symlink_to("/etc/hostname")
    answer = alice.post("/automl/api/upload/", json={"path": path})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"a,b\n", 422),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), 415),
        (b"\x1f\x8b\x08\x00" + bytes(32), 415),
    ],
    ids=["empty", "header only", "picture", "gzip"],
)
def test_a_refused_file_leaves_nothing_behind(content, status, alice, server):
    before, total = kept(server), alice.get("/automl/api/datasets/").json()["total"]
    answer = alice.post("/automl/api/upload/", content=content, headers={**CSV, "Accept-Language": "fr"})
    assert answer.status_code == status
    assert answer.json()["message"]
    assert answer.json()["code"].startswith("data.")
    assert kept(server) == before
    assert alice.get("/automl/api/datasets/").json()["total"] == total
    assert not [name for name in spooled(server) if len(name) > 27 or not name.endswith(".part")]


def test_an_unknown_type_is_refused_before_it_is_read(alice):
    answer = alice.post("/automl/api/upload/", content=b"x", headers={"Content-Type": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (415, "server.csv_expected")


@pytest.mark.parametrize("body", [b"", b"--x\r\nnonsense", b"--y--\r\n"])
def test_a_broken_form_is_refused(body, alice):
    headers = {"Content-Type": "multipart/form-data; boundary=y"}
    answer = alice.post("/automl/api/upload/", content=body, headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] in ("server.bad_form", "server.form_without_file")


def test_a_cut_connection_leaves_nothing_behind(server, table, wait_for, alice):
    before, total = kept(server), alice.get("/automl/api/datasets/").json()["total"]
    host, port = urlsplit(server.base).hostname, urlsplit(server.base).port
    files = set(spooled(server))
    with socket.create_connection((host, port)) as wire:
        wire.sendall(
            f"POST /automl/api/upload/?filename=cut.csv HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Authorization: token alice-token\r\nContent-Type: text/csv\r\n"
            f"Content-Length: {len(table)}\r\n\r\n".encode()
            + table[:1000]
        )
        wait_for(lambda: set(spooled(server)) - files)
    wait_for(lambda: set(spooled(server)) == files)
    assert kept(server) == before
    assert alice.get("/automl/api/datasets/").json()["total"] == total


def test_too_large_is_told_before_it_is_sent(server, alice):
    host, port = urlsplit(server.base).hostname, urlsplit(server.base).port
    with socket.create_connection((host, port), timeout=10) as wire:
        wire.sendall(
            f"POST /automl/api/upload/ HTTP/1.1\r\nHost: {host}:{port}\r\n"
            "Authorization: token alice-token\r\nContent-Type: text/csv\r\n"
            f"Content-Length: {2**50}\r\n\r\n".encode()
        )
        answer = wire.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 413 ")
    assert json.loads(answer.partition("\r\n\r\n")[2])["code"] == "services.too_large"


class TestPieces:
    def begin(self, client, size: int | None, filename: str = "pieces.csv") -> str:
        answer = client.post("/automl/api/uploads/", json={"filename": filename, "size": size})
        assert answer.status_code == 201
        assert answer.json()["offset"] == 0
        return f"/automl/api/uploads/{answer.json()['id']}/"

    def send(self, client, path: str, offset: int, data: bytes, **headers: str):
        return client.patch(path, content=data, headers={**PIECE, "Upload-Offset": str(offset), **headers})

    def test_pieces_make_the_whole(self, alice, server, table):
        path = self.begin(alice, len(table))
        half = len(table) // 2
        first = self.send(alice, path, 0, table[:half])
        assert (first.status_code, first.json()["offset"]) == (200, half)
        assert alice.head(path).headers["upload-offset"] == str(half)
        last = self.send(alice, path, half, table[half:])
        assert last.status_code == 201
        stored = server.data_dir / "files" / "datasets" / last.json()["id"] / "original.csv"
        assert stored.read_bytes() == table
        assert alice.head(path).status_code == 404

    def test_an_unknown_size_ends_when_told(self, alice, table):
        path = self.begin(alice, None)
        answer = self.send(alice, path, 0, table, **{"Upload-Complete": "?1"})
        assert answer.status_code == 201
        assert answer.json()["rows"] == 400

    def test_a_wrong_offset_is_told_the_right_one(self, alice, table):
        path = self.begin(alice, len(table))
        answer = self.send(alice, path, 7, table[7:])
        assert (answer.status_code, answer.json()["code"]) == (409, "services.wrong_offset")
        assert answer.json()["params"]["expected"] == 0

    def test_more_than_was_announced_is_refused(self, alice):
        path = self.begin(alice, 10)
        answer = self.send(alice, path, 0, b"a,b\n1,2\n3,4\n5,6\n")
        assert answer.status_code == 413

    def test_a_piece_that_is_cut_is_sent_again(self, alice, server, table, wait_for):
        path = self.begin(alice, len(table))
        self.send(alice, path, 0, table[:500])
        host, port = urlsplit(server.base).hostname, urlsplit(server.base).port
        with socket.create_connection((host, port)) as wire:
            wire.sendall(
                f"PATCH {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: token alice-token\r\n"
                "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 500\r\n"
                f"Content-Length: {len(table) - 500}\r\n\r\n".encode()
                + table[500:700]
            )
        assert alice.head(path).headers["upload-offset"] == "500"
        answer = self.send(alice, path, 500, table[500:])
        assert answer.status_code == 201
        assert answer.json()["rows"] == 400

    def test_a_file_that_turns_out_bad_is_forgotten(self, alice, server):
        path = self.begin(alice, 4)
        answer = self.send(alice, path, 0, b"a,b\n")
        assert answer.status_code == 422
        assert alice.head(path).status_code == 404
        assert path.split("/")[-2] + ".part" not in spooled(server)

    def test_an_abandoned_upload_is_gone(self, alice, server):
        path = self.begin(alice, 100)
        self.send(alice, path, 0, b"a,b\n")
        assert alice.delete(path).status_code == 204
        assert alice.head(path).status_code == 404
        assert path.split("/")[-2] + ".part" not in spooled(server)
