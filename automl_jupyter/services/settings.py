"""What the services need to know of the installation; made once from the server's configuration."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SchedulerSettings:
    """Where jobs run: a cluster of our own, or a Dask scheduler by address.

    Attributes
    ----------
    address : str or None
        ``tls://host:port`` of a running scheduler; None starts a local cluster with the first job.
    allow_insecure : bool
        Whether an address without TLS is accepted.
    ca_file, certificate, key : str or None
        PEM files for TLS.
    workers : int
        Jobs that run at the same time on the local cluster.
    """

    address: str | None = None
    allow_insecure: bool = False
    ca_file: str | None = None
    certificate: str | None = None
    key: str | None = None
    workers: int = field(default_factory=lambda: max(1, (os.cpu_count() or 1) // 4))


@dataclass(frozen=True)
class Settings:
    """The installation.

    Attributes
    ----------
    data_dir : Path
        The folder of everything that is kept, readable by its owner alone.
    database_url, storage_url, tracking_uri, artifact_root : str
        Where rows, files, runs and run artefacts go.
    registry_uri : str or None
        The model registry, where it is not the tracking store.
    scheduler : SchedulerSettings
        Where jobs run.
    threads : int
        Threads that one search uses.
    max_upload_bytes, max_predict_rows : int
        Limits of one request.
    default_time_budget, max_time_budget : float
        Seconds.
    max_active_jobs : int
        Jobs of one owner that are queued or running.
    predict_memory_bytes : int or None
        What the process that predicts may use.
    dead_after_seconds : float
        A server that gave no sign of life for so long is taken for dead by the others.
    train_memory_bytes : int or None
        What a process that fits may use; None for 80 % of what is free when it starts.
    """

    data_dir: Path
    database_url: str
    storage_url: str
    tracking_uri: str
    artifact_root: str
    registry_uri: str | None = None
    scheduler: SchedulerSettings = field(default_factory=SchedulerSettings)
    threads: int = 2
    max_upload_bytes: int = 4 * 1024**3
    max_predict_rows: int = 100_000
    default_time_budget: float = 60.0
    max_time_budget: float = 24 * 3600.0
    max_active_jobs: int = 20
    predict_memory_bytes: int | None = None
    dead_after_seconds: float = 60.0
    train_memory_bytes: int | None = None

    def places(self) -> dict[str, str | None]:
        """Where MLflow and the files are, for a task on a worker. It may hold passwords: it is never kept."""
        return {
            "tracking_uri": self.tracking_uri,
            "registry_uri": self.registry_uri,
            "artifact_root": self.artifact_root,
            "storage_url": self.storage_url,
        }

    @property
    def of_search(self) -> dict[str, Any]:
        """What the workers must know of this installation besides the job; plain JSON."""
        return {"spread": self.scheduler.address is not None, "memory_bytes": self.train_memory_bytes}

    @property
    def spool(self) -> Path:
        """Where bytes lie while they arrive."""
        return self.data_dir / "spool"


def local_settings(data_dir: Path) -> Settings:
    """Everything below one folder: SQLite, files, an MLflow store; nothing to set up."""
    return Settings(
        data_dir=data_dir,
        database_url=f"sqlite:///{data_dir / 'automl.sqlite'}",
        storage_url=(data_dir / "files").as_uri(),
        tracking_uri=f"sqlite:///{data_dir / 'mlflow.sqlite'}",
        artifact_root=str(data_dir / "mlartifacts"),
    )
