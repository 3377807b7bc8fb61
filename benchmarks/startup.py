"""What the extension adds to the start of a Jupyter server, and how fast the first requests are."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import MEGABYTE, Report, Target, median, parser
from benchmarks.samples import write_bytes
from benchmarks.servers import OURS, PULSE, STATUS, USER, running

ADDED_SECONDS, ADDED_MEGABYTES = 0.15, 20.0
FIRST_USER_MS, FIRST_UPLOAD_MS = 150.0, 1000.0
SMALL = 100_000
UPLOAD = "/automl/api/upload/?filename=small.csv"


@dataclass(frozen=True)
class Start:
    """One start: seconds from exec to the first answer, of the clock and of the processor; MiB held then."""

    seconds: float
    cpu: float
    megabytes: float


@dataclass(frozen=True)
class First:
    """One kind of request, on a fresh server; all in milliseconds.

    Attributes
    ----------
    first, later : float
        What the first one took, and the next like it.
    cpu, block : float
        The server's processor time in the first, and the longest block of its event loop.
    """

    first: float
    later: float
    cpu: float
    block: float


def start(*extensions: str) -> Start:
    """Start a server and end it."""
    with running(*extensions) as server:
        return Start(server.start_seconds, server.cpu_seconds(), server.resident() / MEGABYTE)


def in_turn(n: int) -> tuple[list[Start], list[Start]]:
    """So many starts without and with the extension, in turn; the first of each is not counted."""
    start(), start(OURS)
    bare, ours = [], []
    for _ in range(n):
        bare.append(start())
        ours.append(start(OURS))
    return bare, ours


def first_requests(file: Path) -> dict[str, First]:
    """Milliseconds of the first and of the next request of each kind, on a fresh server and folder."""
    asked: dict[str, tuple[str, bytes | None, str]] = {
        "GET automl/api/user/": (USER, None, ""),
        "POST automl/api/upload/, 100 kB": (UPLOAD, file.read_bytes(), "text/csv"),
        "GET api/status": (STATUS, None, ""),
    }
    found = {}
    with running(OURS, PULSE) as server, server.connect() as connection:
        for what, request in asked.items():
            connection.post("/pulse")
            cpu = server.cpu_seconds()
            first = connection.timed(*request)
            used = (server.cpu_seconds() - cpu) * 1000
            block = connection.get("/pulse")["longest"]
            found[what] = First(first, connection.timed(*request), used, block)
    return found


def report_starts(report: Report, bare: Sequence[Start], ours: Sequence[Start]) -> None:
    """Starts side by side; what is added is the median of the differences of neighbours."""
    pairs = list(zip(bare, ours, strict=True))
    seconds = median([b.seconds for b, _ in pairs]), median([o.seconds for _, o in pairs])
    cpu = median([b.cpu for b, _ in pairs]), median([o.cpu for _, o in pairs])
    memory = median([b.megabytes for b, _ in pairs]), median([o.megabytes for _, o in pairs])
    added = median([o.seconds - b.seconds for b, o in pairs])
    grown = median([o.megabytes - b.megabytes for b, o in pairs])
    worked = median([o.cpu - b.cpu for b, o in pairs])
    report.table(
        (f"median of {len(pairs)} starts", "bare", "extension", "ratio", "added (paired)"),
        [
            ("exec to first answer, s", *seconds, seconds[1] / seconds[0], added),
            ("processor time until then, s", *cpu, cpu[1] / cpu[0], worked),
            ("resident memory, MiB", *memory, memory[1] / memory[0], grown),
        ],
    )
    report.targets += [
        Target("seconds that the start takes longer", added, ADDED_SECONDS, "s"),
        Target("memory that the server takes more", grown, ADDED_MEGABYTES, "MiB"),
    ]


def report_first(report: Report, found: Sequence[dict[str, First]]) -> None:
    """The first request of each kind beside the next one."""
    rows = []
    for what in found[0]:
        first, later = median([run[what].first for run in found]), median([run[what].later for run in found])
        cpu, block = median([run[what].cpu for run in found]), median([run[what].block for run in found])
        rows.append((what, first, later, first / later, max(run[what].first for run in found), cpu, block))
    report.table(
        (
            f"median of {len(found)} fresh servers",
            "first, ms",
            "next, ms",
            "ratio",
            "slowest first, ms",
            "its CPU, ms",
            "its longest block, ms",
        ),
        rows,
    )
    report.targets += [
        Target("first GET automl/api/user/", rows[0][1], FIRST_USER_MS, "ms"),
        Target("first upload of 100 kB", rows[1][1], FIRST_UPLOAD_MS, "ms"),
    ]


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("startup", __doc__)
    made.add_argument("--n", type=int, default=10, help="starts of each kind")
    made.add_argument("--fresh", type=int, default=5, help="fresh servers for the first requests")
    return made.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report."""
    settings = _arguments(argv)
    report = Report("startup", "Start of the server and first requests", settings)
    report_starts(report, *in_turn(settings.n))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = write_bytes(Path(folder) / "small.csv", SMALL)
        report_first(report, [first_requests(file) for _ in range(settings.fresh)])
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
