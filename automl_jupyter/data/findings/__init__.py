"""What should be known of a table before training: leakage, repeated rows, groups, time order, odd values."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from automl_jupyter.data.findings import cells, copies, leakage, order, outcome, rows
from automl_jupyter.data.findings.model import SEVERITIES, Finding, Severity, percent
from automl_jupyter.data.findings.power import Target, bins_of, skill, target_of
from automl_jupyter.data.findings.sample import Sample, Series, Traits, take
from automl_jupyter.data.model import Column
from automl_jupyter.errors import Unprocessable

__all__ = ["Finding", "Severity", "findings"]

_MOST_OF_A_KIND = 20
_TELLING, _TELLING_CODE = 0.5, 0.75


def findings(
    parquet: Path,
    columns: Sequence[Column] | Sequence[Mapping[str, object]],
    target: str | None,
    *,
    seed: int = 0,
) -> list[Finding]:
    """Look for what would make a model's scores wrong, or a model useless.

    The file is read once, row group by row group. Repeated rows are looked for among all rows (beyond 60
    million cells among the sampled ones); all else in a sample of at most 50,000 rows and 8 million cells.

    Parameters
    ----------
    parquet : Path
        What :func:`automl_jupyter.data.read.convert` wrote.
    columns : sequence of Column or of mapping
        The columns to look at, as the conversion told them; mappings have the keys ``name``, ``type``,
        ``role``, ``missing`` and ``distinct``.
    target : str, optional
        The column to predict, one of ``columns``; without it nothing is said of what depends on it.
    seed : int
        Seed of the sample and of the folds.

    Returns
    -------
    list of Finding
        The serious ones first; at most 20 of each code.

    Raises
    ------
    Unprocessable
        If the target is not among the columns.
    """
    traits = [Traits.of(column) for column in columns]
    names = [column.name for column in traits]
    if target is not None and target not in names:
        near = difflib.get_close_matches(target, names, 3, 0.5)
        raise Unprocessable("data.unknown_column", name=target, near=near or names[:3])
    sample = take(parquet, traits, target, seed)
    if not sample.rows or not sample.series:
        return []
    with np.errstate(over="ignore", invalid="ignore"):  # numbers near the largest there are
        found = list(_all(sample, _prepared(sample, target, seed), target, seed))
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return list(_bounded(found))


def _prepared(sample: Sample, target: str | None, seed: int) -> Target | None:
    if target is None or sample.series[target].role in ("constant", "empty", "text", "id", "datetime"):
        return None
    return target_of(sample.series[target], seed)


def _all(sample: Sample, goal: Target | None, target: str | None, seed: int) -> Iterator[Finding]:
    ids = [s for s in sample.features(target) if s.role == "id" or order.counts_rows(s)]
    in_time, useless = False, set[str]()
    if goal is not None and len(goal.codes):
        grouped, timed = order.groups(goal, sample), order.time_order(goal, sample, seed)
        in_time = bool(timed)
        named = {s.name for s in ids} | {name for finding in grouped + timed for name in finding.columns}
        leaks = list(leakage.leaks(goal, sample.features(target), named))
        useless = {name for finding in leaks if finding.severity == "serious" for name in finding.columns}
        yield from leaks
        yield from grouped
        yield from timed
    yield from _identifiers(ids, goal)
    yield from rows.repeated(sample, target)
    yield from outcome.enough(sample, goal)
    yield from order.drift(sample, target, in_time)
    yield from copies.copied(sample, target, seed)
    yield from cells.empty_and_constant(sample, target)
    # The cells of a column that is to be left out matter to nobody.
    for series in (series for series in sample.features(target) if series.name not in useless):
        hidden = cells.disguised(series)
        for finding in (hidden, cells.mixed(series), None if hidden else cells.outliers(series)):
            if finding is not None:
                yield finding


def _identifiers(ids: Iterable[Series], goal: Target | None) -> Iterator[Finding]:
    """Tell columns that name rows, and whether their order gives the target away."""
    for series in ids:
        told = 0.0 if goal is None else skill(goal, bins_of(series.sorted(), goal.known))
        # Codes of parcels or schools know their district: that much is no sorting.
        telling = told >= (_TELLING if order.counts_rows(series) else _TELLING_CODE)
        params: dict[str, object] = {"column": series.name}
        if telling and goal is not None:
            params |= {"target": goal.series.name, "share": percent(told)}
        yield Finding(
            "findings.id_tells" if telling else "findings.id",
            "serious" if telling else "info",
            params,
            series.name,
            (series.name,),
            {"distinct": series.traits.distinct, "skill": round(max(told, 0.0), 4)},
            {"exclude": [series.name]},
        )


def _bounded(found: Iterable[Finding]) -> Iterator[Finding]:
    seen: Counter[str] = Counter()
    for finding in found:
        seen[finding.code] += 1
        if seen[finding.code] <= _MOST_OF_A_KIND:
            yield finding
