"""A data folder of another release: a later one is left alone, an earlier one is brought up to date."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import automl_jupyter.backends
from automl_jupyter.backends.tables import SCHEMA_VERSION

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROWS = {"rows": [{"age": 70, "city": "Paris", "since": "2024-05-01"}]}
NEWER = {
    "en": "The database was last used by a newer release of this extension",
    "fr": "La base de données a été utilisée par une version plus récente de cette extension",
}
TOKEN = "--IdentityProvider.token=secret"
TABLES = ("datasets", "jobs", "trials", "events", "models", "versions")


def set_version(database: Path, version: str) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def contents(folder: Path) -> dict[str, bytes]:
    """The database with whatever SQLite keeps beside it."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("automl.sqlite*"))}


@pytest.fixture(scope="module", name="newer")
def server_before_newer(start_server, verbs, table, tmp_path_factory):
    """A server on the folder of a later release, and the database as it was before it started."""
    folder = tmp_path_factory.mktemp("newer")
    first = start_server(folder, TOKEN)
    try:
        with first.client("secret") as client:
            verbs.upload(client, table)
    finally:
        first.stop()
    set_version(first.data_dir / "automl.sqlite", "9999")
    before = contents(first.data_dir)
    (first.root / "note.txt").write_text("hello", encoding="utf-8")
    running = start_server(folder, TOKEN)
    with running.client("secret") as client:
        yield running, client, before
    running.stop()


@pytest.mark.parametrize("language", list(NEWER))
@pytest.mark.parametrize("path", ["api/datasets/", "api/jobs/", "api/models/"])
def test_rest_says_that_the_database_is_of_a_later_release(newer, path, language):
    _, client, _ = newer
    answer = client.get(f"/automl/{path}", headers={"Accept-Language": language})
    assert answer.status_code == 503
    body = answer.json()
    assert body["code"] == "backends.database_newer"
    assert body["params"] == {"stored": "9999", "known": SCHEMA_VERSION}
    assert NEWER[language] in body["message"]


def test_an_upload_is_refused_with_the_same_words(newer, table):
    _, client, _ = newer
    headers = {"Content-Type": "text/csv"}
    answer = client.post("/automl/api/upload/", params={"filename": "x.csv"}, content=table, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "backends.database_newer")


@pytest.mark.parametrize("language", list(NEWER))
@pytest.mark.parametrize("path", ["", "csv/"])
def test_the_pages_say_so(newer, path, language):
    _, client, _ = newer
    page = client.get(f"/automl/{path}", headers={"Accept-Language": language})
    assert page.status_code == 503
    assert page.headers["content-type"].startswith("text/html")
    assert NEWER[language] in page.text


def test_the_log_says_so(newer):
    running, client, _ = newer
    client.get("/automl/api/datasets/")
    assert NEWER["en"] in running.log.read_text(encoding="utf-8")


def test_nothing_is_written_and_the_rest_of_jupyter_works(newer):
    running, client, before = newer
    for _ in range(3):
        client.get("/automl/api/datasets/")
    assert contents(running.data_dir) == before
    assert client.get("/api/contents/note.txt").json()["content"] == "hello"
    assert client.get("/api/status").status_code == 200
    assert client.get("/automl/api/user/").json()["username"] == "local"


def as_first_release(database: Path) -> None:
    """Write a database anew as the first release had it, with all rows that it could hold."""
    old = database.with_name("old.sqlite")
    scripts = Path(automl_jupyter.backends.__file__).with_name("migrations")
    engine = sa.create_engine(f"sqlite:///{old}")
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.commit()
    engine.dispose()
    with contextlib.closing(sqlite3.connect(old)) as connection:
        connection.execute("ATTACH ? AS new", (str(database),))
        for table in TABLES:
            names = ", ".join(f'"{row[1]}"' for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM new.{table}")
        connection.commit()
        connection.execute("DETACH new")
    for path in database.parent.glob("automl.sqlite*"):
        path.unlink()
    old.rename(database)


def version_of(database: Path) -> str:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        version: str = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    return version


def test_what_the_first_release_left_is_shown_and_goes_on_working(start_server, verbs, table, tmp_path):
    first = start_server(tmp_path, TOKEN)
    try:
        with first.client("secret") as client:
            dataset = verbs.upload(client, table)
            ended = verbs.model(client, dataset, target="bought", name="customers")
            job = ended["id"]
            answered = client.post("/automl/api/predict/customers/", json=ROWS).json()["predictions"]
    finally:
        first.stop()
    database = first.data_dir / "automl.sqlite"
    as_first_release(database)
    assert version_of(database) == "0001"
    second = start_server(tmp_path, TOKEN)
    try:
        with second.client("secret") as client:
            assert [d["id"] for d in client.get("/automl/api/datasets/").json()["items"]] == [dataset]
            assert client.get(f"/automl/api/datasets/{dataset}/preview/").status_code == 200
            shown = client.get(f"/automl/api/jobs/{job}/").json()
            assert (shown["state"], shown["time_budget"]) == (ended["state"], 60)
            assert shown["leaderboard"] == ended["leaderboard"]
            assert shown["model"] == ended["model"]
            again = client.post("/automl/api/predict/customers/", json=ROWS).json()["predictions"]
            assert [p["probabilities"] for p in again] == [p["probabilities"] for p in answered]
            more = verbs.model(client, dataset, target="bought", name="customers")
            assert more["model"] == {"name": "customers", "version": 2}
    finally:
        second.stop()
    assert version_of(database) == SCHEMA_VERSION
