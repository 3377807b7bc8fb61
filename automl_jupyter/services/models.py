"""Models and their versions: which one is in service is decided here and mirrored to MLflow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automl_jupyter.backends.database import Announce, Database, new_id
from automl_jupyter.backends.records import (
    Erased,
    JobRecord,
    ModelRecord,
    OutboxRecord,
    VersionDraft,
    VersionRecord,
)
from automl_jupyter.backends.storage import Storage
from automl_jupyter.errors import NoSpace, NotFound
from automl_jupyter.services.outbox import Outbox
from automl_jupyter.services.staging import Staging
from automl_jupyter.services.study_kinds import folder_of

MIRROR = "automl_jupyter.services.recording:mirror_aliases"
ERASE = "automl_jupyter.services.recording:erase"
RECORD = "automl_jupyter.services.recording:record"


def erase_files(storage: Storage, erased: Erased) -> None:
    """Remove the files of what the database does not know any more."""
    for prefix in [*(f"datasets/{d}" for d in erased.datasets), *(f"jobs/{j}" for j in erased.jobs)]:
        storage.delete_tree(prefix)
    for key in erased.keys:
        # The model last: it says for as long as it is there that something may be left to erase.
        storage.delete_tree(folder_of(key))
        storage.delete(key)


@dataclass(frozen=True)
class Models:
    """List, look up, promote, roll back, delete."""

    database: Database
    storage: Storage
    outbox: Outbox
    staging: Staging

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
        await asyncio.to_thread(self._erase_here, owner, forget)
        await self.outbox.go_on()

    def _erase_here(self, owner: str, forget: Callable[[Announce], Erased]) -> None:
        notes: list[Path] = []

        def announce(things: Erased) -> OutboxRecord | None:
            # On a full disk there is no room for a note, and deleting is what makes room.
            with contextlib.suppress(NoSpace):
                notes.append(self.staging.note(things))
            if not things.mlflow_runs and not things.mlflow_versions:
                return None
            versions = [list(pair) for pair in things.mlflow_versions]
            payload = {"owner": owner, "run_ids": things.mlflow_runs, "versions": versions}
            return self.outbox.compose(owner, ERASE, new_id(), payload)

        erase_files(self.storage, forget(announce))
        for note in notes:
            note.unlink()

    async def mirror_aliases(self, owner: str, name: str) -> None:
        """Make MLflow's aliases say what our database says."""
        model, versions = await self.get(owner, name)
        by_number = {version.version: version.mlflow_version for version in versions}
        newest = versions[0] if versions else None
        challenger = newest if newest and newest.version != model.champion else None
        aliases = {
            "champion": by_number.get(model.champion) if model.champion else None,
            "challenger": challenger.mlflow_version if challenger else None,
        }
        payload = {"owner": owner, "model_name": name, "aliases": aliases}
        await self.outbox.tell(owner, MIRROR, model.id, payload)

    async def make_up(self, job: JobRecord, version: VersionRecord, record: Mapping[str, Any]) -> None:
        """Have a version written into MLflow that could not be when its job ended."""
        payload = {**record, "version_id": version.id}
        await self.outbox.tell(job.owner, RECORD, job.id, payload)

    async def told(self, record_id: str, kind: str, data: Mapping[str, Any]) -> None:
        """Take what comes of telling MLflow something, and go on with the next thing."""
        record = await self.outbox.take(record_id, kind, data)
        if record is None and "mlflow_run_id" in data:
            # The model was deleted while it was being written down.
            versions = [[data["model_name"], data["version"]]]
            erased = {"owner": data["owner"], "run_ids": [data["mlflow_run_id"]], "versions": versions}
            await self.outbox.tell(data["owner"], ERASE, new_id(), erased)
        elif record is not None and record.entry == RECORD:
            await asyncio.to_thread(self._note_tracking, record, data)
            # Somebody may have deleted the model meanwhile.
            with contextlib.suppress(NotFound):
                await self.mirror_aliases(record.owner, record.payload["model_name"])
        await self.outbox.go_on()

    def _note_tracking(self, record: OutboxRecord, data: Mapping[str, Any]) -> None:
        self.database.note_tracking(
            record.payload["version_id"], data["mlflow_run_id"], data["uri"], data["version"]
        )
        # An attempt that may be taken up again keeps its trials.
        done = self.database.find_job(record.payload["job_id"]).state == "done"
        self.storage.delete_tree(record.payload["job_key"] + ("" if done else "/plots"))
