"""Jobs: start, list, follow, stop, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from automl_jupyter import schemas
from automl_jupyter.errors import Malformed
from automl_jupyter.server import present
from automl_jupyter.server.base import AutoMLHandler, whole
from automl_jupyter.server.identity import RESOURCE

if TYPE_CHECKING:
    from automl_jupyter.backends.records import JobRecord

HEARTBEAT_SECONDS = 15.0


class _JobHandler(AutoMLHandler):
    async def _show(self, job: JobRecord, status: int = 200) -> None:
        trials, model = await (await self.services()).training.describe(job)
        self.answer(present.job(job, trials, model, self.language), status)


class TrainHandler(_JobHandler):
    """``api/train/{dataset_id}/``."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, dataset_id: str) -> None:
        """Start a search for a model of this data set."""
        request = self.body(schemas.TrainRequest)
        job = await (await self.services()).training.start(self.owner, dataset_id, request)
        await self._show(job, 202)


class JobsHandler(AutoMLHandler):
    """``api/jobs/``."""

    _track_activity = False

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """List the caller's jobs, newest first."""
        limit, offset = self.paging()
        training = (await self.services()).training
        records, total = await training.page(self.owner, limit, offset)
        items = [present.job(job, *(await training.describe(job)), self.language) for job in records]
        self.answer(schemas.JobPage(items=items, total=total, limit=limit, offset=offset))


class JobHandler(_JobHandler):
    """``api/jobs/{job_id}/``."""

    _track_activity = False

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, job_id: str) -> None:
        """Look at a job and its leaderboard."""
        await self._show(await (await self.services()).training.get(self.owner, job_id))


class StopHandler(_JobHandler):
    """``api/jobs/{job_id}/stop/``."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, job_id: str) -> None:
        """Ask a running job to end now with the best model it has."""
        await self._show(await (await self.services()).training.stop(self.owner, job_id), 202)


class CancelHandler(_JobHandler):
    """``api/jobs/{job_id}/cancel/``."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, job_id: str) -> None:
        """End a job without a model; its processors are free within three seconds."""
        await self._show(await (await self.services()).training.cancel(self.owner, job_id), 202)


class ResumeHandler(_JobHandler):
    """``api/jobs/{job_id}/resume/``."""

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, job_id: str) -> None:
        """Take up a job again that ended before it was done; its finished trials are kept."""
        request = self.body(schemas.ResumeRequest)
        training = (await self.services()).training
        await self._show(await training.resume(self.owner, job_id, request.time_budget), 202)


class EventsHandler(AutoMLHandler):
    """``api/jobs/{job_id}/events/``."""

    _track_activity = False

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, job_id: str) -> None:
        """Follow a job as server-sent events, from the one after `Last-Event-ID` until it has ended."""
        asked = whole(self.get_query_argument("after", "0"), 9)
        seen = whole(self.request.headers.get("Last-Event-ID", "0"), 9)
        if asked is None or seen is None:
            raise Malformed("server.bad_event_id")
        after = seen if "Last-Event-ID" in self.request.headers else asked
        training = (await self.services()).training
        await training.get(self.owner, job_id)
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")
        try:
            await self.flush()
            async for record in training.follow(self.owner, job_id, after, HEARTBEAT_SECONDS):
                if record is None:
                    self.write(": still here\n\n")
                else:
                    event = present.event(record)
                    self.write(f"id: {event.id}\nevent: {event.kind}\ndata: {event.model_dump_json()}\n\n")
                await self.flush()
        except StreamClosedError:
            return
        self.finish(set_content_type="text/event-stream")
