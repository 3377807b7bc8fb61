"""Studies: what is computed of a model version on first demand, and kept beside it.

How to add another kind stands in :mod:`automl_jupyter.services.study_kinds`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from automl_jupyter.backends.database import Database
from automl_jupyter.backends.process import HelperProcess
from automl_jupyter.backends.records import DatasetRecord, JobRecord, ModelRecord, VersionRecord
from automl_jupyter.backends.storage import Storage
from automl_jupyter.errors import AutoMLError, NotFound, TooMany
from automl_jupyter.services import plans
from automl_jupyter.services.datasets import TABLE, dataset_key
from automl_jupyter.services.predictions import Predictions
from automl_jupyter.services.settings import Settings
from automl_jupyter.services.staging import Staging
from automl_jupyter.services.study_kinds import Kind, folder_of, stem_of

STUDY_SECONDS = 600.0
"""The longest that one study may take."""

MOST_WAITING = 8
"""So many studies of one owner may wait or run."""

FAILURE_SECONDS = 30.0
"""How long it is told that a study failed; whoever asks later has it tried again."""


@dataclass(frozen=True)
class Kept:
    """A study that is there."""

    version: VersionRecord
    content: bytes


@dataclass
class Pending:
    """A study that is not there yet.

    Attributes
    ----------
    state : str
        ``queued``, ``running``, or ``failed`` with its ``error``.
    done : float
        How far it is, from 0 to 1.
    """

    version: VersionRecord
    owner: str
    state: Literal["queued", "running", "failed"] = "queued"
    done: float = 0.0
    error: AutoMLError | None = None
    ended: float = 0.0


@dataclass(frozen=True)
class Asked:
    """One study that was asked for."""

    kind: Kind
    options: Mapping[str, Any]
    job: JobRecord
    versions: Sequence[VersionRecord]
    datasets: Sequence[DatasetRecord]

    @property
    def folder(self) -> str:
        """Where what is kept of the version stands."""
        return folder_of(self.versions[0].key)

    @property
    def stem(self) -> str:
        """How the name of its file begins."""
        return stem_of(self.kind, {**self.options, "beside": [v.digest for v in self.versions[1:]]})

    @property
    def task(self) -> str:
        """Names it among those that are under way."""
        return f"{self.folder}/{self.stem}"


@dataclass
class UnderWay:
    """The studies that wait, run or have just failed; hears from the process how far they are."""

    pending: dict[str, Pending] = field(default_factory=dict)

    def heard(self, event: Mapping[str, Any]) -> None:
        """Take what the process tells."""
        pending = self.pending.get(event["task"])
        if pending is not None:
            pending.done = event["done"]

    def waiting(self, owner: str) -> int:
        """How many of an owner are not at their end."""
        return sum(p.owner == owner and p.state != "failed" for p in self.pending.values())

    def forget(self) -> None:
        """Forget failures that were told for long enough."""
        now = time.monotonic()
        old = [k for k, p in self.pending.items() if p.state == "failed" and now - p.ended > FAILURE_SECONDS]
        for task in old:
            del self.pending[task]


@dataclass
class Studies:
    """Find what is kept of a version, or have it computed in the process that studies."""

    database: Database
    storage: Storage
    helper: HelperProcess
    predictions: Predictions
    settings: Settings
    staging: Staging
    under_way: UnderWay
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def get(
        self,
        owner: str,
        name: str,
        version: int | None,
        kind: Kind,
        options: Mapping[str, Any] | None = None,
        beside: Sequence[int] = (),
    ) -> Kept | Pending:
        """What is kept of a version, or how far it is: asking for the first time has it computed.

        Parameters
        ----------
        owner, name : str
            Whose model, and which.
        version : int or None
            The version; the one in service, or else the newest, unless given.
        kind : Kind
            One of those in :mod:`automl_jupyter.services.study_kinds`.
        options : mapping, optional
            Plain JSON for the function that computes it. Other options are another study.
        beside : sequence of int
            Further versions of the model that it needs.

        Raises
        ------
        NotFound
            If there is no such version.
        TooMany
            If too many studies of the owner are under way.
        """
        asked = await asyncio.to_thread(self._asked, owner, name, version, kind, options or {}, beside)
        content = await asyncio.to_thread(self._kept, asked)
        if content is not None:
            return Kept(asked.versions[0], content)
        self.under_way.forget()
        pending = self.under_way.pending.get(asked.task)
        if pending is None:
            n = self.under_way.waiting(owner)
            if n >= MOST_WAITING:
                raise TooMany("services.too_many_studies", n=n)
            pending = self.under_way.pending[asked.task] = Pending(asked.versions[0], owner)
            task = asyncio.get_running_loop().create_task(self._study(asked, pending))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return pending

    async def version(self, owner: str, name: str, version: int | None) -> tuple[ModelRecord, VersionRecord]:
        """A version of a model; the one in service, or else the newest, unless given."""
        return await asyncio.to_thread(self._version, owner, name, version)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _version(self, owner: str, name: str, version: int | None) -> tuple[ModelRecord, VersionRecord]:
        model = self.database.get_model(owner, name)
        if version is None:
            version = model.champion or self.database.versions(owner, name)[0].version
        return model, self.database.get_version(owner, name, version)

    def _asked(
        self,
        owner: str,
        name: str,
        version: int | None,
        kind: Kind,
        options: Mapping[str, Any],
        beside: Sequence[int],
    ) -> Asked:
        _, first = self._version(owner, name, version)
        others = [self.database.get_version(owner, name, number) for number in beside]
        datasets = [self.database.get_dataset(owner, one.dataset_id) for one in (first, *others)]
        job = self.database.get_job(owner, first.job_id)
        return Asked(kind, options, job, [first, *others], datasets)

    def _kept(self, asked: Asked) -> bytes | None:
        """What is kept; a file that is not what its digest says is removed, and made anew."""
        for key in self.storage.list(asked.folder):
            name = key.rpartition("/")[2]
            if not name.startswith(asked.stem):
                continue
            # Somebody may be deleting the model.
            with contextlib.suppress(NotFound):
                content = self.storage.read_bytes(key)
                if hashlib.sha256(content).hexdigest() == name.removeprefix(asked.stem).partition(".")[0]:
                    return content
            self.storage.delete(key)
        return None

    async def _study(self, asked: Asked, pending: Pending) -> None:
        try:
            async with self._turn:
                pending.state = "running"
                await self._compute(asked)
        except AutoMLError as error:
            pending.state, pending.error, pending.ended = "failed", error, time.monotonic()
        except BaseException:
            del self.under_way.pending[asked.task]
            raise
        else:
            del self.under_way.pending[asked.task]

    async def _compute(self, asked: Asked) -> None:
        job, dataset, version = asked.job, asked.datasets[0], asked.versions[0]
        admission = plans.admission_of(dataset, plans.request_of(job))
        async with self.staging.scratch() as scratch:
            told = plans.payload(job, dataset, admission, threads=self.settings.threads)
            tables = [await asyncio.to_thread(self.local_table, one, scratch) for one in asked.datasets]
            payload = {
                "task": asked.task,
                "maker": asked.kind.maker,
                "options": dict(asked.options),
                "job": told,
                "dataset": _facts(dataset),
                "version": _facts(version),
                "files": [await self.predictions.source(v) for v in asked.versions],
                "table_path": str(tables[0]),
                "scratch": str(scratch),
                "beside": [
                    {
                        "table_path": str(path),
                        "table_digest": one.table_digest,
                        "dataset_name": one.name,
                    }
                    for path, one in zip(tables[1:], asked.datasets[1:], strict=True)
                ],
            }
            found = await self.helper.call("study", payload, timeout=STUDY_SECONDS, expendable=True)
            key = f"{asked.folder}/{asked.stem}{found['digest']}.{asked.kind.suffix}"
            await asyncio.to_thread(self._keep, scratch / found["file"], key, version.key)

    @staticmethod
    def features(dataset: DatasetRecord, job: JobRecord) -> list[str]:
        """The columns that a job learnt from."""
        return list(plans.admission_of(dataset, plans.request_of(job)).features)

    def local_table(self, dataset: DatasetRecord, scratch: Path) -> Path:
        """Where the table of a data set is on this machine; fetched into a folder if need be."""
        return self._local(dataset_key(dataset.id, TABLE), scratch / f"{dataset.id}.parquet")

    def _local(self, key: str, local: Path) -> Path:
        path = self.storage.local_path(key)
        if path is not None:
            return path
        self.storage.get_file(key, local)
        return local

    def _keep(self, local: Path, key: str, model_key: str) -> None:
        self.storage.put_file(local, key)
        if not self.storage.exists(model_key):
            # The model was deleted while it was studied.
            self.storage.delete_tree(folder_of(model_key))


def _facts(record: DatasetRecord | VersionRecord) -> dict[str, Any]:
    """The fields of a record as plain JSON."""
    fields = dataclasses.asdict(record)
    return {name: v.isoformat() if hasattr(v, "isoformat") else v for name, v in fields.items()}
