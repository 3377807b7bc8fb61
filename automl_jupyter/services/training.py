"""Jobs: started once nothing is left to refuse, followed while they run, stopped, cancelled."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from automl_jupyter.backends.compute import Compute
from automl_jupyter.backends.database import Database, new_id
from automl_jupyter.backends.hosts import host_name
from automl_jupyter.backends.records import DatasetRecord, EventRecord, JobRecord, ServerRecord, TrialRecord
from automl_jupyter.backends.storage import Storage
from automl_jupyter.engine.admission import Admission
from automl_jupyter.engine.advice import Budgets
from automl_jupyter.errors import AutoMLError, Conflict, NotFound, TooMany
from automl_jupyter.schemas import FINAL_STATES, TrainRequest
from automl_jupyter.services import plans
from automl_jupyter.services.control import CANCEL, STOP, control_key
from automl_jupyter.services.models import ERASE, Models
from automl_jupyter.services.reports import ACTIVE, Reports, task_key
from automl_jupyter.services.settings import Settings

log = logging.getLogger(__name__)

ENTRY = "automl_jupyter.services.coordinator:run"
WARM = "automl_jupyter.services.recording:warm"
CLOSE = "automl_jupyter.services.recording:close_run"
BEATS = 6
"""Signs of life in the time after which a server is taken for dead."""
BEATS_TO_TRY_AGAIN = 30
LATE_SECONDS = 120.0
"""How far past its time a job may be, with all that follows the search, until it is taken for lost."""
FOREIGN_POLL_SECONDS = 1.0
"""How often a job that runs for another server is looked at."""
DRAIN_SECONDS = 5.0
RESUMABLE = ("interrupted", "failed", "stopped", "cancelled")


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
        await asyncio.to_thread(self._interrupt_orphans)
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
        orphans = self.database.interrupt_orphans(self.settings.dead_after_seconds)
        for job in orphans:
            log.warning("job %s was interrupted with its server", job.id)
            self.database.append_event(job.id, "done", {"state": "interrupted", "model": None})
            if job.mlflow_run_id is not None:
                self.models.outbox.write(job.owner, CLOSE, job.id, {"run_id": job.mlflow_run_id})
        return [job.id for job in orphans]

    async def _beat(self) -> None:
        for beat in itertools.count():
            try:
                await self._pulse()
                if beat % BEATS_TO_TRY_AGAIN == BEATS_TO_TRY_AGAIN - 1:
                    await self.models.outbox.go_on()
            except AutoMLError as error:
                log.warning("heartbeat: %s", error)
            await asyncio.sleep(self.settings.dead_after_seconds / BEATS)

    async def _pulse(self) -> None:
        try:
            await asyncio.to_thread(self.database.heartbeat, self.server_id)
        except NotFound:
            # This process stood still for so long that others have taken it for dead, and its jobs with it.
            log.warning("this server was taken for dead and signs on again")
            await asyncio.to_thread(self._sign_on)
        for job_id in await asyncio.to_thread(self._interrupt_orphans):
            self.reports.watchers.wake(job_id)
        await self._end_late_jobs()

    async def _end_late_jobs(self) -> None:
        """End jobs of which nothing was heard for far too long, whatever holds them up."""
        running = await asyncio.to_thread(self.database.running_jobs, self.server_id)
        for job in running:
            if plans.seconds_run(job) > job.time_budget + LATE_SECONDS:
                log.error("job %s is taken for lost: it should have ended long ago", job.id)
                await asyncio.to_thread(
                    self.storage.write_bytes, control_key(job.id, job.attempt, CANCEL), b""
                )
                await self.compute.abandon(task_key(job))
                await self.reports.fail(job.id, AutoMLError("services.job_lost"))

    def warm(self) -> None:
        """Make ready for a first job while the person still looks at the data: workers, and MLflow on one."""
        if not self._warmed:
            self._warmed = True
            self._spawn(self._warm())

    async def _warm(self) -> None:
        try:
            await self.compute.submit(new_id(), WARM, self.settings.places())
            await self.models.outbox.go_on()
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
        await self._queue(job, dataset, admission)
        return job

    async def advice(self, owner: str, dataset_id: str, target: str) -> Budgets:
        """Say how much time a training on a data set deserves; the target is a column of it."""
        dataset = await asyncio.to_thread(self.database.get_dataset, owner, dataset_id)
        return plans.advised(dataset, target, self.settings)

    async def resume(self, owner: str, job_id: str, time_budget: float | None) -> JobRecord:
        """Take a job up again that ended before it was done: it goes on from the trials it had finished.

        Parameters
        ----------
        time_budget : float or None
            Seconds for the new attempt; what is left of the job's time, and 10 at least, unless given.

        Raises
        ------
        Conflict
            If the job is done, or has not ended.
        TooMany
            If the owner has too many jobs under way.
        """
        job = await self.get(owner, job_id)
        if job.state not in RESUMABLE:
            raise Conflict("services.job_not_resumable", state=job.state)
        dataset = await asyncio.to_thread(self.database.get_dataset, owner, job.dataset_id)
        admission = plans.admission_of(dataset, plans.request_of(job))
        changes = plans.resumed(job, time_budget, self.settings, self.server_id)
        resumed = await asyncio.to_thread(self._readmit_job, job, changes)
        await self._queue(resumed, dataset, admission)
        return resumed

    async def _queue(self, job: JobRecord, dataset: DatasetRecord, admission: Admission) -> None:
        await self.reports.note(job.id, "state", {"state": "queued"})
        told = plans.payload(job, dataset, admission, threads=self.settings.threads)
        self._spawn(self._submit(job, {**self.settings.places(), **told}))

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
        self._check_load(job.owner)
        self._check_name(job)
        self.database.add_job(job)

    def _readmit_job(self, job: JobRecord, changes: Mapping[str, Any]) -> JobRecord:
        self._check_load(job.owner)
        self._check_name(job)
        resumed = self.database.update_job(job.id, RESUMABLE, **changes)
        if job.mlflow_run_id is not None and job.state != "stopped":
            # The new attempt's run tells all of it; that of a job that was stopped belongs to its model.
            erased = {"owner": job.owner, "run_ids": [job.mlflow_run_id], "versions": []}
            self.models.outbox.write(job.owner, ERASE, new_id(), erased)
        return resumed

    def _check_load(self, owner: str) -> None:
        _, active = self.database.list_jobs(owner, 1, states=ACTIVE)
        if active >= self.settings.max_active_jobs:
            raise TooMany("services.too_many_jobs", n=active)

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
        last = await asyncio.to_thread(self.database.events, job_id, max(0, after - 1), 1)
        silence = 0.0
        with self.reports.watchers.watch(job_id) as news:
            while True:
                news.clear()
                while batch := await asyncio.to_thread(self.database.events, job_id, after):
                    for event in batch:
                        yield event
                    last, after, silence = batch[-1:], batch[-1].number, 0.0
                job = await self.get(owner, job_id)
                # A job that was taken up again has an end in the middle of its log.
                told = bool(last) and last[0].kind == "done"
                if job.state in FINAL_STATES and (told or silence >= heartbeat):
                    return
                wait = heartbeat if job.server_id == self.server_id else FOREIGN_POLL_SECONDS
                try:
                    await asyncio.wait_for(news.wait(), min(wait, heartbeat - silence))
                except TimeoutError:
                    silence += min(wait, heartbeat - silence)
                    if silence >= heartbeat and job.state not in FINAL_STATES:
                        silence = 0.0
                        yield None
