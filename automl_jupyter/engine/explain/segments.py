"""Where the model is clearly weaker than elsewhere.

Chung, Kraska, Polyzotis, Tae and Whang (2019), "Slice Finder: automated data slicing for model validation":
slices of one or two conditions, the largest effects first. Looking at many slices always finds some that look
bad, so slices are found on one half of the rows and judged on the other: by Welch's test of the losses inside
and outside (1947), with Holm's correction for the number of slices that were judged (1979, "A simple
sequentially rejective multiple test procedure").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from automl_jupyter.engine.columns import FIRST, MISSING
from automl_jupyter.engine.explain.ground import F64, Column, Ground

LEAST_ROWS, LEAST_PART, MOST_PART = 30, 0.02, 0.5
"""A segment has so many rows in each half, and is no more than half of all."""

LEVELS, PARTS = 10, 5
FIRST_STEP, JUDGED, TOLD = 12, 20, 5
LEVEL = 0.05
LEAST_EFFECT = 0.2
"""In standard deviations of the losses outside: what is smaller is not worth a word."""

OVERLAP = 0.6
SMALLEST = 0.01
"""Probabilities of the true class count as this at least, so that a few rows do not make a segment."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Condition:
    """What holds in a segment.

    Attributes
    ----------
    column, kind : str
        The column.
    low, high : float or None
        Numbers: at least `low`, below `high`.
    category : str or None
        The category.
    missing : bool
        Whether nothing is known there.
    """

    column: str
    kind: str
    low: float | None = None
    high: float | None = None
    category: str | None = None
    missing: bool = False


@dataclass(frozen=True)
class Segment:
    """Rows that the model predicts clearly worse than others.

    Attributes
    ----------
    conditions : tuple of Condition
        One or two; all hold.
    rows : int
        How many rows there are of it.
    inside, outside : float
        Mean loss, on the half that did not find the segment: log loss, or absolute error.
    interval : tuple of float
        95 % of what it is worse by.
    p : float
        Corrected for the number of segments that were looked at.
    """

    conditions: tuple[Condition, ...]
    rows: int
    inside: float
    outside: float
    interval: tuple[float, float]
    p: float


@dataclass(frozen=True)
class Segments:
    """The segments, the worst first; how many rows were looked at, how many segments were judged."""

    loss: str
    rows: int
    judged: int
    mean: float
    items: tuple[Segment, ...]


@dataclass(frozen=True)
class _Slice:
    conditions: tuple[Condition, ...]
    mask: Mask
    t: float


def losses_of(ground: Ground) -> F64:
    """Give the loss of each row: log loss with probabilities of 1 % at least, or absolute error."""
    if ground.model.target_.classes is None:
        return np.abs(ground.predictions - ground.truth.astype(np.float64))
    at = np.arange(len(ground)), ground.truth.astype(np.intp)
    return -np.log(np.clip(ground.predictions[at], SMALLEST, 1.0))


def segments(ground: Ground, seed: int = 0) -> Segments:
    """Look for segments of one or two conditions."""
    losses = losses_of(ground)
    name = "absolute_error" if ground.model.target_.classes is None else "log_loss"
    half = np.zeros(len(losses), bool)
    half[np.random.default_rng(seed).permutation(len(losses))[: len(losses) // 2]] = True
    singles = _ranked(_conditions(ground), losses, half)
    pairs = {
        (*a.conditions, *b.conditions): a.mask & b.mask
        for a, b in combinations(singles[:FIRST_STEP], 2)
        if a.conditions[0].column != b.conditions[0].column
    }
    candidates = _distinct(singles, _ranked(pairs, losses, half), half)
    found = _judged(candidates, losses, ~half)
    return Segments(name, len(losses), len(candidates), float(losses.mean()), tuple(found[:TOLD]))


def _conditions(ground: Ground) -> dict[tuple[Condition, ...], Mask]:
    found: dict[tuple[Condition, ...], Mask] = {}
    for column in ground.columns:
        values = column.values(ground.cells)
        if column.kind == "category":
            found |= _of_category(ground, column, values)
        elif column.kind != "text":
            found |= _of_number(column, values.astype(np.float64))
    return found


def _of_category(
    ground: Ground, column: Column, codes: npt.NDArray[Any]
) -> dict[tuple[Condition, ...], Mask]:
    labels = {code: label for label, code in ground.model.preprocessor_.plan.levels[column.place].items()}
    present, counts = np.unique(codes[codes >= FIRST], return_counts=True)
    frequent = present[np.argsort(-counts, kind="stable")][:LEVELS]
    found: dict[tuple[Condition, ...], Mask] = {
        (Condition(column.name, column.kind, category=labels.get(int(code))),): codes == code
        for code in frequent
        if int(code) in labels
    }
    return {**found, (Condition(column.name, column.kind, missing=True),): codes == MISSING}


def _of_number(column: Column, numbers: F64) -> dict[tuple[Condition, ...], Mask]:
    known = ~np.isnan(numbers)
    found: dict[tuple[Condition, ...], Mask] = {(Condition(column.name, column.kind, missing=True),): ~known}
    distinct = np.unique(numbers[known])
    if len(distinct) < 2:
        return found
    if len(distinct) <= PARTS + 1:
        edges = distinct[1:].tolist()
    else:
        edges = np.unique(np.quantile(numbers[known], np.arange(1, PARTS) / PARTS)).tolist()
    # Beginnings and ends of the range, and each part between.
    bounds = [None, *edges, None]
    ranges = {(None, edge) for edge in edges} | {(edge, None) for edge in edges}
    ranges |= set(pairwise(bounds))
    for low, high in sorted(ranges, key=str):
        with np.errstate(invalid="ignore"):
            mask = (
                known & (True if low is None else numbers >= low) & (True if high is None else numbers < high)
            )
        found[(Condition(column.name, column.kind, low=low, high=high),)] = mask
    return found


def _ranked(masks: dict[tuple[Condition, ...], Mask], losses: F64, half: Mask) -> list[_Slice]:
    """Those that look bad on one half, the worst first."""
    least = max(LEAST_ROWS, LEAST_PART * half.sum())
    found = []
    for conditions, mask in masks.items():
        inside = mask & half
        n = int(inside.sum())
        if n < least or n > MOST_PART * half.sum() or (mask & ~half).sum() < LEAST_ROWS:
            continue
        a, b = losses[inside], losses[half & ~mask]
        spread = float(np.sqrt(a.var() / len(a) + b.var() / len(b))) or 1e-300
        if a.mean() - b.mean() >= LEAST_EFFECT * float(b.std()):
            found.append(_Slice(conditions, mask, float(a.mean() - b.mean()) / spread))
    return sorted(found, key=lambda s: -s.t)


def _distinct(singles: Sequence[_Slice], pairs: Sequence[_Slice], half: Mask) -> list[_Slice]:
    """The worst of both, each of rows of its own; two conditions only where they say more than one does."""
    chosen: list[_Slice] = []
    for candidate in sorted([*singles, *pairs], key=lambda s: -s.t + len(s.conditions)):
        if all(_overlap(candidate.mask & half, other.mask & half) < OVERLAP for other in chosen):
            chosen.append(candidate)
        if len(chosen) == JUDGED:
            break
    return chosen


def _overlap(a: Mask, b: Mask) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def _judged(candidates: Sequence[_Slice], losses: F64, half: Mask) -> list[Segment]:
    """Test on the other half, and correct for how many were tested."""
    tested = []
    for candidate in candidates:
        a, b = losses[candidate.mask & half], losses[half & ~candidate.mask]
        test = stats.ttest_ind(a, b, equal_var=False, alternative="greater")
        tested.append((float(test.pvalue), candidate, a, b))
    tested.sort(key=lambda item: item[0])
    found, worst = [], 0.0
    for i, (p, candidate, a, b) in enumerate(tested):
        worst = max(worst, min(1.0, p * (len(tested) - i)))
        if worst > LEVEL:
            break
        if a.mean() - b.mean() < LEAST_EFFECT * float(b.std()):
            continue
        interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
        found.append(
            Segment(
                candidate.conditions,
                int(candidate.mask.sum()),
                float(a.mean()),
                float(b.mean()),
                (float(interval.low), float(interval.high)),
                worst,
            )
        )
    return sorted(found, key=lambda s: s.outside - s.inside)
