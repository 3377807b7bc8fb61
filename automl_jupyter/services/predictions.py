"""Predictions: which version answers, and its answers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl_jupyter.backends.database import Database
from automl_jupyter.backends.disk import disk_told
from automl_jupyter.backends.process import HelperProcess
from automl_jupyter.backends.records import ModelRecord, VersionRecord
from automl_jupyter.backends.storage import Storage
from automl_jupyter.errors import AutoMLError, Conflict, NotFound, TooLarge
from automl_jupyter.schemas import JSON_ROWS
from automl_jupyter.services.identifiers import prediction_ids
from automl_jupyter.services.settings import Settings
from automl_jupyter.services.staging import Staging

ROWS_SECONDS = 60.0
TABLE_SECONDS = 600.0


@dataclass(frozen=True)
class Answered:
    """The rows of one request, answered.

    Attributes
    ----------
    model, version
        Who answered.
    answered_by : str
        Which of its models: ``ensemble`` or ``fast``.
    predictions : list of dict
        ``id``, ``value``, ``probabilities`` and ``warnings`` for each row, in order.
    notes : list of dict
        ``code`` and ``params`` of what concerns all rows.
    """

    model: str
    version: int
    answered_by: str
    predictions: list[dict[str, Any]]
    notes: list[dict[str, Any]]


@dataclass(frozen=True)
class AnsweredTable:
    """A CSV file, answered into another."""

    model: str
    version: int
    answered_by: str
    path: Path


def choose(
    model: ModelRecord, versions: Sequence[VersionRecord], reference: str, dataset_id: str
) -> VersionRecord:
    """The version that ``name`` (the latest on that data set), ``name:3`` or ``name@champion`` means.

    Raises
    ------
    NotFound
        If it names none.
    """
    wanted: VersionRecord | None = None
    if "@" in reference:
        alias = reference.partition("@")[2]
        if alias == "champion":
            wanted = next((v for v in versions if v.version == model.champion), None)
        elif alias == "challenger" and versions and versions[0].version != model.champion:
            wanted = versions[0]
    elif ":" in reference:
        number = reference.partition(":")[2]
        wanted = next((v for v in versions if str(v.version) == number), None)
    else:
        wanted = next((v for v in versions if v.dataset_id == dataset_id), None)
    if wanted is None:
        raise NotFound("services.no_such_version", model=reference)
    return wanted


@dataclass(frozen=True)
class Predictions:
    """Answer rows and files, by the model in service or by a version to try."""

    database: Database
    storage: Storage
    helper: HelperProcess
    settings: Settings
    staging: Staging
    on_predicted: Callable[[str, str, int, float], None]

    async def in_service(self, owner: str, name: str) -> tuple[ModelRecord, VersionRecord]:
        """The champion of a model.

        Raises
        ------
        NotFound
            If there is no such model.
        Conflict
            If none of its versions is in service.
        """
        return await asyncio.to_thread(self._in_service, owner, name)

    def _in_service(self, owner: str, name: str) -> tuple[ModelRecord, VersionRecord]:
        model = self.database.get_model(owner, name)
        if model.champion is None:
            raise Conflict("services.no_champion", model=name)
        return model, self.database.get_version(owner, name, model.champion)

    async def on_dataset(
        self, owner: str, dataset_id: str, reference: str
    ) -> tuple[ModelRecord, VersionRecord]:
        """The version that a reference names on a data set; see :func:`choose`."""
        await asyncio.to_thread(self.database.get_dataset, owner, dataset_id)
        name = reference.partition("@")[0].partition(":")[0]
        model, versions = await asyncio.to_thread(self._versions, owner, name)
        return model, choose(model, versions, reference, dataset_id)

    def _versions(self, owner: str, name: str) -> tuple[ModelRecord, list[VersionRecord]]:
        model = self.database.get_model(owner, name)
        return model, self.database.versions(owner, name)

    async def rows(
        self,
        model: ModelRecord,
        version: VersionRecord,
        rows: Sequence[Mapping[str, Any]],
        max_predict_ms: float | None,
    ) -> Answered:
        """Answer rows, each within so many milliseconds if the model can; None is the model's own limit.

        Raises
        ------
        TooLarge
            If there are more than the server allows.
        """
        if len(rows) > JSON_ROWS:
            raise TooLarge("services.too_many_json_rows", n=len(rows), most=JSON_ROWS)
        began = time.perf_counter()
        asked = {**await self.source(version), "rows": list(rows), "max_predict_ms": max_predict_ms}
        found = await self.helper.call("rows", asked, timeout=ROWS_SECONDS)
        self.on_predicted(model.owner, model.name, len(rows), time.perf_counter() - began)
        answers = [
            {"id": identifier, **answer}
            for identifier, answer in zip(prediction_ids(len(rows)), found["predictions"], strict=True)
        ]
        return Answered(model.name, version.version, found["answered_by"], answers, found["notes"])

    async def table(
        self,
        model: ModelRecord,
        version: VersionRecord,
        source: Path,
        language: str,
        max_predict_ms: float | None,
    ) -> AnsweredTable:
        """Answer a CSV file into ``<source>.out``, which the caller removes; where it fails, there is none.

        Raises
        ------
        NoSpace, Unavailable
            If the disk is full or may not be written, or the process that predicts is lost.
        """
        began = time.perf_counter()
        target = source.with_name(source.name + ".out")
        dataset = await asyncio.to_thread(self.database.get_dataset, model.owner, version.dataset_id)
        async with self.staging.scratch() as scratch:
            found = await self.helper.call(
                "table",
                {
                    **await self.source(version),
                    "source": str(source),
                    "scratch": str(scratch),
                    "decided": dataset.dialect.get("overrides", {}),
                    "max_rows": self.settings.max_predict_rows,
                    "language": language,
                    "max_predict_ms": max_predict_ms,
                },
                timeout=TABLE_SECONDS,
            )
            (scratch / found["answers"]).rename(target)
        self.on_predicted(model.owner, model.name, found["rows"], time.perf_counter() - began)
        return AnsweredTable(model.name, version.version, found["answered_by"], target)

    async def start(self) -> None:
        """Start the process that predicts, which takes a while; where it fails, the next call tells."""
        with contextlib.suppress(AutoMLError):
            await self.helper.start()

    async def warm(self, version: VersionRecord) -> None:
        """Load a version before the first row comes. Where that fails, the first row tells."""
        with contextlib.suppress(AutoMLError):
            await self.helper.call("load", await self.source(version), timeout=ROWS_SECONDS)

    async def source(self, version: VersionRecord) -> dict[str, Any]:
        """Where the file of a version is on this machine, and its digest."""
        path = self.storage.local_path(version.key)
        if path is None:
            path = self.settings.data_dir / "cache" / f"{version.digest}.bin"
            if not path.exists():
                async with self.staging.scratch() as scratch:
                    await asyncio.to_thread(self._fetch, version.key, scratch / path.name, path)
        return {"path": str(path), "digest": version.digest}

    def _fetch(self, key: str, local: Path, path: Path) -> None:
        self.storage.get_file(key, local)
        with disk_told():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            local.rename(path)
