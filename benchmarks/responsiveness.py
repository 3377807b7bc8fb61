"""Whether Jupyter stays quick while the extension works, beside a bare server on the same busy machine.

Both servers run at once and are asked in turn, so that both feel the same load; what makes the load runs in a
process of its own.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.common import MEGABYTE, Report, Target, parser, percentile
from benchmarks.samples import write_bytes, write_rows
from benchmarks.servers import (
    OURS,
    PULSE,
    STATUS,
    USER,
    Address,
    Connection,
    Server,
    first_rows,
    running,
    train,
    upload,
)

BLOCK_MS, SLOWER = 25.0, 2.0
PAUSE = 0.01
BARE_STATUS, OUR_STATUS, OUR_USER = (
    "GET api/status, bare",
    "GET api/status, extension",
    "GET automl/api/user/",
)
FELT = {"longest": "longest block", "longest_cpu": "own CPU", "longest_gc": "garbage collection"}
WARM_SECONDS = 15.0
PREDICT_ROWS = 500
MODEL = "probe-bought"


@dataclass(frozen=True)
class Phase:
    """What was felt during one load.

    Attributes
    ----------
    latencies : dict
        Milliseconds of each probe, by its name.
    blocks : dict
        What ``pulse`` noted, by ``bare`` and ``extension``.
    """

    name: str
    latencies: dict[str, list[float]]
    blocks: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Pair:
    """Connections to the two servers."""

    bare: Connection
    ours: Connection

    def reset(self, *, stacks: bool) -> None:
        """Begin to measure anew."""
        for connection in (self.bare, self.ours):
            connection.post("/pulse", {"stacks": stacks})

    def blocks(self) -> dict[str, dict[str, Any]]:
        """The longest blocks since."""
        return {"bare": self.bare.get("/pulse"), "extension": self.ours.get("/pulse")}


# --- loads, each run in another process


def idle(address: Address, seconds: float) -> None:
    """Do nothing, for comparison."""
    time.sleep(seconds)


def uploads(address: Address, file: Path, times: int) -> None:
    """Upload a file so many times."""
    with Connection(address) as connection:
        for _ in range(times):
            upload(connection, file)


def training(address: Address, dataset: str, budget: float) -> None:
    """Train and wait."""
    with Connection(address) as connection:
        train(connection, dataset, "bought", budget)


def predicting(address: Address, rows: Sequence[dict[str, Any]], seconds: float) -> None:
    """Predict rows in JSON, one request after another."""
    body = json.dumps({"rows": list(rows)}).encode()
    end = time.monotonic() + seconds
    with Connection(address) as connection:
        while time.monotonic() < end:
            connection.timed(f"/automl/api/predict/{MODEL}/", body)


# --- probes


def probe(pair: Pair, busy: Callable[[], bool]) -> dict[str, list[float]]:
    """Ask in turn while the load lasts; who is asked first changes from round to round."""
    asked = [(BARE_STATUS, pair.bare, STATUS), (OUR_STATUS, pair.ours, STATUS), (OUR_USER, pair.ours, USER)]
    found: dict[str, list[float]] = {name: [] for name, _, _ in asked}
    while busy():
        for name, connection, path in asked:
            found[name].append(connection.timed(path))
        asked = asked[1:] + asked[:1]
        time.sleep(PAUSE)
    return found


def measure(pair: Pair, pool: ProcessPoolExecutor, name: str, load: Callable[..., None], *given: object,
            stacks: bool) -> Phase:  # fmt: skip
    """Run a load in the other process and probe until it is done."""
    pair.reset(stacks=stacks)
    running_load: Future[None] = pool.submit(load, *given)
    latencies = probe(pair, lambda: not running_load.done())
    blocks = pair.blocks()
    running_load.result()
    return Phase(name, latencies, blocks)


@contextmanager
def pair_of_servers() -> Iterator[tuple[Pair, Server]]:
    """A bare server and one with the extension, both with the pulse."""
    with (
        running(PULSE) as bare,
        running(OURS, PULSE) as ours,
        bare.connect() as to_bare,
        ours.connect() as to_ours,
    ):
        yield Pair(to_bare, to_ours), ours


def warm_up(pair: Pair, folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """One request of each kind; returns a data set to learn from and rows to predict."""
    file = write_rows(folder / "probe.csv", 5_000)
    dataset = upload(pair.ours, file)["id"]
    job = train(pair.ours, dataset, "bought", WARM_SECONDS)
    if job["model"] is None:
        raise RuntimeError(f"the first training ended without a model: {job['error']}")
    few = first_rows(pair.ours, dataset, "bought")
    rows = (few * (PREDICT_ROWS // len(few) + 1))[:PREDICT_ROWS]
    pair.ours.post(f"/automl/api/predict/{MODEL}/", {"rows": rows})
    for connection, path in ((pair.bare, STATUS), (pair.ours, STATUS), (pair.ours, USER)):
        connection.get(path)
    return str(dataset), rows


def run(settings: argparse.Namespace, folder: Path) -> list[Phase]:
    """All phases, one after another, on one pair of servers."""
    big = write_bytes(folder / "big.csv", int(settings.megabytes * MEGABYTE))
    with pair_of_servers() as (pair, ours), ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        dataset, rows = warm_up(pair, folder)
        where, look = ours.address, settings.stacks
        return [
            measure(pair, pool, "idle", idle, where, settings.idle, stacks=look),
            measure(pair, pool, "upload", uploads, where, big, settings.uploads, stacks=look),
            measure(pair, pool, "training", training, where, dataset, settings.budget, stacks=look),
            measure(pair, pool, "predicting", predicting, where, rows, settings.idle, stacks=look),
        ]


# --- the report


def report_latencies(report: Report, phases: Sequence[Phase]) -> None:
    """p50 and p99 of each probe, and how they compare with the bare server's status."""
    rows: list[list[float | int | str]] = []
    for phase in phases:
        bare = [percentile(phase.latencies[BARE_STATUS], share) for share in (0.5, 0.99)]
        for name, samples in phase.latencies.items():
            p50, p99 = percentile(samples, 0.5), percentile(samples, 0.99)
            rows.append([f"{phase.name}: {name}", len(samples), p50, p99, p50 / bare[0], p99 / bare[1]])
            if name != BARE_STATUS and phase.name in ("upload", "training"):
                what = f"{phase.name}: p99 of {name}, against bare"
                report.targets.append(Target(what, p99 / bare[1], SLOWER, "times"))
    report.table(("during", "n", "p50, ms", "p99, ms", "p50 to bare", "p99 to bare"), rows)


def report_blocks(report: Report, phases: Sequence[Phase]) -> None:
    """The longest blocks of the event loops."""
    rows = []
    for phase in phases:
        bare, ours = phase.blocks["bare"], phase.blocks["extension"]
        rows.append([phase.name, *(side[key] for key in FELT for side in (bare, ours))])
        if phase.name != "idle":
            what = f"{phase.name}: longest block of the event loop"
            report.targets.append(Target(what, ours["longest"], BLOCK_MS, "ms"))
    heads = [f"{what}, {side}, ms" for what in FELT.values() for side in ("bare", "extension")]
    report.table(("during", *heads), rows)


def report_stacks(report: Report, phases: Sequence[Phase]) -> None:
    """Where the loop's thread was when a tick was late, the most frequent first."""
    for phase in phases:
        report.note(f"Where the loop was held up during {phase.name}:")
        for stack, times in phase.blocks["extension"]["stacks"]:
            report.note(f"- {times} ×: {stack}")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("responsiveness", __doc__)
    made.add_argument("--megabytes", type=float, default=50.0, help="size of the uploaded file")
    made.add_argument("--uploads", type=int, default=3, help="how often it is uploaded")
    made.add_argument("--budget", type=float, default=30.0, help="seconds of the training")
    made.add_argument("--idle", type=float, default=10.0, help="seconds without load, and of predicting")
    made.add_argument(
        "--stacks", action="store_true", help="also show what held the loop up (costs time itself)"
    )
    return made.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report."""
    settings = _arguments(argv)
    report = Report("responsiveness", "Jupyter while the extension works", settings)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        phases = run(settings, Path(folder))
    report_latencies(report, phases)
    report_blocks(report, phases)
    if settings.stacks:
        report_stacks(report, phases)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
