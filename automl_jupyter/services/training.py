"""Jobs: started once nothing is left to refuse, followed while they run, stopped, cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from automl_jupyter import messages
from automl_jupyter.backends.compute import Compute
from automl_jupyter.backends.database import Database, new_id
from automl_jupyter.backends.hosts import host_name
from automl_jupyter.backends.records import (
    DatasetRecord,
    EventRecord,
    JobRecord,
    ServerRecord,
    TrialRecord,
    VersionRecord,
)
from automl_jupyter.backends.storage import Storage
from automl_jupyter.engine.admission import Admission, ColumnSummary, admit
from automl_jupyter.errors import AutoMLError, Conflict, FieldError, NotFound, TooMany, Unprocessable
from automl_jupyter.schemas import FINAL_STATES, TrainRequest
from automl_jupyter.services.control import CANCEL, STOP, control_key
from automl_jupyter.services.datasets import TABLE, dataset_key
from automl_jupyter.services.models import Models
from automl_jupyter.services.predictions import Predictions
from automl_jupyter.services.settings import Settings

log = logging.getLogger(__name__)

ENTRY = "automl_jupyter.services.coordinator:run"
Heard = tuple[str, str, dict[str, Any]]
"""Task, kind and data of what a worker reported."""

ACTIVE = ("queued", "running")
WARM = "automl_jupyter.services.coordinator:warm"
FIRST_MODEL = 2
"""The number of the first trial after the baseline: from then on a model is on its way."""
HEARTBEAT_SECONDS = 10.0
DEAD_AFTER_SECONDS = 60.0


def model_key(job_id: str) -> str:
    """Where the model of a job stands in the storage."""
    return f"models/{job_id}/model.bin"


def default_model_name(dataset: str, target: str | None) -> str:
    """A name made of what was learnt from: ``<file>-<target>``, with ``-`` for what is not allowed."""
    text = f"{dataset}-{target or 'clusters'}"
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:80] or "model"


def _task_key(job: JobRecord) -> str:
    return f"{job.id}:{job.attempt}"


@dataclass
class Watchers:
    """Wakes those who follow a job when something was added to its log."""

    _events: dict[str, set[asyncio.Event]] = field(default_factory=dict)

    def wake(self, job_id: str) -> None:
        """Something was added."""
        for event in self._events.get(job_id, ()):
            event.set()

    @contextlib.contextmanager
    def watch(self, job_id: str) -> Any:
        """An event that is set whenever something was added, for as long as the block runs."""
        event = asyncio.Event()
        self._events.setdefault(job_id, set()).add(event)
        try:
            yield event
        finally:
            watching = self._events[job_id]
            watching.discard(event)
            if not watching:
                del self._events[job_id]


@dataclass
class Training:
    """Start, list, follow, stop and cancel jobs; take in what the workers report.

    Everything that a worker reports goes through one queue and is written in order by one task, so that a
    job's log is the same for everyone and after a restart.
    """

    database: Database
    storage: Storage
    compute: Compute
    models: Models
    predictions: Predictions
    settings: Settings
    server_id: str
    reports: asyncio.Queue[Heard]
    on_finished: Callable[[JobRecord], None]
    on_activity: Callable[[], None]
    watchers: Watchers = field(default_factory=Watchers)
    _warmed: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # --- the life of the service

    async def open(self) -> None:
        """Begin to take in reports and to say that this server is alive."""
        await asyncio.to_thread(self._sign_on)
        self._spawn(self._take_reports())
        self._spawn(self._beat())

    async def close(self) -> None:
        """End what runs; its jobs are marked as interrupted."""
        await self.compute.close()
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
                    self.watchers.wake(job_id)
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
        admission = admit(
            [summary(column) for column in dataset.columns],
            dataset.rows,
            request.target,
            request.task,
            request.columns,
            request.metric,
        )
        job = self._new_job(owner, dataset, request, admission)
        await asyncio.to_thread(self._admit_job, job)
        await asyncio.to_thread(self.database.append_event, job.id, "state", {"state": "queued"})
        self._spawn(self._submit(job, self._payload(job, dataset, admission)))
        return job

    async def _submit(self, job: JobRecord, payload: dict[str, Any]) -> None:
        try:
            await self.compute.submit(_task_key(job), ENTRY, payload)
        except AutoMLError as error:
            await self._fail(job.id, error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _new_job(
        self, owner: str, dataset: DatasetRecord, request: TrainRequest, admission: Admission
    ) -> JobRecord:
        budget = request.time_budget or self.settings.default_time_budget
        if budget > self.settings.max_time_budget:
            most = self.settings.max_time_budget
            raise Unprocessable(
                "services.budget_too_long",
                most=most,
                errors=[FieldError("time_budget", "services.budget_too_long", {"most": most})],
            )
        return JobRecord(
            id=new_id(),
            owner=owner,
            dataset_id=dataset.id,
            target=request.target,
            task=admission.task,
            metric=admission.metric,
            name=request.name or default_model_name(dataset.name, request.target),
            state="queued",
            created=datetime.now(UTC),
            started=None,
            ended=None,
            time_budget=budget,
            seed=request.seed,
            columns=list(admission.features),
            progress=0.0,
            attempt=1,
            server_id=self.server_id,
            error=None,
            model_version_id=None,
            mlflow_run_id=None,
        )

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

    def _payload(self, job: JobRecord, dataset: DatasetRecord, admission: Admission) -> dict[str, Any]:
        return {
            **self.models.tracking_payload(),
            "job_id": job.id,
            "attempt": job.attempt,
            "storage_url": self.storage.url,
            "table_key": dataset_key(dataset.id, TABLE),
            "table_digest": dataset.table_digest,
            "dataset_name": dataset.name,
            "job_key": f"jobs/{job.id}",
            "trials_key": f"jobs/{job.id}/trials",
            "model_key": model_key(job.id),
            "features": list(admission.features),
            "target": job.target,
            "task": job.task,
            "metric": job.metric,
            "time_budget": job.time_budget,
            "seed": job.seed,
            "threads": self.settings.threads,
            "owner": job.owner,
            "model_name": job.name,
            "experiment": f"{job.owner}/{dataset.name}/{job.target or 'clusters'}",
            "tags": {"automl.owner": job.owner, "automl.job": job.id, "automl.dataset": dataset.id},
            "params": {
                "task": job.task,
                "metric": job.metric,
                "time_budget": job.time_budget,
                "seed": job.seed,
                "rows": dataset.rows,
                "features": len(admission.features),
            },
        }

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
        if job.state == "queued" and await self.compute.withdraw(_task_key(job)):
            await self._settle(job.id, "cancelled", {})
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
        with self.watchers.watch(job_id) as news:
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

    # --- what the workers report

    async def _take_reports(self) -> None:
        while True:
            key, kind, data = await self.reports.get()
            job_id, _, attempt = key.partition(":")
            if not attempt:
                continue
            try:
                await self._take(job_id, int(attempt), kind, data)
            except AutoMLError as error:
                log.error("job %s: %s was not noted: %s", job_id, kind, error)
            self.on_activity()

    async def _take(self, job_id: str, attempt: int, kind: str, data: dict[str, Any]) -> None:
        job = await asyncio.to_thread(self.database.find_job, job_id)
        if job.attempt != attempt or job.state in FINAL_STATES:
            return
        match kind:
            case "started":
                await self._change(job_id, ("queued",), {"state": "running", "started": datetime.now(UTC)})
                await self._note(job_id, "state", {"state": "running"})
            case "progress":
                await self._change(job_id, ("running",), {"progress": data["done"]})
                await self._note(job_id, "progress", {"done": data["done"]})
            case "trial":
                record = trial_record(job_id, data["number"], data["trial"])
                await asyncio.to_thread(self.database.add_trial, record)
                if record.number == FIRST_MODEL:
                    self._spawn(self.predictions.start())
                await self._note(job_id, "trial", data["trial"])
            case "ended":
                await self._ended(job, data)
            case "failed":
                await self._settle(
                    job_id, "failed", {"error": {"code": data["code"], "params": data["params"]}}
                )

    async def _ended(self, job: JobRecord, data: Mapping[str, Any]) -> None:
        run = {"mlflow_run_id": data["mlflow_run_id"]}
        if data["outcome"] == "cancelled":
            await self._settle(job.id, "cancelled", run)
            return
        model = data["model"]
        board = [trial_record(job.id, number, trial) for number, trial in enumerate(model["leaderboard"], 1)]
        await asyncio.to_thread(self.database.replace_trials, job.id, board)
        await self._note(job.id, "leaderboard", {"leaderboard": model["leaderboard"]})
        if "tracking_error" in data:
            code, params = data["tracking_error"]["code"], data["tracking_error"]["params"]
            log.warning("job %s is not in MLflow: %s", job.id, messages.render(code, params))
        try:
            version = await self.models.add_version(job, model, model_key(job.id), data)
        except AutoMLError as error:
            await self._fail(job.id, error)
            return
        await self.predictions.warm(version)
        await self._settle(
            job.id, data["outcome"], {**run, "model_version_id": version.id, "progress": 1.0}, version
        )
        if data["outcome"] == "done":
            await asyncio.to_thread(self.storage.delete_tree, f"jobs/{job.id}")
        await self.models.mirror_aliases(job.owner, job.name)

    async def _fail(self, job_id: str, error: AutoMLError) -> None:
        await self._settle(job_id, "failed", {"error": {"code": error.code, "params": error.params}})

    async def _settle(
        self, job_id: str, state: str, changes: Mapping[str, Any], version: VersionRecord | None = None
    ) -> None:
        final = {**changes, "state": state, "ended": datetime.now(UTC)}
        job = await self._change(job_id, ACTIVE, final)
        model = None if version is None else {"name": job.name, "version": version.version}
        await self._note(job_id, "done", {"state": state, "model": model})
        self.on_finished(job)

    async def _change(self, job_id: str, states: tuple[str, ...], changes: Mapping[str, Any]) -> JobRecord:
        return await asyncio.to_thread(self.database.update_job, job_id, states, **changes)

    async def _note(self, job_id: str, kind: str, data: Mapping[str, Any]) -> None:
        await asyncio.to_thread(self.database.append_event, job_id, kind, dict(data))
        self.watchers.wake(job_id)


def summary(column: Mapping[str, Any]) -> ColumnSummary:
    """What deciding on a job needs to know of a column."""
    return ColumnSummary(
        name=column["name"],
        type=column["type"],
        role=column["role"],
        missing=column["missing"],
        distinct=column["distinct"],
        lowest=column.get("lowest"),
        highest=column.get("highest"),
    )


def trial_record(job_id: str, number: int, trial: Mapping[str, Any]) -> TrialRecord:
    """The row of a trial."""
    low, high = trial["interval"] or (None, None)
    return TrialRecord(
        job_id=job_id,
        number=number,
        name=trial["name"],
        family=trial["family"],
        score=trial["score"],
        low=low,
        high=high,
        tied_with_best=trial["tied_with_best"],
        baseline=trial["baseline"],
        fit_seconds=trial["fit_seconds"],
        predict_seconds=trial["predict_seconds"],
        state=trial["state"],
        reason=None
        if trial["reason"] is None
        else {"code": trial["reason"], "params": {"detail": trial["detail"]}},
    )
