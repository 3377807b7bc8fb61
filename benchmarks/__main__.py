"""Run one benchmark by its name, or all of them one after another.

``python -m benchmarks`` runs all with their own settings; ``python -m benchmarks startup --n 3`` one of them.
"""

from __future__ import annotations

import importlib
import signal
import sys
from types import FrameType

NAMES = ("startup", "listing", "predict", "responsiveness", "jobs", "intake", "application")
APART = ("quality",)  # needs tables and hours: only where it is named


def _leave(number: int, frame: FrameType | None) -> None:
    """End as after an error, so that the servers which were started end as well."""
    sys.exit(128 + number)


def run(name: str, arguments: list[str]) -> int:
    """Run one; returns its exit code."""
    code: int = importlib.import_module(f"benchmarks.{name}").main(arguments)
    return code


def main(arguments: list[str]) -> int:
    """Run what is asked for.

    Parameters
    ----------
    arguments : list of str
        A name and that benchmark's options, or only options that all of them know (``--save``,
        ``--results``, ``--strict``).
    """
    signal.signal(signal.SIGTERM, _leave)
    if arguments and not arguments[0].startswith("-"):
        if arguments[0] not in (*NAMES, *APART):
            there = ", ".join((*NAMES, *APART))
            print(f"There is no benchmark {arguments[0]!r}; there are: {there}.", file=sys.stderr)
            return 2
        return run(arguments[0], arguments[1:])
    if arguments and arguments[0] in ("-h", "--help"):
        there = "|".join((*NAMES, *APART))
        print(f"python -m benchmarks [{there}] [options]; all but {', '.join(APART)} unless one is named.")
        return 0
    return max([run(name, arguments) for name in NAMES])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
