"""What the benchmarks share: the machine, figures of samples, the report."""

from __future__ import annotations

import argparse
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil

from automl_jupyter import __version__

HERE = Path(__file__).parent
ROOT = HERE.parent
MEGABYTE = 1024 * 1024
PACKAGES = (
    "jupyter_server", "tornado", "pydantic", "sqlalchemy", "pandas", "pyarrow", "scikit-learn", "lightgbm",
    "mlflow", "distributed",
)  # fmt: skip


# --- samples


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least ``share`` (0 to 1) of all samples do not exceed (nearest rank)."""
    if not samples:
        return math.nan
    ranked = sorted(samples)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def median(samples: Sequence[float]) -> float:
    """The median; NaN of nothing."""
    return statistics.median(samples) if samples else math.nan


def shown(value: float | int | str | None, digits: int = 2) -> str:
    """A cell of a table: numbers with so many decimals, nothing as a dash."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:,.{digits}f}"
    return str(value)


# --- the machine


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    asked = [git, "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def machine_name() -> str:
    """The processor, its cores and the memory."""
    memory = psutil.virtual_memory().total / 1024**3
    return f"{_cpu()}, {os.cpu_count()} cores, {memory:.1f} GiB of memory"


def machine() -> list[str]:
    """What the figures depend on, a line each."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    load = psutil.getloadavg()[0]
    return [
        f"Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"Machine: {machine_name()}, {platform.system()} {platform.release()}",
        f"Load before (1 min): {load:.2f}",
        f"Versions: automl_jupyter {__version__} ({_commit()}), "
        f"Python {platform.python_version()}, {versions}",
    ]


# --- the report


@dataclass(frozen=True)
class Target:
    """A promise: ``measured`` is to stay below ``limit``, both in ``unit``."""

    what: str
    measured: float
    limit: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.measured < self.limit


@dataclass
class Report:
    """What a run found, as Markdown: printed while it is made, kept where asked."""

    name: str
    title: str
    settings: argparse.Namespace
    targets: list[Target] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._say(f"# {self.title}", "")
        self._say(*(f"- {line}" for line in machine()), f"- Settings: {self._told()}", "")

    def _told(self) -> str:
        # Paths say where somebody keeps their files, which is no part of a result.
        plain = {k: v for k, v in vars(self.settings).items() if k not in ("save", "results", "strict")}
        return ", ".join(f"{k} {v}" for k, v in plain.items() if not _is_path(v)) or "none"

    def _say(self, *lines: str) -> None:
        self._lines.extend(lines)
        print(*lines, sep="\n", flush=True)

    def note(self, text: str) -> None:
        """Add a paragraph."""
        self._say(text, "")

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[float | int | str | None]]) -> None:
        """Add a table; its first column is text, the others are figures."""
        cells = [list(headers), *([shown(cell) for cell in row] for row in rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(headers))]
        lines = [
            "| " + " | ".join(_aligned(cell, w, i) for i, (cell, w) in enumerate(zip(r, widths, strict=True)))
            + " |"
            for r in cells
        ]  # fmt: skip
        rule = "|" + "|".join("-" * (w + 1) + ("-" if i == 0 else ":") for i, w in enumerate(widths)) + "|"
        self._say(lines[0], rule, *lines[1:], "")

    def close(self) -> int:
        """Say which targets are met, keep the report where asked; returns the exit code."""
        rows = [
            (t.what, f"{shown(t.measured)} {t.unit}", f"< {t.limit:g} {t.unit}", "yes" if t.met else "no")
            for t in self.targets
        ]
        if rows:
            self.table(("target", "measured", "limit", "met"), rows)
        if self.settings.save:
            self._keep(self.settings.results)
        return int(self.settings.strict and not all(target.met for target in self.targets))

    def _keep(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{datetime.now(UTC):%Y-%m-%d}-{self.name}.md"
        with path.open("a", encoding="utf-8") as file:
            file.write("\n".join(self._lines).rstrip() + "\n\n")
        print(f"Kept in {path}", file=sys.stderr)


def _is_path(value: object) -> bool:
    return isinstance(value, Path) or (isinstance(value, list) and any(map(_is_path, value)))


def _aligned(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column == 0 else cell.rjust(width)


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """A command line with the options that all benchmarks know."""
    made = argparse.ArgumentParser(f"python -m benchmarks {name}", description=description)
    made.add_argument("--save", action="store_true", help="keep the report as results/<date>-<name>.md")
    made.add_argument("--results", type=Path, default=HERE / "results", help="where reports are kept")
    made.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    return made
