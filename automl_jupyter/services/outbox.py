"""What MLflow is to be told: written down first, done by a task on a worker, tried again until it was done.

The pattern is the transactional outbox (C. Richardson, "Microservices Patterns", 2018, chapter 3): MLflow may
be away for a while, or the server may end, and what our database says still reaches it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from automl_jupyter.backends.compute import Compute
from automl_jupyter.backends.database import Database, new_id
from automl_jupyter.backends.records import OutboxRecord
from automl_jupyter.errors import AutoMLError, from_wire
from automl_jupyter.services.settings import Settings

log = logging.getLogger(__name__)

PREFIX = "outbox:"
GIVEN_UP_AFTER = timedelta(days=30)
LOST_SECONDS = 600.0
"""How long one thing may take until it is taken for lost."""
PAUSE_SECONDS = 10.0
"""How long nothing is told after MLflow was away."""


@dataclass
class Outbox:
    """Tells MLflow, sooner or later: one thing at a time, so that a store that is away holds no job up."""

    database: Database
    compute: Compute
    settings: Settings
    server_id: str
    _under_way: str | None = None
    _failures: Counter[str] = field(default_factory=Counter)
    _begun: float = 0.0
    _paused_until: float = 0.0

    def compose(self, owner: str, entry: str, subject: str, payload: Mapping[str, Any]) -> OutboxRecord:
        """What is to be told, not yet written down."""
        return OutboxRecord(
            id=new_id(),
            server_id=self.server_id,
            owner=owner,
            entry=entry,
            subject=subject,
            payload=dict(payload),
            created=datetime.now(UTC),
        )

    def write(self, owner: str, entry: str, subject: str, payload: Mapping[str, Any]) -> None:
        """Write down what is to be told, in place of what was to be told about the same; call in a thread."""
        self.database.add_to_outbox(self.compose(owner, entry, subject, payload))

    async def tell(self, owner: str, entry: str, subject: str, payload: Mapping[str, Any]) -> None:
        """Write down what is to be told and go on telling."""
        await asyncio.to_thread(self.write, owner, entry, subject, payload)
        await self.go_on()

    async def go_on(self) -> None:
        """Begin to tell the oldest thing that is written down, also by servers that are dead.

        What failed comes after what did not: a thing that MLflow will never take keeps nothing else waiting.
        Nothing is begun while something is under way, nor right after MLflow was away.
        """
        now = time.monotonic()
        if now < self._paused_until or (self._under_way is not None and now < self._begun + LOST_SECONDS):
            return
        self._under_way, self._begun = "looking", now
        record = await asyncio.to_thread(self._next)
        self._under_way = None if record is None else record.id
        if record is None:
            return
        try:
            payload = {**record.payload, **self.settings.places()}
            await self.compute.submit(PREFIX + record.id, record.entry, payload)
        except AutoMLError as error:
            self._pause(error)

    def _next(self) -> OutboxRecord | None:
        waiting = self.database.claim_outbox(self.server_id, self.settings.dead_after_seconds)
        horizon = datetime.now(UTC) - GIVEN_UP_AFTER
        old = [record for record in waiting if record.created < horizon]
        for record in old:
            log.error("MLflow could not be told for %d days: %s", GIVEN_UP_AFTER.days, record.subject)
            self.database.remove_from_outbox(record.id)
        young = (record for record in waiting if record.created >= horizon)
        return min(young, key=lambda record: (self._failures[record.id], record.created), default=None)

    async def take(self, record_id: str, kind: str, data: Mapping[str, Any]) -> OutboxRecord | None:
        """Take what a task reports: what is done is forgotten, and given back; what failed is kept."""
        if kind == "ended":
            self._under_way = None
            del self._failures[record_id]
            return await asyncio.to_thread(self.database.remove_from_outbox, record_id)
        if kind == "failed":
            self._failures[record_id] += 1
            self._pause(from_wire(data))
        return None

    def _pause(self, error: AutoMLError) -> None:
        self._under_way = None
        self._paused_until = time.monotonic() + PAUSE_SECONDS
        log.warning("MLflow was not told yet: %s", error)
