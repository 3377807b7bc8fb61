# ruff: noqa: D102 - what a verb does is told once, in Database
"""Data sets and uploads in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from automl_jupyter import errors
from automl_jupyter.backends.database import Announce
from automl_jupyter.backends.records import ALIVE, DatasetRecord, Erased, ModelRecord, UploadRecord
from automl_jupyter.backends.sql_base import SqlBase, many, now, one, select, values
from automl_jupyter.backends.tables import datasets, jobs, models, outbox, uploads, versions


def find_dataset(connection: sa.Connection, owner: str, dataset_id: str) -> DatasetRecord:
    """Read a data set.

    Raises
    ------
    NotFound
        ``backends.no_such_dataset``.
    """
    query = select(datasets, DatasetRecord).where(datasets.c.id == dataset_id, datasets.c.owner == owner)
    found = one(connection, DatasetRecord, query)
    if found is None:
        raise errors.NotFound("backends.no_such_dataset", id=dataset_id)
    return found


class SqlDatasets(SqlBase):
    """The part of the database that holds data sets and uploads."""

    def add_dataset(self, record: DatasetRecord) -> None:
        with self._writing() as connection:
            if record.parent is not None:
                find_dataset(connection, record.owner, record.parent)
            connection.execute(sa.insert(datasets), [values(record)])

    def get_dataset(self, owner: str, dataset_id: str) -> DatasetRecord:
        with self._reading() as connection:
            return find_dataset(connection, owner, dataset_id)

    def list_datasets(self, owner: str, limit: int = 100, offset: int = 0) -> tuple[list[DatasetRecord], int]:
        return self._page(DatasetRecord, datasets, datasets.c.owner == owner, limit, offset)

    def delete_dataset(
        self, owner: str, dataset_id: str, *, cascade: bool = False, announce: Announce | None = None
    ) -> Erased:
        with self._writing() as connection:
            name = find_dataset(connection, owner, dataset_id).name
            done = connection.execute(
                sa.select(jobs.c.id, jobs.c.state, jobs.c.mlflow_run_id).where(
                    jobs.c.dataset_id == dataset_id
                )
            ).all()
            if any(job.state in ALIVE for job in done):
                raise errors.Conflict("backends.dataset_in_use", name=name)
            trained = _versions_on(connection, dataset_id)
            if trained and not cascade:
                names = sorted({row.name for row in trained})
                raise errors.Conflict("backends.dataset_has_models", name=name, models=names, n=len(names))
            connection.execute(sa.delete(versions).where(versions.c.dataset_id == dataset_id))
            emptied = [
                row.name
                for row in {row.model_id: row for row in trained}.values()
                if not _mend_model(connection, row.model_id)
            ]
            connection.execute(sa.delete(jobs).where(jobs.c.dataset_id == dataset_id))
            connection.execute(sa.delete(outbox).where(outbox.c.subject.in_([job.id for job in done])))
            connection.execute(sa.delete(datasets).where(datasets.c.id == dataset_id))
            runs = {row.mlflow_run_id for row in [*done, *trained]} - {None}
            erased = Erased(
                datasets=[dataset_id],
                jobs=[job.id for job in done],
                models=sorted(emptied),
                keys=[row.key for row in trained],
                mlflow_runs=sorted(runs),
                mlflow_versions=[(row.name, row.mlflow_version) for row in trained if row.mlflow_version],
            )
            to_tell = None if announce is None else announce(erased)
            if to_tell is not None:
                connection.execute(sa.insert(outbox), [values(to_tell)])
            return erased

    def add_upload(self, record: UploadRecord) -> None:
        with self._writing() as connection:
            connection.execute(sa.insert(uploads), [values(record)])

    def get_upload(self, owner: str, upload_id: str) -> UploadRecord:
        with self._reading() as connection:
            return _find_upload(connection, owner, upload_id)

    def advance_upload(self, owner: str, upload_id: str, expected: int, offset: int) -> UploadRecord:
        with self._writing() as connection:
            found = _find_upload(connection, owner, upload_id)
            if found.offset != expected:
                raise errors.Conflict("backends.upload_moved", offset=found.offset)
            change = sa.update(uploads).where(uploads.c.id == upload_id)
            connection.execute(change.values(offset=offset, updated=now()))
            return _find_upload(connection, owner, upload_id)

    def delete_upload(self, owner: str, upload_id: str) -> None:
        with self._writing() as connection:
            _find_upload(connection, owner, upload_id)
            connection.execute(sa.delete(uploads).where(uploads.c.id == upload_id))

    def stale_uploads(self, before: datetime) -> list[UploadRecord]:
        with self._reading() as connection:
            return many(
                connection, UploadRecord, select(uploads, UploadRecord).where(uploads.c.updated < before)
            )


def _find_upload(connection: sa.Connection, owner: str, upload_id: str) -> UploadRecord:
    query = select(uploads, UploadRecord).where(uploads.c.id == upload_id, uploads.c.owner == owner)
    found = one(connection, UploadRecord, query)
    if found is None:
        raise errors.NotFound("backends.no_such_upload", id=upload_id)
    return found


def _versions_on(connection: sa.Connection, dataset_id: str) -> list[Any]:
    columns = (
        models.c.name,
        versions.c.model_id,
        versions.c.key,
        versions.c.mlflow_run_id,
        versions.c.mlflow_version,
    )
    query = sa.select(*columns).join(models, models.c.id == versions.c.model_id)
    return list(connection.execute(query.where(versions.c.dataset_id == dataset_id)))


def _mend_model(connection: sa.Connection, model_id: str) -> bool:
    """Take erased versions out of a model's history; False if none is left and the model was forgotten."""
    left = connection.execute(
        sa.select(versions.c.version, versions.c.dataset_id)
        .where(versions.c.model_id == model_id)
        .order_by(versions.c.version)
    ).all()
    if not left:
        connection.execute(sa.delete(models).where(models.c.id == model_id))
        return False
    model = one(connection, ModelRecord, select(models, ModelRecord).where(models.c.id == model_id))
    if model is None:
        return False
    there = {row.version for row in left}
    previous = [version for version in model.previous if version in there]
    champion = model.champion if model.champion in there else previous.pop() if previous else None
    connection.execute(
        sa.update(models)
        .where(models.c.id == model_id)
        .values(champion=champion, previous=previous, dataset_id=left[0].dataset_id)
    )
    return True
