# ruff: noqa: D102 - what a verb does is told once, in Database
"""Jobs, their trials and events, and the servers that run them, in SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from automl_jupyter import errors
from automl_jupyter.backends.database import EXPECTED
from automl_jupyter.backends.hosts import host_name, is_running
from automl_jupyter.backends.records import (
    ALIVE,
    INTERRUPTED,
    RUNNING,
    EventRecord,
    JobRecord,
    Json,
    ServerRecord,
    TrialRecord,
)
from automl_jupyter.backends.sql_base import SqlBase, many, now, one, select, values
from automl_jupyter.backends.sql_datasets import find_dataset
from automl_jupyter.backends.tables import events, jobs, servers, trials

_FIXED = frozenset({"id", "owner", "dataset_id", "created"})


class SqlJobs(SqlBase):
    """The part of the database that holds jobs and servers."""

    def add_job(self, record: JobRecord) -> None:
        with self._writing() as connection:
            find_dataset(connection, record.owner, record.dataset_id)
            connection.execute(sa.insert(jobs), [values(record)])

    def get_job(self, owner: str, job_id: str) -> JobRecord:
        with self._reading() as connection:
            return _job(connection, jobs.c.id == job_id, jobs.c.owner == owner)

    def find_job(self, job_id: str) -> JobRecord:
        with self._reading() as connection:
            return _job(connection, jobs.c.id == job_id)

    def list_jobs(
        self,
        owner: str,
        limit: int = 100,
        offset: int = 0,
        *,
        dataset_id: str | None = None,
        states: EXPECTED | None = None,
    ) -> tuple[list[JobRecord], int]:
        condition = jobs.c.owner == owner
        if dataset_id is not None:
            condition &= jobs.c.dataset_id == dataset_id
        if states is not None:
            condition &= jobs.c.state.in_(_states(states))
        return self._page(JobRecord, jobs, condition, limit, offset)

    def running_jobs(self, server_id: str) -> list[JobRecord]:
        mine = (jobs.c.server_id == server_id) & (jobs.c.state == RUNNING)
        with self._reading() as connection:
            return many(connection, JobRecord, select(jobs, JobRecord).where(mine))

    def update_job(self, job_id: str, expected_states: EXPECTED, **changes: object) -> JobRecord:
        unknown = set(changes) - set(jobs.c.keys()) | set(changes) & _FIXED
        if unknown:
            raise ValueError(f"a job has no field to change called {sorted(unknown)}")
        with self._writing() as connection:
            found = _job(connection, jobs.c.id == job_id)
            if found.state not in _states(expected_states):
                raise errors.Conflict("backends.job_state", state=found.state)
            if changes:
                connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(**changes))
            return _job(connection, jobs.c.id == job_id)

    def add_trial(self, record: TrialRecord) -> TrialRecord | None:
        with self._writing() as connection:
            _job(connection, jobs.c.id == record.job_id)
            same = (trials.c.job_id == record.job_id) & (trials.c.name == record.name)
            found = one(connection, TrialRecord, select(trials, TrialRecord).where(same))
            if found is None:
                last = sa.select(sa.func.max(trials.c.number)).where(trials.c.job_id == record.job_id)
                number = (connection.scalar(last) or 0) + 1
            else:
                number = found.number
            placed = dataclasses.replace(record, number=number)
            if placed == found:
                return None
            connection.execute(sa.delete(trials).where(same))
            connection.execute(sa.insert(trials), [values(placed)])
            return placed

    def trials(self, job_id: str) -> list[TrialRecord]:
        query = select(trials, TrialRecord).where(trials.c.job_id == job_id).order_by(trials.c.number)
        with self._reading() as connection:
            return many(connection, TrialRecord, query)

    def replace_trials(self, job_id: str, records: Sequence[TrialRecord]) -> None:
        with self._writing() as connection:
            _job(connection, jobs.c.id == job_id)
            connection.execute(sa.delete(trials).where(trials.c.job_id == job_id))
            if records:
                connection.execute(sa.insert(trials), [values(record) for record in records])

    def append_event(self, job_id: str, kind: str, data: Json) -> EventRecord:
        with self._writing() as connection:
            _job(connection, jobs.c.id == job_id)
            last = connection.scalar(sa.select(sa.func.max(events.c.number)).where(events.c.job_id == job_id))
            record = EventRecord(job_id=job_id, number=(last or 0) + 1, at=now(), kind=kind, data=data)
            connection.execute(sa.insert(events), [values(record)])
            return record

    def events(self, job_id: str, after: int = 0, limit: int = 1000) -> list[EventRecord]:
        query = select(events, EventRecord).where(events.c.job_id == job_id, events.c.number > after)
        with self._reading() as connection:
            return many(connection, EventRecord, query.order_by(events.c.number).limit(limit))

    def register_server(self, record: ServerRecord) -> None:
        with self._writing() as connection:
            connection.execute(sa.insert(servers), [values(record)])

    def heartbeat(self, server_id: str) -> None:
        with self._writing() as connection:
            change = sa.update(servers).where(servers.c.id == server_id).values(heartbeat=now())
            if not connection.execute(change).rowcount:
                raise errors.NotFound("backends.no_such_server")

    def forget_server(self, server_id: str) -> None:
        with self._writing() as connection:
            connection.execute(sa.delete(servers).where(servers.c.id == server_id))

    def interrupt_orphans(self, dead_after_seconds: float) -> list[JobRecord]:
        with self._writing() as connection:
            alive = alive_servers(connection, dead_after_seconds)
            orphaned = jobs.c.state.in_(ALIVE) & jobs.c.server_id.not_in(alive)
            lost = many(connection, JobRecord, select(jobs, JobRecord).where(orphaned))
            for job in lost:
                change = sa.update(jobs).where(jobs.c.id == job.id)
                connection.execute(change.values(state=INTERRUPTED, ended=_last_sign(connection, job)))
            connection.execute(sa.delete(servers).where(servers.c.id.not_in(alive)))
            ids = [job.id for job in lost]
            return many(connection, JobRecord, select(jobs, JobRecord).where(jobs.c.id.in_(ids)))


def alive_servers(connection: sa.Connection, dead_after_seconds: float) -> list[str]:
    """List the servers that are alive, by :meth:`Database.interrupt_orphans`' definition."""
    oldest = now() - timedelta(seconds=dead_after_seconds)
    known = many(connection, ServerRecord, select(servers, ServerRecord))
    return [server.id for server in known if server.heartbeat >= oldest and not _is_gone(server)]


def _last_sign(connection: sa.Connection, job: JobRecord) -> datetime:
    told = sa.select(sa.func.max(events.c.at)).where(events.c.job_id == job.id)
    beat = sa.select(servers.c.heartbeat).where(servers.c.id == job.server_id)
    signs: list[datetime | None] = [connection.scalar(told), connection.scalar(beat), job.started]
    return max([job.created, *(sign for sign in signs if sign is not None)])


def _states(states: EXPECTED) -> list[str]:
    return [states] if isinstance(states, str) else list(states)


def _is_gone(server: ServerRecord) -> bool:
    return server.host == host_name() and not is_running(server.pid)


def _job(connection: sa.Connection, *conditions: sa.ColumnElement[Any]) -> JobRecord:
    found = one(connection, JobRecord, select(jobs, JobRecord).where(*conditions))
    if found is None:
        raise errors.NotFound("backends.no_such_job")
    return found
