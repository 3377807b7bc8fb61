"""Made-up results and a small table."""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

# The benchmarks are no part of what is installed.
sys.path.insert(0, str(Path(__file__).parents[2]))

Made = Callable[..., Path]


@pytest.fixture
def results(tmp_path: Path) -> Made:
    """Write a file of results, as ``run`` does, from rows that say only what matters."""

    def write(name: str, rows: Sequence[Mapping[str, object]]) -> Path:
        plain = {"task": "binary", "budget": 60, "seed": 0, "threads": 2, "fit_s": 1, "block": "first"}
        path = tmp_path / f"{name}.csv"
        with path.open("w", newline="") as file:
            fields = [*plain, "dataset", "system", "error", "first_model_s", "predict_s", "row_ms", "rss_mb"]
            writer = csv.DictWriter(file, fields)
            writer.writeheader()
            writer.writerows({**plain, **row} for row in rows)
        return path

    return write


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A folder of a table of 200 rows and one of 1,300, with a manifest."""
    folder, dice = tmp_path / "tables", random.Random(0)
    folder.mkdir()
    for name, rows in (("flags", 200), ("sizes", 1300)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("kind", "size", "width", "flag"))
            for _ in range(rows):
                kind, size, width = dice.choice("abc"), dice.randint(0, 99), dice.gauss(0, 1)
                writer.writerow(
                    (kind, size, width, "yes" if size + 30 * width + 20 * (kind == "a") > 60 else "no")
                )
    (folder / "manifest.csv").write_text(
        "name,file,target,task\nflags,flags.csv,flag,binary\nsizes,sizes.csv,size,regression\n"
    )
    return folder
