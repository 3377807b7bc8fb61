"""What workers report is written down in order, and a report that makes no sense harms its own job alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from automl_jupyter.backends.database import Database, new_id, open_database
from automl_jupyter.backends.process import HelperProcess
from automl_jupyter.backends.records import DatasetRecord, JobRecord, ServerRecord
from automl_jupyter.backends.storage import open_storage
from automl_jupyter.services.container import make_compute
from automl_jupyter.services.models import Models
from automl_jupyter.services.outbox import Outbox
from automl_jupyter.services.predictions import Predictions
from automl_jupyter.services.reports import Heard, Reports, task_key
from automl_jupyter.services.settings import local_settings
from automl_jupyter.services.staging import open_staging

NOW = datetime.now(UTC)
TRIAL = {
    "name": "baseline",
    "family": "baseline",
    "score": 0.5,
    "interval": [0.5, 0.5],
    "tied_with_best": True,
    "baseline": True,
    "fit_seconds": 0.0,
    "predict_seconds": 0.0,
    "state": "done",
    "reason": None,
    "detail": None,
}


class Bench:
    """The services' log keeper over a real database, with two jobs that wait."""

    def __init__(self, folder: Path) -> None:
        settings = local_settings(folder)
        self.database: Database = open_database(settings.database_url)
        storage = open_storage(settings.storage_url)
        self.heard: asyncio.Queue[Heard] = asyncio.Queue()
        compute = make_compute(settings, self.heard)
        helper = HelperProcess("automl_jupyter.services.prediction_process", name="predictions")
        self.staging = open_staging(settings.spool, "s")
        self.ended: list[JobRecord] = []
        self.reports = Reports(
            self.database,
            storage,
            Models(self.database, storage, Outbox(self.database, compute, settings, "s"), self.staging),
            Predictions(self.database, storage, helper, settings, self.staging, lambda *_: None),
            self.ended.append,
            lambda: None,
            self.heard,
        )
        self.database.register_server(ServerRecord(id="s", pid=1, host="h", started=NOW, heartbeat=NOW))
        dataset = DatasetRecord(
            id=new_id(),
            owner="ann",
            name="d",
            filename="d.csv",
            bytes=1,
            rows=1,
            created=NOW,
            digest="",
            table_digest="",
        )
        self.database.add_dataset(dataset)
        self.jobs = [self.waiting(dataset.id) for _ in range(2)]

    def waiting(self, dataset_id: str) -> JobRecord:
        job = JobRecord(
            id=new_id(), owner="ann", dataset_id=dataset_id, target="y", task="binary", metric="roc_auc",
            name="m", state="queued", created=NOW, time_budget=10, planned_budget=10, seed=0,
            server_id="s",
        )  # fmt: skip
        self.database.add_job(job)
        return job

    async def take(self, *reports: Heard) -> None:
        for report in reports:
            self.heard.put_nowait(report)
        task = asyncio.create_task(self.reports.take_all())
        last = self.jobs[-1].id
        async with asyncio.timeout(10):
            with self.reports.watchers.watch(last) as news:
                while [event.kind for event in self.database.events(last)][-1:] != ["trial"]:
                    await news.wait()
                    news.clear()
        task.cancel()


@pytest.fixture
def bench(tmp_path: Path):
    made = []

    def make() -> Bench:
        made.append(Bench(tmp_path))
        return made[-1]

    yield make
    for item in made:
        item.database.close()
        item.staging.close()


def test_a_report_that_makes_no_sense_fails_its_job_and_no_other(bench):
    async def run() -> None:
        keeper = bench()
        lost, sound = keeper.jobs
        await keeper.take(
            (task_key(lost), "started", {}),
            (task_key(lost), "trial", {"nonsense": 1}),
            (task_key(sound), "started", {}),
            (task_key(sound), "trial", {"number": 1, "trial": TRIAL}),
        )
        failed = keeper.database.find_job(lost.id)
        assert (failed.state, failed.error["code"]) == ("failed", "services.job_lost")
        assert [job.id for job in keeper.ended] == [lost.id]
        assert keeper.database.find_job(sound.id).state == "running"
        assert [trial.name for trial in keeper.database.trials(sound.id)] == ["baseline"]

    asyncio.run(run())


def test_reports_of_an_earlier_attempt_and_of_unknown_jobs_are_left_out(bench):
    async def run() -> None:
        keeper = bench()
        first, last = keeper.jobs
        await keeper.take(
            (f"{first.id}:7", "started", {}),
            ("unknown:1", "started", {}),
            ("no attempt", "ended", {}),
            (task_key(last), "started", {}),
            (task_key(last), "trial", {"number": 1, "trial": TRIAL}),
        )
        assert keeper.database.find_job(first.id).state == "queued"
        kinds = [event.kind for event in keeper.database.events(last.id)]
        assert kinds == ["state", "trial"]

    asyncio.run(run())


def test_what_comes_after_the_end_changes_nothing(bench):
    async def run() -> None:
        keeper = bench()
        ended, last = keeper.jobs
        wire = {"code": "backends.worker_died", "params": {}}
        await keeper.take(
            (task_key(ended), "started", {}),
            (task_key(ended), "failed", wire),
            (task_key(ended), "trial", {"number": 1, "trial": TRIAL}),
            (task_key(last), "started", {}),
            (task_key(last), "trial", {"number": 1, "trial": TRIAL}),
        )
        assert keeper.database.find_job(ended.id).error["code"] == "backends.worker_died"
        assert keeper.database.trials(ended.id) == []
        assert keeper.database.events(ended.id)[-1].data == {"state": "failed", "model": None}

    asyncio.run(run())
