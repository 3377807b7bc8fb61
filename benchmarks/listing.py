"""How long a page of a list takes when there are ten thousand data sets."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from automl_jupyter.backends.database import Database, new_id, open_database
from automl_jupyter.backends.records import DatasetRecord
from automl_jupyter.server.identity import LOCAL_OWNER
from automl_jupyter.services.settings import local_settings
from benchmarks.common import Report, Target, parser, percentile
from benchmarks.servers import OURS, STATUS, USER, Connection, Server, running

PAGE_MS = 100.0
LIMIT = 100
COLUMNS = [
    {
        "name": f"column {number}",
        "type": "string",
        "role": "category",
        "missing": 3,
        "distinct": 12,
        "examples": ["Paris", "Lyon", "Nice"],
        "null_values": [],
    }
    for number in range(20)
]
DIALECT = {"encoding": "utf-8", "delimiter": ",", "quote": '"', "header": True}


def record(number: int, total: int) -> DatasetRecord:
    """A data set as an upload leaves it, of 20 columns."""
    return DatasetRecord(
        id=new_id(),
        owner=LOCAL_OWNER,
        name=f"sales-{number}",
        filename=f"sales-{number}.csv",
        bytes=1_000_000 + number,
        rows=10_000 + number,
        created=datetime.now(UTC) - timedelta(minutes=total - number),
        digest=f"{number:064x}",
        table_digest=f"{number:064x}",
        columns=COLUMNS,
        dialect=DIALECT,
    )


def fill(database: Database, count: int) -> float:
    """Add so many data sets; returns the seconds that it took."""
    began = time.perf_counter()
    for number in range(count):
        database.add_dataset(record(number, count))
    return time.perf_counter() - began


def pages(
    connection: Connection, database: Database, count: int, n: int
) -> dict[str, tuple[list[float], list[float]]]:
    """Milliseconds of the first and the last page over REST and of the same from the database, in turn."""
    last = max(0, count - LIMIT)
    found: dict[str, tuple[list[float], list[float]]] = {}
    for what, offset in (("first page", 0), ("last page", last)):
        rest, direct = found.setdefault(what, ([], []))
        path = f"/automl/api/datasets/?limit={LIMIT}&offset={offset}"
        total = connection.get(path)["total"]
        if total != count:
            raise RuntimeError(f"{total} data sets are listed, not {count}")
        for _ in range(n):
            began = time.perf_counter()
            database.list_datasets(LOCAL_OWNER, LIMIT, offset)
            direct.append((time.perf_counter() - began) * 1000)
            rest.append(connection.timed(path))
    return found


def report_pages(
    report: Report, found: dict[str, tuple[list[float], list[float]]], status: list[float]
) -> None:
    """Pages over REST beside the database alone and a bare request."""
    bare = percentile(status, 0.5)
    rows: list[tuple[str, float, float, float, float, float]] = []
    for what, (rest, direct) in found.items():
        p50, p95, own = percentile(rest, 0.5), percentile(rest, 0.95), percentile(direct, 0.5)
        rows.append((what, p50, p95, own, p50 / own, p50 / bare))
        report.targets.append(Target(f"{what} of {LIMIT}, p95", p95, PAGE_MS, "ms"))
    report.table(
        ("list", "REST p50, ms", "REST p95, ms", "database p50, ms", "REST to database", "REST to status"),
        rows,
    )
    report.note(f"GET api/status on the same server: {bare:.2f} ms (p50).")


def measure(server: Server, report: Report, settings: argparse.Namespace) -> None:
    """Fill the server's database and list it."""
    with server.connect() as connection:
        connection.get(USER)
        connection.get("/automl/api/datasets/")
        database = open_database(local_settings(server.data_dir).database_url)
        try:
            seconds = fill(database, settings.datasets)
            report.note(
                f"{settings.datasets:,} data sets of {len(COLUMNS)} columns, added in {seconds:.1f} s."
            )
            found = pages(connection, database, settings.datasets, settings.n)
        finally:
            database.close()
        report_pages(report, found, [connection.timed(STATUS) for _ in range(settings.n)])


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("listing", __doc__)
    made.add_argument("--datasets", type=int, default=10_000, help="how many there are")
    made.add_argument("--n", type=int, default=50, help="how often each page is asked for")
    return made.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report."""
    settings = _arguments(argv)
    report = Report("listing", "Long lists", settings)
    with running(OURS) as server:
        measure(server, report, settings)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
