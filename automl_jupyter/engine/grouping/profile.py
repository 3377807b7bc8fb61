"""What tells a group from the other rows: the columns that differ most, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_jupyter import messages
from automl_jupyter.engine.columns import FIRST, KEPT_LEVELS, MISSING, Cells, Layout
from automl_jupyter.engine.contract import ColumnContract

F64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.intp]

MOST_TRAITS = 5
LEAST_EFFECT = 0.2
"""Differences below it are small (Cohen, 1988): they are not told."""

LEAST_STABLE = 0.75
"""Overlap from which a group is taken for stable; Hennig's figure."""


@dataclass(frozen=True)
class Trait:
    """A column in which a group differs from the other rows.

    Attributes
    ----------
    column : str
        The column.
    effect : float
        How much: the difference of means in standard deviations of what is within groups (Cohen's d), or
        of shares after the arcsine (Cohen's h); negative for less or rarer.
    code, params : str, mapping
        The sentence.
    """

    column: str
    effect: float
    code: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Profile:
    """A group of rows.

    Attributes
    ----------
    group : int
        Its number.
    rows : int
        Number of its training rows.
    share : float
        The same as a part of all.
    found_again : float or None
        Overlap with the most alike group of bootstrap samples, from 0 to 1; below 0.75 it is doubtful.
    sure : float
        Mean membership of its rows, from 0 to 1.
    traits : tuple of Trait
        What differs, most first; at most five.
    """

    group: int
    rows: int
    share: float
    found_again: float | None
    sure: float
    traits: tuple[Trait, ...]

    @property
    def sentence(self) -> tuple[str, dict[str, Any]]:
        """Code and parameters of a sentence about its size and how sure it is."""
        code = "groups.cluster_size"
        if self.found_again is not None and self.found_again < LEAST_STABLE:
            code = "groups.cluster_doubtful"
        return code, {"cluster": self.group, "n": self.rows, "percent": round(100 * self.share)}


def profiles(
    plan: Layout, cells: Cells, labels: Labels, memberships: F64, found_again: F64 | None
) -> tuple[Profile, ...]:
    """Describe groups.

    Parameters
    ----------
    plan : Layout
        The columns.
    cells : Cells
        The training rows.
    labels : ndarray of shape (n,)
        Their groups, numbered from 0 without gaps.
    memberships : ndarray of shape (n, k)
        How much each row belongs to each group.
    found_again : ndarray of shape (k,) or None
        See :class:`Profile`.
    """
    result = []
    for group in range(int(labels.max()) + 1):
        inside = labels == group
        rows = int(inside.sum())
        traits: list[Trait] = []
        if rows < len(labels):
            traits = sorted(_traits(plan, cells, inside), key=lambda t: -abs(t.effect))
        result.append(
            Profile(
                group,
                rows,
                rows / len(labels),
                None if found_again is None else float(found_again[group]),
                float(memberships[inside, group].mean()),
                tuple(t for t in traits if abs(t.effect) >= LEAST_EFFECT)[:MOST_TRAITS],
            )
        )
    return tuple(result)


def _traits(plan: Layout, cells: Cells, inside: npt.NDArray[np.bool_]) -> Iterator[Trait]:
    for column, values in zip(plan.numbers, cells.numbers.T, strict=True):
        yield from _number(column, values, inside)
    for column, codes in zip(plan.categories, cells.codes.T, strict=True):
        yield _category(column, codes, inside)
    for name, empty in _emptiness(plan, cells):
        if 0 < empty.sum() < len(empty):
            effect = _arcsine(empty[inside].mean(), empty[~inside].mean())
            code = "groups.trait_missing" if effect > 0 else "groups.trait_known"
            yield Trait(name, effect, code, _shares(name, empty, inside))


def _emptiness(plan: Layout, cells: Cells) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    for column, values in zip(plan.numbers, cells.numbers.T, strict=True):
        yield column.name, np.isnan(values)
    for column, texts in zip(plan.texts, cells.texts, strict=True):
        yield column.name, np.array([not text for text in texts])


def _number(column: ColumnContract, values: F64, inside: npt.NDArray[np.bool_]) -> Iterator[Trait]:
    known = ~np.isnan(values)
    here, there = values[known & inside], values[known & ~inside]
    if not len(here) or not len(there):
        return
    if column.kind == "boolean":
        effect = _arcsine(here.mean(), there.mean())
        code = "groups.trait_true" if effect > 0 else "groups.trait_false"
        params = {"column": column.name, "inside": _percent(here), "outside": _percent(there)}
        yield Trait(column.name, effect, code, params)
        return
    spread = np.sqrt((here.var() * len(here) + there.var() * len(there)) / (len(here) + len(there)))
    whole = float(values[known].std())
    if whole <= 0:
        return
    # Where a column is constant within groups, nothing would bound the effect.
    effect = float(here.mean() - there.mean()) / max(float(spread), 0.05 * whole)
    code = "groups.trait_higher" if effect > 0 else "groups.trait_lower"
    if column.kind == "datetime":
        code = "groups.trait_later" if effect > 0 else "groups.trait_earlier"
    params = {"column": column.name, "inside": _shown(column, here), "outside": _shown(column, there)}
    yield Trait(column.name, effect, code, params)


def _category(column: ColumnContract, codes: npt.NDArray[np.int32], inside: npt.NDArray[np.bool_]) -> Trait:
    size = int(codes.max()) + 1
    here = np.bincount(codes[inside], minlength=size) / inside.sum()
    there = np.bincount(codes[~inside], minlength=size) / (~inside).sum()
    effects = np.array([_arcsine(a, b) for a, b in zip(here, there, strict=True)])
    # That a level is frequent here says more than that another one is not.
    code = int(np.argmax(np.where(effects > 0, effects, -effects / 2)))
    params = {
        "column": column.name,
        "inside": round(100 * float(here[code])),
        "outside": round(100 * float(there[code])),
    }
    if code == MISSING:
        found = "groups.trait_missing" if effects[code] > 0 else "groups.trait_known"
        return Trait(column.name, float(effects[code]), found, params)
    if FIRST <= code < FIRST + KEPT_LEVELS:
        found = "groups.trait_more" if effects[code] > 0 else "groups.trait_fewer"
        level = column.categories[code - FIRST]
        return Trait(column.name, float(effects[code]), found, {**params, "level": level})
    found = "groups.trait_more_rare" if effects[code] > 0 else "groups.trait_fewer_rare"
    return Trait(column.name, float(effects[code]), found, params)


def _arcsine(here: float, there: float) -> float:
    """Cohen's h of two shares."""
    return float(2 * (np.arcsin(np.sqrt(here)) - np.arcsin(np.sqrt(there))))


def _percent(values: F64) -> int:
    return round(100 * float(values.mean()))


def _shares(name: str, marked: npt.NDArray[np.bool_], inside: npt.NDArray[np.bool_]) -> dict[str, Any]:
    return {
        "column": name,
        "inside": round(100 * float(marked[inside].mean())),
        "outside": round(100 * float(marked[~inside].mean())),
    }


def _shown(column: ColumnContract, values: F64) -> object:
    """A median as people read it."""
    middle = float(np.median(values))
    if column.kind == "datetime":
        return datetime.fromtimestamp(middle, UTC).strftime("%Y-%m-%d")
    return messages.cell(round(middle) if abs(middle) >= 1000 else middle, 3)
