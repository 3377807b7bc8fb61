"""Stored files that somebody changed: told in words, never opened, and nothing else suffers."""

from __future__ import annotations

import hashlib
import os
import pickle
import sqlite3
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROWS = {"rows": [{"age": 70, "city": "Paris", "since": "2024-05-01"}]}
SENTENCES = {
    "model": {
        "en": "is not what was saved: it has been changed or cut. It was not opened.",
        "fr": "n’est pas celui qui a été enregistré\u00a0: il a été modifié ou tronqué.",
    },
    "table": {
        "en": "The stored table of “others” is not the one that was taken in.",
        "fr": "La table enregistrée de «\u00a0others\u00a0» n’est plus celle qui a été déposée.",
    },
}


class Harmful:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def flip(path: Path) -> None:
    """Turn one bit in the middle of a file round."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture(scope="module", name="harm")
def folder_of_harm(tmp_path_factory):
    """A folder that is there once a harmful file was opened."""
    return tmp_path_factory.mktemp("harm") / "done"


@pytest.fixture(scope="module", name="tampered")
def tampered_server(start_server, verbs, table, harm, tmp_path_factory):
    """A server that was stopped, whose files were changed, and that was started again.

    Of three models one was flipped a bit of, one was replaced by a harmful file together with its digest, and
    one was left as it was; of two tables one was flipped a bit of.
    """
    folder = tmp_path_factory.mktemp("tampered")
    server = start_server(folder, "--IdentityProvider.token=secret")
    try:
        with server.client("secret") as client:
            # Few rows, so that little time is enough.
            dataset = verbs.upload(client, b"".join(table.splitlines(keepends=True)[:121]))
            other = verbs.upload(client, table, "others.csv")
            for name in ("flipped", "replaced", "whole"):
                verbs.model(client, dataset, target="bought", name=name)
    finally:
        server.stop()
    keys = replace_digest(server.data_dir, harm)
    flip(server.data_dir / "files" / keys["flipped"])
    for part in ("table.parquet", "original.csv"):
        flip(server.data_dir / "files" / "datasets" / other / part)
    server = start_server(folder, "--IdentityProvider.token=secret")
    with server.client("secret") as client:
        yield client, other
    server.stop()


def replace_digest(data_dir: Path, harm: Path) -> dict[str, str]:
    """Put a harmful file in place of the model ``replaced``, with its digest; returns all models' keys."""
    content = pickle.dumps({"model": Harmful(harm)})
    database = sqlite3.connect(data_dir / "automl.sqlite")
    with database:
        asked = "SELECT models.name, versions.key FROM versions JOIN models ON models.id = versions.model_id"
        keys = dict(database.execute(asked).fetchall())
        database.execute(
            "UPDATE versions SET digest = ? WHERE key = ?",
            (hashlib.sha256(content).hexdigest(), keys["replaced"]),
        )
    database.close()
    (data_dir / "files" / keys["replaced"]).write_bytes(content)
    return keys


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("way", ["rows", "csv", "trial"])
def test_a_changed_model_is_not_opened(tampered, table, way, language):
    client, _ = tampered
    headers = {"Accept-Language": language}
    if way == "csv":
        asked = {"content": table, "headers": {**headers, "Content-Type": "text/csv"}}
        answer = client.post("/automl/api/predict/flipped/", **asked)
    elif way == "rows":
        answer = client.post("/automl/api/predict/flipped/", json=ROWS, headers=headers)
    else:
        learnt = client.get("/automl/api/models/flipped/").json()["versions"][0]["dataset_id"]
        answer = client.post(f"/automl/api/test-model/{learnt}/flipped/", json=ROWS, headers=headers)
    assert answer.status_code == 409
    assert answer.json()["code"] == "engine.tampered"
    assert SENTENCES["model"][language] in answer.json()["message"]


def test_a_harmful_model_with_its_own_digest_is_not_opened_either(tampered, harm):
    client, _ = tampered
    answer = client.post("/automl/api/predict/replaced/", json=ROWS)
    assert answer.status_code == 422
    assert answer.json()["code"] == "engine.untrusted_type"
    assert "mkdir" in answer.json()["message"]
    assert not harm.exists()


def test_the_others_predict_as_before(tampered):
    client, _ = tampered
    answer = client.post("/automl/api/predict/whole/", json=ROWS)
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"][0]["value"] in ("yes", "no")
    assert {model["name"] for model in client.get("/automl/api/models/").json()["items"]} == {
        "flipped",
        "replaced",
        "whole",
    }


def test_nothing_is_learnt_from_a_changed_table(tampered, verbs):
    client, other = tampered
    job = verbs.train(client, other, target="bought", time_budget=60)
    body = verbs.ended(client, job)
    assert (body["state"], body["model"], body["leaderboard"]) == ("failed", None, [])
    assert body["error"]["code"] == "services.dataset_tampered"
    for language, sentence in SENTENCES["table"].items():
        told = client.get(f"/automl/api/jobs/{job}/", headers={"Accept-Language": language}).json()
        assert sentence in told["error"]["message"]


@pytest.mark.parametrize(
    ("verb", "path", "body"),
    [("GET", "findings/?target=bought", None), ("POST", "reread/", {"decimal": ","})],
)
def test_nothing_is_made_of_changed_files_of_a_data_set(tampered, verb, path, body):
    client, other = tampered
    before = client.get("/automl/api/datasets/").json()["total"]
    answer = client.request(verb, f"/automl/api/datasets/{other}/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "services.dataset_tampered"), answer.text
    assert client.get("/automl/api/datasets/").json()["total"] == before
