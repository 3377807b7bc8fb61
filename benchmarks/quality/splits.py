"""Which rows of each table are learnt from and which are kept: sizes, and a digest to compare machines by."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.quality import tables


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = argparse.ArgumentParser("python -m benchmarks quality splits", description=__doc__)
    tables.offer(made)
    made.add_argument("--seeds", default="0", help="with commas")
    made.add_argument("--cap", type=int, default=tables.CAP, help="rows to learn from, at most")
    return made.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line a table and seed."""
    settings = _arguments(argv)
    print("dataset,seed,task,n_train,n_test,n_columns,digest")
    for table in tables.chosen(settings):
        for seed in map(int, settings.seeds.split(",")):
            part = tables.split(table, seed, settings.cap)
            sizes = f"{len(part.train)},{len(part.test)},{part.columns}"
            print(f"{table.name},{seed},{part.task},{sizes},{part.digest}", flush=True)
    return 0
