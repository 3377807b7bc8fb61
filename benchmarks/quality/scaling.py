"""Time and memory of fitting and predicting against the number of rows and of columns, on made tables.

A fit takes its budget whatever the table, so ours gets a number of candidates instead, and more seconds
than they need. Cost grows as a power of the size: the exponent is the slope of logarithms over the upper
half of the sizes, where fixed costs no longer hide it. Draws a picture and writes a table.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import Report, parser
from benchmarks.quality import measure, records, run, statistic
from benchmarks.quality.records import Cell, Journal, Row

TARGET = "target"
TEST_ROWS = 10_000
KEY = ("along", "rows", "columns", "system", "task", "trials", "threads")
FIELDS = (
    *KEY, "budget", "seed", "error", "fit_s", "first_model_s", "predict_s", "row_ms", "rss_mb",
    "rss_start_mb", "cpu_s", "other_cpu_s", "versions", "note",
)  # fmt: skip
COSTS = {
    "fit_s": "fit, s",
    "first_model_s": "first model, s",
    "predict_s": "predict 10,000 rows, s",
    "row_ms": "one row, ms",
    "rss_mb": "memory, MiB",
}


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("quality scaling", __doc__)
    run.offer(made)
    made.add_argument("--rows", default="1000,10000,100000,1000000", help="with 20 columns each, with commas")
    made.add_argument("--columns", default="10,100,1000", help="with 5,000 rows each, with commas")
    made.add_argument("--base-rows", type=int, default=5000, help="rows of the tables that vary in columns")
    made.add_argument("--base-columns", type=int, default=20, help="columns of those that vary in rows")
    made.add_argument("--systems", default="lightgbm,ours", help="with commas")
    made.add_argument("--task", default="binary", choices=("binary", "regression"))
    made.add_argument("--trials", type=int, default=2, help="candidates of ours")
    made.add_argument("--budget", type=float, default=600.0, help="seconds, more than the candidates need")
    made.add_argument("--picture", type=Path, help="the PNG to draw (default: beside --out)")
    return made.parse_args(argv)


def _sizes(given: str) -> list[int]:
    return [int(word) for word in given.split(",") if word]


def _wanted(settings: argparse.Namespace) -> list[dict[str, Cell]]:
    rows = [("rows", n, settings.base_columns) for n in _sizes(settings.rows)]
    columns = [("columns", settings.base_rows, n) for n in _sizes(settings.columns)]
    told: dict[str, Cell] = {"task": settings.task, "trials": settings.trials, "threads": settings.threads}
    return [
        {"along": along, "rows": n, "columns": k, "system": system, **told}
        for along, n, k in rows + columns
        for system in settings.systems.split(",")
    ]


def _measured(settings: argparse.Namespace, key: dict[str, Cell]) -> dict[str, Cell]:
    recipe = {"rows": key["rows"], "columns": key["columns"], "test_rows": TEST_ROWS, "seed": 0}
    data = {"target": TARGET, "task": settings.task, "synthetic": recipe}
    log: Path = run.logs(settings) / f"{key['system']}.{key['rows']}.{key['columns']}.log"
    python = Path(sys.executable)
    job = measure.Job(
        str(key["system"]), python, settings.budget, settings.threads, 0, data, log, settings.trials
    )
    return {**key, "budget": settings.budget, "seed": 0, **measure.measure(job).row}


def growth(rows: Sequence[Row], along: str, cost: str) -> float:
    """The exponent by which a cost grows, over the upper half of the sizes; NaN of fewer than two."""
    known = sorted((float(row[along]), float(row[cost])) for row in rows if row.get(cost))
    upper = known[-max(2, math.ceil(len(known) / 2)) :]
    return statistic.exponent([size for size, _ in upper], [value for _, value in upper])


def _of(rows: Sequence[Row], along: str, system: str) -> list[Row]:
    found = [row for row in rows if row["along"] == along and row["system"] == system]
    return sorted(found, key=lambda row: float(row[along]))


def report_on(report: Report, rows: Sequence[Row]) -> None:
    """Costs by size and system, and how they grow."""
    systems = list(dict.fromkeys(row["system"] for row in rows))
    for along in ("rows", "columns"):
        lines: list[list[float | int | str | None]] = []
        for system in systems:
            found = _of(rows, along, system)
            for row in found:
                lines.append([system, int(row[along]), *(_figure(row, cost) for cost in COSTS)])
            if len(found) > 1:
                lines.append([system, "exponent", *(growth(found, along, cost) for cost in COSTS)])
        if lines:
            report.table(("system", along, *COSTS.values()), lines)


def _figure(row: Row, cost: str) -> float | None:
    return float(row[cost]) if row.get(cost) else None


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw costs against sizes, both by their logarithms, with the exponents in the legends."""
    # Only here, so that the rest needs no drawing; a backend that needs no screen.
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    systems = list(dict.fromkeys(row["system"] for row in rows))
    sides = list(dict.fromkeys(row["along"] for row in rows))
    size = (4 * len(COSTS), 3.5 * len(sides))
    figure, axes = pyplot.subplots(len(sides), len(COSTS), figsize=size, layout="constrained", squeeze=False)
    for line, along in enumerate(sides):
        for place, (cost, label) in enumerate(COSTS.items()):
            axis = axes[line, place]
            for system in systems:
                found = [row for row in _of(rows, along, system) if row.get(cost)]
                sizes, costs = ([float(row[name]) for row in found] for name in (along, cost))
                axis.plot(
                    sizes, costs, marker="o", label=f"{system}, exponent {growth(found, along, cost):.2f}"
                )
            axis.set(xscale="log", yscale="log", xlabel=along, ylabel=label)
            axis.grid(visible=True, which="both", alpha=0.3)
            axis.legend(fontsize="small")
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what is missing, report, draw."""
    settings = _arguments(argv)
    journal = Journal(settings.out, FIELDS, KEY)
    for key in _wanted(settings):
        if not journal.has(key):
            run.pause(settings.pause_file)
            row = _measured(settings, key)
            journal.add(row)
            print(
                *(f"{k}={records.written(row.get(k))}" for k in ("system", "rows", "columns", *COSTS, "note"))
            )
    rows = records.read(settings.out)
    report = Report("scaling", "Growth with rows and columns", settings)
    report_on(report, rows)
    picture = settings.picture or settings.out.with_suffix(".png")
    draw(rows, picture)
    print(f"Drawn in {picture}", file=sys.stderr)
    return report.close()
