"""One row over REST with a warm model, beside the same rows in process and a bare request."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from automl_jupyter.backends.database import open_database
from automl_jupyter.backends.storage import open_storage
from automl_jupyter.engine import AutoMLClassifier, persist
from automl_jupyter.server.identity import LOCAL_OWNER
from automl_jupyter.services.prediction_process import read_frame
from automl_jupyter.services.settings import local_settings
from benchmarks.common import Report, Target, median, parser, percentile
from benchmarks.samples import write_rows
from benchmarks.servers import OURS, STATUS, Connection, Server, first_rows, running, train, upload

ROW_MS = 15.0
LEARNED_ROWS = 5_000
MODEL = "people-bought"
PATH = f"/automl/api/predict/{MODEL}/"
Row = dict[str, Any]


@dataclass(frozen=True)
class Trained:
    """A model in service, the same model in this process, and rows that it has seen the like of."""

    local: AutoMLClassifier
    rows: list[Row]


def trained(server: Server, connection: Connection, folder: Path, budget: float) -> Trained:
    """Upload, train, and load the model's file into this process as well.

    Raises
    ------
    RuntimeError
        If no model came of it.
    """
    dataset = upload(connection, write_rows(folder / "people.csv", LEARNED_ROWS))["id"]
    job = train(connection, dataset, "bought", budget)
    if job["model"] is None:
        raise RuntimeError(f"the training ended without a model: {job['error']}")
    return Trained(load(server), first_rows(connection, dataset, "bought"))


def load(server: Server) -> AutoMLClassifier:
    """The model from the file that the server keeps."""
    settings = local_settings(server.data_dir)
    database = open_database(settings.database_url)
    version = database.versions(LOCAL_OWNER, MODEL)[0]
    database.close()
    path = open_storage(settings.storage_url).local_path(version.key)
    if path is None:
        raise RuntimeError("the model is not on this machine")
    return cast("AutoMLClassifier", persist.load(path, version.digest))


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def one_row(connection: Connection, model: Trained, n: int) -> dict[str, list[float]]:
    """So many single rows in turn: bare request, in process, over REST. Some before them are not counted."""
    found: dict[str, list[float]] = {"GET api/status": [], "in process": [], "over REST": []}
    for number in range(n + 10):
        row = model.rows[number % len(model.rows)]
        body = json.dumps({"rows": [row]}).encode()
        samples = (
            connection.timed(STATUS),
            _milliseconds(lambda row=row: model.local.predict_rows([row])),  # type: ignore[misc]
            connection.timed(PATH, body),
        )
        if number >= 10:
            for name, sample in zip(found, samples, strict=True):
                found[name].append(sample)
    return found


def whole_file(connection: Connection, model: Trained, file: Path, n: int) -> dict[str, list[float]]:
    """Milliseconds of a CSV file, in turn in process (read and predicted) and over REST (CSV in, CSV out)."""
    found: dict[str, list[float]] = {"in process": [], "over REST": []}
    data = file.read_bytes()
    for number in range(n + 1):
        samples = (
            _milliseconds(lambda: model.local.predict_frame(read_frame(file, model.local, file.parent, {}))),
            connection.timed(PATH, data, "text/csv"),
        )
        if number:
            for name, sample in zip(found, samples, strict=True):
                found[name].append(sample)
    return found


def report_rows(report: Report, found: dict[str, list[float]]) -> None:
    """Percentiles, and how they compare."""
    status = percentile(found["GET api/status"], 0.5)
    local = percentile(found["in process"], 0.5)
    rows = []
    for name, samples in found.items():
        p50, p95, p99 = (percentile(samples, share) for share in (0.5, 0.95, 0.99))
        rows.append((name, len(samples), p50, p95, p99, p50 / status, p50 / local))
    report.table(
        ("one row", "n", "p50, ms", "p95, ms", "p99, ms", "p50 to status", "p50 to in process"), rows
    )
    rest = percentile(found["over REST"], 0.5)
    report.note(
        f"Of the {rest:.2f} ms over REST, {local:.2f} ms are the model's and {status:.2f} ms those of any "
        f"request; {rest - local - status:.2f} ms are left for the database, the pipe and the answer."
    )
    report.targets.append(Target("one row over REST, p50", rest, ROW_MS, "ms"))


def report_file(report: Report, found: dict[str, list[float]], rows: int) -> None:
    """Rows a second, and how they compare."""
    local = median(found["in process"])
    report.table(
        (f"CSV of {rows:,} rows", "n", "median, ms", "rows a second", "time to in process"),
        [(name, len(s), median(s), rows / median(s) * 1000, median(s) / local) for name, s in found.items()],
    )


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("predict", __doc__)
    made.add_argument("--n", type=int, default=500, help="single rows")
    made.add_argument("--rows", type=int, default=10_000, help="rows of the CSV file")
    made.add_argument("--files", type=int, default=5, help="how often the file is predicted")
    made.add_argument("--budget", type=float, default=20.0, help="seconds of the training before")
    return made.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report."""
    settings = _arguments(argv)
    report = Report("predict", "Predictions over REST", settings)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        running(OURS) as server,
        server.connect() as connection,
    ):
        folder = Path(name)
        model = trained(server, connection, folder, settings.budget)
        report_rows(report, one_row(connection, model, settings.n))
        file = write_rows(folder / "asked.csv", settings.rows, target=False)
        report_file(report, whole_file(connection, model, file, settings.files), settings.rows)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
