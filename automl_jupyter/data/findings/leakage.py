"""Columns that give the target away: what would not be known yet when a prediction is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from automl_jupyter.data.findings.model import Finding, Severity, percent
from automl_jupyter.data.findings.power import FEWEST, Target, bins_of, is_copy, skill
from automl_jupyter.data.findings.sample import Series

_FEWEST_FILLED = 10
_SIDE = 30
_PURE = 0.995
_BASE = 0.8
_UNLIKELY = -23.0  # natural logarithm of a chance of one in ten thousand million
_TELLING_GAPS = 0.5
_MOST_BY_GAPS = 0.9
_AS_GOOD_AS_EQUAL = 0.999


@dataclass(frozen=True)
class _Limits:
    """From which skill on a column is suspected.

    Measured on common tables: the best legitimate column reaches 0.81 for classes (the petals of irises) and
    0.94 for quantities (the carat of diamonds), and then others come near it; a column written down after
    the outcome stands alone.
    """

    certain: float
    doubtful: float
    alone: float
    """Most that it may leave open, as a part of what the best of the other columns leaves open."""


_CLASSES = _Limits(0.95, 0.75, 0.35)
_QUANTITY = _Limits(0.99, 0.95, 0.2)


@dataclass(frozen=True)
class _Judged:
    series: Series
    skill: float
    gaps: float
    """Skill of whether there is a value at all."""


def leaks(target: Target, features: Iterable[Series], told_otherwise: Collection[str]) -> Iterator[Finding]:
    """Find columns that nearly determine the target.

    Each column is judged by itself on held-out rows, and against the best of the others. Whether a cell is
    filled in is judged too: what was written down only after the outcome gives it away by being there.

    Parameters
    ----------
    target : Target
        What to predict.
    features : iterable of Series
        The other columns.
    told_otherwise : collection of str
        Columns that are identifiers, groups or times, and are told as such.
    """
    if len(target.codes) < FEWEST or target.classes > len(target.codes) / 2:
        return
    judged = []
    for series in features:
        if series.name in told_otherwise or series.role in ("constant", "empty"):
            continue
        if is_copy(target, series):
            yield _copy(target, series)
        else:
            judged.append(_judge(target, series))
    yield from _suspects(target, judged)


def _judge(target: Target, series: Series) -> _Judged:
    known = target.known
    present = series.present[known]
    there = int(present.sum())
    gaps = 0.0
    if _FEWEST_FILLED <= there <= len(present) - _FEWEST_FILLED:
        gaps = skill(target, present.astype(np.intp))
    # A text is different in nearly every row: it tells nothing by itself.
    told = 0.0 if series.role in ("text", "id") else skill(target, bins_of(series, known))
    return _Judged(series, told, gaps)


def _suspects(target: Target, judged: list[_Judged]) -> Iterator[Finding]:
    limits = _CLASSES if target.classes else _QUANTITY
    # A column that tells little more by its values than by having any is told by its gaps.
    by_gaps = [one for one in judged if one.gaps >= max(_TELLING_GAPS, _MOST_BY_GAPS * one.skill)]
    certain = [one for one in judged if one.skill >= limits.certain and one not in by_gaps]
    rest = sorted((one for one in judged if one not in certain + by_gaps), key=lambda one: -one.skill)
    second = rest[0].skill if rest else 0.0
    for one in certain:
        alone = one.skill >= _AS_GOOD_AS_EQUAL or 1 - one.skill <= limits.alone * (1 - second)
        yield _strong(target, one, second, "serious" if alone else "warning")
    for one in by_gaps:
        yield _gaps(target, one, "serious")
    if rest and rest[0].skill >= limits.doubtful:
        third = max(rest[1].skill, 0.0) if len(rest) > 1 else 0.0
        if 1 - rest[0].skill <= limits.alone * (1 - third):
            yield _strong(target, rest[0], third, "warning")
            rest = rest[1:]
    for one in rest:
        if _pure_side(target, one.series):
            yield _gaps(target, one, "serious")


def _copy(target: Target, series: Series) -> Finding:
    name, other = series.name, target.series.name
    return Finding(
        "findings.leak_copy",
        "serious",
        {"column": name, "target": other},
        name,
        (name,),
        {"rows_compared": int(series.present[target.known].sum()), "values": series.distinct},
        {"exclude": [name]},
    )


def _strong(target: Target, one: _Judged, second: float, severity: Severity) -> Finding:
    name = one.series.name
    return Finding(
        "findings.leak_strong",
        severity,
        {
            "column": name,
            "target": target.series.name,
            "share": percent(one.skill),
            "second": percent(max(second, 0.0)),
        },
        name,
        (name,),
        {"skill": round(one.skill, 4), "best_other_skill": round(max(second, 0.0), 4)},
        {"exclude": [name]},
    )


def _gaps(target: Target, one: _Judged, severity: Severity) -> Finding:
    name = one.series.name
    present = one.series.present[target.known]
    params: dict[str, object] = {"column": name, "target": target.series.name}
    evidence: dict[str, object] = {
        "filled_rows": int(present.sum()),
        "empty_rows": int((~present).sum()),
        "skill_of_being_filled": round(one.gaps, 4),
    }
    code = "findings.leak_missing_number"
    if target.classes:
        code = "findings.leak_missing"
        filled, empty = _shares(target, present)
        label = int(np.argmax(np.abs(filled - empty)))
        params |= {
            "label": str(target.series.levels[label]),
            "share_filled": percent(float(filled[label])),
            "share_empty": percent(float(empty[label])),
        }
        evidence |= {
            "label": str(target.series.levels[label]),
            "share_where_filled": round(float(filled[label]), 4),
            "share_where_empty": round(float(empty[label]), 4),
        }
    return Finding(
        code,
        severity,
        params,
        name,
        (name,),
        evidence,
        {"exclude": [name]},
    )


def _shares(target: Target, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each class where there is a value, and where there is none."""
    filled, empty = (
        np.bincount(target.codes[side], minlength=target.classes) / max(int(side.sum()), 1)
        for side in (present, ~present)
    )
    return filled, empty


def _pure_side(target: Target, series: Series) -> bool:
    """Whether all rows with a value, or all without, are of one class that is not that of nearly all rows."""
    if not target.classes:
        return False
    present = series.present[target.known]
    overall = target.counts / len(target.codes)
    for side in (present, ~present):
        n = int(side.sum())
        if n < _SIDE or n > len(side) - _SIDE:
            continue
        shares = np.bincount(target.codes[side], minlength=target.classes) / n
        label = int(shares.argmax())
        if shares[label] >= _PURE and overall[label] <= _BASE and n * np.log(overall[label]) < _UNLIKELY:
            return True
    return False
