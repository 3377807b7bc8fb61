"""A job's search run as its coordinator runs it, without a server."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from automl_jupyter.backends.storage import Storage, open_storage


@dataclass
class Task:
    """The storage of a job, and what its coordinator is told of it."""

    storage: Storage
    payload: dict
    reported: list = field(default_factory=list)

    def report(self, kind, data):
        self.reported.append((kind, data))

    def trials(self):
        return {data["trial"]["name"]: data for kind, data in self.reported if kind == "trial"}


@pytest.fixture
def task(tmp_path):
    """Make a job on a table of ``rows`` by ``columns`` numbers."""

    def make(rows=300, columns=5, **more):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(rows, columns)).astype(np.float32)
        names = [f"n{i}" for i in range(columns)]
        table = {name: X[:, i] for i, name in enumerate(names)}
        table["y"] = X[:, 0] + rng.normal(size=rows)
        storage = open_storage((tmp_path / "files").as_uri())
        local = Path(tmp_path / "table.parquet")
        pq.write_table(pa.table(table), local)
        digest = hashlib.sha256(local.read_bytes()).hexdigest()
        storage.put_file(local, "datasets/d/table.parquet")
        payload = {
            "job_id": "job",
            "attempt": 1,
            "storage_url": storage.url,
            "table_key": "datasets/d/table.parquet",
            "table_digest": digest,
            "dataset_name": "d",
            "job_key": "jobs/job",
            "trials_key": "jobs/job/trials",
            "model_key": "models/job/model.bin",
            "features": names,
            "kinds": {},
            "target": "y",
            "task": "regression",
            "metric": "neg_root_mean_squared_error",
            "time_budget": 60,
            "planned_budget": 60,
            "options": {},
            "seed": 0,
            "threads": 1,
            "owner": "ann",
            "model_name": "m",
            "memory_bytes": None,
            "spread": False,
            "tracking_uri": f"sqlite:///{tmp_path / 'mlflow.sqlite'}",
            "registry_uri": None,
            "artifact_root": str(tmp_path / "artifacts"),
            "experiment": "ann/d/y",
            "tags": {},
            "params": {},
            **more,
        }
        return Task(storage, payload)

    return make
