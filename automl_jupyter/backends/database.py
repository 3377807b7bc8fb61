"""What must outlive the server's process: data sets, jobs with their trials and events, models."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from automl_jupyter.backends.records import (
    Counts,
    DatasetRecord,
    Erased,
    EventRecord,
    JobRecord,
    Json,
    ModelRecord,
    OutboxRecord,
    ServerRecord,
    TrialRecord,
    UploadRecord,
    VersionDraft,
    VersionRecord,
)

EXPECTED = Collection[str] | str

Announce = Callable[[Erased], OutboxRecord | None]
"""Told what is about to be forgotten, right before it is: if it raises, nothing is.

It may give back what MLflow is to be told of it, which is remembered in the same transaction.
"""


def new_id() -> str:
    """Draw an id that cannot be guessed: about 128 random bits in 22 characters that a URL may have.

    It begins with a letter or a digit, so that no shell takes it for an option.
    """
    drawn = secrets.token_urlsafe(16)
    return drawn if drawn[0].isalnum() else new_id()


class Database(ABC):
    """The state of the product.

    Every implementation keeps this contract:

    - All methods are synchronous and may be called from several threads at once; several servers may share
      one database.
    - Each method is one transaction: all of it happens, or nothing.
    - What belongs to another owner does not exist: ``NotFound("backends.no_such_...")``, as for an id that
      was never given. Methods without an owner serve the server's own book-keeping and take ids that it
      got from elsewhere than a request.
    - Lists are ordered with the newest first and come with the number of all there are.
    - A database that cannot be reached raises ``Unavailable``.
    """

    @abstractmethod
    def close(self) -> None:
        """Give connections back; the object is of no use afterwards."""

    # Data sets and uploads

    @abstractmethod
    def add_dataset(self, record: DatasetRecord) -> None:
        """Remember a data set; its parent, where it has one, must be of the same owner."""

    @abstractmethod
    def get_dataset(self, owner: str, dataset_id: str) -> DatasetRecord:
        """Look a data set up."""

    @abstractmethod
    def list_datasets(self, owner: str, limit: int = 100, offset: int = 0) -> tuple[list[DatasetRecord], int]:
        """List an owner's data sets."""

    @abstractmethod
    def delete_dataset(
        self, owner: str, dataset_id: str, *, cascade: bool = False, announce: Announce | None = None
    ) -> Erased:
        """Forget a data set with its jobs; with ``cascade``, also the versions trained on it.

        A model that loses its champion goes back to the latest former one that is left; one that loses
        all versions is forgotten.

        Raises
        ------
        Conflict
            ``backends.dataset_in_use`` while a job on it is alive; ``backends.dataset_has_models``, with
            their names, without ``cascade``.
        """

    @abstractmethod
    def add_upload(self, record: UploadRecord) -> None:
        """Remember an upload."""

    @abstractmethod
    def get_upload(self, owner: str, upload_id: str) -> UploadRecord:
        """Look an upload up."""

    @abstractmethod
    def advance_upload(self, owner: str, upload_id: str, expected: int, offset: int) -> UploadRecord:
        """Move an upload's offset on, if it still is what the caller believes.

        Raises
        ------
        Conflict
            ``backends.upload_moved``, with the offset it has.
        """

    @abstractmethod
    def delete_upload(self, owner: str, upload_id: str) -> None:
        """Forget an upload."""

    @abstractmethod
    def stale_uploads(self, before: datetime) -> list[UploadRecord]:
        """List everybody's uploads to which nothing was added since."""

    # Jobs

    @abstractmethod
    def add_job(self, record: JobRecord) -> None:
        """Remember a job; its data set must be of the same owner."""

    @abstractmethod
    def get_job(self, owner: str, job_id: str) -> JobRecord:
        """Look a job up."""

    @abstractmethod
    def find_job(self, job_id: str) -> JobRecord:
        """Look a job up, whosever it is."""

    @abstractmethod
    def list_jobs(
        self,
        owner: str,
        limit: int = 100,
        offset: int = 0,
        *,
        dataset_id: str | None = None,
        states: EXPECTED | None = None,
    ) -> tuple[list[JobRecord], int]:
        """List an owner's jobs, all or those on one data set or in some states."""

    @abstractmethod
    def running_jobs(self, server_id: str) -> list[JobRecord]:
        """List the jobs that run for a server."""

    @abstractmethod
    def update_job(self, job_id: str, expected_states: EXPECTED, **changes: object) -> JobRecord:
        """Change fields of a job, if it is in one of the expected states.

        Raises
        ------
        Conflict
            ``backends.job_state``, with the state it is in.
        """

    @abstractmethod
    def add_trial(self, record: TrialRecord) -> TrialRecord | None:
        """Add a row to a job's leaderboard, in place of one with the same name.

        Returns
        -------
        TrialRecord or None
            As it stands there: with the number of the row that it replaced, else with the next one. None if
            all of it stood there already.
        """

    @abstractmethod
    def trials(self, job_id: str) -> list[TrialRecord]:
        """List a job's trials by number."""

    @abstractmethod
    def replace_trials(self, job_id: str, records: Sequence[TrialRecord]) -> None:
        """Put a whole leaderboard in place of the one there is."""

    @abstractmethod
    def append_event(self, job_id: str, kind: str, data: Json) -> EventRecord:
        """Add an event to a job; gives it the next number and the time."""

    @abstractmethod
    def events(self, job_id: str, after: int = 0, limit: int = 1000) -> list[EventRecord]:
        """List a job's events with a number above ``after``, in order."""

    # Models

    @abstractmethod
    def add_version(
        self, owner: str, *, name: str, task: str, target: str | None, draft: VersionDraft
    ) -> VersionRecord:
        """Give a trained model the next version number of its name.

        A new name becomes a model, whose first version is its champion.

        Raises
        ------
        Conflict
            ``backends.model_name_taken`` if the name has another task or target.
        """

    @abstractmethod
    def get_model(self, owner: str, name: str) -> ModelRecord:
        """Look a model up by its name."""

    @abstractmethod
    def list_models(self, owner: str, limit: int = 100, offset: int = 0) -> tuple[list[ModelRecord], int]:
        """List an owner's models."""

    @abstractmethod
    def delete_model(self, owner: str, name: str, *, announce: Announce | None = None) -> Erased:
        """Forget a model with all its versions."""

    @abstractmethod
    def versions(self, owner: str, name: str) -> list[VersionRecord]:
        """List a model's versions, the newest first."""

    @abstractmethod
    def get_version(self, owner: str, name: str, version: int) -> VersionRecord:
        """Look one version of a model up."""

    @abstractmethod
    def version_names(self, owner: str, version_ids: Collection[str]) -> dict[str, tuple[str, int]]:
        """Tell, for each version id that is still there, the name of its model and its number."""

    @abstractmethod
    def set_champion(self, owner: str, name: str, version: int) -> ModelRecord:
        """Put a version into service; the one that was is remembered."""

    @abstractmethod
    def rollback(self, owner: str, name: str) -> ModelRecord:
        """Put the version that was in service before back into service.

        Raises
        ------
        Conflict
            ``backends.no_former_champion`` if there was none.
        """

    @abstractmethod
    def note_tracking(self, version_id: str, run_id: str, uri: str | None, version: str | None) -> None:
        """Note of a version, and of its job, where MLflow has it; nothing if it was deleted meanwhile."""

    # What MLflow is still to be told

    @abstractmethod
    def add_to_outbox(self, record: OutboxRecord) -> None:
        """Remember something to tell, in place of what the same entry was to tell about the same subject."""

    @abstractmethod
    def claim_outbox(self, server_id: str, dead_after_seconds: float) -> list[OutboxRecord]:
        """Take over what dead servers have left, and list all that a server has to see to, oldest first."""

    @abstractmethod
    def remove_from_outbox(self, record_id: str) -> OutboxRecord | None:
        """Forget something that was told; returns it unless it was forgotten before."""

    # What lies in storage and spool, and whether anybody knows of it

    @abstractmethod
    def forgotten(self, named: Erased) -> Erased:
        """Of the data sets, jobs and keys of versions that are named, those of which there is no row."""

    @abstractmethod
    def known_uploads(self, upload_ids: Collection[str]) -> set[str]:
        """Tell which of these are uploads under way, whosever they are."""

    @abstractmethod
    def known_jobs(self, job_ids: Collection[str]) -> list[JobRecord]:
        """Look up those of these jobs that there are, whosever they are, in no order."""

    # Servers and monitoring

    @abstractmethod
    def register_server(self, record: ServerRecord) -> None:
        """Remember a server that has started."""

    @abstractmethod
    def heartbeat(self, server_id: str) -> None:
        """Note that a server is alive now."""

    @abstractmethod
    def forget_server(self, server_id: str) -> None:
        """Forget a server that ends in good order."""

    @abstractmethod
    def interrupt_orphans(self, dead_after_seconds: float) -> list[JobRecord]:
        """Mark as interrupted the queued and running jobs of servers that are dead, and list them.

        Such a job ended with the last sign of life of it or of its server, not when this was noticed.
        A server is dead if it is not registered, if its process on this machine is gone, or if it gave no
        sign of life for ``dead_after_seconds``.
        """

    @abstractmethod
    def counts(self, owner: str | None = None) -> Counts:
        """Count data sets, models and jobs, one owner's or everybody's."""


def open_database(url: str) -> Database:
    """Open the database that a SQLAlchemy URL names, made or brought up to date if need be.

    Parameters
    ----------
    url : str
        For example ``sqlite:////folder/automl.sqlite``.

    Raises
    ------
    Unavailable
        ``backends.database_newer`` if a later release of this package has changed it: nothing is touched.
        ``backends.database_unreadable`` if it cannot be opened.
    """
    from automl_jupyter.backends.sql_database import SqlDatabase

    return SqlDatabase(url)
