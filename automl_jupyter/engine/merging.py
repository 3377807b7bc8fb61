"""Models of several folds as one, since most of what a row alone takes is calls.

A call of LightGBM takes longer than the way of one row through a hundred trees, and an ensemble has a model
for each fold: the mean of boosted ones is the sum of all their trees, divided by their number. Linear models
and kernel machines are one product, networks as many as they have layers. Forests that know all rows are one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import lightgbm as lgb
import numpy as np

from automl_jupyter.engine import boosting, kernel, linear, neural
from automl_jupyter.engine.boosting import BoosterModel, Trees, answer
from automl_jupyter.engine.forest import ForestModel, plant
from automl_jupyter.engine.kernel import KernelMean, KernelModel
from automl_jupyter.engine.learners import F32, Model
from automl_jupyter.engine.linear import LinearMean, LinearModel
from automl_jupyter.engine.neural import NeuralMean, NeuralModel

M = TypeVar("M", bound=Model)
Mean = LinearMean | KernelMean | NeuralMean

_MEANS: Mapping[type[Model], Callable[[Sequence[Any]], Mean]] = {
    KernelModel: KernelMean.of,
    LinearModel: LinearMean.of,
    NeuralModel: NeuralMean.of,
}
"""What several models of a kind become one by."""

_SHARED: Mapping[type[Model], float] = {
    BoosterModel: boosting.CALL_COST,
    KernelModel: kernel.CALL_COST,
    LinearModel: linear.CALL_COST,
    NeuralModel: neural.CALL_COST,
}
"""Microseconds that joined models take once instead of each."""

WRITERS = 2
"""Threads that write models at a time."""

_UNNEEDED = re.compile(r"^(?:split_gain|leaf_weight|internal_value|internal_weight)=.*\n", re.MULTILINE)
_TREE = re.compile(r"^Tree=\d+\n", re.MULTILINE)
_END = "end of trees\n"


@dataclass(frozen=True)
class Share:
    """The model of one fold among the joined trees of several.

    Attributes
    ----------
    trees : Trees
        The trees of all, one model after the other.
    first, rounds : int
        Which rounds of these are its own.
    parts : int
        The number of models.
    task : str
        As of :class:`automl_jupyter.engine.boosting.BoosterModel`.
    leaves : float
        How many leaves a tree of them all has on average.
    row_cost, bulk_cost : float
        Microseconds for a row alone, a call being shared by all, and for one of many.
    """

    trees: Trees
    first: int
    rounds: int
    parts: int
    task: str
    leaves: float
    row_cost: float
    bulk_cost: float
    view: str

    def predict(self, X: F32) -> F32:
        """Predict by this model alone, on the calling thread."""
        raw = self.trees.raw(X, self.first, self.rounds, self.leaves)
        return answer(raw, self.task)


@dataclass(frozen=True)
class OneOf:
    """The model of one fold among those that answer together.

    Attributes
    ----------
    all : LinearMean, KernelMean or NeuralMean
        All of them.
    number : int
        Which one it is.
    """

    all: Mean
    number: int

    @property
    def view(self) -> str:
        """Name of the view that all read."""
        return self.all.view

    @property
    def parts(self) -> int:
        """The number of models."""
        return len(self.all)

    @property
    def row_cost(self) -> float:
        """Microseconds for a row alone, what is common being shared by all."""
        return self.all.row_cost / self.parts

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        return self.all.bulk_cost / self.parts

    def predict(self, X: F32) -> F32:
        """Predict by this model alone."""
        return self.all.one(self.number).predict(X)


def merged(models: Sequence[Model]) -> tuple[Model, ...]:
    """Join models where that is possible, so that :func:`mean` asks all at once.

    Each is still there to be asked alone, but for forests of all rows, of which each tree knows what it saw.

    Parameters
    ----------
    models : sequence of Model
        The models of a trial.
    """
    if boosted := _all_of(BoosterModel, models):
        return _shares(boosted)
    if forests := _of_all_rows(models):
        return (plant(forests),)
    mean_of = _mean_of(models)
    return tuple(models) if mean_of is None else tuple(OneOf(mean_of, i) for i in range(len(models)))


def _mean_of(models: Sequence[Model]) -> Mean | None:
    """One model in place of several, where there is one."""
    found = ((of, _all_of(kind, models)) for kind, of in _MEANS.items())
    return next((of(several) for of, several in found if several), None)


def _all_of(kind: type[M], models: Sequence[Model]) -> list[M]:
    """The models, if they are several, all of one kind and can be joined; else none."""
    found = [model for model in models if isinstance(model, kind)]
    networks = [model for model in found if isinstance(model, NeuralModel)]
    if len(found) < max(2, len(models)) or (networks and not neural.alike(networks)):
        found.clear()
    return found


def _of_all_rows(models: Sequence[Model]) -> list[ForestModel]:
    """The models, if they are several forests of all rows; else none."""
    forests = _all_of(ForestModel, models)
    return forests if all(forest.of_all for forest in forests) else []


def _shares(boosted: Sequence[BoosterModel]) -> tuple[Share, ...]:
    trees = _joined(boosted)
    leaves = sum(m.leaves * m.rounds for m in boosted) / sum(m.rounds for m in boosted)
    found, first = [], 0
    for model in boosted:
        cost = model.row_cost - boosting.CALL_COST * (1 - 1 / len(boosted))
        found.append(
            Share(
                trees,
                first,
                model.rounds,
                len(boosted),
                model.task,
                leaves,
                cost,
                model.bulk_cost,
                model.view,
            )
        )
        first += model.rounds
    return tuple(found)


def mean(models: Sequence[Model], X: F32, threads: int = 1) -> F32:
    """Average what the models of a trial predict; joined ones are averaged before the link.

    Only one caller at a time can ask joined trees, on so many threads therefore.
    """
    first = models[0]
    if isinstance(first, OneOf) and len(models) == first.parts:
        return first.all.predict(X)
    if isinstance(first, Share) and len(models) == first.parts:
        rounds = first.trees.booster.current_iteration()
        total = first.trees.raw(X, 0, rounds, first.leaves, threads)
        return answer(total / np.float32(first.parts), first.task)
    total = first.predict(X)
    for model in models[1:]:
        total = total + model.predict(X)
    return np.asarray(total / np.float32(len(models)), dtype=np.float32)


def row_cost(models: Sequence[Model]) -> float:
    """Microseconds that a row takes alone once the models are joined."""
    if forests := _of_all_rows(models):
        return plant(forests).row_cost
    shared = next((cost for kind, cost in _SHARED.items() if _all_of(kind, models)), 0.0)
    return sum(model.row_cost for model in models) - shared * (len(models) - 1)


def _joined(models: Sequence[BoosterModel]) -> Trees:
    """Write the trees of several models into one, without what predictions do not need."""
    with ThreadPoolExecutor(WRITERS) as pool:
        texts = list(pool.map(_written, models))
    head = texts[-1].partition("\nTree=0\n")[0]
    blocks = [block for text in texts for block in _TREE.split(text[: text.index(_END)])[1:]]
    trees = [f"Tree={i}\n{block}" for i, block in enumerate(blocks)]
    sizes = " ".join(str(len(tree)) for tree in trees)
    head = re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", head, flags=re.MULTILINE)
    return Trees(lgb.Booster(model_str=f"{head}\n{''.join(trees)}{_END}"))


def _written(model: BoosterModel) -> str:
    text = model.trees.booster.model_to_string(num_iteration=model.rounds)
    return _UNNEEDED.sub("", text)
