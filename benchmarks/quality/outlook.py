"""Whether what a search says of more time comes true: runs of the same table with two budgets, side by side.

``run`` writes the curve of each search down. From the curve of the shorter run it is told what the longer one
will gain; what it did gain is read from the scores that both reported, and from the rows that judged.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from automl_jupyter.engine.outlook import Point, outlook
from benchmarks.common import Report, Target, median, parser
from benchmarks.quality import records
from benchmarks.quality.records import Row

PERCENT = 100.0


@dataclass(frozen=True)
class Pair:
    """What was told and what came of it, in percent of the error of the shorter run."""

    dataset: str
    seed: str
    budgets: tuple[float, float]
    told: float
    low: float
    high: float
    reported: float
    judged: float


def points(text: str) -> list[Point]:
    """Read a curve from a cell: seconds and losses, as in ``1.2:0.31 2.5:0.30``."""
    pairs = (word.partition(":") for word in text.split())
    return [Point(float(seconds), float(loss)) for seconds, _, loss in pairs]


def written(curve: Sequence[Point]) -> str:
    """Write a curve into a cell."""
    return " ".join(f"{point.seconds:.3g}:{point.loss:.8g}" for point in curve)


def pairs(rows: Sequence[Row], system: str) -> Iterator[Pair]:
    """Set each run beside the next longer one of the same table and seed."""
    grouped: defaultdict[tuple[str, str], dict[float, Row]] = defaultdict(dict)
    for row in rows:
        if row["system"] == system and row["error"] and row["curve"]:
            grouped[row["dataset"], row["seed"]][float(row["budget"])] = row
    for (dataset, seed), by_budget in sorted(grouped.items()):
        for short, long in pairwise(sorted(by_budget)):
            before, after = by_budget[short], by_budget[long]
            told = outlook(points(before["curve"]), long - short)
            if told is not None:
                yield Pair(
                    dataset,
                    seed,
                    (short, long),
                    PERCENT * told.gain,
                    PERCENT * told.low,
                    PERCENT * told.high,
                    _gain(before, after, "reported"),
                    _gain(before, after, "error"),
                )


def _gain(before: Row, after: Row, name: str) -> float:
    a, b = float(before[name]), float(after[name])
    return PERCENT * (1 - b / a) if a > 0 else math.nan


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("quality outlook", __doc__)
    made.add_argument("files", type=Path, nargs="+", help="CSV files of run, with two or more budgets")
    made.add_argument("--system", default="ours")
    return made.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Report on what is in some files."""
    settings = _arguments(argv)
    rows = [row for file in settings.files for row in records.read(file)]
    found = list(pairs(rows, settings.system))
    report = Report("outlook", "Whether more time brings what was told", settings)
    report.table(
        ("table", "seed", "seconds", "told %", "from", "to", "reported %", "judged %"),
        [
            (
                p.dataset,
                p.seed,
                f"{p.budgets[0]:g} → {p.budgets[1]:g}",
                p.told,
                p.low,
                p.high,
                p.reported,
                p.judged,
            )
            for p in found
        ],
    )
    known = [p for p in found if not math.isnan(p.reported)]
    if known:
        within = sum(p.low <= p.reported <= p.high for p in known) / len(known)
        told, real = median([p.told for p in known]), median([p.reported for p in known])
        report.note(
            f"{len(known)} pairs; within what was told: {within:.0%}. On the median, told: {told:.2f} %; "
            f"reported: {real:.2f} %; judged: {median([p.judged for p in known]):.2f} %."
        )
        report.targets.append(Target("medians of told and reported gain, apart", abs(told - real), 0.5, "%"))
    return report.close()
