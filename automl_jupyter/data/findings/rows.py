"""Rows that stand in a table more than once, as they are or but for what tells them apart."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from automl_jupyter.data.findings.model import Finding, Severity, percent
from automl_jupyter.data.findings.sample import Hashes, Sample, Series

_FEW = 0.01
_MANY = 0.2
_FEWEST_NEAR, _FEWEST_NEAR_SHARE = 2, 0.005


def repeated(sample: Sample, target: str | None) -> Iterator[Finding]:
    """Find rows that repeat another one, and rows that repeat it but for one column or the identifiers.

    Parameters
    ----------
    sample : Sample
        The table with the hashes of its rows.
    target : str, optional
        The column to predict.
    """
    rows = len(sample.prints.whole)
    at = sample.positions if rows < sample.rows else np.arange(rows)
    exact, pair = _count(sample.prints.whole, at)
    if exact:
        natural = exact <= _natural(sample, (), target)
        yield Finding(
            "findings.duplicates",
            "info" if natural else _severity(exact / rows),
            {"n": exact, "share": percent(exact / rows), "first": pair[0], "second": pair[1]},
            evidence={
                "rows_looked_at": rows,
                "repeated_rows": exact,
                "share": round(exact / rows, 4),
                "example_rows": pair,
            },
            action={"drop_duplicates": True},
        )
    best: tuple[int, tuple[str, ...], list[int]] = (0, (), [])
    for names, hashes in sample.prints.without.items():
        near, pair = _count(hashes, at)
        # With few combinations of the other values, rows are alike by nature, not by mistake.
        if near - exact > best[0] and near > _natural(sample, names, target):
            best = (near - exact, names, pair)
    near, names, pair = best
    if near >= max(_FEWEST_NEAR, _FEWEST_NEAR_SHARE * rows):
        yield _near(near, names, pair, rows)


def _near(near: int, names: tuple[str, ...], pair: list[int], rows: int) -> Finding:
    return Finding(
        "findings.near_duplicates",
        "warning" if near >= _FEW * rows else "info",
        {
            "n": near,
            "columns": list(names),
            "share": percent(near / rows),
            "first": pair[0],
            "second": pair[1],
        },
        names[0] if len(names) == 1 else None,
        names,
        {"rows_looked_at": rows, "repeated_rows": near, "share": round(near / rows, 4), "example_rows": pair},
        {"exclude": list(names), "drop_duplicates": True},
    )


def _severity(share: float) -> Severity:
    if share >= _MANY:
        return "serious"
    return "warning" if share >= _FEW else "info"


def _count(hashes: Hashes, positions: npt.NDArray[np.int64]) -> tuple[int, list[int]]:
    """Return how many rows repeat an earlier one, and the numbers from 1 of the first such pair."""
    order = np.argsort(hashes, kind="stable")
    same = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    if not len(same):
        return 0, []
    at = same[np.argmin(order[same + 1])]
    return len(same), (positions[order[[at, at + 1]]] + 1).tolist()


def _natural(sample: Sample, without: tuple[str, ...], target: str | None) -> float:
    """Return how many rows may repeat another one by chance.

    Two rows agree in a column by chance as often as two of its values do; in all columns, if they do not
    depend on each other, by the product of that. Columns do depend on each other, so that twice as many are
    let pass, and four standard deviations (of a Poisson distribution) more.
    """
    rows = len(sample.prints.whole)
    pairs = rows * (rows - 1) / 2
    for name, series in sample.series.items():
        if name not in without and name != target:
            pairs *= _agreement(series)
    return 2 * pairs + 4 * math.sqrt(pairs)


def _agreement(series: Series) -> float:
    """Return the share of pairs of rows that have the same value by chance; sentences never do."""
    if series.role in ("text", "id"):
        return 0.0
    counts, n = np.bincount(series.codes + 1).astype(np.float64), len(series)
    return float((counts * (counts - 1)).sum() / max(n * (n - 1), 1))
