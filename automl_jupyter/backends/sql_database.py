# ruff: noqa: D102 - what a verb does is told once, in Database
"""The database in SQL, put together from its parts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from automl_jupyter.backends.database import Database
from automl_jupyter.backends.records import Counts
from automl_jupyter.backends.sql_datasets import SqlDatasets
from automl_jupyter.backends.sql_jobs import SqlJobs
from automl_jupyter.backends.sql_models import SqlModels
from automl_jupyter.backends.sql_outbox import SqlOutbox
from automl_jupyter.backends.sql_sweep import SqlSweep
from automl_jupyter.backends.tables import datasets, jobs, models


class SqlDatabase(SqlDatasets, SqlJobs, SqlModels, SqlOutbox, SqlSweep, Database):
    """A database that SQLAlchemy reaches; SQLite in a file is what it is tested with.

    Parameters
    ----------
    url : str
        As for :func:`automl_jupyter.backends.database.open_database`.
    """

    def counts(self, owner: str | None = None) -> Counts:
        with self._reading() as connection:
            by_state: dict[str, dict[str, int]] = {}
            for of, state, n in connection.execute(_tally(jobs, owner, jobs.c.state)):
                by_state.setdefault(of, {})[state] = n
            return Counts(
                datasets=dict(map(tuple, connection.execute(_tally(datasets, owner)))),
                models=dict(map(tuple, connection.execute(_tally(models, owner)))),
                jobs=by_state,
            )


def _tally(table: sa.Table, owner: str | None, *also: sa.Column[str]) -> sa.Select[Any]:
    query = sa.select(table.c.owner, *also, sa.func.count()).group_by(table.c.owner, *also)
    return query if owner is None else query.where(table.c.owner == owner)
