"""How good the engine's models are, beside other AutoML systems and a plain LightGBM, on a folder of tables.

``python -m benchmarks quality run --tables DIR --systems ours,lightgbm --out runs.csv`` measures,
``python -m benchmarks quality compare runs.csv`` says who is better and by how much.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

PARTS = {
    "splits": "what part of each table is learnt from and what is kept to judge",
    "run": "one fit after another, each in a process of its own, a row of a CSV file each",
    "compare": "read such files: errors, ratios with intervals, ranks, times, memory",
    "honesty": "whether the scores that are reported hold on rows that nobody has seen",
    "coverage": "whether intervals hold as many quantities as they state",
    "outlook": "whether more time brings what a search says it will",
    "scaling": "time and memory against rows and columns",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one part by its name, with its own options; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in PARTS:
        code: int = importlib.import_module(f"benchmarks.quality.{given[0]}").main(given[1:])
        return code
    asked = bool(given) and given[0] in ("-h", "--help")
    lines = ["python -m benchmarks quality PART [options]; the parts are:"]
    lines += [f"  {name:9} {what}" for name, what in PARTS.items()]
    print("\n".join(lines), file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2
