# ruff: noqa: D102 - what a verb does is told once, in Database
"""Models and their versions in SQL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from automl_jupyter import errors
from automl_jupyter.backends.database import Announce, new_id
from automl_jupyter.backends.records import Erased, ModelRecord, VersionDraft, VersionRecord
from automl_jupyter.backends.sql_base import SqlBase, many, now, one, select, values
from automl_jupyter.backends.sql_datasets import find_dataset
from automl_jupyter.backends.tables import jobs, models, outbox, versions


class SqlModels(SqlBase):
    """The part of the database that holds models."""

    def add_version(
        self, owner: str, *, name: str, task: str, target: str | None, draft: VersionDraft
    ) -> VersionRecord:
        with self._writing() as connection:
            find_dataset(connection, owner, draft.dataset_id)
            model = one(connection, ModelRecord, _by_name(owner, name))
            if model is None:
                model = _new_model(connection, owner, name, task, target, draft.dataset_id)
            elif (model.task, model.target) != (task, target):
                raise errors.Conflict(
                    "backends.model_name_taken", name=name, task=model.task, target=model.target or "–"
                )
            this = models.c.id == model.id
            number = (connection.scalar(sa.select(models.c.last_version).where(this)) or 0) + 1
            record = VersionRecord(**values(draft), model_id=model.id, version=number)
            connection.execute(sa.insert(versions), [values(record)])
            connection.execute(sa.update(models).where(this).values(last_version=number))
            if number == 1:
                connection.execute(sa.update(models).where(this).values(champion=1))
            return record

    def get_model(self, owner: str, name: str) -> ModelRecord:
        with self._reading() as connection:
            return _model(connection, owner, name)

    def list_models(self, owner: str, limit: int = 100, offset: int = 0) -> tuple[list[ModelRecord], int]:
        return self._page(ModelRecord, models, models.c.owner == owner, limit, offset)

    def delete_model(self, owner: str, name: str, *, announce: Announce | None = None) -> Erased:
        with self._writing() as connection:
            model = _model(connection, owner, name)
            gone = _versions(connection, model)
            connection.execute(sa.delete(models).where(models.c.id == model.id))
            connection.execute(sa.delete(outbox).where(outbox.c.subject.in_([v.job_id for v in gone])))
            erased = Erased(
                models=[name],
                keys=[v.key for v in gone],
                mlflow_runs=sorted({v.mlflow_run_id for v in gone if v.mlflow_run_id}),
                mlflow_versions=[(name, v.mlflow_version) for v in gone if v.mlflow_version],
            )
            to_tell = None if announce is None else announce(erased)
            if to_tell is not None:
                connection.execute(sa.insert(outbox), [values(to_tell)])
            return erased

    def versions(self, owner: str, name: str) -> list[VersionRecord]:
        with self._reading() as connection:
            return _versions(connection, _model(connection, owner, name))

    def get_version(self, owner: str, name: str, version: int) -> VersionRecord:
        with self._reading() as connection:
            return _version(connection, _model(connection, owner, name), version)

    def version_names(self, owner: str, version_ids: Collection[str]) -> dict[str, tuple[str, int]]:
        query = (
            sa.select(versions.c.id, models.c.name, versions.c.version)
            .join(models, models.c.id == versions.c.model_id)
            .where(models.c.owner == owner, versions.c.id.in_(version_ids))
        )
        with self._reading() as connection:
            return {row.id: (row.name, row.version) for row in connection.execute(query)}

    def set_champion(self, owner: str, name: str, version: int) -> ModelRecord:
        with self._writing() as connection:
            model = _model(connection, owner, name)
            _version(connection, model, version)
            if model.champion == version:
                return model
            previous = model.previous if model.champion is None else [*model.previous, model.champion]
            return _serve(connection, model, version, previous)

    def rollback(self, owner: str, name: str) -> ModelRecord:
        with self._writing() as connection:
            model = _model(connection, owner, name)
            if not model.previous:
                raise errors.Conflict("backends.no_former_champion", name=name)
            *previous, version = model.previous
            return _serve(connection, model, version, previous)

    def note_tracking(self, version_id: str, run_id: str, uri: str | None, version: str | None) -> None:
        found = {"mlflow_run_id": run_id, "mlflow_model_uri": uri, "mlflow_version": version}
        with self._writing() as connection:
            connection.execute(sa.update(versions).where(versions.c.id == version_id).values(**found))
            of_it = sa.update(jobs).where(jobs.c.model_version_id == version_id)
            connection.execute(of_it.values(mlflow_run_id=run_id))


def _by_name(owner: str, name: str) -> sa.Select[Any]:
    return select(models, ModelRecord).where(models.c.owner == owner, models.c.name == name)


def _model(connection: sa.Connection, owner: str, name: str) -> ModelRecord:
    found = one(connection, ModelRecord, _by_name(owner, name))
    if found is None:
        raise errors.NotFound("backends.no_such_model", name=name)
    return found


def _new_model(
    connection: sa.Connection, owner: str, name: str, task: str, target: str | None, dataset_id: str
) -> ModelRecord:
    model = ModelRecord(
        id=new_id(),
        owner=owner,
        name=name,
        task=task,
        target=target,
        dataset_id=dataset_id,
        created=now(),
        champion=None,
        previous=[],
    )
    connection.execute(sa.insert(models), [{**values(model), "last_version": 0}])
    return model


def _versions(connection: sa.Connection, model: ModelRecord) -> list[VersionRecord]:
    query = select(versions, VersionRecord).where(versions.c.model_id == model.id)
    return many(connection, VersionRecord, query.order_by(versions.c.version.desc()))


def _version(connection: sa.Connection, model: ModelRecord, version: int) -> VersionRecord:
    query = select(versions, VersionRecord).where(
        versions.c.model_id == model.id, versions.c.version == version
    )
    found = one(connection, VersionRecord, query)
    if found is None:
        raise errors.NotFound("backends.no_such_version", name=model.name, version=version)
    return found


def _serve(connection: sa.Connection, model: ModelRecord, version: int, previous: list[int]) -> ModelRecord:
    change = sa.update(models).where(models.c.id == model.id)
    connection.execute(change.values(champion=version, previous=previous))
    return _model(connection, model.owner, model.name)
