# ruff: noqa: D102 - what a verb does is told once, in Database
"""What MLflow is still to be told, in SQL."""

from __future__ import annotations

import sqlalchemy as sa

from automl_jupyter.backends.records import OutboxRecord
from automl_jupyter.backends.sql_base import SqlBase, many, one, select, values
from automl_jupyter.backends.sql_jobs import alive_servers
from automl_jupyter.backends.tables import outbox


class SqlOutbox(SqlBase):
    """The part of the database that holds the outbox."""

    def add_to_outbox(self, record: OutboxRecord) -> None:
        with self._writing() as connection:
            same = (outbox.c.entry == record.entry) & (outbox.c.subject == record.subject)
            connection.execute(sa.delete(outbox).where(same))
            connection.execute(sa.insert(outbox), [values(record)])

    def claim_outbox(self, server_id: str, dead_after_seconds: float) -> list[OutboxRecord]:
        with self._writing() as connection:
            left = outbox.c.server_id.not_in(alive_servers(connection, dead_after_seconds))
            connection.execute(sa.update(outbox).where(left).values(server_id=server_id))
            mine = select(outbox, OutboxRecord).where(outbox.c.server_id == server_id)
            return many(connection, OutboxRecord, mine.order_by(outbox.c.created))

    def remove_from_outbox(self, record_id: str) -> OutboxRecord | None:
        with self._writing() as connection:
            query = select(outbox, OutboxRecord).where(outbox.c.id == record_id)
            found = one(connection, OutboxRecord, query)
            connection.execute(sa.delete(outbox).where(outbox.c.id == record_id))
            return found
