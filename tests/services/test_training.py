"""A job of which nothing is heard any more ends all the same, and its worker is free for the next one."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automl_jupyter.backends.database import new_id
from automl_jupyter.backends.records import DatasetRecord, JobRecord
from automl_jupyter.services.container import Hooks, Services, open_services
from automl_jupyter.services.reports import task_key
from automl_jupyter.services.settings import local_settings
from automl_jupyter.services.training import LATE_SECONDS

pytestmark = pytest.mark.slow

TASK = """
import os, time
from pathlib import Path
from automl_jupyter.errors import Unprocessable

def stand(payload, report):
    Path(payload["told"]).write_text(str(os.getpid()))
    time.sleep(600)

def refuse(payload, report):
    raise Unprocessable("engine.constant_target", target="y", value=1)
"""


async def until(what: Callable[[], object], seconds: float = 100.0) -> object:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(0.05)
    return found


def running_job(services: Services, started: datetime) -> JobRecord:
    now = datetime.now(UTC)
    dataset = DatasetRecord(
        id=new_id(), owner="ann", name="t", filename="t.csv", bytes=1, rows=1, created=now, digest="",
        table_digest="",
    )  # fmt: skip
    services.database.add_dataset(dataset)
    job = JobRecord(
        id=new_id(), owner="ann", dataset_id=dataset.id, target="y", task="binary", metric="roc_auc",
        name="m", state="running", created=started, started=started, time_budget=10, planned_budget=10,
        seed=0, server_id=services.training.server_id,
    )  # fmt: skip
    services.database.add_job(job)
    return job


def test_a_job_that_is_far_too_late_is_ended_and_its_worker_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "automl_test_standing.py").write_text(TASK, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    heard: list[JobRecord] = []
    hooks = Hooks(job_finished=heard.append, predicted=lambda *_: None, activity=lambda: None)

    # Its life is looked at every half second.
    settings = replace(local_settings(tmp_path / "data"), dead_after_seconds=3)

    async def main() -> None:
        services = await open_services(settings, "server", hooks)
        try:
            now = datetime.now(UTC)
            fresh = running_job(services, now - timedelta(seconds=LATE_SECONDS / 2))
            late = running_job(services, now)
            compute = services.training.compute
            told = tmp_path / "pid"
            await compute.submit(task_key(late), "automl_test_standing:stand", {"told": str(told)})
            await until(lambda: told.exists() and told.read_text())
            os.kill(int(told.read_text()), signal.SIGSTOP)
            long_ago = now - timedelta(seconds=10 + LATE_SECONDS + 1)
            services.database.update_job(late.id, "running", started=long_ago)
            # Once every few seconds it looks for such jobs by itself.
            await until(lambda: heard)
            job = services.database.find_job(late.id)
            assert job.state == "failed"
            assert job.error == {"code": "services.job_lost", "params": {}}
            assert [event.kind for event in services.database.events(late.id)] == ["done"]
            assert services.database.find_job(fresh.id).state == "running"
            assert [ended.id for ended in heard] == [late.id]
            other = running_job(services, now)
            await compute.submit(task_key(other), "automl_test_standing:refuse", {})
            await until(lambda: services.database.find_job(other.id).error)
            assert services.database.find_job(other.id).error["code"] == "engine.constant_target"
        finally:
            await services.close()

    asyncio.run(main())
