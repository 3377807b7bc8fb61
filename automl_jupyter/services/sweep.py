"""Clearing away what earlier runs left: half-made things of killed servers, abandoned uploads, old trials.

Nothing is removed only because no row knows of it: with another database configured by mistake that would be
everything. What is removed was noted by a server that is dead (see :mod:`automl_jupyter.services.staging`),
or belongs to an upload or a job that the database knows.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from automl_jupyter import messages
from automl_jupyter.backends.database import Database
from automl_jupyter.backends.disk import disk_told
from automl_jupyter.backends.records import Erased, JobRecord
from automl_jupyter.backends.storage import Storage
from automl_jupyter.schemas import FINAL_STATES
from automl_jupyter.services.models import erase_files
from automl_jupyter.services.staging import LOCK, NOTE, notes, taken_over
from automl_jupyter.services.study_kinds import folder_of, model_of

log = logging.getLogger(__name__)

UPLOADS_KEPT = timedelta(days=1)
"""How long an upload in pieces is kept to which nothing is added; as long for a file of unknown origin."""

TRIALS_KEPT = timedelta(days=7)
"""How long the finished trials of a job are kept that ended without being done, for taking it up again."""

MODELS_KEPT = timedelta(hours=1)
"""How long the model of an ended job may take to become a version, where its server may be alive."""

DASK = "dask-scratch-space"
"""Dask clears up there itself."""


@dataclass(frozen=True)
class Swept:
    """What was removed.

    Attributes
    ----------
    staged : int
        Files and folders of servers that are dead, and others that nobody touched for a day.
    uploads : int
        Uploads in pieces, abandoned or forgotten.
    datasets, jobs, models : int
        Data sets, trials of jobs and model files that were half made, half erased or out of time.
    studies : int
        Models that are gone, of which something was computed.
    temporary : int
        Files of the storage that killed writers left.
    bytes : int
        The room that all this took in the spool; what the storage had is not measured.
    """

    staged: int = 0
    uploads: int = 0
    datasets: int = 0
    jobs: int = 0
    models: int = 0
    studies: int = 0
    temporary: int = 0
    bytes: int = 0

    def __bool__(self) -> bool:
        return any(asdict(self).values())


def sweep(database: Database, storage: Storage, spool: Path) -> Swept:
    """Clear away what nobody will come back for, and say in the log what that was.

    Servers that are alive, on this machine or another, are left alone; several may sweep at once.

    Raises
    ------
    Unavailable, NoSpace
        If the database or the storage cannot be reached or may not be written; what is left then is for the
        next time.
    """
    sweeper = _Sweeper(database, storage, spool)
    with disk_told():
        sweeper.staging()
        sweeper.uploads()
        sweeper.jobs()
        sweeper.models()
        sweeper.studies()
    sweeper.count["temporary"] += len(storage.sweep_temporary())
    swept = Swept(**sweeper.count)
    if swept:
        log.warning("%s", messages.render("services.swept", told(swept)))
    return swept


def told(swept: Swept) -> dict[str, float]:
    """The values of the sentence about a sweep."""
    return {**asdict(swept), "megabytes": swept.bytes / 1e6}


class _Sweeper:
    """One sweep, and what it has removed so far."""

    def __init__(self, database: Database, storage: Storage, spool: Path) -> None:
        self.count: Counter[str] = Counter()
        self._database = database
        self._storage = storage
        self._spool = spool
        self._now = datetime.now(UTC)
        self._dead: set[str] = set()

    def staging(self) -> None:
        """The folders of dead servers, with what their notes say was under way; what is nobody's."""
        for path in self._entries():
            if path.suffix == ".part" or path.name == DASK:
                continue
            if (path / LOCK).exists():
                with taken_over(path) as dead:
                    if dead:
                        self._dead.add(path.name)
                        self._finish(path)
            elif _age(path) > UPLOADS_KEPT.total_seconds():
                self._remove(path, "staged")

    def _finish(self, folder: Path) -> None:
        for note in notes(folder):
            self._erase(self._database.forgotten(note))
        left = [path for path in folder.iterdir() if path.name != LOCK and path.suffix != NOTE]
        for path in left:
            self._remove(path, "staged")
        shutil.rmtree(folder, ignore_errors=True)

    def uploads(self) -> None:
        """Uploads that nothing was added to for long, and bytes of those that are forgotten."""
        for record in self._database.stale_uploads(self._now - UPLOADS_KEPT):
            self._database.delete_upload(record.owner, record.id)
        # First the files, then the rows: a row is there before its file.
        parts = [path for path in self._entries() if path.suffix == ".part"]
        known = self._database.known_uploads([path.stem for path in parts])
        for path in parts:
            if path.stem not in known:
                self._remove(path, "uploads")

    def jobs(self) -> None:
        """Trials of jobs that are done, or that ended long ago and were not taken up again."""
        old = self._now - TRIALS_KEPT
        for job in self._database.known_jobs(self._ids("jobs")):
            # Of one that MLflow does not know yet, the plots are still to be told.
            settled = job.state == "done" and job.mlflow_run_id is not None
            if settled or (job.state in FINAL_STATES and _ended_before(job, old)):
                self._erase(Erased(jobs=[job.id]))

    def models(self) -> None:
        """Models that were stored, but whose jobs ended before they became a version."""
        old = self._now - MODELS_KEPT
        over = {
            job.id
            for job in self._database.known_jobs(self._ids("models"))
            if job.server_id in self._dead or (job.state in FINAL_STATES and _ended_before(job, old))
        }
        keys = [key for key in self._storage.list("models") if _id(key) in over]
        self._erase(Erased(keys=self._database.forgotten(Erased(keys=keys)).keys))

    def studies(self) -> None:
        """What was computed of models that are gone: a study may end after its model was deleted."""
        for model_key in sorted({model_of(key) for key in self._storage.list("studies")}):
            if not self._storage.exists(model_key):
                self._storage.delete_tree(folder_of(model_key))
                self.count["studies"] += 1

    def _erase(self, gone: Erased) -> None:
        there = Erased(
            datasets=[i for i in gone.datasets if self._storage.list(f"datasets/{i}")],
            jobs=[i for i in gone.jobs if self._storage.list(f"jobs/{i}")],
            keys=[key for key in gone.keys if self._storage.exists(key)],
        )
        erase_files(self._storage, there)
        self.count.update(datasets=len(there.datasets), jobs=len(there.jobs), models=len(there.keys))

    def _ids(self, kind: str) -> Collection[str]:
        return {_id(key) for key in self._storage.list(kind)}

    def _entries(self) -> list[Path]:
        return sorted(self._spool.iterdir()) if self._spool.is_dir() else []

    def _remove(self, path: Path, kind: str) -> None:
        self.count.update({kind: 1, "bytes": _size(path)})
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _id(key: str) -> str:
    return key.split("/")[1]


def _ended_before(job: JobRecord, moment: datetime) -> bool:
    return job.ended is not None and job.ended < moment


def _age(path: Path) -> float:
    """Seconds since something was written; none of what has vanished meanwhile."""
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; what vanishes meanwhile takes none."""
    total = 0
    for file in [path, *path.rglob("*")]:
        try:
            total += file.lstat().st_size if not file.is_dir() else 0
        except FileNotFoundError:
            continue
    return total
