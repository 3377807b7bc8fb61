"""What workers report of jobs: written down in order, told to those who follow."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from automl_jupyter import messages
from automl_jupyter.backends.database import Database
from automl_jupyter.backends.records import JobRecord, TrialRecord, VersionRecord
from automl_jupyter.backends.storage import Storage
from automl_jupyter.errors import AutoMLError
from automl_jupyter.schemas import FINAL_STATES
from automl_jupyter.services.control import CANCEL, control_key
from automl_jupyter.services.models import Models
from automl_jupyter.services.outbox import PREFIX
from automl_jupyter.services.plans import model_key
from automl_jupyter.services.predictions import Predictions

log = logging.getLogger(__name__)

Heard = tuple[str, str, dict[str, Any]]
"""Task, kind and data of what a worker reported."""

ACTIVE = ("queued", "running")
OUTCOMES = ("ended", "failed")
FIRST_MODEL = 2
"""The number of the first trial after the baseline: from then on a model is on its way."""


def task_key(job: JobRecord) -> str:
    """The name under which a job's attempt runs."""
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
    def watch(self, job_id: str) -> Iterator[asyncio.Event]:
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
class Reports:
    """Keeps the logs of jobs.

    Everything that a worker reports goes through one queue and is written in order by one task, so that a
    job's log is the same for everyone and after a restart.
    """

    database: Database
    storage: Storage
    models: Models
    predictions: Predictions
    on_finished: Callable[[JobRecord], None]
    on_activity: Callable[[], None]
    heard: asyncio.Queue[Heard] = field(default_factory=asyncio.Queue)
    watchers: Watchers = field(default_factory=Watchers)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def take_all(self) -> None:
        """Take in reports as they come, one after the other, until cancelled."""
        while True:
            key, kind, data = await self.heard.get()
            if key.startswith(PREFIX):
                self._spawn(self._told(key.removeprefix(PREFIX), kind, data))
                continue
            job_id, _, attempt = key.partition(":")
            if attempt:
                await self._noted(job_id, kind, self._take(job_id, int(attempt), kind, data))
                self.on_activity()

    async def _told(self, record_id: str, kind: str, data: Mapping[str, Any]) -> None:
        try:
            await self.models.told(record_id, kind, data)
        except AutoMLError as error:
            log.error("what MLflow was told was not noted: %s", error)

    async def drain(self, timeout: float) -> None:  # noqa: ASYNC109 - what is left after it is given up
        """Wait until the jobs that have ended are written down, ``timeout`` seconds at most."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout)

    async def _noted(self, job_id: str, kind: str, work: Coroutine[Any, Any, None]) -> None:
        """Do the work of one report; whatever comes of it, the next one is taken in."""
        try:
            await work
        except AutoMLError as error:
            log.error("job %s: %s was not noted: %s", job_id, kind, error)
        except Exception:
            # A fault of ours must not end the task that serves all jobs, nor leave this job running for ever.
            log.exception("job %s: %s was not noted", job_id, kind)
            with contextlib.suppress(AutoMLError):
                await self.fail(job_id, AutoMLError("services.job_lost"))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, job_id: str, attempt: int, kind: str, data: dict[str, Any]) -> None:
        job = await asyncio.to_thread(self.database.find_job, job_id)
        if job.attempt != attempt or job.state in FINAL_STATES:
            await self._call_off(job_id, attempt, kind)
            return
        match kind:
            case "started":
                await self._change(job_id, ("queued",), {"state": "running", "started": datetime.now(UTC)})
                await self.note(job_id, "state", {"state": "running"})
            case "progress":
                await self._change(job_id, ("running",), {"progress": data["done"]})
                await self.note(job_id, "progress", {"done": data["done"]})
            case "outlook":
                ahead = {name: data[name] for name in ("seconds", "gain", "low", "high")}
                await self._change(job_id, ("running",), {"outlook": ahead})
                await self.note(job_id, "outlook", ahead)
            case "tracking":
                await self._change(job_id, ("running",), {"mlflow_run_id": data["run_id"]})
            case "trial":
                record = trial_record(job_id, data["number"], data["trial"])
                added = await asyncio.to_thread(self.database.add_trial, record)
                # An attempt that goes on from an earlier one tells of all that it has.
                if added is not None:
                    if added.number == FIRST_MODEL:
                        self._spawn(self.predictions.start())
                    await self.note(job_id, "trial", data["trial"])
            case "ended":
                # Beside the others: nothing comes after it for this job, and a model takes a while to load.
                self._spawn(self._noted(job_id, kind, self._ended(job, data)))
            case "failed":
                await self.settle(
                    job_id, "failed", {"error": {"code": data["code"], "params": data["params"]}}
                )

    async def _call_off(self, job_id: str, attempt: int, kind: str) -> None:
        """End an attempt of which nobody wants to hear any more: its job was taken for lost meanwhile."""
        if kind not in OUTCOMES:
            key = control_key(job_id, attempt, CANCEL)
            if not await asyncio.to_thread(self.storage.exists, key):
                log.warning("job %s: attempt %d is called off", job_id, attempt)
                await asyncio.to_thread(self.storage.write_bytes, key, b"")

    async def _ended(self, job: JobRecord, data: Mapping[str, Any]) -> None:
        # What follows here, such as loading the model, is not of the time that was asked for.
        run = {"mlflow_run_id": data["mlflow_run_id"], "ended": datetime.now(UTC)}
        if data["outcome"] == "cancelled":
            await self.settle(job.id, "cancelled", run)
            return
        model = data["model"]
        board = [trial_record(job.id, number, trial) for number, trial in enumerate(model["leaderboard"], 1)]
        await asyncio.to_thread(self.database.replace_trials, job.id, board)
        await self.note(job.id, "leaderboard", {"leaderboard": model["leaderboard"]})
        if "tracking_error" in data:
            code, params = data["tracking_error"]["code"], data["tracking_error"]["params"]
            log.warning("job %s is not in MLflow: %s", job.id, messages.render(code, params))
        try:
            version = await self.models.add_version(job, model, model_key(job.id, job.attempt), data)
        except AutoMLError as error:
            await self.fail(job.id, error)
            return
        await self.predictions.warm(version)
        await self.settle(
            job.id, data["outcome"], {**run, "model_version_id": version.id, "progress": 1.0}, version
        )
        if "record" in data:
            await self.models.make_up(job, version, data["record"])
        if data["outcome"] == "done":
            kept = "record" in data
            await asyncio.to_thread(self.storage.delete_tree, f"jobs/{job.id}" + ("/trials" if kept else ""))
        await self.models.mirror_aliases(job.owner, job.name)
        await self.models.outbox.go_on()

    async def fail(self, job_id: str, error: AutoMLError) -> None:
        """End a job without a model, for a reason."""
        await self.settle(job_id, "failed", {"error": {"code": error.code, "params": error.params}})

    async def settle(
        self, job_id: str, state: str, changes: Mapping[str, Any], version: VersionRecord | None = None
    ) -> None:
        """Put a job into its final state and say so at the end of its log."""
        final = {"ended": datetime.now(UTC), **changes, "state": state}
        job = await self._change(job_id, ACTIVE, final)
        model = None if version is None else {"name": job.name, "version": version.version}
        await self.note(job_id, "done", {"state": state, "model": model})
        self.on_finished(job)

    async def _change(self, job_id: str, states: tuple[str, ...], changes: Mapping[str, Any]) -> JobRecord:
        return await asyncio.to_thread(self.database.update_job, job_id, states, **changes)

    async def note(self, job_id: str, kind: str, data: Mapping[str, Any]) -> None:
        """Add an entry to a job's log and wake those who follow it."""
        await asyncio.to_thread(self.database.append_event, job_id, kind, dict(data))
        self.watchers.wake(job_id)


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
