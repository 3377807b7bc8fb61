"""Rows that belong together, or follow each other: what dividing them at random would ignore."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import numpy as np

from automl_jupyter.data.findings.model import Finding, percent
from automl_jupyter.data.findings.power import Target, bins_of, is_copy, skill, within_groups
from automl_jupyter.data.findings.sample import Floats, Sample, Series, named_like_id

_FEWEST_GROUPS = 10
_INSIDE = 0.5
_LARGE_GROUP = 100
_ALIKE, _VERY_ALIKE = 0.5, 0.8
_BEYOND_BINS = 0.3
_RANGES = 8
_CODE = re.compile(r"(?=.*\d)[\w.-]{2,40}")

_TIME_NAME = re.compile(r".*(?:timestamp|datetime|unix|epoch).*|date|time|ts", re.IGNORECASE)
_BIRTH = re.compile(r"birth|dob|born|naiss", re.IGNORECASE)
_FEWEST_TIMES = 20
_PERIODS = 20
_NEIGHBOURS, _CLOSE_NEIGHBOURS = 0.2, 0.5
_PERIOD_SKILL, _STRONG_PERIOD_SKILL = 0.05, 0.3

_FEWEST_ROWS = 200
_DIFFERENT = 0.3
_SHARE_OF_COLUMNS = 0.2
_LEVELS = 50
_LISTED = 5


def groups(target: Target, sample: Sample) -> list[Finding]:
    """Find a column of identifiers that repeat, with much the same target wherever one does.

    Divided at random, rows of one group stand on both sides, and a model is praised for knowing the group.

    Parameters
    ----------
    target : Target
        What to predict.
    sample : Sample
        The table.
    """
    found = []
    for series in sample.features(target.series.name):
        codes = series.codes[target.known]
        if not _may_group(series, len(codes)):
            continue
        alike = within_groups(target, codes)
        if alike < _ALIKE or is_copy(target, series) or not _is_identifier(target, series, alike):
            continue
        sizes = np.bincount(codes[codes >= 0])
        found.append(
            Finding(
                "findings.groups",
                "serious" if alike >= _VERY_ALIKE and named_like_id(series.name) else "warning",
                {
                    "column": series.name,
                    "target": target.series.name,
                    "n": int((sizes > 0).sum()),
                    "share": percent(min(alike, 1.0)),
                },
                series.name,
                (series.name,),
                {
                    "groups": int((sizes > 0).sum()),
                    "rows_in_shared_groups": int(sizes[sizes > 1].sum()),
                    "likeness": round(alike, 4),
                },
                {"groups": series.name},
            )
        )
    return found


def _may_group(series: Series, rows: int) -> bool:
    """Whether a column has values of which most are shared by few rows."""
    if series.type not in ("integer", "string") or series.role in ("text", "id", "constant", "empty"):
        return False
    if not _FEWEST_GROUPS <= series.distinct <= rows / 2:
        return False
    sizes = np.bincount(series.codes[series.present])
    return int(sizes[sizes > 1].sum()) >= _INSIDE * rows


def _is_identifier(target: Target, series: Series, alike: float) -> bool:
    """Whether values are mere names of groups: by the column's name, their form, or having no order."""
    if named_like_id(series.name):
        return True
    if len(series) / series.distinct > _LARGE_GROUP:
        return False
    if series.type == "string":
        known = series.levels[:200]
        return sum(bool(_CODE.fullmatch(str(value))) for value in known) >= 0.9 * len(known)
    # What neighbouring numbers have in common is no matter of groups.
    ranges = bins_of(series, target.known, most=_RANGES, few=_RANGES)
    return alike >= _VERY_ALIKE and alike - within_groups(target, ranges.astype(np.int32)) >= _BEYOND_BINS


def time_order(target: Target, sample: Sample, seed: int) -> list[Finding]:
    """Find a time along which the target drifts, or in which neighbours have much the same target.

    Parameters
    ----------
    target : Target
        What to predict.
    sample : Sample
        The table.
    seed : int
        Seed of the order of rows of the same time.
    """
    found = []
    for series in sample.features(target.series.name):
        named = series.numeric and _TIME_NAME.fullmatch(series.name)
        if not (series.type == "datetime" or named) or _BIRTH.search(series.name):
            continue
        times = series.floats[target.known]
        there = np.isfinite(times)
        if series.distinct < _FEWEST_TIMES or there.sum() < max(2 * _FEWEST_TIMES, 0.8 * len(there)):
            continue
        near = _neighbours(target, times, there, seed)
        drift = skill(target, bins_of(series, target.known, most=_PERIODS))
        noise = 4 / np.sqrt(there.sum())
        if near < max(_NEIGHBOURS, noise) and drift < _PERIOD_SKILL:
            continue
        strong = near >= max(_CLOSE_NEIGHBOURS, noise) or drift >= _STRONG_PERIOD_SKILL
        found.append(
            Finding(
                "findings.time_order",
                "serious" if strong else "warning",
                {
                    "column": series.name,
                    "target": target.series.name,
                    "near": percent(max(near, 0.0)),
                    "drift": percent(max(drift, 0.0)),
                },
                series.name,
                (series.name,),
                {
                    "likeness_of_neighbours": round(near, 4),
                    "skill_of_period": round(drift, 4),
                    "rows_in_order": bool(np.all(np.diff(times[there]) >= 0)),
                },
                {"time_column": series.name},
            )
        )
    return found


def _neighbours(target: Target, times: Floats, there: np.ndarray, seed: int) -> float:
    """Return how alike the targets of rows are that follow each other in time; 0 as by chance, 1 always."""
    tie = np.random.default_rng(seed).random(len(times))
    order = np.lexsort((tie[there], times[there]))
    if target.classes:
        codes = target.codes[there][order]
        chance = float(((np.bincount(codes) / len(codes)) ** 2).sum())
        return (float((codes[1:] == codes[:-1]).mean()) - chance) / (1 - chance) if chance < 1 else 0.0
    ranks = target.ranks[there][order]
    varied = ranks[1:].std() > 0 and ranks[:-1].std() > 0
    return float(np.corrcoef(ranks[1:], ranks[:-1])[0, 1]) if varied else 0.0


def drift(sample: Sample, target: str | None, in_time: bool) -> Iterator[Finding]:
    """Compare the first third of the rows with the last.

    Parameters
    ----------
    sample : Sample
        The table, in the order of the file.
    target : str, optional
        The column to predict.
    in_time : bool
        Whether the order of time has been told already, which explains it.
    """
    rows = len(sample.positions)
    if rows < _FEWEST_ROWS:
        return
    if target is not None:
        distance = _distance(sample.series[target], rows)
        if distance >= _DIFFERENT and not in_time:
            yield Finding(
                "findings.sorted_by_target",
                "info",
                {"target": target, "distance": percent(distance)},
                target,
                (target,),
                {"distance_of_first_and_last_third": round(distance, 4)},
            )
            return
    if in_time:
        return
    far = [(_distance(series, rows), series.name) for series in sample.features(target)]
    # So far apart are both ends of one column in a thousand tables of this size by chance (Massart, 1990).
    chance = math.sqrt(math.log(2000 * max(len(far), 1)) / (rows // 3))
    far = sorted(
        ((d, name) for d, name in far if d >= max(_DIFFERENT, chance)), key=lambda pair: (-pair[0], pair[1])
    )
    if far:
        names = tuple(name for _, name in far)
        yield Finding(
            "findings.drift",
            "warning" if len(far) >= max(2, _SHARE_OF_COLUMNS * len(sample.series)) else "info",
            {"columns": list(names[:_LISTED]), "n": len(names), "distance": percent(far[0][0])},
            names[0] if len(names) == 1 else None,
            names,
            {"distance_of_first_and_last_third": {name: round(d, 4) for d, name in far[:_LISTED]}},
        )


def _distance(series: Series, rows: int) -> float:
    """Return the largest difference of shares between both ends (Kolmogorov-Smirnov, total variation)."""
    if series.role in ("id", "text", "constant", "empty", "datetime"):
        return 0.0
    third = rows // 3
    if series.numeric:
        values = series.floats
        first, last = (part[np.isfinite(part)] for part in (values[:third], values[-third:]))
        if min(len(first), len(last)) < _FEWEST_ROWS // 4 or counts_rows(series):
            return 0.0
        grid = np.unique(np.concatenate([first, last]))
        below = [np.searchsorted(np.sort(part), grid, side="right") / len(part) for part in (first, last)]
        return float(np.abs(below[0] - below[1]).max())
    if series.distinct > _LEVELS:
        return 0.0
    shares = [np.bincount(part + 1, minlength=series.distinct + 1) / third for part in _ends(series, third)]
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    # Shares of many levels differ by chance; what is told goes beyond.
    return distance if distance >= _DIFFERENT + math.sqrt(series.distinct / (math.pi * third)) else 0.0


def _ends(series: Series, third: int) -> tuple[np.ndarray, np.ndarray]:
    return series.codes[:third], series.codes[-third:]


def counts_rows(series: Series) -> bool:
    """Whether a column of whole numbers, each once, follows the order of the rows."""
    if series.type != "integer" or series.distinct < len(series) or len(series) < _FEWEST_TIMES:
        return False
    return abs(float(np.corrcoef(series.floats, np.arange(len(series)))[0, 1])) > 0.999
