"""How much time to give, before a search begins: a rough figure, by the size of the table alone.

What trying everything once takes was read off runs on two tables of some thousand rows; on a third one it
took a third of that.
"""

from __future__ import annotations

from dataclasses import dataclass

FIXED, PER_CELL = 6.0, 0.0028
"""Seconds on two threads that trying everything once takes in any case, and for the size of a table: rows,
times the root of columns, times classes to the power of 0.6."""

LEAST, MOST = 5.0, 3600.0


@dataclass(frozen=True)
class Budgets:
    """Seconds for three purposes, in round figures.

    Attributes
    ----------
    quick : float
        Enough for a first look: the strongest kinds of models, hardly combined.
    usual : float
        Every kind of model once, and a second level.
    thorough : float
        From where on more time is hardly worth it: repeats and variations of what serves.
    """

    quick: float
    usual: float
    thorough: float


def budgets(rows: int, columns: int, classes: int, threads: int) -> Budgets:
    """Advise on a time budget.

    Parameters
    ----------
    rows, columns : int
        Size of the table, without the target.
    classes : int
        How many the target has; 1 for a quantity.
    threads : int
        With how many the search works.
    """
    size = rows**0.95 * max(columns, 1) ** 0.5 * max(classes - 1, 1) ** 0.6
    once = (FIXED + PER_CELL * size) * 2 / max(threads, 1)
    return Budgets(*(_round(min(max(part * once, LEAST), MOST)) for part in (0.25, 1.2, 5.0)))


def _round(seconds: float) -> float:
    """Give a figure that people would say: 5, 10, 15, 20, 30, 45, then minutes."""
    steps = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600)
    return float(min(steps, key=lambda step: abs(step - seconds) / step))
