"""Models that have not seen a row, asked about it with other cells.

What is served is made of models of folds. For a row of a fold, the models of that fold alone have not learnt
from it: asked with a cell changed, they tell what the cell is worth, where a model that knows the row by
heart would tell what it remembers. A forest is asked by the trees that have not seen the row, neighbours
without the row itself. What was learnt in order of time keeps no such models: then what is served has to
answer itself, and ``share`` is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.ensemble import Ensemble, Member
from automl_jupyter.engine.forest import ForestModel, seen_by
from automl_jupyter.engine.learners import F32, Model
from automl_jupyter.engine.neighbours import NeighbourModel
from automl_jupyter.engine.preprocess import Preprocessor

Positions = npt.NDArray[np.intp]

CHUNK = 1000
"""Rows that a thread takes at a time."""


def take(cells: Cells, rows: Positions) -> Cells:
    """Give some rows, in a given order; a row may come more than once."""
    texts = tuple([column[i] for i in rows] for column in cells.texts)
    return Cells(cells.numbers[rows], cells.codes[rows], texts)


@dataclass(frozen=True)
class _OutOfBag:
    """A forest that answers about rows by the trees that have not seen them."""

    forest: ForestModel
    seen: npt.NDArray[np.bool_]
    view: str
    row_cost: float = 0.0
    bulk_cost: float = 0.0

    def predict(self, X: F32) -> F32:
        """Average, for each row, the trees that have not seen it; all of them, where there are none."""
        X = self.forest.encoding(X)
        seen = self.seen & ~self.seen.all(axis=0)
        width = self.forest.trees[0].predict(X[:1]).reshape(1, -1).shape[1]
        total, counts = np.zeros((len(X), width)), np.zeros(len(X))
        for tree, known in zip(self.forest.trees, seen, strict=True):
            rows = np.flatnonzero(~known)
            if len(rows):
                total[rows] += tree.predict(X[rows]).reshape(len(rows), -1)
                counts[rows] += 1
        return np.asarray(total / counts[:, None], dtype=np.float32)


@dataclass(frozen=True)
class _WithoutItself:
    """Neighbours that answer about rows without those rows themselves."""

    model: NeighbourModel
    own: npt.NDArray[np.int32]
    view: str
    row_cost: float = 0.0
    bulk_cost: float = 0.0

    def predict(self, X: F32) -> F32:
        """Average the nearest others."""
        return self.model.examples.answer_without(X, self.model.count, self.own)


@dataclass(frozen=True)
class Witnesses:
    """The part of an ensemble that can be asked about some rows without having seen them.

    Attributes
    ----------
    ensemble : Ensemble
        Its members, with their weights among themselves.
    k : int
        Number of folds.
    part : ndarray of shape (m,)
        The fold of each row.
    order : ndarray of shape (m,) or None
        Where each row stood among those that were learnt from.
    seen : mapping
        By member, which of the rows each tree of a forest has seen; shape (trees, m).
    share : float
        How much of the whole ensemble's weight they have; 0 if there are none.
    """

    ensemble: Ensemble
    k: int
    part: npt.NDArray[np.int8]
    order: npt.NDArray[np.int32] | None
    seen: Mapping[str, npt.NDArray[np.bool_]]
    share: float

    @classmethod
    def of(
        cls,
        ensemble: Ensemble,
        part: npt.NDArray[np.int8] | None,
        order: npt.NDArray[np.int32] | None,
    ) -> Witnesses:
        """Find the members of an ensemble that can be asked about some rows."""
        if part is None or not len(part):
            return cls(ensemble, 0, np.zeros(0, np.int8), None, {}, 0.0)
        k = int(part.max()) + 1
        below = [m for m in ensemble.members if _can_tell(m, k, order)]
        names = {m.name for m in below}
        stack = [m for m in ensemble.stack if _can_tell(m, k, order)] if names >= {*ensemble.read} else []
        read = ensemble.read if stack else ()
        below = [m for m in below if m.weight > 0 or m.name in read]
        share = sum(m.weight for m in (*below, *stack))
        if share <= 0:
            return cls(ensemble, k, part, order, {}, 0.0)
        asked = replace(
            ensemble,
            members=tuple(replace(m, weight=m.weight / share) for m in below),
            stack=tuple(replace(m, weight=m.weight / share) for m in stack),
            read=read,
        )
        forests = [m for m in (*below, *stack) if isinstance(m.models[0], ForestModel) and len(m.models) == 1]
        seen = {m.name: seen_by(m.models[0], order) for m in forests}  # type: ignore[arg-type]
        return cls(asked, k, part, order, seen, float(share))

    def predict(self, preprocessor: Preprocessor, cells: Cells, rows: Positions, threads: int) -> F32:
        """Predict coded values of shape (n, K).

        Parameters
        ----------
        preprocessor : Preprocessor
            What makes the views.
        cells : Cells
            n rows of cells.
        rows : ndarray of shape (n,)
            Which of the rows each stands for.
        threads : int
            Number of threads.
        """
        chunks = []
        size = min(CHUNK, max(100, -(-len(rows) // threads)))
        for fold in range(self.k):
            own = np.flatnonzero(self.part[rows] == fold)
            chunks += [(fold, own[start : start + size]) for start in range(0, len(own), size)]

        def ask(chunk: tuple[int, Positions]) -> F32:
            fold, own = chunk
            views = preprocessor.views(take(cells, own))
            return self._for(fold, rows[own]).predict(views)

        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(ask, chunks))
        result = np.empty((len(rows), found[0].shape[1]), np.float32)
        for (_, own), q in zip(chunks, found, strict=True):
            result[own] = q
        return result

    def _for(self, fold: int, rows: Positions) -> Ensemble:
        """The ensemble as it may be asked about some rows of a fold."""

        def blind(member: Member) -> Member:
            return replace(member, models=(self._model(member, fold, rows),))

        members, stack = map(blind, self.ensemble.members), map(blind, self.ensemble.stack)
        return replace(self.ensemble, members=tuple(members), stack=tuple(stack))

    def _model(self, member: Member, fold: int, rows: Positions) -> Model:
        first = member.models[0]
        if member.name in self.seen:
            return _OutOfBag(first, self.seen[member.name][:, rows], first.view)  # type: ignore[arg-type]
        if isinstance(first, NeighbourModel) and self.order is not None:
            return _WithoutItself(first, self.order[rows], first.view)
        # Of the first division alone: in others the row is of another fold.
        return member.models[fold]


def _can_tell(member: Member, k: int, order: npt.NDArray[np.int32] | None) -> bool:
    """Tell whether a member can be asked about a row without having seen it."""
    first = member.models[0]
    if isinstance(first, NeighbourModel):
        return order is not None
    if isinstance(first, ForestModel) and len(member.models) == 1:
        return order is not None and bool(first.bags)
    return len(member.models) >= k and len(member.models) % k == 0
