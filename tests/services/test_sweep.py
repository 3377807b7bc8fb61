"""What a killed server left half done is undone by the next sweep, and nothing else is."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automl_jupyter.backends.database import Database, new_id, open_database
from automl_jupyter.backends.records import DatasetRecord, Erased, JobRecord, UploadRecord, VersionDraft
from automl_jupyter.backends.storage import open_storage
from automl_jupyter.services.plans import model_key
from automl_jupyter.services.settings import local_settings
from automl_jupyter.services.staging import open_staging
from automl_jupyter.services.sweep import Swept, sweep

NOW = datetime.now(UTC)

DYING = """
import os, signal, sys
from pathlib import Path
from automl_jupyter.backends.database import open_database
from automl_jupyter.backends.storage import FolderStorage
from automl_jupyter.services.datasets import Datasets
from automl_jupyter.services.models import Models
from automl_jupyter.services.outbox import Outbox
from automl_jupyter.services.settings import local_settings
from automl_jupyter.services.staging import open_staging

deed, folder, what = sys.argv[1], Path(sys.argv[2]), sys.argv[3]


class Storage(FolderStorage):
    left = 2

    def put_file(self, local, key):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        super().put_file(local, key)

    def delete_tree(self, prefix):
        os.kill(os.getpid(), signal.SIGKILL)

    def delete(self, key):
        os.kill(os.getpid(), signal.SIGKILL)


settings = local_settings(folder)
database, storage = open_database(settings.database_url), Storage(folder / "files")
staging = open_staging(settings.spool, "dying")
models = Models(database, storage, Outbox(database, None, settings, "dying"), staging)
if deed == "keep":
    made = staging.folder / "made"
    made.mkdir()
    for part in ("original.csv", "table.parquet", "profile.json", "preview.json"):
        (made / part).write_bytes(b"x")
    found = dict(rows=1, digest="", table_digest="", columns=[], dialect={}, warnings=[])
    Datasets(database, storage, None, staging)._keep("ann", what, made, "t.csv", found)
elif deed == "erase dataset":
    models._erase_here("ann", lambda note: database.delete_dataset("ann", what, cascade=True, announce=note))
else:
    models._erase_here("ann", lambda note: database.delete_model("ann", what, announce=note))
"""


class Place:
    """A data folder as a server has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = local_settings(folder)
        self.spool = self.settings.spool
        self.spool.mkdir(parents=True)
        self.database: Database = open_database(self.settings.database_url)
        self.storage = open_storage(self.settings.storage_url)

    def sweep(self) -> Swept:
        return sweep(self.database, self.storage, self.spool)

    def dataset(self) -> str:
        record = DatasetRecord(
            id=new_id(), owner="ann", name="d", filename="d.csv", bytes=1, rows=1, created=NOW,
            digest="", table_digest="",
        )  # fmt: skip
        self.database.add_dataset(record)
        self.storage.write_bytes(f"datasets/{record.id}/table.parquet", b"1")
        return record.id

    def job(self, dataset: str, state: str, ended: datetime | None = None, server: str = "s") -> str:
        record = JobRecord(
            id=new_id(), owner="ann", dataset_id=dataset, target="y", task="binary", metric="roc_auc",
            name="m", state=state, created=NOW, ended=ended, time_budget=10, planned_budget=10, seed=0,
            server_id=server, mlflow_run_id="run",
        )  # fmt: skip
        self.database.add_job(record)
        self.storage.write_bytes(f"jobs/{record.id}/trials/0001-x.trial", b"1")
        self.storage.write_bytes(model_key(record.id, 1), b"1")
        return record.id

    def version(self, dataset: str, job: str) -> None:
        draft = VersionDraft(
            id=new_id(), job_id=job, dataset_id=dataset, created=NOW, metric="roc_auc", score=0.5, low=None,
            high=None, baseline_score=None, key=model_key(job, 1), digest="", bytes=1, contract=[],
            leaderboard=[], mlflow_run_id="run", mlflow_version=None,
        )  # fmt: skip
        self.database.add_version("ann", name="m", task="binary", target="y", draft=draft)

    def dies(self, deed: str, what: str) -> None:
        """A process does something and kills itself in the middle of it."""
        done = subprocess.run(
            [sys.executable, "-c", DYING, deed, str(self.folder), what], capture_output=True, check=False
        )
        assert done.returncode == -9, done.stderr


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path / "automl")
    yield made
    made.database.close()


def test_nothing_to_sweep_is_nothing_to_say(place, caplog):
    dataset = place.dataset()
    place.version(dataset, place.job(dataset, "stopped", NOW))
    before = place.storage.list()
    assert place.sweep() == Swept()
    assert not place.sweep()
    assert place.storage.list() == before
    assert not caplog.records


def test_a_data_set_half_kept_goes(place, caplog):
    kept = place.dataset()
    place.dies("keep", "half")
    assert place.storage.list("datasets/half")
    with caplog.at_level(logging.WARNING):
        swept = place.sweep()
    assert (swept.datasets, swept.staged) == (1, 1)
    assert place.storage.list() == [f"datasets/{kept}/table.parquet"]
    assert list(place.spool.iterdir()) == []
    assert [record.getMessage() for record in caplog.records] == [
        "Cleared away what earlier runs left – files on their way: 1; uploads: 0; data sets half made or "
        "half erased: 1; trials of ended jobs: 0; models that became no version: 0; what was "
        "computed of models that are gone: 0; half-written files: 0. "
        "This freed 0.0 MB of the spool folder."
    ]


def test_a_data_set_half_erased_goes_with_all_that_was_learnt_from_it(place):
    kept, erased = place.dataset(), place.dataset()
    place.version(erased, place.job(erased, "stopped", NOW))
    place.dies("erase dataset", erased)
    assert place.database.list_datasets("ann")[1] == 1
    assert len(place.storage.list()) == 4
    swept = place.sweep()
    assert (swept.datasets, swept.jobs, swept.models) == (1, 1, 1)
    assert place.storage.list() == [f"datasets/{kept}/table.parquet"]


def test_a_model_half_erased_goes(place):
    dataset = place.dataset()
    job = place.job(dataset, "stopped", NOW)
    place.version(dataset, job)
    place.dies("erase model", "m")
    assert place.storage.exists(model_key(job, 1))
    assert place.sweep().models == 1
    assert not place.storage.exists(model_key(job, 1))
    # What MLflow is to forget was written down with the deletion, for whoever comes next.
    assert [told.payload["run_ids"] for told in place.database.claim_outbox("heir", 60)] == [["run"]]
    assert place.storage.list(f"jobs/{job}")


def test_what_was_noted_but_not_done_stays(place):
    dataset = place.dataset()
    dead = open_staging(place.spool, "dead")
    dead.note(Erased(datasets=[dataset]))
    (dead.folder / "cut.note").write_text('{"datasets": ["')
    os.close(dead._descriptor)
    assert place.sweep() == Swept()
    assert place.storage.list(f"datasets/{dataset}")
    assert list(place.spool.iterdir()) == []


def test_a_server_that_is_alive_loses_nothing(place):
    dataset = place.dataset()
    place.storage.write_bytes("datasets/new/original.csv", b"1")
    alive = open_staging(place.spool, "alive")
    note = alive.note(Erased(datasets=["new"]))
    part = alive.file()
    part.write_bytes(b"1")
    # Nor if nobody has heard of it for long: it may have been stopped.
    for path in (alive.folder, note, part):
        os.utime(path, (0, 0))
    assert place.sweep() == Swept()
    assert part.exists()
    assert place.storage.list("datasets/new")
    # A server that ends in good order leaves nothing to do, unless something is.
    alive.close()
    assert note.exists()
    swept = place.sweep()
    assert (swept.datasets, swept.staged) == (1, 1)
    assert place.storage.list() == [f"datasets/{dataset}/table.parquet"]
    open_staging(place.spool, "orderly").close()
    assert list(place.spool.iterdir()) == []


def test_the_folder_of_a_new_server_is_never_taken_for_a_dead_one(place):
    end = time.monotonic() + 1.0

    def clear():
        while time.monotonic() < end:
            place.sweep()

    thread = threading.Thread(target=clear)
    thread.start()
    while time.monotonic() < end:
        staging = open_staging(place.spool, new_id())
        staging.file().write_bytes(b"1")
        assert len(list(staging.folder.iterdir())) == 2
        staging.close()
    thread.join()


def test_uploads_go_after_a_day_or_when_they_are_forgotten(place):
    def begun(updated: datetime) -> UploadRecord:
        record = UploadRecord(
            id=new_id(), owner="ann", filename="x", offset=1, size=9, created=updated, updated=updated
        )
        place.database.add_upload(record)
        (place.spool / f"{record.id}.part").write_bytes(b"1")
        return record

    fresh, old = begun(NOW - timedelta(hours=23)), begun(NOW - timedelta(hours=25))
    (place.spool / "forgotten.part").write_bytes(b"123")
    swept = place.sweep()
    assert (swept.uploads, swept.bytes) == (2, 4)
    assert [path.stem for path in place.spool.iterdir()] == [fresh.id]
    assert place.database.known_uploads([fresh.id, old.id]) == {fresh.id}


def test_what_nobody_knows_goes_after_a_day_and_dask_is_left_alone(place):
    for name in ("dask-scratch-space", "from-an-earlier-release", "new"):
        (place.spool / name).mkdir()
        (place.spool / name / "file").write_bytes(b"12345")
    for name in ("dask-scratch-space", "from-an-earlier-release"):
        os.utime(place.spool / name, (0, 0))
    swept = place.sweep()
    assert (swept.staged, swept.bytes) == (1, 5)
    assert {path.name for path in place.spool.iterdir()} == {"dask-scratch-space", "new"}


def test_trials_are_kept_for_a_week_to_take_the_job_up_again(place):
    dataset = place.dataset()
    old, young = NOW - timedelta(days=8), NOW - timedelta(days=6)
    jobs = {
        (state, ended): place.job(dataset, state, ended)
        for state in ("stopped", "failed", "interrupted", "cancelled")
        for ended in (old, young)
    }
    running = place.job(dataset, "running")
    # Done, and killed before its trials were removed.
    done = place.job(dataset, "done", young)
    for job in (*jobs.values(), done):
        place.version(dataset, job)
    assert place.sweep() == Swept(jobs=5)
    left = {key.split("/")[1] for key in place.storage.list("jobs")}
    assert left == {running, *(job for (_, ended), job in jobs.items() if ended == young)}
    assert len(place.storage.list("models")) == 10


def test_a_model_that_became_no_version_goes_once_nobody_will_make_it_one(place):
    dataset = place.dataset()
    os.close(open_staging(place.spool, "dead")._descriptor)
    fresh = place.job(dataset, "interrupted", NOW)
    late = place.job(dataset, "interrupted", NOW - timedelta(hours=2))
    orphan = place.job(dataset, "running", server="dead")
    versioned = place.job(dataset, "stopped", NOW - timedelta(hours=2), server="dead")
    place.version(dataset, versioned)
    # Of jobs that this database does not know nothing is known: it may be the wrong database.
    place.storage.write_bytes("models/unknown/model.bin", b"1")
    place.storage.write_bytes("jobs/unknown/trials/1.trial", b"1")
    place.storage.write_bytes("datasets/unknown/table.parquet", b"1")
    assert place.sweep() == Swept(models=2)
    left = {key.split("/")[1] for key in place.storage.list("models")}
    assert left == {fresh, versioned, "unknown"}
    assert place.storage.list("jobs/unknown")
    assert place.storage.list("datasets/unknown")
    assert place.storage.list(f"jobs/{orphan}")
    assert place.storage.list(f"jobs/{late}")


def test_what_killed_writers_left_in_the_storage_goes(place):
    left = place.folder / "files" / ".temporary" / "elsewhere-1-ab"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"1")
    os.utime(left, (0, 0))
    assert place.sweep() == Swept(temporary=1)


def test_scratch_is_gone_whatever_happens_in_it(place):
    staging = open_staging(place.spool, "s")

    async def work() -> None:
        async with staging.scratch() as folder:
            (folder / "a").write_bytes(b"1")
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(work())
    assert [path.name for path in staging.folder.iterdir()] == ["alive.lock"]
    staging.close()


def test_a_report_is_what_it_counts():
    assert not Swept()
    for field in dataclasses.fields(Swept):
        assert Swept(**{field.name: 1})
