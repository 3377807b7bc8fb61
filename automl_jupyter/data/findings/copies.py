"""Columns that say the same as another one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from automl_jupyter.data.findings.model import Finding
from automl_jupyter.data.findings.sample import Codes, Floats, Sample, Series

_FEWEST = 20
_SAME = 1e-9
_CHANCE = 12.0
_LISTED = 5


def copied(sample: Sample, target: str | None, seed: int) -> Iterator[Finding]:
    """Find columns that are equal, stand for each other value by value, or lie on a straight line.

    Standardised columns are compared by their product with one random direction, so that a table of thousands
    of columns needs no pairs; what meets there is compared in full.

    Parameters
    ----------
    sample : Sample
        The table.
    target : str, optional
        The column to predict, which is not looked at.
    seed : int
        Seed of the direction.
    """
    if len(sample.positions) < _FEWEST:
        return
    features = [s for s in sample.features(target) if s.role not in ("constant", "empty", "text", "id")]
    told: set[str] = set()
    for kind in (_by_values(features), _on_a_line(features, seed)):
        for family in kind:
            names = tuple(name for name in family if name not in told)
            if len(names) < 2:
                continue
            told.update(names[1:])
            yield Finding(
                "findings.copies",
                "info",
                {"column": names[0], "columns": list(names[1 : _LISTED + 1]), "n": len(names) - 1},
                names[0],
                names,
                {"rows_compared": len(sample.positions), "columns": len(names)},
                {"exclude": list(names[1:])},
            )


def _by_values(features: Sequence[Series]) -> Iterator[list[str]]:
    """Families of columns whose values correspond one to one, and that no chance would have made so."""
    families: dict[bytes, list[str]] = {}
    for series in features:
        if _informative(series.codes, len(features)):
            families.setdefault(series.codes.tobytes(), []).append(series.name)
    yield from (family for family in families.values() if len(family) > 1)


def _informative(codes: Codes, columns: int) -> bool:
    """Whether a column has so much in it that two of them are not equal by chance."""
    counts = np.bincount(codes + 1)
    share = counts[counts > 0] / len(codes)
    if len(share) > len(codes) / 2:
        return False
    bits = -len(codes) * float((share * np.log(share)).sum())
    return bool(bits > 2 * np.log(max(columns, 2)) + _CHANCE)


def _on_a_line(features: Sequence[Series], seed: int) -> Iterator[list[str]]:
    """Families of numeric columns that are multiples of each other, but for a constant."""
    direction: Floats | None = None
    marks: list[tuple[float, str, Series]] = []
    for series in features:
        if not series.numeric:
            continue
        flat = _standard(series)
        if flat is None or not _varied(series):
            continue
        if direction is None:
            direction = np.random.default_rng(seed).normal(size=len(flat))
        marks.append((abs(float(flat @ direction)), series.name, series))
    marks.sort(key=lambda mark: mark[0])
    family: list[tuple[float, str, Series]] = []
    for mark in marks:
        if family and not (mark[0] - family[-1][0] <= 1e-6 * max(1.0, mark[0]) and _same(family[0], mark)):
            yield from _family(family, features)
            family = []
        family.append(mark)
    yield from _family(family, features)


def _family(marks: Sequence[tuple[float, str, Series]], features: Sequence[Series]) -> Iterator[list[str]]:
    if len(marks) > 1:
        names = {name for _, name, _ in marks}
        yield [series.name for series in features if series.name in names]


def _varied(series: Series) -> bool:
    return series.distinct > 2


def _standard(series: Series) -> Floats | None:
    """Return a column with mean 0 and length 1, missing values as 0; None if nothing varies."""
    values = series.floats
    there = np.isfinite(values)
    if there.sum() < _FEWEST:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        centred = np.where(there, values - values[there].mean(), 0.0)
        length = float(np.sqrt((centred**2).sum()))
    return centred / length if 0 < length < np.inf else None


def _same(one: tuple[float, str, Series], other: tuple[float, str, Series]) -> bool:
    first, second = _standard(one[2]), _standard(other[2])
    if first is None or second is None or not np.array_equal(one[2].present, other[2].present):
        return False
    return abs(float(first @ second)) > 1 - _SAME
