"""Data sets: taken in once, described, never changed."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from automl_jupyter.backends.database import Database, new_id
from automl_jupyter.backends.disk import disk_told
from automl_jupyter.backends.process import HelperProcess
from automl_jupyter.backends.records import DatasetRecord, Erased
from automl_jupyter.backends.storage import Storage
from automl_jupyter.engine.admission import USELESS_ROLES
from automl_jupyter.services.recent import Recent
from automl_jupyter.services.staging import Staging
from automl_jupyter.services.threads import to_its_end
from automl_jupyter.services.uploads import clean_filename

READ_SECONDS = 3600.0
"""The longest that reading one file may take."""

LOOK_SECONDS = 120.0
"""The longest that looking for findings, or drawing, may take."""

FINDINGS_KEPT = 32
"""Answers about findings that are kept: where a table is large, looking for them takes seconds."""

ORIGINAL, TABLE, PROFILE, PREVIEW = "original.csv", "table.parquet", "profile.json", "preview.json"


def dataset_key(dataset_id: str, part: str) -> str:
    """Where a part of a data set stands in the storage."""
    return f"datasets/{dataset_id}/{part}"


def train_action(
    finding: Mapping[str, Any], dataset: DatasetRecord, target: str | None
) -> dict[str, Any] | None:
    """The fields of a request to train that act on a finding; None where a request cannot.

    To leave columns out is to name the others, of those that are learnt from anyway.
    """
    wanted: Mapping[str, Any] = finding["action"] or {}
    fields = ("groups", "time_column", "drop_duplicates", "missing_values")
    action = {name: wanted[name] for name in fields if name in wanted}
    left_out = frozenset(wanted.get("exclude", ()))
    kept = [
        column["name"]
        for column in dataset.columns
        if column["role"] not in USELESS_ROLES and column["name"] != target and column["name"] not in left_out
    ]
    if left_out and kept:
        action["columns"] = kept
    return action or None


def _copy(source: Path, target: Path) -> None:
    with disk_told():
        shutil.copyfile(source, target)


def _take_over(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        # Not every file system has links.
        _copy(source, target)


@dataclass(frozen=True)
class Datasets:
    """Take in, list, describe, delete."""

    database: Database
    storage: Storage
    tables: HelperProcess
    staging: Staging
    _found: Recent[tuple[str, str | None], list[dict[str, Any]]] = field(
        default_factory=lambda: Recent(FINDINGS_KEPT)
    )

    async def warm(self) -> None:
        """Start the reading process while the bytes are still on their way."""
        await self.tables.start()

    async def take_in(self, owner: str, source: Path, filename: str, *, consume: bool) -> DatasetRecord:
        """Read the file at ``source``, keep its bytes and its table, and say what was found.

        ``source`` stays; with ``consume`` its bytes are taken over without a copy, and whoever asked removes
        it and changes it no more. Whatever goes wrong, nothing of the data set stays behind: its row is
        written last. Whoever cancels this ends the reading, too.

        Raises
        ------
        UnsupportedType, Unprocessable
            If the file is no table that can be read.
        NoSpace, Unavailable
            If the disk is full or may not be written, or the process that reads is lost.
        """
        filename = clean_filename(filename)
        async with self.staging.scratch() as folder:
            found = await self.tables.call(
                "take_in",
                {"source": str(source), "folder": str(folder)},
                timeout=READ_SECONDS,
                expendable=True,
            )
            await to_its_end(_take_over if consume else _copy, source, folder / ORIGINAL)
            return await to_its_end(self._keep, owner, new_id(), folder, filename, found)

    async def reread(self, owner: str, dataset_id: str, asked: Mapping[str, Any]) -> DatasetRecord:
        """Read the file of a data set again, as asked, into a new one; the first stays as it is.

        What is asked goes over what the first was read with; what is None there is found out again. Whatever
        goes wrong, nothing stays behind.

        Parameters
        ----------
        owner, dataset_id : str
            Whose data set, and which.
        asked : mapping
            Fields of :class:`automl_jupyter.schemas.ReadOptions`, as plain JSON.

        Raises
        ------
        NotFound
            If the owner has no such data set.
        Unprocessable
            If the file cannot be read so; the field at fault is named.
        Conflict
            If the file in the storage is not the one that was taken in.
        NoSpace, Unavailable
            If the disk is full or may not be written, or the process that reads is lost.
        """
        parent = await self.get(owner, dataset_id)
        async with self.staging.scratch() as folder:
            key = dataset_key(dataset_id, ORIGINAL)
            source = await to_its_end(self._local, key, folder)
            payload = {
                "source": str(source),
                "folder": str(folder),
                "before": parent.dialect.get("overrides", {}),
                "options": dict(asked),
                "digest": parent.digest,
                "name": parent.name,
            }
            found = await self.tables.call("take_in", payload, timeout=READ_SECONDS, expendable=True)
            if source != folder / ORIGINAL:
                await to_its_end(_copy, source, folder / ORIGINAL)
            return await to_its_end(self._keep, owner, new_id(), folder, parent.filename, found, parent.id)

    def _keep(
        self,
        owner: str,
        dataset_id: str,
        folder: Path,
        filename: str,
        found: Mapping[str, Any],
        parent: str | None = None,
    ) -> DatasetRecord:
        record = DatasetRecord(
            id=dataset_id,
            owner=owner,
            name=PurePosixPath(filename).stem or filename,
            filename=filename,
            bytes=(folder / ORIGINAL).stat().st_size,
            rows=found["rows"],
            created=datetime.now(UTC),
            digest=found["digest"],
            table_digest=found["table_digest"],
            state="ready",
            columns=found["columns"],
            dialect=found["dialect"],
            warnings=found["warnings"],
            parent=parent,
        )
        note = self.staging.note(Erased(datasets=[dataset_id]))
        try:
            for part in (ORIGINAL, TABLE, PROFILE, PREVIEW):
                self.storage.put_file(folder / part, dataset_key(dataset_id, part))
            self.database.add_dataset(record)
        except BaseException:
            self.storage.delete_tree(f"datasets/{dataset_id}")
            note.unlink()
            raise
        note.unlink()
        return record

    async def page(self, owner: str, limit: int, offset: int) -> tuple[list[DatasetRecord], int]:
        """The owner's data sets, newest first, and how many there are."""
        return await asyncio.to_thread(self.database.list_datasets, owner, limit, offset)

    async def get(self, owner: str, dataset_id: str) -> DatasetRecord:
        """Look one up."""
        return await asyncio.to_thread(self.database.get_dataset, owner, dataset_id)

    async def preview(self, owner: str, dataset_id: str) -> dict[str, Any]:
        """Its first rows."""
        return await self._part(owner, dataset_id, PREVIEW)

    async def profile(self, owner: str, dataset_id: str) -> dict[str, Any]:
        """The distribution of each column."""
        return await self._part(owner, dataset_id, PROFILE)

    async def findings(self, owner: str, dataset_id: str, target: str | None) -> list[dict[str, Any]]:
        """What should be known of a data set before training on it, the serious first.

        Data sets do not change: whoever asks the same again is answered at once.

        Raises
        ------
        Unprocessable
            If there is no such target.
        Conflict
            If the table in the storage is not the one that was taken in.
        """
        record = await self.get(owner, dataset_id)
        found = self._found.get((dataset_id, target))
        if found is None:
            found = await self._look(record, target)
            self._found.put((dataset_id, target), found)
        return [{**finding, "action": train_action(finding, record, target)} for finding in found]

    async def _look(self, record: DatasetRecord, target: str | None) -> list[dict[str, Any]]:
        async with self.staging.scratch() as folder:
            table = await asyncio.to_thread(self._local, dataset_key(record.id, TABLE), folder)
            payload = {
                "table": str(table),
                "columns": record.columns,
                "target": target,
                "digest": record.table_digest,
                "name": record.name,
            }
            answer = await self.tables.call("look", payload, timeout=LOOK_SECONDS)
        found: list[dict[str, Any]] = answer["findings"]
        return found

    async def charts(self, owner: str, dataset_id: str) -> list[dict[str, Any]]:
        """What it looks like: which cells are empty together, and the values of each column.

        Raises
        ------
        Conflict
            If the table in the storage is not the one that was taken in.
        """
        record = await self.get(owner, dataset_id)
        known = await self.profile(owner, dataset_id)
        async with self.staging.scratch() as folder:
            table = await asyncio.to_thread(self._local, dataset_key(dataset_id, TABLE), folder)
            payload = {
                "table": str(table),
                "profile": known,
                "digest": record.table_digest,
                "name": record.name,
            }
            answer = await self.tables.call("draw", payload, timeout=LOOK_SECONDS)
        found: list[dict[str, Any]] = answer["charts"]
        return found

    def _local(self, key: str, folder: Path) -> Path:
        path = self.storage.local_path(key)
        if path is None:
            path = folder / PurePosixPath(key).name
            self.storage.get_file(key, path)
        return path

    async def _part(self, owner: str, dataset_id: str, part: str) -> dict[str, Any]:
        await self.get(owner, dataset_id)
        data = await asyncio.to_thread(self.storage.read_bytes, dataset_key(dataset_id, part))
        content: dict[str, Any] = json.loads(data)
        return content
