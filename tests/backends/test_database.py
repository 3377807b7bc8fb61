"""One suite that every database passes, and what is particular to SQLite in a file."""

import contextlib
import dataclasses
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

import automl_jupyter.backends
from automl_jupyter import errors
from automl_jupyter.backends.database import new_id, open_database
from automl_jupyter.backends.hosts import host_name
from automl_jupyter.backends.records import (
    DatasetRecord,
    Erased,
    JobRecord,
    OutboxRecord,
    ServerRecord,
    TrialRecord,
    UploadRecord,
    VersionDraft,
)
from automl_jupyter.backends.tables import SCHEMA_VERSION, metadata

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/new/automl.sqlite"


@pytest.fixture
def db(url):
    database = open_database(url)
    yield database
    database.close()


def dataset(owner="ann", **changes):
    values = {
        "id": new_id(),
        "owner": owner,
        "name": "wine",
        "filename": "wine.csv",
        "bytes": 3_000_000_000,
        "rows": 178,
        "created": NOON,
        "digest": "a" * 64,
        "table_digest": "b" * 64,
        "columns": [{"name": "é", "distinct": 3}],
        "dialect": {"delimiter": ";"},
        "warnings": [],
    }
    return DatasetRecord(**{**values, **changes})


def job(of, **changes):
    values = {
        "id": new_id(),
        "owner": of.owner,
        "dataset_id": of.id,
        "target": "quality",
        "task": "classification",
        "metric": "log_loss",
        "name": "wine-quality",
        "state": "queued",
        "created": NOON,
        "time_budget": 60.0,
        "planned_budget": 60.0,
        "seed": 0,
        "server_id": "s",
    }
    return JobRecord(**{**values, **changes})


def draft(of, **changes):
    values = {
        "id": new_id(),
        "job_id": "j",
        "dataset_id": of.id,
        "created": NOON,
        "metric": "log_loss",
        "score": 0.5,
        "low": 0.4,
        "high": float("nan"),
        "baseline_score": 1.0,
        "key": f"models/{new_id()}",
        "digest": "c" * 64,
        "bytes": 5,
        "contract": [{"name": "é"}],
        "leaderboard": [{"score": float("nan")}],
        "mlflow_run_id": new_id(),
        "mlflow_version": "1",
    }
    return VersionDraft(**{**values, **changes})


def add_version(db, of, name="m", **changes):
    wanted = {"task": "classification", "target": "quality", "draft": draft(of), **changes}
    return db.add_version(of.owner, name=name, **wanted)


def trial(job_id, number, **changes):
    values = {
        "job_id": job_id,
        "number": number,
        "name": "LightGBM",
        "family": "boosting",
        "score": 0.1,
        "low": None,
        "high": None,
        "tied_with_best": False,
        "baseline": False,
        "fit_seconds": 1.0,
        "predict_seconds": 0.1,
        "state": "done",
        "reason": None,
    }
    return TrialRecord(**{**values, **changes})


@pytest.fixture
def wine(db):
    record = dataset()
    db.add_dataset(record)
    return record


def test_ids_cannot_be_guessed():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(i) for i in ids} == {22}


def test_a_data_set_comes_back_as_it_was(db, wine):
    assert db.get_dataset("ann", wine.id) == wine
    child = dataset(parent=wine.id, created=NOON.astimezone() + timedelta(seconds=1))
    db.add_dataset(child)
    assert db.get_dataset("ann", child.id).created == child.created
    assert db.list_datasets("ann") == ([child, wine], 2)
    assert db.list_datasets("ann", limit=1, offset=1) == ([wine], 2)
    db.delete_dataset("ann", wine.id)
    assert db.get_dataset("ann", child.id).parent is None


def test_nothing_of_somebody_else_can_be_reached(db, wine):
    upload = UploadRecord(
        id=new_id(), owner="ann", filename="x", offset=0, size=None, created=NOON, updated=NOON
    )
    work = job(wine)
    db.add_upload(upload)
    db.add_job(work)
    add_version(db, wine)
    for attempt in (
        lambda: db.get_dataset("bob", wine.id),
        lambda: db.delete_dataset("bob", wine.id, cascade=True),
        lambda: db.add_dataset(dataset(owner="bob", parent=wine.id)),
        lambda: db.get_upload("bob", upload.id),
        lambda: db.advance_upload("bob", upload.id, 0, 1),
        lambda: db.delete_upload("bob", upload.id),
        lambda: db.add_job(job(wine, owner="bob")),
        lambda: db.get_job("bob", work.id),
        lambda: db.add_version("bob", name="n", task="t", target=None, draft=draft(wine)),
        lambda: db.get_model("bob", "m"),
        lambda: db.versions("bob", "m"),
        lambda: db.get_version("bob", "m", 1),
        lambda: db.set_champion("bob", "m", 1),
        lambda: db.rollback("bob", "m"),
        lambda: db.delete_model("bob", "m"),
    ):
        with pytest.raises(errors.NotFound) as caught:
            attempt()
        assert str(caught.value)
    for listed in (db.list_datasets, db.list_jobs, db.list_models):
        assert listed("bob") == ([], 0)
    assert db.counts("bob") == dataclasses.replace(db.counts("bob"), datasets={}, models={}, jobs={})


def test_an_upload_moves_on_once(db):
    record = UploadRecord(
        id=new_id(), owner="ann", filename="x", offset=0, size=9, created=NOON, updated=NOON
    )
    db.add_upload(record)
    assert db.stale_uploads(NOON + timedelta(days=1)) == [record]
    moved = db.advance_upload("ann", record.id, 0, 8)
    assert moved.offset == 8
    assert db.stale_uploads(NOON + timedelta(days=1)) == []
    with pytest.raises(errors.Conflict) as caught:
        db.advance_upload("ann", record.id, 0, 4)
    assert caught.value.params == {"offset": 8}
    assert db.known_uploads([record.id, "other"]) == {record.id}
    db.delete_upload("ann", record.id)
    assert db.known_uploads([record.id]) == set()
    with pytest.raises(errors.NotFound):
        db.get_upload("ann", record.id)


def test_what_is_forgotten_can_be_told_from_what_is_known(db, wine):
    work = job(wine)
    db.add_job(work)
    version = add_version(db, wine)
    named = Erased(datasets=["gone", wine.id], jobs=[work.id, "gone"], keys=[version.key, "models/gone"])
    assert db.forgotten(named) == Erased(datasets=["gone"], jobs=["gone"], keys=["models/gone"])
    assert db.forgotten(Erased()) == Erased()
    assert db.known_jobs([work.id, "gone"]) == [work]
    # More than a statement may have of values in some databases.
    assert db.known_jobs([work.id, *(f"gone{n}" for n in range(40_000))]) == [work]


def test_what_will_be_erased_is_announced_before(db, wine):
    db.add_job(job(wine, state="done"))
    add_version(db, wine)

    def object_to(announced):
        heard.append(announced)
        raise ValueError("not now")

    for forget in (
        lambda: db.delete_model("ann", "m", announce=object_to),
        lambda: db.delete_dataset("ann", wine.id, cascade=True, announce=object_to),
    ):
        heard = []
        with pytest.raises(ValueError, match="not now"):
            forget()
        assert db.forgotten(heard[0]) == Erased(), "nothing is gone when whoever is told objects"
        assert db.get_model("ann", "m").champion == 1
    heard.clear()
    assert [db.delete_dataset("ann", wine.id, cascade=True, announce=heard.append)] == heard
    assert db.forgotten(heard[0]) == Erased(
        datasets=heard[0].datasets, jobs=heard[0].jobs, keys=heard[0].keys
    )


def test_a_job_changes_only_from_the_expected_state(db, wine):
    work = job(wine)
    db.add_job(work)
    running = db.update_job(work.id, "queued", state="running", started=NOON, progress=0.5)
    assert running == dataclasses.replace(work, state="running", started=NOON, progress=0.5)
    with pytest.raises(errors.Conflict) as caught:
        db.update_job(work.id, "queued", state="cancelled")
    assert caught.value.params == {"state": "running"}
    failed = db.update_job(work.id, {"running", "queued"}, state="failed", error={"code": "x", "params": {}})
    assert db.find_job(work.id) == failed
    with pytest.raises(ValueError, match="owner"):
        db.update_job(work.id, "failed", owner="bob")
    with pytest.raises(errors.NotFound):
        db.update_job("no", "failed", state="done")


def test_one_of_many_wins_the_change_of_state(db, wine):
    work = job(wine)
    db.add_job(work)
    won = []

    def take(name):
        try:
            db.update_job(work.id, "queued", state="running", server_id=name)
            won.append(name)
        except errors.Conflict:
            pass

    threads = [threading.Thread(target=take, args=(str(n),)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [db.find_job(work.id).server_id]


def test_jobs_are_listed_by_data_set_and_state(db, wine):
    other = dataset()
    db.add_dataset(other)
    first, second = job(wine), job(other, state="done", created=NOON + timedelta(seconds=1))
    db.add_job(first)
    db.add_job(second)
    assert db.list_jobs("ann") == ([second, first], 2)
    assert db.list_jobs("ann", dataset_id=wine.id) == ([first], 1)
    assert db.list_jobs("ann", states="done") == ([second], 1)


def test_events_are_numbered_without_gaps_from_many_threads(db, wine):
    one, two = job(wine), job(wine)
    db.add_job(one)
    db.add_job(two)

    def tell(of):
        for n in range(25):
            db.append_event(of.id, "trial", {"n": n, "score": float("nan")})

    threads = [threading.Thread(target=tell, args=(of,)) for of in (one, two, one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for of in (one, two):
        assert [event.number for event in db.events(of.id)] == list(range(1, 51))
    assert [event.number for event in db.events(one.id, after=47)] == [48, 49, 50]
    last = db.append_event(one.id, "done", {"a": 1})
    assert db.events(one.id, after=50) == [last]
    assert db.events(one.id)[0].data["score"] is None
    with pytest.raises(errors.NotFound):
        db.append_event("no", "trial", {})


def test_trials_replace_each_other_by_name(db, wine):
    work = job(wine)
    db.add_job(work)
    assert db.add_trial(trial(work.id, 7, name="baseline", baseline=True)).number == 1
    assert db.add_trial(trial(work.id, 1)).number == 2
    assert db.add_trial(trial(work.id, 9)) is None
    assert db.add_trial(trial(work.id, 9, score=float("nan"), reason={"code": "x"})).number == 2
    assert [(t.number, t.score, t.baseline) for t in db.trials(work.id)] == [(1, 0.1, True), (2, None, False)]
    board = [trial(work.id, n, name=f"m{n}", tied_with_best=True) for n in (1, 2, 3)]
    db.replace_trials(work.id, board)
    assert db.trials(work.id) == board
    db.replace_trials(work.id, [])
    assert db.trials(work.id) == []


def test_a_deleted_data_set_takes_its_jobs_trials_and_events_along(db, wine):
    work = job(wine, mlflow_run_id="r", state="failed")
    db.add_job(work)
    db.add_trial(trial(work.id, 1))
    db.append_event(work.id, "trial", {})
    assert db.delete_dataset("ann", wine.id).mlflow_runs == ["r"]
    assert db.trials(work.id) == []
    assert db.events(work.id) == []


def test_where_mlflow_has_a_version_can_be_noted_later(db, wine):
    made = add_version(db, wine)
    work = job(wine, state="done", model_version_id=made.id)
    db.add_job(work)
    db.note_tracking(made.id, "run", "models:/m-1", "3")
    noted = db.get_version("ann", "m", 1)
    assert (noted.mlflow_run_id, noted.mlflow_model_uri, noted.mlflow_version) == ("run", "models:/m-1", "3")
    assert db.find_job(work.id).mlflow_run_id == "run"
    db.note_tracking("deleted", "run", None, None)


def errand(server, subject, **changes):
    values = {"id": new_id(), "server_id": server, "owner": "ann", "entry": "m:f", "payload": {"n": 1}}
    return OutboxRecord(**{**values, "subject": subject, "created": NOON, **changes})


def test_what_is_to_be_told_outlives_the_server_that_was_to_tell_it(db):
    for server in ("a", "b"):
        db.register_server(
            ServerRecord(id=server, pid=os.getpid(), host="h", started=NOON, heartbeat=datetime.now(UTC))
        )
    first, second = errand("a", "one"), errand("b", "two", created=NOON + timedelta(seconds=1))
    db.add_to_outbox(first)
    db.add_to_outbox(second)
    assert db.claim_outbox("a", 60) == [first]
    db.forget_server("b")
    assert db.claim_outbox("a", 60) == [first, dataclasses.replace(second, server_id="a")]
    latest = errand("a", "one", payload={"n": 2})
    db.add_to_outbox(latest)
    assert db.remove_from_outbox(first.id) is None
    assert db.remove_from_outbox(latest.id) == latest
    assert [record.subject for record in db.claim_outbox("a", 60)] == ["two"]


def test_versions_are_numbered_and_the_first_is_champion(db, wine):
    first, second = add_version(db, wine), add_version(db, wine)
    assert (first.version, second.version) == (1, 2)
    assert first.model_id == second.model_id
    names = db.version_names("ann", [first.id, second.id, "no such"])
    assert names == {first.id: ("m", 1), second.id: ("m", 2)}
    assert db.version_names("bob", [first.id]) == {}
    assert db.versions("ann", "m")[0].id == second.id
    stored = db.get_version("ann", "m", 2)
    assert stored == dataclasses.replace(second, high=None, leaderboard=[{"score": None}])
    model = db.get_model("ann", "m")
    assert (model.champion, model.previous, model.dataset_id) == (1, [], wine.id)
    assert db.list_models("ann") == ([model], 1)


def test_a_name_keeps_its_task_and_target(db, wine):
    add_version(db, wine)
    for other in ({"task": "regression"}, {"target": None}):
        with pytest.raises(errors.Conflict) as caught:
            add_version(db, wine, **other)
        assert caught.value.code == "backends.model_name_taken"
    assert len(db.versions("ann", "m")) == 1


def test_champions_come_and_go(db, wine):
    for _ in range(3):
        add_version(db, wine)
    db.set_champion("ann", "m", 3)
    assert db.set_champion("ann", "m", 3).previous == [1]
    assert db.set_champion("ann", "m", 2).previous == [1, 3]
    assert db.rollback("ann", "m").champion == 3
    assert (db.rollback("ann", "m").champion, db.get_model("ann", "m").previous) == (1, [])
    with pytest.raises(errors.Conflict) as caught:
        db.rollback("ann", "m")
    assert caught.value.code == "backends.no_former_champion"
    with pytest.raises(errors.NotFound):
        db.set_champion("ann", "m", 4)


def test_a_version_number_is_never_given_twice(db, wine):
    other = dataset()
    db.add_dataset(other)
    add_version(db, other)
    add_version(db, wine)
    db.delete_dataset("ann", wine.id, cascade=True)
    assert add_version(db, other).version == 3


def test_a_data_set_with_models_is_not_deleted_by_accident(db, wine):
    other = dataset()
    db.add_dataset(other)
    work = job(wine, state="done", mlflow_run_id="job-run")
    db.add_job(work)
    first = add_version(db, wine)
    kept = add_version(db, other)
    last = add_version(db, wine)
    alone = add_version(db, wine, name="alone")
    db.set_champion("ann", "m", kept.version)
    db.set_champion("ann", "m", last.version)
    with pytest.raises(errors.Conflict) as caught:
        db.delete_dataset("ann", wine.id)
    assert caught.value.code == "backends.dataset_has_models"
    assert caught.value.params["models"] == ["alone", "m"]

    erased = db.delete_dataset("ann", wine.id, cascade=True)
    assert erased.datasets == [wine.id]
    assert erased.jobs == [work.id]
    assert erased.models == ["alone"]
    assert set(erased.keys) == {first.key, last.key, alone.key}
    assert set(erased.mlflow_runs) == {"job-run", *(v.mlflow_run_id for v in (first, last, alone))}
    assert sorted(erased.mlflow_versions) == [("alone", "1"), ("m", "1"), ("m", "1")]
    model = db.get_model("ann", "m")
    assert (model.champion, model.previous, model.dataset_id) == (kept.version, [], other.id)
    with pytest.raises(errors.NotFound):
        db.get_dataset("ann", wine.id)


def test_a_data_set_in_use_is_not_deleted(db, wine):
    db.add_job(job(wine, state="running"))
    with pytest.raises(errors.Conflict) as caught:
        db.delete_dataset("ann", wine.id, cascade=True)
    assert caught.value.code == "backends.dataset_in_use"


def test_a_deleted_model_tells_what_to_erase(db, wine):
    version = add_version(db, wine)
    erased = db.delete_model("ann", "m")
    assert (erased.models, erased.keys) == (["m"], [version.key])
    assert erased.mlflow_versions == [("m", "1")]
    assert add_version(db, wine).version == 1


def server(**changes):
    now = datetime.now(UTC)
    values = {"id": new_id(), "pid": os.getpid(), "host": host_name(), "started": now, "heartbeat": now}
    return ServerRecord(**{**values, **changes})


def test_only_jobs_of_dead_servers_are_interrupted(db, wine):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    old = datetime.now(UTC) - timedelta(seconds=100)
    alive, silent, far = server(), server(heartbeat=old), server(host="elsewhere", pid=1)
    killed = server(pid=ended.pid)
    woken = server(heartbeat=old)
    for record in (alive, silent, killed, far, woken):
        db.register_server(record)
    db.heartbeat(woken.id)
    work = {
        name: job(wine, server_id=server_id, state=state)
        for name, server_id, state in (
            ("alive", alive.id, "running"),
            ("woken", woken.id, "running"),
            ("far", far.id, "running"),
            ("silent", silent.id, "running"),
            ("killed", killed.id, "queued"),
            ("unknown", "no such server", "running"),
            ("over", silent.id, "done"),
        )
    }
    for record in work.values():
        db.add_job(record)
    last = db.append_event(work["killed"].id, "progress", {"done": 0.5}).at
    interrupted = db.interrupt_orphans(30)
    ends = {j.id: j.ended for j in interrupted}
    # Not the moment at which somebody noticed: that may be days later.
    assert ends[work["silent"].id] == old
    assert ends[work["killed"].id] == max(last, killed.heartbeat)
    assert ends[work["unknown"].id] == work["unknown"].created
    assert {j.id for j in interrupted} == {work[name].id for name in ("silent", "killed", "unknown")}
    assert {j.state for j in interrupted} == {"interrupted"}
    assert db.interrupt_orphans(30) == []
    with pytest.raises(errors.NotFound):
        db.heartbeat(silent.id)
    db.forget_server(alive.id)
    assert [j.id for j in db.interrupt_orphans(30)] == [work["alive"].id]


def test_counts_are_by_owner_and_state(db, wine):
    theirs = dataset(owner="bob")
    db.add_dataset(theirs)
    for state in ("done", "done", "queued"):
        db.add_job(job(wine, state=state))
    add_version(db, wine)
    everybody = db.counts()
    assert everybody.datasets == {"ann": 1, "bob": 1}
    assert everybody.models == {"ann": 1}
    assert everybody.jobs == {"ann": {"done": 2, "queued": 1}}
    assert db.counts("bob").datasets == {"bob": 1}
    assert db.counts("bob").jobs == {}


@pytest.mark.alone
def test_ten_thousand_data_sets_are_listed_in_a_blink(db, url):
    first = dataset(columns=[{"name": f"c{n}", "examples": ["a", "b"]} for n in range(20)])
    db.add_dataset(first)
    copied = [column.name for column in metadata.tables["datasets"].c if column.name not in ("id", "created")]
    names = ", ".join(f'"{name}"' for name in copied)
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(
            "WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 9999) "
            f"INSERT INTO datasets (id, created, {names}) SELECT n, "
            "strftime('%Y-%m-%d %H:%M:%S.000000', '2026-01-01 12:00:00', n || ' seconds'), "
            f"{names} FROM many, datasets"
        )
    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        page, total = db.list_datasets("ann", limit=100, offset=5000)
        seconds.append(time.perf_counter() - begun)
    assert min(seconds) < 0.1
    assert total == 10_000
    assert [record.id for record in page] == [str(n) for n in range(4999, 4899, -1)]
    assert page[0] == dataclasses.replace(first, id="4999", created=NOON + timedelta(seconds=4999))


# What is particular to SQLite in a file


def shape_of(connection) -> dict[str, object]:
    """Every table with its columns, keys, indexes and constraints, in no order."""
    found = sa.inspect(connection)
    return {
        table: {
            "columns": {c["name"]: (str(c["type"]), c["nullable"]) for c in found.get_columns(table)},
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "indexes": sorted((i["name"], i["unique"], i["column_names"]) for i in found.get_indexes(table)),
            "unique": sorted(u["column_names"] for u in found.get_unique_constraints(table)),
            "foreign": sorted(
                (f["constrained_columns"], f["referred_table"], str(f["options"]))
                for f in found.get_foreign_keys(table)
            ),
        }
        for table in found.get_table_names()
    }


def test_a_new_database_is_the_same_as_a_migrated_one(db, url, tmp_path):
    config = Config()
    config.set_main_option(
        "script_location", str(Path(automl_jupyter.backends.__file__).parent / "migrations")
    )
    migrated, made = sa.create_engine(f"sqlite:///{tmp_path / 'migrated.sqlite'}"), sa.create_engine(url)
    with migrated.connect() as old, made.connect() as new:
        config.attributes["connection"] = old
        command.upgrade(config, "head")
        assert compare_metadata(MigrationContext.configure(old, opts={"compare_type": False}), metadata) == []
        assert shape_of(old) == shape_of(new)
        versions = [c.scalar(sa.text("SELECT version_num FROM alembic_version")) for c in (old, new)]
        assert versions == [SCHEMA_VERSION, SCHEMA_VERSION]
        assert new.scalar(sa.text("PRAGMA journal_mode")) == "wal"
    migrated.dispose()
    made.dispose()


def test_what_an_older_release_wrote_is_kept(url, tmp_path):
    """A database at the first schema, with a job and its trial, is brought up to date when it is opened."""
    path = tmp_path / "new" / "automl.sqlite"
    path.parent.mkdir(mode=0o700)
    config = Config()
    config.set_main_option(
        "script_location", str(Path(automl_jupyter.backends.__file__).parent / "migrations")
    )
    engine = sa.create_engine(url)
    with engine.connect() as old:
        config.attributes["connection"] = old
        command.upgrade(config, "0001")
        old.commit()
    engine.dispose()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO datasets VALUES"
            " ('d', 'ann', 'wine', 'wine.csv', 10, 2, '2026-01-01 00:00:00', 'x', 'y', 'ready',"
            " '[]', '{}', '[]', NULL)"
        )
        connection.execute(
            "INSERT INTO jobs (id, owner, dataset_id, task, metric, name, state, created, time_budget, seed,"
            " progress, attempt, server_id) VALUES"
            " ('j', 'ann', 'd', 'clustering', 'silhouette', 'wine-clusters', 'done',"
            " '2026-01-01 00:00:00', 30.0, 0, 1.0, 1, 's')"
        )
        connection.execute(
            "INSERT INTO trials (job_id, number, name, family, tied_with_best, baseline, state)"
            " VALUES ('j', 1, 'baseline', 'baseline', 0, 1, 'done')"
        )
    connection.close()
    db = open_database(url)
    kept = db.get_job("ann", "j")
    assert (kept.time_budget, kept.planned_budget, kept.spent, kept.options) == (30.0, 30.0, 0.0, {})
    assert [trial.name for trial in db.trials("j")] == ["baseline"]
    db.close()


def test_what_is_there_stays_when_it_is_opened_again_without_alembic(url, tmp_path):
    first = open_database(url)
    first.add_dataset(dataset())
    first.close()
    code = (
        "import sys; from automl_jupyter.backends.database import open_database\n"
        "db = open_database(sys.argv[1])\nprint(db.list_datasets('ann')[1], 'alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]


def test_only_the_owner_can_read_it(db, wine, tmp_path):
    folder = tmp_path / "new"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_database_of_a_later_release_is_left_alone(url, tmp_path):
    open_database(url).close()
    path = tmp_path / "new" / "automl.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(errors.Unavailable) as caught:
        open_database(url)
    assert caught.value.code == "backends.database_newer"
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_told(tmp_path):
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"no database at all" * 100)
    for url in (f"sqlite:///{path}", f"sqlite:///{tmp_path}"):
        with pytest.raises(errors.Unavailable) as caught:
            open_database(url)
        assert caught.value.code == "backends.database_unreadable"


def test_two_servers_may_open_a_new_one_at_the_same_moment(url):
    code = (
        "import sys; from automl_jupyter.backends.database import open_database\n"
        "sys.stdin.readline(); open_database(sys.argv[1]).close()"
    )
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([sys.executable, "-c", code, url], **pipes) for _ in range(2)]
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=30)[1] for process in both] == ["", ""]
    assert [process.returncode for process in both] == [0, 0]
