"""Whether intervals hold as many quantities as they state, on rows that nobody has seen.

Each table of a quantity is divided; a short fit learns from one part, and intervals of several stated
coverages are laid around what it predicts of the other. A row of a CSV file each, so that an interrupted run
goes on; the report is of all that is there.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import numpy as np

from automl_jupyter.engine import AutoMLRegressor
from benchmarks.common import Report, Target, parser
from benchmarks.quality import records, run, statistic, tables
from benchmarks.quality.records import Cell, Journal, Row
from benchmarks.quality.tables import Split, Table

STATED = (0.5, 0.8, 0.9, 0.95)
MOST_APART = 2.0
"""Percentage points: what was stated and what is inside may be so far apart, over all tables."""

PERCENT = 100.0
KEY = ("dataset", "seed", "budget", "threads")
FIELDS = (*KEY, "n_train", "n_test", *(f"inside_{stated:g}" for stated in STATED), "width", "note")


def inside(split: Split, target: str, model: AutoMLRegressor) -> dict[str, Cell]:
    """The share of the rows that judge whose quantity is inside, by what was stated.

    Parameters
    ----------
    split : Split
        Of a table; the rows to learn from are those that the model was fitted to.
    target : str
        The quantity.
    model : AutoMLRegressor
        A fitted model.
    """
    X, truth = split.test.drop(columns=target), split.test[target].to_numpy(np.float64)
    found: dict[str, Cell] = {}
    for stated in STATED:
        low, high = model.predict_interval(X, stated).T
        found[f"inside_{stated:g}"] = float(np.mean((low <= truth) & (truth <= high)))
        if stated == 0.9:
            # As a share of what an answer without any model would need.
            whole = float(np.subtract(*np.quantile(truth, (0.95, 0.05))))
            found["width"] = float(np.mean(high - low)) / whole if whole > 0 else math.nan
    return found


def report_on(report: Report, rows: Sequence[Row]) -> None:
    """A line for each table, and one for all."""
    names = [f"inside_{stated:g}" for stated in STATED]
    lines: list[tuple[float | int | str | None, ...]] = [
        (
            row["dataset"],
            row["seed"],
            int(row["n_train"]),
            int(row["n_test"]),
            *_percent(row, [*names, "width"]),
        )
        for row in rows
    ]
    heads = (
        *(f"inside, stated {PERCENT * stated:g} %" for stated in STATED),
        "width of 90 %, % of no model's",
    )
    report.table(("table", "seed", "learnt from", "judged", *heads), lines)
    for stated, name in zip(STATED, names, strict=True):
        mean = statistic.mean([float(row[name]) for row in rows])
        report.note(
            f"Stated {PERCENT * stated:g} %: {PERCENT * mean.value:.1f} % inside on the mean of the tables "
            f"({PERCENT * mean.low:.1f} … {PERCENT * mean.high:.1f})."
        )
        apart, what = PERCENT * abs(mean.value - stated), f"stated {PERCENT * stated:g} % and inside, apart"
        report.targets.append(Target(what, apart, MOST_APART, "points"))


def _percent(row: Row, names: Sequence[str]) -> list[float]:
    return [PERCENT * float(row[name] or math.nan) for name in names]


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("quality coverage", __doc__)
    tables.offer(made)
    run.offer(made)
    made.add_argument("--budget", type=float, default=10.0, help="seconds of each fit")
    made.add_argument("--trials", type=int, help="candidates of each fit, at most")
    made.add_argument("--seeds", default="0", help="with commas; another seed draws another split")
    made.add_argument("--cap", type=int, default=20_000, help="rows to learn from, at most")
    return made.parse_args(argv)


def measure_missing(settings: argparse.Namespace, journal: Journal) -> None:
    """Fit each table of a quantity that is not in the file yet."""
    for table in tables.chosen(settings):
        for seed in map(int, settings.seeds.split(",")):
            key: dict[str, Cell] = {"dataset": table.name, "seed": seed}
            key |= {"budget": settings.budget, "threads": settings.threads}
            if table.task.startswith("reg") and not journal.has(key):
                run.pause(settings.pause_file)
                journal.add({**key, **_measured(settings, table, seed)})


def _measured(settings: argparse.Namespace, table: Table, seed: int) -> dict[str, Cell]:
    split = tables.split(table, seed, settings.cap)
    model = AutoMLRegressor(
        time_budget=settings.budget,
        n_jobs=settings.threads,
        random_state=seed,
        max_trials=settings.trials,
    )
    model.fit(split.train.drop(columns=table.target), split.train[table.target])
    found = inside(split, table.target, model)
    print(table.name, seed, len(split.train), *(f"{value:.3f}" for value in found.values()), flush=True)
    return {"n_train": len(split.train), "n_test": len(split.test), **found}


def main(argv: Sequence[str] | None = None) -> int:
    """Make what is missing and report on all that is in the file."""
    settings = _arguments(argv)
    measure_missing(settings, Journal(settings.out, FIELDS, KEY))
    report = Report("coverage", "Whether intervals hold what they state", settings)
    report_on(report, records.read(settings.out))
    return report.close()
