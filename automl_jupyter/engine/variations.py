"""A local search: variations of the candidates that serve best, once all others have been tried.

Each variation is a random step from one of them, in the manner of evolution strategies (Rechenberg 1973, with
one parent drawn by its weight in the ensemble); FLAML walks similarly from cheap settings (Wang et al. 2021).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from automl_jupyter.engine.portfolio import Candidate

MARK = "~"
"""Stands between the name of a candidate and the number of its variation."""

CHANCE = 0.5
"""How likely each parameter is to take a step."""

BATCH, VAIN_BATCHES, MOST_VARIATIONS = 4, 2, 60
"""So many variations are tried at a time, so many times in a row without a gain, and so many in all."""

LEAST_GAIN = 0.0005
"""What takes off less than this part of the loss is no gain."""


@dataclass(frozen=True)
class Range:
    """Where a parameter may go.

    Attributes
    ----------
    low, high : float
        Its bounds.
    step : float
        The standard deviation of a step: of the natural logarithm, or of the value itself where `plain`.
    start : float or None
        Where it starts in a candidate that does not name it; None leaves it out there.
    whole : bool
        Whether it is a whole number.
    plain : bool
        Whether steps add instead of multiply.
    work : float
        How the cost of a fit grows with it: as its ratio to the power of this.
    """

    low: float
    high: float
    step: float
    start: float | None = None
    whole: bool = False
    plain: bool = False
    work: float = 0.0

    def moved(self, value: float, random: np.random.Generator) -> float | int:
        """Take one step from a value."""
        step = self.step * random.standard_normal()
        found = value + step if self.plain else value * math.exp(step)
        found = min(max(found, self.low), self.high)
        return round(found) if self.whole else round(found, 5)


RANGES: Mapping[str, Mapping[str, Range]] = {
    "lightgbm": {
        "learning_rate": Range(0.01, 0.2, 0.5, work=-1.0),
        "num_leaves": Range(4, 200, 0.6, whole=True, work=0.6),
        "min_data_in_leaf": Range(1, 200, 0.7, whole=True),
        "feature_fraction": Range(0.2, 1.0, 0.2, start=1.0, plain=True, work=0.7),
        "bagging_fraction": Range(0.4, 1.0, 0.2, plain=True),
        "lambda_l1": Range(0.001, 10.0, 1.0, start=0.05),
        "lambda_l2": Range(0.01, 30.0, 1.0, start=0.5),
        "cat_smooth": Range(1.0, 100.0, 0.8, start=10.0),
    },
    "neural": {
        "rate": Range(0.0005, 0.02, 0.4),
        "decay": Range(0.001, 0.2, 0.8),
        "dropout": Range(0.0, 0.5, 0.1, plain=True),
    },
    "kernel": {"width": Range(0.15, 3.0, 0.4)},
    "forest": {
        "min_samples_leaf": Range(1, 20, 0.6, whole=True),
        "max_features": Range(0.1, 1.0, 0.2, plain=True),
    },
}
"""What may be varied, by family."""


class Walk:
    """Variations, a few at a time, until they bring nothing.

    Parameters
    ----------
    seed : int
        Seed of all steps.
    """

    def __init__(self, seed: int) -> None:
        self._seed, self._made = seed, 0
        self._losses: list[float] = []

    @property
    def over(self) -> bool:
        """Whether there are enough, or the last batches brought nothing."""
        before, last = self._losses[:-VAIN_BATCHES], self._losses[-VAIN_BATCHES:]
        vain = bool(before) and min(last) >= (1 - LEAST_GAIN) * min(before)
        return vain or self._made >= MOST_VARIATIONS

    def note(self, loss: float) -> None:
        """Take note of how good the ensemble is now."""
        self._losses.append(loss)

    def batch(self, parents: Sequence[Candidate], weights: Sequence[float]) -> list[Candidate]:
        """Take the next few steps, from parents as in :func:`variation`."""
        numbers = range(self._made + 1, self._made + 1 + BATCH)
        self._made += BATCH
        found = [variation(parents, weights, number, self._seed) for number in numbers]
        return [candidate for candidate in found if candidate is not None]

    def again(self, parents: Sequence[Candidate], name: str, params: Mapping[str, Any]) -> Candidate | None:
        """Make a variation of an earlier attempt as it was; None where the name is none of a variation."""
        found = known(parents, name, params)
        if found is not None:
            self._made = max(self._made, number_of(name))
        return found


def variation(
    parents: Sequence[Candidate], weights: Sequence[float], number: int, seed: int
) -> Candidate | None:
    """Take a step from one of some candidates.

    Parameters
    ----------
    parents : sequence of Candidate
        From which to start.
    weights : sequence of float
        How likely each is to be the one.
    number : int
        The number of the variation, from 1, which its name ends with.
    seed : int
        With the number the seed of the step.

    Returns
    -------
    Candidate or None
        None where no parent can be varied.
    """
    able = [(c, w) for c, w in zip(parents, weights, strict=True) if c.family in RANGES and w > 0]
    if not able:
        return None
    random = np.random.default_rng([seed, number])
    chances = np.array([w for _, w in able])
    parent = able[random.choice(len(able), p=chances / chances.sum())][0]
    params, cost = _stepped(parent, random)
    while params == dict(parent.params):
        # What was moved stands at a bound, or was rounded back: it would be the parent once more.
        params, cost = _stepped(parent, random)
    return replace(
        parent,
        name=f"{parent.name.partition(MARK)[0]}{MARK}{number}",
        params=params,
        cost=parent.cost * cost,
        why="engine.why_variation",
    )


def _stepped(parent: Candidate, random: np.random.Generator) -> tuple[dict[str, Any], float]:
    """Move some parameters of a candidate, one at least; give them with the ratio of costs."""
    params, cost = dict(parent.params), 1.0
    free = {
        name: allowed
        for name, allowed in RANGES[parent.family].items()
        if name in params or allowed.start is not None
    }
    taken = random.random(len(free)) < CHANCE
    taken[random.integers(len(free))] = True
    for (name, allowed), moves in zip(free.items(), taken, strict=True):
        if moves:
            before = float(params.get(name, allowed.start or 0.0))
            params[name] = allowed.moved(before, random)
            cost *= (max(params[name], 1e-9) / max(before, 1e-9)) ** allowed.work
    return params, cost


def known(parents: Sequence[Candidate], name: str, params: Mapping[str, Any]) -> Candidate | None:
    """Make a variation again, as it was; None where the name is none of a variation of these."""
    parent = next((c for c in parents if c.name == name.partition(MARK)[0] != name), None)
    return None if parent is None else replace(parent, name=name, params=params, why="engine.why_variation")


def number_of(name: str) -> int:
    """The number of a variation, from its name."""
    return int(name.rpartition(MARK)[2])
