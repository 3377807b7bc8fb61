"""Taking a large CSV file in: how long, beside Arrow alone, and how much memory everything together takes."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from benchmarks.common import MEGABYTE, Report, Target, median, parser
from benchmarks.samples import write_long, write_mixed, write_wide
from benchmarks.servers import OURS, Connection, Server, running, upload

RATIO, TREE_MEGABYTES, SERVER_MEGABYTES, AWKWARD_MEGABYTES = 2.5, 400.0, 100.0, 1024.0
LOOK_SECONDS = 0.1
RAGGED = 1000
PIECE = 8 * MEGABYTE
WARM = 200_000

PLAIN = """
import sys, time
import pyarrow as pa, pyarrow.csv as csv, pyarrow.parquet as pq
began = time.perf_counter()
parse = csv.ParseOptions(newlines_in_values=True, invalid_row_handler=lambda row: "skip")
with csv.open_csv(sys.argv[1], parse_options=parse) as reader:
    with pq.ParquetWriter(sys.argv[2], reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
print(time.perf_counter() - began)
"""
"""What Arrow alone makes of the file; rows that are too short or too long it can only leave out."""


# --- memory


def proportional(pid: int) -> int:
    """Bytes of a process, its part of what it shares with others included (PSS); 0 once it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


@dataclass
class Levels:
    """Bytes of a server's process, of all its processes together, and of each module that they run."""

    server: int = 0
    tree: int = 0
    modules: dict[str, int] = field(default_factory=dict)

    def raise_to(self, other: Levels) -> None:
        """Keep what is higher."""
        self.server, self.tree = max(self.server, other.server), max(self.tree, other.tree)
        for name, size in other.modules.items():
            self.modules[name] = max(size, self.modules.get(name, 0))


def _module(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        command = process.cmdline()
        if "-m" in command:
            return str(command[command.index("-m") + 1])
    return "?"


def levels(server: Server) -> Levels:
    """What the server and the processes below it take now."""
    own = proportional(server.process.pid)
    found = Levels(own, own)
    for child in psutil.Process(server.process.pid).children(recursive=True):
        size = proportional(child.pid)
        found.tree += size
        name = _module(child)
        found.modules[name] = found.modules.get(name, 0) + size
    return found


@contextmanager
def watched(server: Server) -> Iterator[Levels]:
    """The highest levels while the block runs."""
    peak, ended = Levels(), threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            peak.raise_to(levels(server))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


# --- ways to bring a file in; each returns the data set's id


def by_path(connection: Connection, file: Path) -> str:
    """Name a file that Jupyter already has."""
    return str(connection.post("/automl/api/upload/", {"path": file.name})["id"])


def as_body(connection: Connection, file: Path) -> str:
    """Send it in one go."""
    return str(upload(connection, file)["id"])


def in_pieces(connection: Connection, file: Path) -> str:
    """Send it in pieces."""
    size = file.stat().st_size
    asked = {"filename": file.name, "size": size}
    begun = connection.post("/automl/api/uploads/", asked)["id"]
    with file.open("rb") as source:
        while True:
            offset = source.tell()
            answer = connection.ask(
                "PATCH",
                f"/automl/api/uploads/{begun}/",
                source.read(PIECE),
                "application/octet-stream",
                {"Upload-Offset": str(offset)},
            )
            if source.tell() == size:
                return str(json.loads(answer)["id"])


WAYS: dict[str, Callable[[Connection, Path], str]] = {
    "path": by_path,
    "body": as_body,
    "pieces": in_pieces,
}


# --- one run of each


@dataclass(frozen=True)
class Taken:
    """One file taken in: seconds, and MiB that it took more than the idle server."""

    seconds: float
    tree: float
    server: float
    tables: float


def settled(server: Server) -> Levels:
    """The levels of the idle server, once two looks a second apart agree within a mebibyte."""
    before = levels(server)
    for _ in range(20):
        time.sleep(1)
        now = levels(server)
        if abs(now.tree - before.tree) < MEGABYTE:
            return now
        before = now
    return before


def take(server: Server, connection: Connection, way: Callable[[Connection, Path], str], file: Path) -> Taken:
    """Take a file in and forget it again."""
    idle = settled(server)
    with watched(server) as peak:
        began = time.perf_counter()
        dataset = way(connection, file)
        seconds = time.perf_counter() - began
    connection.ask("DELETE", f"/automl/api/datasets/{dataset}/")
    tables = peak.modules.get("automl_jupyter.services.table_process", 0)
    return Taken(
        seconds,
        (peak.tree - idle.tree) / MEGABYTE,
        (peak.server - idle.server) / MEGABYTE,
        tables / MEGABYTE,
    )


def plain(file: Path, target: Path) -> float:
    """Seconds that Arrow alone takes to make Parquet of a file, in a process of its own, imports aside."""
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, str(file), str(target)], capture_output=True, text=True, check=True
    )
    target.unlink()
    return float(done.stdout)


@contextmanager
def warmed_up() -> Iterator[tuple[Server, Connection]]:
    """A server that has taken a small file in before."""
    with running(OURS) as server, server.connect() as connection:
        small = write_mixed(server.folder / "small.csv", WARM)
        for _ in range(2):
            upload(connection, small)
        yield server, connection


def side_by_side(settings: argparse.Namespace, *, ragged: int) -> tuple[list[float], dict[str, list[Taken]]]:
    """Arrow alone and each way, in turn."""
    bare: list[float] = []
    ours: dict[str, list[Taken]] = {name: [] for name in settings.ways}
    with warmed_up() as (server, connection):
        file = server.folder / "root" / "large.csv"
        write_mixed(file, settings.megabytes * 1_000_000, ragged=ragged)
        for _ in range(settings.n):
            bare.append(plain(file, server.folder / "plain.parquet"))
            for name, taken in ours.items():
                taken.append(take(server, connection, WAYS[name], file))
    return bare, ours


def report_sizes(report: Report, what: str, bare: Sequence[float], ours: dict[str, list[Taken]]) -> float:
    """A table of times and memory; returns the worst ratio."""
    rows: list[tuple[str, float, float, float | None, float | None, float | None]] = [
        ("Arrow alone", median(bare), 1.0, None, None, None)
    ]
    worst = 0.0
    for name, taken in ours.items():
        ratio = median([one.seconds / alone for one, alone in zip(taken, bare, strict=True)])
        worst = max(worst, ratio)
        growth = [max(getattr(one, kind) for one in taken) for kind in ("tree", "server", "tables")]
        rows.append((name, median([one.seconds for one in taken]), ratio, *growth))
    report.table(
        (what, "seconds", "ratio (paired)", "all processes +MiB", "server +MiB", "reading process MiB"), rows
    )
    return worst


def report_awkward(report: Report, settings: argparse.Namespace) -> None:
    """Files that are large in other ways."""
    share = settings.megabytes / 1000
    files: dict[str, Callable[[Path], Path]] = {
        "5,000 columns": partial(write_wide, columns=5000, rows=max(20, int(10_000 * share))),
        "cells of 2 MB": partial(write_long, cell=2_000_000, rows=max(5, int(100 * share))),
    }
    rows = []
    with warmed_up() as (server, connection):
        for name, write in files.items():
            file = write(server.folder / "root" / "awkward.csv")
            taken = take(server, connection, by_path, file)
            alone = plain_or_none(file, server.folder / "plain.parquet")
            rows.append((name, file.stat().st_size / 1e6, alone, taken.seconds, taken.tree, taken.tables))
            report.targets.append(
                Target(f"memory of the reading process: {name}", taken.tables, AWKWARD_MEGABYTES, "MiB")
            )
    report.table(
        ("by path", "MB", "Arrow alone, s", "seconds", "all processes +MiB", "reading process MiB"), rows
    )


def plain_or_none(file: Path, target: Path) -> float | None:
    """Seconds of Arrow alone; None where it cannot read the file."""
    try:
        return plain(file, target)
    except subprocess.CalledProcessError:
        target.unlink(missing_ok=True)
        return None


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("intake", __doc__)
    made.add_argument("--megabytes", type=int, default=1000, help="size of the file")
    made.add_argument("--n", type=int, default=3, help="times that each way is run")
    made.add_argument(
        "--ways", nargs="+", choices=list(WAYS), default=list(WAYS), help="how it is brought in"
    )
    made.add_argument("--only", choices=("regular", "ragged", "awkward"), help="one part alone")
    return made.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report."""
    settings = _arguments(argv)
    report = Report("intake", "Taking a large file in", settings)
    if settings.only in (None, "regular"):
        bare, ours = side_by_side(settings, ragged=0)
        name = f"{settings.megabytes} MB, median of {settings.n}"
        ratio = report_sizes(report, name, bare, ours)
        tree = max(one.tree for taken in ours.values() for one in taken)
        own = max(one.server for taken in ours.values() for one in taken)
        report.targets += [
            Target("time of taking in, beside Arrow alone", ratio, RATIO, "times"),
            Target("memory that all processes take more", tree, TREE_MEGABYTES, "MiB"),
            Target("memory that the server takes more", own, SERVER_MEGABYTES, "MiB"),
        ]
    if settings.only in (None, "ragged"):
        bare, ours = side_by_side(settings, ragged=RAGGED)
        report_sizes(report, f"one row in {RAGGED} too short", bare, ours)
        tree = max(one.tree for taken in ours.values() for one in taken)
        report.targets.append(
            Target("memory that all processes take more, ragged", tree, TREE_MEGABYTES, "MiB")
        )
    if settings.only in (None, "awkward"):
        report_awkward(report, settings)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
