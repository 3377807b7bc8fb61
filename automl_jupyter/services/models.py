"""Models and their versions: which one is in service is decided here and mirrored to MLflow."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automl_jupyter.backends.compute import Compute
from automl_jupyter.backends.database import Announce, Database, new_id
from automl_jupyter.backends.records import Erased, JobRecord, ModelRecord, VersionDraft, VersionRecord
from automl_jupyter.backends.storage import Storage
from automl_jupyter.errors import AutoMLError, NoSpace
from automl_jupyter.services.settings import Settings
from automl_jupyter.services.staging import Staging

log = logging.getLogger(__name__)

MIRROR = "automl_jupyter.services.coordinator:mirror_aliases"
ERASE = "automl_jupyter.services.coordinator:erase"


def erase_files(storage: Storage, erased: Erased) -> None:
    """Remove the files of what the database does not know any more."""
    for prefix in [*(f"datasets/{d}" for d in erased.datasets), *(f"jobs/{j}" for j in erased.jobs)]:
        storage.delete_tree(prefix)
    for key in erased.keys:
        storage.delete(key)


@dataclass(frozen=True)
class Models:
    """List, look up, promote, roll back, delete."""

    database: Database
    storage: Storage
    compute: Compute
    settings: Settings
    staging: Staging

    def tracking_payload(self) -> dict[str, Any]:
        """Where MLflow is, for a task on a worker."""
        return {
            "tracking_uri": self.settings.tracking_uri,
            "registry_uri": self.settings.registry_uri,
            "artifact_root": self.settings.artifact_root,
        }

    async def page(
        self, owner: str, limit: int, offset: int
    ) -> tuple[list[tuple[ModelRecord, list[VersionRecord]]], int]:
        """The owner's models with their versions, newest first, and how many there are."""
        return await asyncio.to_thread(self._page, owner, limit, offset)

    def _page(
        self, owner: str, limit: int, offset: int
    ) -> tuple[list[tuple[ModelRecord, list[VersionRecord]]], int]:
        models, total = self.database.list_models(owner, limit, offset)
        return [(model, self.database.versions(owner, model.name)) for model in models], total

    async def get(self, owner: str, name: str) -> tuple[ModelRecord, list[VersionRecord]]:
        """Look one up."""
        return await asyncio.to_thread(self._get, owner, name)

    def _get(self, owner: str, name: str) -> tuple[ModelRecord, list[VersionRecord]]:
        model = self.database.get_model(owner, name)
        return model, self.database.versions(owner, name)

    async def add_version(
        self, job: JobRecord, model: Mapping[str, Any], key: str, record: Mapping[str, Any]
    ) -> VersionRecord:
        """Register what a job found; the first version of a model goes into service at once."""
        low, high = model["interval"] or (None, None)
        baseline = next((trial["score"] for trial in model["leaderboard"] if trial["baseline"]), None)
        logged = record.get("mlflow") or {}
        draft = VersionDraft(
            id=new_id(),
            job_id=job.id,
            dataset_id=job.dataset_id,
            created=datetime.now(UTC),
            metric=job.metric,
            score=model["score"],
            low=low,
            high=high,
            baseline_score=baseline,
            key=key,
            digest=model["digest"],
            bytes=model["bytes"],
            contract=model["columns"],
            leaderboard=model["leaderboard"],
            mlflow_run_id=record["mlflow_run_id"],
            mlflow_model_uri=logged.get("uri"),
            mlflow_version=logged.get("version"),
        )
        return await asyncio.to_thread(
            self.database.add_version,
            job.owner,
            name=job.name,
            task=job.task,
            target=job.target,
            draft=draft,
        )

    async def promote(self, owner: str, name: str, version: int) -> tuple[ModelRecord, list[VersionRecord]]:
        """Put a version into service."""
        await asyncio.to_thread(self.database.set_champion, owner, name, version)
        await self.mirror_aliases(owner, name)
        return await self.get(owner, name)

    async def rollback(self, owner: str, name: str) -> tuple[ModelRecord, list[VersionRecord]]:
        """Put the version that was in service before back into service."""
        await asyncio.to_thread(self.database.rollback, owner, name)
        await self.mirror_aliases(owner, name)
        return await self.get(owner, name)

    async def delete(self, owner: str, name: str) -> None:
        """Remove a model with its files and its traces in MLflow."""
        await self._erase(owner, lambda note: self.database.delete_model(owner, name, announce=note))

    async def delete_dataset(self, owner: str, dataset_id: str, *, cascade: bool) -> None:
        """Remove a data set; with ``cascade`` also the models that were learnt from it, files and traces.

        Raises
        ------
        Conflict
            If models were learnt from it and ``cascade`` is not asked for, or a job still uses it.
        """
        await self._erase(
            owner,
            lambda note: self.database.delete_dataset(owner, dataset_id, cascade=cascade, announce=note),
        )

    async def _erase(self, owner: str, forget: Callable[[Announce], Erased]) -> None:
        """Have the database let go of something, then remove its files and its traces in MLflow."""
        erased = await asyncio.to_thread(self._erase_here, forget)
        if erased.mlflow_runs or erased.mlflow_versions:
            payload = {
                **self.tracking_payload(),
                "owner": owner,
                "run_ids": erased.mlflow_runs,
                "versions": [list(pair) for pair in erased.mlflow_versions],
            }
            await self._task(ERASE, payload)

    def _erase_here(self, forget: Callable[[Announce], Erased]) -> Erased:
        notes: list[Path] = []

        def announce(things: Erased) -> None:
            # On a full disk there is no room for a note, and deleting is what makes room.
            with contextlib.suppress(NoSpace):
                notes.append(self.staging.note(things))

        erased = forget(announce)
        erase_files(self.storage, erased)
        for note in notes:
            note.unlink()
        return erased

    async def mirror_aliases(self, owner: str, name: str) -> None:
        """Make MLflow's aliases say what our database says; where MLflow is away, the next change does."""
        model, versions = await self.get(owner, name)
        by_number = {version.version: version.mlflow_version for version in versions}
        newest = versions[0] if versions else None
        challenger = newest if newest and newest.version != model.champion else None
        aliases = {
            "champion": by_number.get(model.champion) if model.champion else None,
            "challenger": challenger.mlflow_version if challenger else None,
        }
        payload = {
            **self.tracking_payload(),
            "owner": owner,
            "model_name": name,
            "aliases": aliases,
        }
        await self._task(MIRROR, payload)

    async def _task(self, entry: str, payload: dict[str, Any]) -> None:
        try:
            await self.compute.submit(new_id(), entry, payload)
        except AutoMLError as error:
            log.warning("MLflow was not told: %s", error)
