"""What MLflow is to be told: written down first, done by a task on a worker, tried again until it was done.

The pattern is the transactional outbox (C. Richardson, "Microservices Patterns", 2018, chapter 3): MLflow may
be away for a while, or the server may end, and what our database says still reaches it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from automl_jupyter import messages
from automl_jupyter.backends.compute import Compute
from automl_jupyter.backends.database import Database, new_id
from automl_jupyter.backends.records import OutboxRecord
from automl_jupyter.errors import AutoMLError
from automl_jupyter.services.settings import Settings

log = logging.getLogger(__name__)

PREFIX = "outbox:"
GIVEN_UP_AFTER = timedelta(days=30)


@dataclass
class Outbox:
    """Tells MLflow, sooner or later."""

    database: Database
    compute: Compute
    settings: Settings
    server_id: str
    _under_way: set[str] = field(default_factory=set)

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

    def write(self, owner: str, entry: str, subject: str, payload: Mapping[str, Any]) -> OutboxRecord:
        """Write down what is to be told, in place of what was to be told about the same; call in a thread."""
        record = self.compose(owner, entry, subject, payload)
        self.database.add_to_outbox(record)
        return record

    async def tell(self, owner: str, entry: str, subject: str, payload: Mapping[str, Any]) -> None:
        """Write it down and begin; where that is not possible now, it is tried again later."""
        await self.begin(await asyncio.to_thread(self.write, owner, entry, subject, payload))

    async def catch_up(self) -> None:
        """Begin whatever is written down and not under way, also what servers that are dead have left."""
        waiting = await asyncio.to_thread(
            self.database.claim_outbox, self.server_id, self.settings.dead_after_seconds
        )
        for record in waiting:
            if record.id not in self._under_way:
                await self.begin(record)

    async def begin(self, record: OutboxRecord) -> None:
        """Begin to tell what was written down; where that is not possible now, it is tried again later."""
        self._under_way.add(record.id)
        try:
            await self.compute.submit(
                PREFIX + record.id, record.entry, {**record.payload, **self.settings.places()}
            )
        except AutoMLError as error:
            self._under_way.discard(record.id)
            log.warning("MLflow was not told yet: %s", error)

    async def take(self, record_id: str, kind: str, data: Mapping[str, Any]) -> OutboxRecord | None:
        """Take what a task reports: done is done, and given back; what failed is kept for the next time."""
        if kind == "ended":
            self._under_way.discard(record_id)
            return await asyncio.to_thread(self.database.remove_from_outbox, record_id)
        if kind == "failed":
            self._under_way.discard(record_id)
            log.warning("MLflow was not told yet: %s", messages.render(data["code"], data["params"]))
            await asyncio.to_thread(self._give_up_if_old, record_id)
        return None

    def _give_up_if_old(self, record_id: str) -> None:
        horizon = datetime.now(UTC) - GIVEN_UP_AFTER
        for record in self.database.claim_outbox(self.server_id, self.settings.dead_after_seconds):
            if record.id == record_id and record.created < horizon:
                self.database.remove_from_outbox(record_id)
                log.error("MLflow could not be told for %d days: %s", GIVEN_UP_AFTER.days, record.subject)
