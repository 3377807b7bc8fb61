"""What the database remembers, as plain values.

Times are aware and in UTC. Fields typed as dict or list hold plain JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]

QUEUED, RUNNING = "queued", "running"
DONE, FAILED, STOPPED, CANCELLED, INTERRUPTED = "done", "failed", "stopped", "cancelled", "interrupted"
ALIVE = frozenset({QUEUED, RUNNING})
"""The states of a job from which it can still change by itself."""
STATES = ALIVE | {DONE, FAILED, STOPPED, CANCELLED, INTERRUPTED}


@dataclass(frozen=True, kw_only=True)
class DatasetRecord:
    """A table as it was taken in; it never changes afterwards.

    Attributes
    ----------
    bytes : int
        Size of the original file.
    digest, table_digest : str
        SHA-256 of the original file and of the table made from it, in hexadecimal.
    parent : str or None
        The data set of which this is another reading.
    """

    id: str
    owner: str
    name: str
    filename: str
    bytes: int
    rows: int
    created: datetime
    digest: str
    table_digest: str
    state: str = "ready"
    columns: list[Json] = field(default_factory=list)
    dialect: Json = field(default_factory=dict)
    warnings: list[Json] = field(default_factory=list)
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class UploadRecord:
    """A file that arrives in pieces.

    Attributes
    ----------
    offset : int
        Bytes that have arrived.
    size : int or None
        Bytes that were announced.
    """

    id: str
    owner: str
    filename: str
    offset: int
    size: int | None
    created: datetime
    updated: datetime


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """A search for models, from the request to its outcome.

    Attributes
    ----------
    name : str
        The name that its model gets.
    time_budget : float
        Seconds, of all attempts together.
    spent : float
        Seconds that earlier attempts have run; the time of this one counts from ``started``.
    planned_budget : float
        Seconds that the first attempt was to take. What the search plans by them, such as its folds, must not
        change with a resume, or what is finished could not be used.
    options : dict
        What else was asked of the search, as in the request.
    progress : float
        From 0 to 1.
    attempt : int
        How often it was started; 1 at first, more after a resume.
    resumed : datetime or None
        When it was taken up again last.
    error : dict or None
        ``{"code", "params"}`` of the reason, where it failed.
    outlook : dict or None
        What as much time again is expected to bring: ``seconds``, ``gain``, ``low``, ``high``.
    """

    id: str
    owner: str
    dataset_id: str
    target: str | None
    task: str
    metric: str
    name: str
    state: str
    created: datetime
    time_budget: float
    seed: int
    server_id: str
    planned_budget: float
    spent: float = 0.0
    options: Json = field(default_factory=dict)
    started: datetime | None = None
    ended: datetime | None = None
    columns: list[str] | None = None
    progress: float = 0.0
    attempt: int = 1
    resumed: datetime | None = None
    error: Json | None = None
    model_version_id: str | None = None
    mlflow_run_id: str | None = None
    outlook: Json | None = None


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """One row of a job's leaderboard; ``low`` and ``high`` bound the interval of ``score``."""

    job_id: str
    number: int
    name: str
    family: str
    score: float | None
    low: float | None
    high: float | None
    tied_with_best: bool
    baseline: bool
    fit_seconds: float | None
    predict_seconds: float | None
    state: str
    reason: Json | None = None


@dataclass(frozen=True, kw_only=True)
class EventRecord:
    """Something that happened to a job; ``number`` counts from 1 for each job, without gaps."""

    job_id: str
    number: int
    at: datetime
    kind: str
    data: Json


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """A name under which versions are trained and one of them, the champion, is in service.

    Attributes
    ----------
    dataset_id : str
        The data set of its first version that is still there.
    champion : int or None
        The version in service.
    previous : list of int
        The versions that were in service before, the latest last.
    """

    id: str
    owner: str
    name: str
    task: str
    target: str | None
    dataset_id: str
    created: datetime
    champion: int | None
    previous: list[int]


@dataclass(frozen=True, kw_only=True)
class VersionDraft:
    """A trained model before it has its place among the versions of its name.

    Attributes
    ----------
    score, low, high, baseline_score : float or None
        In terms of ``metric``: the model's score with its interval, and that of the baseline.
    key, digest, bytes
        Where the model stands in the storage, its SHA-256 in hexadecimal, its size.
    contract : list of dict
        What it expects of each column.
    leaderboard : list of dict
        The job's trials, the best first.
    """

    id: str
    job_id: str
    dataset_id: str
    created: datetime
    metric: str
    score: float | None
    low: float | None
    high: float | None
    baseline_score: float | None
    key: str
    digest: str
    bytes: int
    contract: list[Json]
    leaderboard: list[Json]
    mlflow_run_id: str | None = None
    mlflow_model_uri: str | None = None
    mlflow_version: str | None = None


@dataclass(frozen=True, kw_only=True)
class VersionRecord(VersionDraft):
    """One version of a model; ``version`` counts from 1 for each model and is never given twice."""

    model_id: str
    version: int


@dataclass(frozen=True, kw_only=True)
class OutboxRecord:
    """Something that MLflow is still to be told: kept until it is done, however often it takes.

    Attributes
    ----------
    server_id : str
        The server that sees to it.
    entry : str
        ``module:function``, run on a worker.
    subject : str
        What it is about: a later one about the same takes its place.
    """

    id: str
    server_id: str
    owner: str
    entry: str
    subject: str
    payload: Json
    created: datetime


@dataclass(frozen=True, kw_only=True)
class ServerRecord:
    """A server that runs jobs, and when it last gave a sign of life."""

    id: str
    pid: int
    host: str
    started: datetime
    heartbeat: datetime


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What is removed from the database and to be erased elsewhere.

    Attributes
    ----------
    datasets, jobs : list of str
        Their ids.
    models : list of str
        Names that have no version left.
    keys : list of str
        Storage keys of the models' files.
    mlflow_runs : list of str
        Run ids.
    mlflow_versions : list of (str, str)
        Our model name and MLflow's version of it.
    """

    datasets: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    mlflow_runs: list[str] = field(default_factory=list)
    mlflow_versions: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many there are, by owner; jobs also by state."""

    datasets: dict[str, int]
    models: dict[str, int]
    jobs: dict[str, dict[str, int]]
