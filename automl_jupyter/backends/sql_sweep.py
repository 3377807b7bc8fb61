# ruff: noqa: D102 - what a verb does is told once, in Database
"""In SQL: which of the things that lie in storage and spool have a row."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa

from automl_jupyter.backends.records import Erased, JobRecord
from automl_jupyter.backends.sql_base import SqlBase, many, select
from automl_jupyter.backends.tables import datasets, jobs, uploads, versions

_AT_ONCE = 500
"""Values in one statement; databases have limits."""


class SqlSweep(SqlBase):
    """The part of the database that knows what may be swept away."""

    def forgotten(self, named: Erased) -> Erased:
        with self._reading() as connection:
            return Erased(
                datasets=_unknown(connection, datasets.c.id, named.datasets),
                jobs=_unknown(connection, jobs.c.id, named.jobs),
                keys=_unknown(connection, versions.c.key, named.keys),
            )

    def known_uploads(self, upload_ids: Collection[str]) -> set[str]:
        with self._reading() as connection:
            return _known(connection, uploads.c.id, upload_ids)

    def known_jobs(self, job_ids: Collection[str]) -> list[JobRecord]:
        with self._reading() as connection:
            return [
                job
                for some in _batches(job_ids)
                for job in many(connection, JobRecord, select(jobs, JobRecord).where(jobs.c.id.in_(some)))
            ]


def _batches(values: Collection[str]) -> Iterator[list[str]]:
    left = iter(values)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _known(connection: sa.Connection, column: sa.Column[Any], values: Collection[str]) -> set[str]:
    return {
        value
        for some in _batches(values)
        for value in connection.scalars(sa.select(column).where(column.in_(some)))
    }


def _unknown(connection: sa.Connection, column: sa.Column[Any], values: Collection[str]) -> list[str]:
    known = _known(connection, column, values)
    return [value for value in values if value not in known]
