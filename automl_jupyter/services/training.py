"""Jobs: started once nothing is left to refuse, followed while they run, stopped, cancelled."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from automl_jupyter.backends.compute import Compute
from automl_jupyter.backends.database import Database, new_id
from automl_jupyter.backends.hosts import host_name
from automl_jupyter.backends.records import EventRecord, JobRecord, ServerRecord, TrialRecord
from automl_jupyter.backends.storage import Storage
from automl_jupyter.errors import AutoMLError, Conflict, NotFound, TooMany
from automl_jupyter.schemas import FINAL_STATES, TrainRequest
from automl_jupyter.services import plans
from automl_jupyter.services.control import CANCEL, STOP, control_key
from automl_jupyter.services.models import Models
from automl_jupyter.services.reports import ACTIVE, Reports, task_key
from automl_jupyter.services.settings import Settings

log = logging.getLogger(__name__)

ENTRY = "automl_jupyter.services.coordinator:run"
WARM = "automl_jupyter.services.coordinator:warm"
HEARTBEAT_SECONDS = 10.0
DEAD_AFTER_SECONDS = 60.0
DRAIN_SECONDS = 5.0


@dataclass
class Training:
    """Start, list, follow, stop and cancel jobs."""

    database: Database
    storage: Storage
    compute: Compute
    models: Models
    reports: Reports
    settings: Settings
    server_id: str
    _warmed: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # --- the life of the service

    async def open(self) -> None:
        """Begin to take in reports and to say that this server is alive."""
        await asyncio.to_thread(self._sign_on)
        self._spawn(self.reports.take_all())
        self._spawn(self._beat())

    async def close(self) -> None:
        """End what runs; its jobs are marked as interrupted."""
        await self.compute.close()
        await self.reports.drain(DRAIN_SECONDS)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._sign_off)

    def _sign_on(self) -> None:
        now = datetime.now(UTC)
        self.database.register_server(
            ServerRecord(id=self.server_id, pid=os.getpid(), host=host_name(), started=now, heartbeat=now)
        )

    def _sign_off(self) -> None:
        self.database.forget_server(self.server_id)
        self._interrupt_orphans()

    def _interrupt_orphans(self) -> list[str]:
        orphans = [job.id for job in self.database.interrupt_orphans(DEAD_AFTER_SECONDS)]
        for job_id in orphans:
            log.info("job %s was interrupted with its server", job_id)
            self.database.append_event(job_id, "done", {"state": "interrupted", "model": None})
        return orphans

    async def _beat(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.database.heartbeat, self.server_id)
                for job_id in await asyncio.to_thread(self._interrupt_orphans):
                    self.reports.watchers.wake(job_id)
            except AutoMLError as error:
                log.warning("heartbeat: %s", error)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def warm(self) -> None:
        """Make ready for a first job while the person still looks at the data: workers, and MLflow on one."""
        if not self._warmed:
            self._warmed = True
            self._spawn(self._warm())

    async def _warm(self) -> None:
        try:
            await self.compute.submit(new_id(), WARM, self.models.tracking_payload())
        except AutoMLError as error:
            log.warning("workers are not ready yet: %s", error)

    # --- use cases

    async def start(self, owner: str, dataset_id: str, request: TrainRequest) -> JobRecord:
        """Start a job.

        Raises
        ------
        NotFound
            If there is no such data set.
        Unprocessable
            If nothing can be learnt so; nothing was started then.
        Conflict
            If the name belongs to a model with another target or task.
        TooMany
            If the owner has too many jobs under way.
        """
        dataset = await asyncio.to_thread(self.database.get_dataset, owner, dataset_id)
        admission = plans.admission_of(dataset, request)
        job = plans.new_job(dataset, request, admission, self.settings, self.server_id)
        await asyncio.to_thread(self._admit_job, job)
        await asyncio.to_thread(self.database.append_event, job.id, "state", {"state": "queued"})
        told = plans.payload(
            job, dataset, admission, storage_url=self.storage.url, threads=self.settings.threads
        )
        self._spawn(self._submit(job, {**self.models.tracking_payload(), **told}))
        return job

    async def _submit(self, job: JobRecord, payload: dict[str, Any]) -> None:
        try:
            await self.compute.submit(task_key(job), ENTRY, {**self.settings.of_search, **payload})
        except AutoMLError as error:
            await self.reports.fail(job.id, error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _admit_job(self, job: JobRecord) -> None:
        _, active = self.database.list_jobs(job.owner, 1, states=ACTIVE)
        if active >= self.settings.max_active_jobs:
            raise TooMany("services.too_many_jobs", n=active)
        self._check_name(job)
        self.database.add_job(job)

    def _check_name(self, job: JobRecord) -> None:
        try:
            model = self.database.get_model(job.owner, job.name)
        except NotFound:
            return
        if (model.task, model.target) != (job.task, job.target):
            raise Conflict(
                "services.model_name_taken", name=job.name, task=model.task, target=model.target or "-"
            )

    async def page(self, owner: str, limit: int, offset: int) -> tuple[list[JobRecord], int]:
        """The owner's jobs, newest first, and how many there are."""
        return await asyncio.to_thread(self.database.list_jobs, owner, limit, offset)

    async def get(self, owner: str, job_id: str) -> JobRecord:
        """Look one up."""
        return await asyncio.to_thread(self.database.get_job, owner, job_id)

    async def describe(self, job: JobRecord) -> tuple[list[TrialRecord], tuple[str, int] | None]:
        """A job's leaderboard, and the name and version of its model."""
        return await asyncio.to_thread(self._describe, job)

    def _describe(self, job: JobRecord) -> tuple[list[TrialRecord], tuple[str, int] | None]:
        trials = self.database.trials(job.id)
        if job.model_version_id is None:
            return trials, None
        names = self.database.version_names(job.owner, [job.model_version_id])
        return trials, names.get(job.model_version_id)

    async def stop(self, owner: str, job_id: str) -> JobRecord:
        """Ask a running job to end with the best it has."""
        job = await self.get(owner, job_id)
        if job.state != "running":
            raise Conflict("services.job_not_running", state=job.state)
        await asyncio.to_thread(self.storage.write_bytes, control_key(job.id, job.attempt, STOP), b"")
        return job

    async def cancel(self, owner: str, job_id: str) -> JobRecord:
        """End a job without a model; a queued one never starts."""
        job = await self.get(owner, job_id)
        if job.state not in ACTIVE:
            raise Conflict("services.job_ended", state=job.state)
        await asyncio.to_thread(self.storage.write_bytes, control_key(job.id, job.attempt, CANCEL), b"")
        if job.state == "queued" and await self.compute.withdraw(task_key(job)):
            await self.reports.settle(job.id, "cancelled", {})
        return await self.get(owner, job_id)

    async def follow(
        self, owner: str, job_id: str, after: int, heartbeat: float
    ) -> AsyncIterator[EventRecord | None]:
        """The entries of a job's log after number ``after``, as they come, until the job has ended.

        Yields
        ------
        EventRecord or None
            None when nothing came for ``heartbeat`` seconds.
        """
        await self.get(owner, job_id)
        with self.reports.watchers.watch(job_id) as news:
            while True:
                news.clear()
                while batch := await asyncio.to_thread(self.database.events, job_id, after):
                    for event in batch:
                        yield event
                    after = batch[-1].number
                    if batch[-1].kind == "done":
                        return
                job = await self.get(owner, job_id)
                if job.state in FINAL_STATES and not news.is_set():
                    return
                try:
                    await asyncio.wait_for(news.wait(), heartbeat)
                except TimeoutError:
                    yield None
