"""Read files of results and say who is better, by how much and how surely, and what it costs.

A table's ratio is the geometric mean over the seeds that both systems have; its logarithm is clipped to
±0.3 before tables are averaged. Intervals are at 90 %, by Student's t over tables. A file that ``run``
writes may be of several blocks, one for each time it was started: one in which plain LightGBM took other
seconds than in the first is left out.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import Report, Target, median, parser
from benchmarks.quality import records, statistic
from benchmarks.quality.records import Row
from benchmarks.quality.run import QUICK

BASE = "lightgbm"
WORSE = 0.05
BEYOND = 1.0
MOST_LOST = 1 / 3
Place = tuple[str, int]


@dataclass(frozen=True)
class Run:
    """One fit; ``error`` is infinite where it failed."""

    dataset: str
    seed: int
    system: str
    budget: float
    block: str
    error: float
    row: Row

    def get(self, name: str) -> float:
        """A figure; NaN where it is not known."""
        return float(self.row.get(name) or math.nan)


def load(files: Sequence[Path], renames: Sequence[str] = ()) -> list[Run]:
    """The runs of files; of several with the same table, seed, system and block the last one counts.

    Parameters
    ----------
    files : sequence of Path
        As ``run`` writes them.
    renames : sequence of str
        ``old=new``, or ``file/old=new`` for one file, to set two versions of a system side by side.
    """
    named = dict(word.split("=", 1) for word in renames)
    found: dict[tuple[str, str, int, str, float], Run] = {}
    for file in files:
        for row in records.read(file):
            system = named.get(f"{file.stem}/{row['system']}", named.get(row["system"], row["system"]))
            block = f"{file.stem} {row.get('block') or ''}".strip()
            error = float(row["error"]) if row["error"] else math.inf
            run = Run(row["dataset"], int(row["seed"]), system, float(row["budget"]), block, error, row)
            found[block, run.dataset, run.seed, system, run.budget] = run
    return list(found.values())


# --- the machine's speed


@dataclass(frozen=True)
class Speed:
    """Seconds of plain LightGBM in a block against the first block, on what both fitted; NaN if nothing."""

    block: str
    runs: int
    factor: float

    def kept(self, tolerance: float) -> bool:
        """Whether the block counts; one that cannot be checked does."""
        return math.isnan(self.factor) or abs(self.factor - 1) <= tolerance


def speeds(runs: Sequence[Run], reference: str | None = None) -> list[Speed]:
    """How fast the machine was in each block, from the sums of seconds.

    Parameters
    ----------
    runs : sequence of Run
        All of them.
    reference : str or None
        The block to compare with; the first one by default.
    """
    seconds: dict[str, dict[Place, float]] = defaultdict(dict)
    counts: dict[str, int] = defaultdict(int)
    for run in runs:
        counts[run.block] += 1
        if run.system == BASE and not math.isnan(run.get("fit_s")):
            seconds[run.block][run.dataset, run.seed] = run.get("fit_s")
    first = seconds[reference if reference is not None else next(iter(counts))] if counts else {}
    found = []
    for block, n in counts.items():
        shared = first.keys() & seconds[block].keys()
        ours, theirs = (sum(times[place] for place in shared) for times in (seconds[block], first))
        found.append(Speed(block, n, ours / theirs if theirs else math.nan))
    return found


# --- errors


@dataclass(frozen=True)
class Errors:
    """Errors by system, table and seed."""

    by_system: dict[str, dict[Place, float]]

    @property
    def tables(self) -> list[str]:
        """Their names in the order in which they were met."""
        return list(dict.fromkeys(place[0] for found in self.by_system.values() for place in found))

    def of(self, system: str, table: str) -> float:
        """The geometric mean over seeds; NaN where there is none, infinite where one failed."""
        found = [e for (name, _), e in self.by_system.get(system, {}).items() if name == table]
        if not found:
            return math.nan
        return math.exp(sum(math.log(max(e, statistic.FLOOR)) for e in found) / len(found))

    def differences(self, ours: str, theirs: str, table: str) -> list[float]:
        """Logarithms of ratios, a seed each that both have; without seeds at which the other one failed."""
        mine, other = self.by_system.get(ours, {}), self.by_system.get(theirs, {})
        shared = [place for place in mine if place[0] == table and math.isfinite(other.get(place, math.inf))]
        return [statistic.log_ratio(mine[place], other[place]) for place in shared]


def errors_of(runs: Iterable[Run]) -> Errors:
    """Errors of runs; where several blocks have the same fit, the last one."""
    found: dict[str, dict[Place, float]] = defaultdict(dict)
    for run in runs:
        found[run.system][run.dataset, run.seed] = run.error
    return Errors(dict(found))


@dataclass(frozen=True)
class Duel:
    """One system against another over tables.

    Attributes
    ----------
    ratio : Mean
        Geometric mean of the ratio of errors with its interval: below 1 is better.
    wins, ties, losses : int
        Tables; a tie is a ratio within the tolerance.
    failed : int
        Tables on which the other one made no model, which count nowhere else.
    """

    peer: str
    ratio: statistic.Mean
    wins: int
    ties: int
    losses: int
    failed: int


def duel(errors: Errors, ours: str, peer: str, tie: float) -> Duel:
    """Compare two systems; where ours failed it loses by as much as a table can count."""
    values, failed = [], 0
    for table in errors.tables:
        seeds = errors.differences(ours, peer, table)
        if seeds:
            values.append(statistic.clipped(sum(seeds) / len(seeds)))
        elif math.isinf(errors.of(peer, table)) and not math.isnan(errors.of(ours, table)):
            failed += 1
    found = statistic.mean(values)
    value, low, high = (math.exp(x) for x in (found.value, found.low, found.high))
    ratio = statistic.Mean(value, low, high, found.n)
    wins, losses = sum(v < -tie for v in values), sum(v > tie for v in values)
    return Duel(peer, ratio, wins, len(values) - wins - losses, losses, failed)


@dataclass(frozen=True)
class Single:
    """A table on which ours is held against the best single model; p-values NaN where seeds are too few."""

    table: str
    model: str
    seeds: int
    ratio: float
    p: float
    adjusted: float

    @property
    def worse(self) -> bool:
        """Whether ours is worse beyond noise."""
        return self.adjusted < WORSE


def singles(errors: Errors, ours: str, models: Sequence[str]) -> list[Single]:
    """Whether ours is worse than a single model anywhere: paired over seeds, Holm-corrected over tables."""
    found = []
    for table in errors.tables:
        known = [(errors.of(m, table), m) for m in models if math.isfinite(errors.of(m, table))]
        if not known:
            continue
        best = min(known)[1]
        differences = errors.differences(ours, best, table)
        if differences:
            found.append((table, best, differences))
    p = [statistic.p_worse(differences) for _, _, differences in found]
    return [
        Single(table, best, len(d), math.exp(sum(d) / len(d)), raw, adjusted)
        for (table, best, d), raw, adjusted in zip(found, p, statistic.holm(p), strict=True)
    ]


def lost(errors: Errors, ours: str, base: str) -> float:
    """The part of the gain over one model that the quick model of the same fits does not have."""
    quick = f"{ours}-{QUICK}"
    tables = shared(errors, (ours, quick, base))
    whole, kept = (
        -sum(statistic.clipped(statistic.log_ratio(errors.of(system, t), errors.of(base, t))) for t in tables)
        for system in (ours, quick)
    )
    return 1 - kept / whole if whole > 0 else math.nan


def shared(errors: Errors, systems: Sequence[str]) -> list[str]:
    """The tables that every system was tried on."""
    return [t for t in errors.tables if not any(math.isnan(errors.of(s, t)) for s in systems)]


def ranks(errors: Errors, systems: Sequence[str]) -> dict[str, float]:
    """Mean ranks over the tables that every system was tried on."""
    return statistic.mean_ranks([{s: errors.of(s, t) for s in systems} for t in shared(errors, systems)])


# --- the report


def _figure(value: float) -> str:
    return "–" if math.isnan(value) else "failed" if math.isinf(value) else f"{value:.4g}"


def _interval(found: statistic.Mean) -> str:
    return "–" if math.isnan(found.low) else f"{found.low:.3f} … {found.high:.3f}"


def _say_blocks(report: Report, found: Sequence[Speed], tolerance: float) -> None:
    rows = [(s.block, s.runs, s.factor, "yes" if s.kept(tolerance) else "no") for s in found]
    report.table(("block", "runs", "seconds of plain LightGBM to the first", "counts"), rows)


def _say_errors(report: Report, errors: Errors, systems: Sequence[str]) -> None:
    rows = [[table, *(_figure(errors.of(s, table)) for s in systems)] for table in errors.tables]
    report.table(("error", *systems), rows)


def _say_duels(report: Report, duels: Sequence[Duel], ours: str) -> None:
    rows = [
        (d.peer, d.ratio.n, f"{d.ratio.value:.3f}", _interval(d.ratio), d.wins, d.ties, d.losses, d.failed)
        for d in duels
    ]
    heads = ("tables", "ratio", "90 % interval", "wins", "ties", "losses", "failed there")
    report.table((f"{ours} against", *heads), rows)


def _say_costs(report: Report, runs: Sequence[Run], errors: Errors, systems: Sequence[str]) -> None:
    found, tables = ranks(errors, systems), shared(errors, systems)
    kinds = ("fit_s", "first_model_s", "predict_s", "row_ms", "rss_mb")
    rows: list[list[float | int | str | None]] = []
    for system in systems:
        of_it = [run for run in runs if run.system == system]
        # Times on other tables than the others' would say nothing beside theirs.
        alike = [run for run in of_it if run.dataset in tables or not tables]
        figures = {kind: [r.get(kind) for r in alike if not math.isnan(r.get(kind))] for kind in kinds}
        failed = sum(math.isinf(run.error) for run in of_it)
        over = overshoot(of_it)
        rows.append([system, found.get(system), failed, *(median(figures[kind]) for kind in kinds), over])
    heads = ("first model, s", "predict, s", "one row, ms", "memory, MiB", "most over budget, s")
    heading = f"medians, {len(tables)} tables" if tables else "medians, no table is shared"
    report.table((heading, "mean rank", "failed", "fit, s", *heads), rows)


def overshoot(runs: Sequence[Run]) -> float:
    """The most seconds that a fit took beyond its budget, below zero if none did; NaN of nothing."""
    found = [run.get("fit_s") - run.budget for run in runs]
    return max((x for x in found if not math.isnan(x)), default=math.nan)


def _say_singles(report: Report, found: Sequence[Single], ours: str) -> None:
    rows = [
        (s.table, s.model, s.seeds, f"{s.ratio:.3f}", _figure(s.p), _figure(s.adjusted), _verdict(s))
        for s in found
    ]
    report.table((f"{ours} against one model", "the best", "seeds", "ratio", "p", "adjusted", "worse"), rows)


def _verdict(found: Single) -> str:
    return "too few seeds" if math.isnan(found.adjusted) else "yes" if found.worse else "no"


def _say_origin(report: Report, runs: Sequence[Run], disturbed: float) -> None:
    for name, column in (("Machines", "machine"), ("Versions", "versions")):
        found = sorted({run.row.get(column) or "" for run in runs} - {""})
        if found:
            report.note(f"{name} of the runs: {'; '.join(found)}.")
    # A share of all processor time is what others take from each fit alike, whatever its length.
    busy = [r for r in runs if r.get("other_cpu_s") > disturbed * r.get("wall_s")]
    if busy:
        named = ", ".join(f"{r.dataset} {r.system} {r.seed}" for r in busy[:10])
        report.note(f"{len(busy)} runs lost more than {disturbed:g} cores to other processes: {named} …")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("quality compare", __doc__)
    made.add_argument("files", type=Path, nargs="+", help="CSV files that run wrote")
    made.add_argument("--ours", default="ours", help="the system to compare with all others")
    made.add_argument("--systems", default="", help="only these, with commas (default: all)")
    made.add_argument("--only", default="", help="only these tables, with commas (default: all)")
    made.add_argument("--budget", type=float, help="seconds, where the files have several")
    made.add_argument("--rename", action="append", default=[], metavar="[FILE/]OLD=NEW")
    made.add_argument("--single", default=BASE, help="systems that are one model, with commas")
    made.add_argument("--reference", help="the block whose speed is the right one (default: the first)")
    made.add_argument("--tolerance", type=float, default=0.1, help="how much a block's speed may differ")
    made.add_argument("--tie", type=float, default=0.005, help="a log ratio up to this is a tie")
    made.add_argument(
        "--disturbed", type=float, default=0.2, help="cores used by others that are worth telling"
    )
    return made.parse_args(argv)


def _asked(settings: argparse.Namespace) -> list[Run]:
    runs = load(settings.files, settings.rename)
    wanted: list[tuple[str, Callable[[Run], str]]] = [
        (settings.systems, lambda run: run.system),
        (settings.only, lambda run: run.dataset),
    ]
    for names, which in wanted:
        if names:
            runs = [run for run in runs if which(run) in names.split(",")]
    budgets = sorted({run.budget for run in runs})
    if settings.budget is None and len(budgets) > 1:
        raise SystemExit(f"budgets of {', '.join(f'{b:g}' for b in budgets)} s: say which with --budget")
    return [run for run in runs if settings.budget in (None, run.budget)]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables, and keep them where asked."""
    settings = _arguments(argv)
    runs = _asked(settings)
    if not runs:
        raise SystemExit("no such runs in these files")
    blocks = speeds(runs, settings.reference)
    kept = {s.block for s in blocks if s.kept(settings.tolerance)}
    runs = [run for run in runs if run.block in kept]
    errors, ours = errors_of(runs), settings.ours
    systems = sorted(errors.by_system, key=lambda name: (name != ours, name))
    report = Report("quality", "Quality beside other systems", settings)
    _say_origin(report, runs, settings.disturbed)
    _say_blocks(report, blocks, settings.tolerance)
    _say_errors(report, errors, systems)
    if ours in systems:
        _judge(report, runs, errors, systems, settings)
    _say_costs(report, runs, errors, systems)
    return report.close()


def _judge(
    report: Report, runs: Sequence[Run], errors: Errors, systems: Sequence[str], settings: argparse.Namespace
) -> None:
    ours = settings.ours
    duels = [duel(errors, ours, peer, settings.tie) for peer in systems if peer != ours]
    _say_duels(report, duels, ours)
    found = singles(errors, ours, settings.single.split(","))
    _say_singles(report, found, ours)
    gone = lost(errors, ours, settings.single.split(",")[0])
    if not math.isnan(gone):
        report.targets.append(Target(f"gain over one model that {ours}-{QUICK} loses", gone, MOST_LOST, ""))
    over = overshoot([run for run in runs if run.system == ours])
    report.targets += [Target(f"errors of {ours} to {d.peer}", d.ratio.value, 1.0, "times") for d in duels]
    if any(not math.isnan(s.adjusted) for s in found):
        worse = float(sum(s.worse for s in found))
        report.targets.append(Target("tables worse than one model", worse, 1, "tables"))
    report.targets.append(Target("most over budget", over, BEYOND, "s"))
