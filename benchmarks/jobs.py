"""Whether trainings keep their budget, and what they make of it, table by table."""

from __future__ import annotations

import argparse
import csv
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.common import MEGABYTE, Report, Target, median, parser
from benchmarks.servers import OURS, Connection, Server, first_rows, running, train, upload

BEYOND = 3.0
FEW = "telco_churn,california_housing,car_evaluation"
MEMORY_POLL = 0.25


@dataclass(frozen=True)
class Table:
    """A table of the manifest; no target means clustering."""

    name: str
    file: Path
    target: str | None


@dataclass(frozen=True)
class Outcome:
    """What came of one training.

    Attributes
    ----------
    first_prediction : float
        Milliseconds of the first row predicted after the job was done; NaN without a model.
    trials : int
        Those that finished, without the baseline.
    memory : float
        The most MiB that the server and everything below it held together.
    """

    job: dict[str, Any]
    version: dict[str, Any]
    first_prediction: float
    trials: int
    memory: float


def manifest(folder: Path, names: Sequence[str]) -> list[Table]:
    """The tables of a folder with a ``manifest.csv``, those named or all.

    Raises
    ------
    SystemExit
        If one that is named is not there.
    """
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        found = {
            row["name"]: Table(
                row["name"], folder / row["file"], None if row["task"] == "clustering" else row["target"]
            )
            for row in csv.DictReader(file)
        }
    missing = [name for name in names if name not in found]
    if missing:
        raise SystemExit(f"not in the manifest: {', '.join(missing)}")
    return [found[name] for name in names] if names else list(found.values())


class Memory:
    """The most that a process and everything below it held together while it was watched."""

    def __init__(self, pid: int) -> None:
        self.peak = 0.0
        self._process = psutil.Process(pid)
        self._done = threading.Event()

    def look(self) -> None:
        """Look again and again until told to stop."""
        while not self._done.wait(MEMORY_POLL):
            held = sum(map(_resident, [self._process, *self._process.children(recursive=True)]))
            self.peak = max(self.peak, held / MEGABYTE)

    def stop(self) -> None:
        """Stop looking."""
        self._done.set()


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


@contextmanager
def watched(pid: int) -> Iterator[Memory]:
    """Watch a process tree's memory while the block runs."""
    memory = Memory(pid)
    thread = threading.Thread(target=memory.look, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        memory.stop()
        thread.join()


def run(server: Server, connection: Connection, table: Table, budget: float) -> Outcome:
    """Upload, train, predict one row."""
    dataset = upload(connection, table.file)["id"]
    rows = first_rows(connection, dataset, table.target)
    with watched(server.process.pid) as memory:
        job = train(connection, dataset, table.target, budget)
    trials = sum(t["state"] == "done" and not t["baseline"] for t in job["leaderboard"])
    if job["model"] is None:
        return Outcome(job, {}, float("nan"), trials, memory.peak)
    name = job["model"]["name"]
    began = time.perf_counter()
    connection.post(f"/automl/api/predict/{name}/", {"rows": rows[:1]})
    predicted = (time.perf_counter() - began) * 1000
    version = connection.get(f"/automl/api/models/{name}/")["versions"][0]
    return Outcome(job, version, predicted, trials, memory.peak)


def report_outcomes(report: Report, found: Sequence[tuple[Table, Outcome]], budget: float) -> None:
    """A line a table, and the medians."""
    rows: list[tuple[float | int | str | None, ...]] = []
    for table, outcome in found:
        job, version = outcome.job, outcome.version
        rows.append(
            (
                table.name,
                job["state"],
                job["metric"],
                version.get("score"),
                version.get("baseline_score"),
                outcome.trials,
                job["queued_seconds"],
                job["elapsed"],
                job["elapsed"] / budget,
                outcome.first_prediction,
                outcome.memory,
            )
        )
    report.table(
        (
            "table",
            "state",
            "metric",
            "score",
            "baseline",
            "trials",
            "queued, s",
            "elapsed, s",
            "to budget",
            "first row, ms",
            "peak memory, MiB",
        ),
        rows,
    )
    elapsed = [outcome.job["elapsed"] for _, outcome in found]
    first = [outcome.first_prediction for _, outcome in found if outcome.job["model"]]
    report.note(f"Medians: elapsed {median(elapsed):.2f} s, first row {median(first):.1f} ms.")
    done = sum(outcome.job["state"] == "done" for _, outcome in found)
    report.targets += [
        Target("longest training", max(elapsed), budget + BEYOND, "s"),
        Target("tables without a model", float(len(found) - done), 1, "tables"),
    ]


def _data() -> Path | None:
    given = os.environ.get("AUTOML_TEST_DATA")
    return Path(given) / "tables" if given else None


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("jobs", __doc__)
    made.add_argument(
        "--data", type=Path, default=_data(), help="a folder of tables (default: $AUTOML_TEST_DATA/tables)"
    )
    made.add_argument("--budget", type=float, default=30.0, help="seconds of each training")
    made.add_argument("--tables", default=FEW, help=f"names, or 'all' (default: {FEW})")
    return made.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report; without tables there is nothing to do, which is no failure."""
    settings = _arguments(argv)
    if settings.data is None:
        print("jobs: no tables; give --data or set AUTOML_TEST_DATA.", file=sys.stderr)
        return 0
    tables = manifest(settings.data, [] if settings.tables == "all" else settings.tables.split(","))
    report = Report("jobs", "Trainings against their budget", settings)
    with running(OURS) as server, server.connect() as connection:
        found = [(table, run(server, connection, table, settings.budget)) for table in tables]
    report_outcomes(report, found, settings.budget)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
