"""Fit systems on tables, one fit at a time, and write a row of a CSV file for each as soon as it is known.

What is in the file already is not measured again, so that an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.common import machine_name
from benchmarks.quality import measure, tables
from benchmarks.quality.records import Cell, Journal
from benchmarks.quality.systems import SYSTEMS
from benchmarks.quality.tables import Split, Table

KEY = ("dataset", "system", "budget", "seed", "threads")
QUICK = "fast"
"""What follows the name of a system whose quick model answered."""

FIELDS = (
    "dataset", "task", "system", "budget", "seed", "threads", "error", "fit_s", "first_model_s", "predict_s",
    "row_ms", "rss_mb", "reported", "reported_low", "reported_high", "n_train", "n_test", "n_cols", "digest",
    "import_s", "rss_start_mb", "cpu_s", "other_cpu_s", "wall_s", "block", "machine", "versions", "note",
    "curve",
)  # fmt: skip


def pythons(given: Sequence[str]) -> dict[str, Path]:
    """Which Python has which system, from words such as ``flaml=/path/to/python``.

    Raises
    ------
    SystemExit
        If a word is not of that kind, or there is no such program or system.
    """
    found = {}
    for word in given:
        name, _, path = word.partition("=")
        if name not in SYSTEMS or not Path(path).is_file():
            raise SystemExit(f"--python {word}: NAME=PATH, with a name of {', '.join(SYSTEMS)} and a Python")
        found[name] = Path(path).absolute()
    return found


def python_of(system: str, known: dict[str, Path]) -> Path:
    """The Python for a system, which may be named with a variant; ours and LightGBM are in this one.

    Raises
    ------
    SystemExit
        If it is not known where a peer is.
    """
    family = system.partition("-")[0]
    if family not in SYSTEMS:
        raise SystemExit(f"no such system: {system}; there are {', '.join(SYSTEMS)}")
    if family in known:
        return known[family]
    if family in ("ours", "lightgbm"):
        return Path(sys.executable)
    raise SystemExit(f"{system}: say which Python has it, --python {family}=PATH")


def pause(file: Path | None) -> None:
    """Wait while a file is there, which somebody made to have the machine for themselves."""
    while file is not None and file.exists():
        time.sleep(1)


def offer(made: argparse.ArgumentParser) -> None:
    """Add the options of everything that fits models and writes a file."""
    made.add_argument("--out", type=Path, required=True, help="the CSV file to write, or to go on with")
    made.add_argument("--logs", type=Path, help="a folder for what systems print (default: beside --out)")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--pause-file", type=Path, help="wait before a fit while this file is there")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = argparse.ArgumentParser("python -m benchmarks quality run", description=__doc__)
    tables.offer(made)
    offer(made)
    named = "with commas: " + ", ".join(SYSTEMS) + "; a variant follows a dash, as in autogluon-best"
    made.add_argument("--systems", default="lightgbm,ours", help=named)
    made.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="who has a system")
    made.add_argument("--budget", type=float, default=60.0, help="seconds of each fit")
    made.add_argument("--seeds", default="0", help="with commas; another seed draws another split")
    made.add_argument("--cap", type=int, default=tables.CAP, help="rows to learn from, at most")
    made.add_argument("--retry", action="store_true", help="measure again what failed before")
    made.add_argument("--block", help="a name for what one machine measures in one go (default: the time)")
    made.add_argument("--trials", type=int, help="candidates at most, where a system can be told")
    return made.parse_args(argv)


def logs(settings: argparse.Namespace) -> Path:
    """The folder for what systems print."""
    given: Path | None = settings.logs
    return settings.out.with_suffix(".logs") if given is None else given


def _wanted(settings: argparse.Namespace, journal: Journal) -> Iterator[tuple[Table, Split, dict[str, Cell]]]:
    """What is not in the file yet, seed by seed and table by table; a table is read when it is needed."""
    for seed in map(int, settings.seeds.split(",")):
        for table in tables.chosen(settings):
            part: Split | None = None
            for system in settings.systems.split(","):
                key: dict[str, Cell] = {"dataset": table.name, "system": system, "budget": settings.budget}
                key |= {"seed": seed, "threads": settings.threads}
                if not journal.has(key):
                    part = tables.split(table, seed, settings.cap) if part is None else part
                    yield table, part, key


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what is missing; returns 1 if a system failed."""
    settings = _arguments(argv)
    known = pythons(settings.python)
    where = {system: python_of(system, known) for system in settings.systems.split(",")}
    journal = Journal(settings.out, FIELDS, KEY, failed=settings.retry)
    block, failed = settings.block or f"{datetime.now(UTC):%Y-%m-%dT%H:%M}", 0
    for table, part, key in _wanted(settings, journal):
        pause(settings.pause_file)
        system, seed = str(key["system"]), int(key["seed"] or 0)
        log = logs(settings) / f"{table.name}.{system}.{settings.budget:g}.{seed}.log"
        job = measure.Job(
            system, where[system], settings.budget, settings.threads, seed, {"target": table.target}, log,
            settings.trials,
        )  # fmt: skip
        made = measure.of_split(job, part)
        row = made.row
        sizes: dict[str, Cell] = {
            "n_train": len(part.train),
            "n_test": len(part.test),
            "n_cols": part.columns,
        }
        told: dict[str, Cell] = {"block": block, "machine": machine_name(), "digest": part.digest}
        journal.add({**key, "task": part.task, **sizes, **told, **row})
        if made.quick is not None:
            beside = {**key, "system": f"{system}-{QUICK}"}
            journal.add({**beside, "task": part.task, **sizes, **told, **made.quick})
        failed += "error" not in row
        shown = {k: row.get(k) for k in ("error", "fit_s", "first_model_s", "rss_mb", "note")}
        print(table.name, system, seed, *(f"{k}={_short(v)}" for k, v in shown.items()), flush=True)
    return int(failed > 0)


def _short(value: Cell) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value or "")
