"""How it is going: for people as JSON, for Prometheus as text."""

from __future__ import annotations

import asyncio
import hmac
from collections import Counter

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.utils import ensure_async
from tornado import web

from automl_jupyter import schemas
from automl_jupyter.errors import Forbidden
from automl_jupyter.server.base import AutoMLHandler
from automl_jupyter.server.identity import RESOURCE

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


class MonitoringHandler(AutoMLHandler):
    """``api/monitoring/``."""

    _track_activity = False

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """Sum up the caller's own requests, jobs and predictions since the server started."""
        services = await self.services()
        counts = await asyncio.to_thread(services.database.counts, self.owner)
        mine = self.owner
        telemetry = self.app.telemetry
        self.answer(
            schemas.Monitoring(
                since=telemetry.since,
                datasets=counts.datasets.get(mine, 0),
                models=counts.models.get(mine, 0),
                jobs=counts.jobs.get(mine, {}),
                training_seconds=telemetry.training_seconds_of(self.owner),
                predictions=[
                    schemas.ModelStatistics(model=model, requests=n, rows=rows, mean_seconds=seconds / n)
                    for model, n, rows, seconds in telemetry.predictions_of(self.owner)
                ],
                requests=[
                    schemas.RouteStatistics(
                        route=route, method=method, requests=n, errors=errors, mean_seconds=seconds / n
                    )
                    for route, method, n, errors, seconds in telemetry.requests_of(self.owner)
                ],
            )
        )


class MetricsHandler(AutoMLHandler):
    """``api/monitoring/metrics/``."""

    _track_activity = False

    @allow_unauthenticated
    async def get(self) -> None:
        """Give all measurements as Prometheus' text, to administrators and holders of the metrics token."""
        if self._bears_metrics_token():
            await self._expose()
        else:
            await ensure_async(self._for_administrators())

    def _bears_metrics_token(self) -> bool:
        token = self.app.metrics_token
        kind, _, given = self.request.headers.get("Authorization", "").partition(" ")
        return bool(token) and kind.lower() in ("bearer", "token") and hmac.compare_digest(given, token)

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def _for_administrators(self) -> None:
        if not self.administers:
            raise Forbidden("server.administrators_only")
        await self._expose()

    async def _expose(self) -> None:
        services = await self.services()
        counts = await asyncio.to_thread(services.database.counts, None)
        jobs: Counter[str] = Counter()
        for states in counts.jobs.values():
            jobs.update(states)
        await self.finish(self.app.telemetry.exposition(jobs), set_content_type=TEXT_FORMAT)
