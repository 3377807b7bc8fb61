"""The first rounds of trees that another library has grown, as a model of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from automl_jupyter.engine.boosting import answer
from automl_jupyter.engine.learners import F32


class ForeignTrees(Protocol):
    """Trees of another library.

    Attributes
    ----------
    call_cost, tree_cost : float
        Microseconds of a call, and of one tree for one row.
    """

    call_cost: ClassVar[float]
    tree_cost: ClassVar[float]

    def raw(self, X: F32, rounds: int) -> F32:
        """Add up the first rounds for rows, on the calling thread."""
        ...


@dataclass(frozen=True)
class ForeignModel:
    """The first rounds of some trees; fields as of :class:`automl_jupyter.engine.boosting.BoosterModel`."""

    trees: ForeignTrees
    rounds: int
    task: str
    width: int
    view: str = "tree"

    @property
    def row_cost(self) -> float:
        """Microseconds for one row."""
        return self.trees.call_cost + self.bulk_cost

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        return self.trees.tree_cost * self.rounds * (self.width if self.task == "multiclass" else 1)

    def predict(self, X: F32) -> F32:
        """Predict on the calling thread."""
        return answer(self.trees.raw(X, self.rounds), self.task)
