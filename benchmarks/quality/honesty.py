"""Whether the score that ours reports holds on rows that nobody has seen.

Many short fits on a few hundred to two thousand rows drawn from tables; all other rows of the table, at
least five times as many, judge. What is counted: how often the reported 90 % interval has the score of
those rows in it, how far the reported score is from it on average, and how wide the interval is against a
plain bootstrap of the rows that the score was made of. A row of a CSV file each, so that an interrupted run
goes on; the report is of all that is there.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from benchmarks.common import Report, Target, median, parser
from benchmarks.quality import errors, measure, records, run, statistic, tables
from benchmarks.quality.records import Cell, Journal, Row
from benchmarks.quality.tables import Split, Table

FEWEST, MOST = 200, 2000
TIMES = 5
TEST_CAP = 20_000
EXPECTED = 5
LEAST_COVERED = 0.85
KEY = ("number", "dataset", "seed", "budget", "threads")
FIELDS = (
    "number", "dataset", "task", "seed", "budget", "threads", "n_train", "n_test", "error", "error_spread",
    "reported", "reported_low", "reported_high", "naive_low", "naive_high", "fit_s", "rss_mb", "other_cpu_s",
    "versions", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Draw:
    """A part of a table to learn from, by its number."""

    table: Table
    frame: pd.DataFrame
    task: str
    number: int
    rows: int

    def split(self) -> Split:
        """Draw it, in proportion to the classes; the rest judges, at most 20,000 rows of it."""
        classes = None if self.task == "regression" else self.frame[self.table.target]
        train, rest = train_test_split(
            self.frame, train_size=self.rows, random_state=self.number, stratify=classes
        )
        return Split(self.task, train, rest.iloc[:TEST_CAP])


def sizes(count: int) -> tuple[int, int] | None:
    """The least and the most rows to draw from so many; None where there are too few."""
    most = min(MOST, count // (TIMES + 1))
    return (FEWEST, most) if most >= FEWEST else None


def draw(table: Table, task: str, frame: pd.DataFrame, number: int) -> Draw | None:
    """A part of any size in between, each as likely by its logarithm; None if the table is too small for it.

    Classes of which hardly five rows would be drawn are left out of both parts.
    """
    limits = sizes(len(frame))
    if limits is None:
        return None
    dice = np.random.default_rng(number)
    rows = round(math.exp(dice.uniform(math.log(limits[0]), math.log(limits[1]))))
    if task != "regression":
        target = frame[table.target]
        frame = frame[target.map(target.value_counts()) * rows >= EXPECTED * len(frame)]
        if frame[table.target].nunique() < 2 or len(frame) < rows * (TIMES + 1):
            return None
    return Draw(table, frame, task, number, rows)


def outcome(made: measure.Outcome, task: str, number: int) -> dict[str, Cell]:
    """What is kept of a run: errors of the rows that judge with their spread, and a plain interval."""
    row = made.row
    if "error" not in row or "reported" not in row:
        return row
    spread = float(np.std(errors.resampled(task, made.truth, made.answer, number)))
    found: dict[str, Cell] = {**row, "error_spread": spread}
    if made.honest is not None:
        truth, answer = made.honest
        draws = errors.resampled(task, truth, answer, number)
        found["naive_low"], found["naive_high"] = (float(x) for x in np.quantile(draws, (0.05, 0.95)))
    return found


# --- the report


@dataclass(frozen=True)
class Findings:
    """What runs say together.

    Attributes
    ----------
    covered : Mean
        Share of the runs whose interval has the error in it.
    above, below : int
        Runs in which the error was worse than the interval, and better.
    bias : Mean
        Reported minus true quality in standard deviations of the true one's estimate: above 0 boasts.
    relative : Mean
        The same as a share of the table's mean error over runs: a run's own is near zero now and then, and
        would make wild shares of a difference that is none.
    widths : float
        Median of the interval's width over the plain one's.
    width : float
        Median of the interval's width as a share of the error.
    naive : Mean
        Share of the runs whose plain interval has the error in it.
    """

    runs: int
    covered: statistic.Mean
    above: int
    below: int
    bias: statistic.Mean
    relative: statistic.Mean
    widths: float
    width: float
    naive: statistic.Mean


def find(rows: Sequence[Row]) -> Findings:
    """Sum up rows that have an error and a report."""
    told = [row for row in rows if not math.isnan(_number(row, "error") + _number(row, "reported_low"))]
    known = [{name: _number(row, name) for name in FIELDS if name not in ("dataset", "task")} for row in told]
    usual = _usual(_names(told), [r["error"] for r in known])
    above = sum(r["error"] > r["reported_high"] for r in known)
    below = sum(r["error"] < r["reported_low"] for r in known)
    plain = [r for r in known if not math.isnan(r["naive_low"])]
    wide = [r for r in plain if r["naive_high"] > r["naive_low"]]
    inside = sum(r["naive_low"] <= r["error"] <= r["naive_high"] for r in plain)
    # An error is bad, so that one that is reported too small is a boast.
    boasts = [r["error"] - r["reported"] for r in known]
    return Findings(
        len(known),
        statistic.share(len(known) - above - below, len(known)),
        above,
        below,
        statistic.mean(_over(boasts, [r["error_spread"] for r in known])),
        statistic.mean(_over(boasts, usual)),
        median([_width(r) / (r["naive_high"] - r["naive_low"]) for r in wide]),
        median(_over([_width(r) for r in known], [r["error"] for r in known])),
        statistic.share(inside, len(plain)),
    )


def _usual(names: Sequence[str], errors: Sequence[float]) -> list[float]:
    """For each run, the mean error of all runs of its table."""
    found = pd.Series(errors, dtype=float)
    return found.groupby(list(names)).transform("mean").tolist() if len(found) else []


def _number(row: Row, name: str) -> float:
    try:
        return float(row.get(name) or math.nan)
    except ValueError:
        return math.nan


def _width(row: dict[str, float]) -> float:
    return row["reported_high"] - row["reported_low"]


def _over(values: Sequence[float], by: Sequence[float]) -> list[float]:
    return [v / b for v, b in zip(values, by, strict=True) if b > statistic.FLOOR]


def _shown(found: statistic.Mean, times: float = 1.0, digits: int = 2) -> str:
    value, low, high = (f"{x * times:.{digits}f}" for x in (found.value, found.low, found.high))
    return value if math.isnan(found.low) else f"{value} ({low} … {high})"


def report_on(report: Report, rows: Sequence[Row]) -> Findings:
    """A line for all, for each task, for thirds by size and for each table."""
    third = max(1, math.ceil(len(rows) / 3))
    by_size = sorted(rows, key=lambda row: _number(row, "n_train"))
    groups: list[tuple[str, Sequence[Row]]] = [("all", rows)]
    groups += [(task, [r for r in rows if r["task"] == task]) for task in tables.TASKS]
    parts = [by_size[i : i + third] for i in range(0, len(by_size), third)]
    groups += [(f"{p[0]['n_train']} to {p[-1]['n_train']} rows", p) for p in parts]
    groups += [(name, [r for r in rows if r["dataset"] == name]) for name in dict.fromkeys(_names(rows))]
    lines = [_line(name, find(part)) for name, part in groups if part]
    heads = (
        "runs", "in the interval, %", "worse", "better", "bias, spreads", "bias, % of the error",
        "width, % of the error", "width to plain", "in the plain one, %",
    )  # fmt: skip
    report.table(("runs of", *heads), lines)
    report.note(
        "In brackets: 90 % intervals, exact for shares, by Student's t for means. A bias above 0 boasts."
    )
    return find(rows)


def _names(rows: Sequence[Row]) -> list[str]:
    return [row["dataset"] for row in rows]


def _line(name: str, found: Findings) -> tuple[float | int | str | None, ...]:
    return (
        name,
        found.runs,
        _shown(found.covered, 100, 1),
        found.above,
        found.below,
        _shown(found.bias),
        _shown(found.relative, 100),
        f"{100 * found.width:.1f}",
        found.widths,
        f"{100 * found.naive.value:.1f}",
    )


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("quality honesty", __doc__)
    tables.offer(made)
    run.offer(made)
    made.add_argument("--runs", type=int, default=300, help="in all; those in the file are not made again")
    made.add_argument("--budget", type=float, default=4.0, help="seconds of each fit")
    made.add_argument("--trials", type=int, help="candidates of each fit, at most")
    return made.parse_args(argv)


def measure_missing(settings: argparse.Namespace, journal: Journal) -> None:
    """Make the runs that are not in the file yet, table by table in turn."""
    found = [(table, *tables.read(table)) for table in tables.chosen(settings)]
    usable = [item for item in found if draw(item[0], item[1], item[2], 0) is not None]
    if not usable:
        raise SystemExit(f"no table has {FEWEST * (TIMES + 1)} rows or more")
    for number in range(settings.runs):
        table, task, frame = usable[number % len(usable)]
        key: dict[str, Cell] = {"number": number, "dataset": table.name, "seed": number}
        key |= {"budget": settings.budget, "threads": settings.threads}
        asked = None if journal.has(key) else draw(table, task, frame, number)
        if asked is not None:
            run.pause(settings.pause_file)
            journal.add({**key, **_measured(settings, asked)})


def _measured(settings: argparse.Namespace, asked: Draw) -> dict[str, Cell]:
    part, number = asked.split(), asked.number
    log: Path = run.logs(settings) / f"{asked.table.name}.{number}.log"
    job = measure.Job(
        "ours", Path(sys.executable), settings.budget, settings.threads, number,
        {"target": asked.table.target}, log, settings.trials,
    )  # fmt: skip
    row = outcome(measure.of_split(job, part), asked.task, number)
    shown: Callable[[str], str] = lambda name: records.written(row.get(name))  # noqa: E731
    print(
        number,
        asked.table.name,
        len(part.train),
        *map(shown, ("error", "reported_low", "reported_high", "note")),
    )
    return {"task": asked.task, "n_train": len(part.train), "n_test": len(part.test), **row}


def main(argv: Sequence[str] | None = None) -> int:
    """Make what is missing and report on all that is in the file."""
    settings = _arguments(argv)
    measure_missing(settings, Journal(settings.out, FIELDS, KEY))
    rows = [row for row in records.read(settings.out) if row["error"]]
    report = Report("honesty", "Whether reported scores hold", settings)
    found = report_on(report, rows)
    missed = 1 - found.covered.value
    report.targets += [
        Target("errors outside of the 90 % interval", missed, 1 - LEAST_COVERED, "of the runs"),
        Target("bias, either way", abs(found.relative.value), 0.02, "of the error"),
    ]
    return report.close()
