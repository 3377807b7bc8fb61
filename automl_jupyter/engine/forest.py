"""Random forests that are fitted once: the rows a tree did not see stand in for a fold.

Breiman (2001), "Random forests"; Geurts, Ernst and Wehenkel (2006), "Extremely randomized trees". Trees are
grown one at a time, so that the clock is asked between them and no pool of processes is needed; what is kept
is scikit-learn's compiled trees alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.encoding import AS_THEY_ARE, Encoding, encode_categories
from automl_jupyter.engine.learners import F32, Params, Work

FEW_ROWS = 4
"""So few rows are quicker taken through all trees at once than through one tree after the other."""

STEPS = 8
"""After so many steps those that have come to their leaves are left out."""


@dataclass(frozen=True)
class Nodes:
    """The nodes of all trees in one table: a row takes a step in each tree at once.

    A call of scikit-learn's tree takes longer than the way of one row through it.

    Attributes
    ----------
    roots : ndarray of shape (trees,)
        Where each tree begins.
    feature, threshold : ndarray of shape (nodes,)
        What is asked at each node; nothing at leaves.
    missing_left : ndarray of shape (nodes,), bool
        Whether a row that lacks the feature goes to the left.
    children : ndarray of shape (2 * nodes,)
        The node to the right and that to the left of each; leaves lead to themselves.
    values : tuple of ndarray of shape (nodes of a tree, K)
        What each tree says at its nodes.
    """

    roots: npt.NDArray[np.intp]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    missing_left: npt.NDArray[np.bool_]
    children: npt.NDArray[np.int32]
    values: tuple[npt.NDArray[np.float64], ...]

    @classmethod
    def of(cls, trees: Sequence[Any]) -> Nodes:
        """Put the nodes of scikit-learn's trees one after the other."""
        roots = np.cumsum([0, *(tree.node_count for tree in trees)])
        left, right, feature, threshold, missing_left = (
            np.concatenate([getattr(tree, name) for tree in trees])
            for name in ("children_left", "children_right", "feature", "threshold", "missing_go_to_left")
        )
        leaf, offset = left < 0, np.repeat(roots[:-1], np.diff(roots))
        below = np.column_stack([right, left]) + offset[:, None]
        children = np.where(leaf[:, None], np.arange(len(leaf))[:, None], below)
        return cls(
            roots[:-1],
            np.where(leaf, 0, feature).astype(np.int32),
            threshold,
            missing_left.astype(bool),
            children.astype(np.int32).ravel(),
            tuple(tree.value[:, 0, :] for tree in trees),
        )

    def total(self, row: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Add up what all trees say, in their order, to one row of shape (p,)."""
        leaves = self._leaves(row) - self.roots
        said = [values[leaf] for values, leaf in zip(self.values, leaves.tolist(), strict=True)]
        return np.asarray(np.cumsum(said, axis=0)[-1])

    def _leaves(self, row: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
        """Where a row comes to in each tree; those that have come to a leaf are left out now and then."""
        lacks = bool(np.isnan(row).any())
        found, under_way = self.roots.copy(), np.arange(len(self.roots))
        while len(under_way):
            at: npt.NDArray[np.integer[Any]] = found[under_way]
            for _ in range(STEPS):
                value = row[self.feature[at]]
                to_left = value <= self.threshold[at]
                if lacks:
                    to_left |= np.isnan(value) & self.missing_left[at]
                at = self.children[2 * at + to_left]
            found[under_way] = at
            under_way = under_way[self.children[2 * at] != at]
        return found


@dataclass(frozen=True)
class ForestModel:
    """Trees whose predictions are averaged, and how they see categories.

    Attributes
    ----------
    bags : tuple of (int, int)
        The seed of each part and how many trees it has: which rows a tree has seen follows from them. None
        are known of models of earlier releases.
    rows : int
        How many rows there were to draw from.
    of_all : bool
        Whether these were all training rows, so that it can be one forest with others of them.
    """

    trees: tuple[Any, ...]
    encoding: Encoding = AS_THEY_ARE
    view: str = "tree"
    bags: tuple[tuple[int, int], ...] = ()
    rows: int = 0
    of_all: bool = False

    @property
    def row_cost(self) -> float:
        """Microseconds for one row: steps of all trees down to the deepest leaf, and a leaf of each."""
        depth = max(int(tree.max_depth) for tree in self.trees)
        return 25.0 + 0.6 * depth * (5.0 + 0.025 * len(self.trees)) + 0.35 * len(self.trees)

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows: its way through each deep tree."""
        return 0.14 * len(self.trees)

    def predict(self, X: F32) -> F32:
        """Average the trees, in their order."""
        X = self.encoding(X)
        total = self._few(X) if len(X) <= FEW_ROWS else self._many(X)
        return np.asarray(total / len(self.trees), dtype=np.float32)

    def _many(self, X: F32) -> npt.NDArray[np.float64]:
        total = self.trees[0].predict(X).astype(np.float64)
        for tree in self.trees[1:]:
            total += tree.predict(X)
        return np.asarray(total if total.ndim == 2 else total[:, None])

    def _few(self, X: F32) -> npt.NDArray[np.float64]:
        return np.stack([self._nodes.total(row) for row in X])

    @cached_property
    def _nodes(self) -> Nodes:
        return Nodes.of(self.trees)

    def __getstate__(self) -> dict[str, Any]:
        """What is kept: the nodes are in the trees."""
        return {name: value for name, value in vars(self).items() if name != "_nodes"}


def plant(forests: Sequence[ForestModel]) -> ForestModel:
    """Make one forest of several that were fitted to all rows, and thus encode categories alike."""
    return ForestModel(
        tuple(tree for forest in forests for tree in forest.trees),
        forests[0].encoding,
        forests[0].view,
        tuple(bag for forest in forests for bag in forest.bags),
        forests[0].rows,
        of_all=True,
    )


def seen_by(forest: ForestModel, rows: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Tell which of some training rows each tree has seen; shape (trees, rows)."""
    seen = []
    for seed, trees in forest.bags:
        generator = np.random.default_rng(seed)
        for _ in range(trees):
            drawn, _ = _drawn(generator, forest.rows)
            seen.append(drawn[rows] > 0)
    return np.array(seen, dtype=bool).reshape(len(seen), len(rows))


def _drawn(generator: np.random.Generator, n: int) -> tuple[npt.NDArray[np.intp], int]:
    """How often a tree sees each row, and its seed."""
    return np.bincount(generator.integers(0, n, n), minlength=n), int(generator.integers(2**31 - 1))


@dataclass(frozen=True)
class OutOfBag:
    """Sums over trees of the predictions for rows that they did not see.

    Attributes
    ----------
    total : ndarray of shape (n, K), float32
    trees : ndarray of shape (n,), int32
        How many trees each sum has.
    """

    total: F32
    trees: npt.NDArray[np.int32]


def fit_forest(work: Work, params: Params) -> tuple[ForestModel, OutOfBag]:
    """Grow a part of a forest on all rows.

    Parameters
    ----------
    work : Work
        All rows in the tree view.
    params : mapping
        ``trees``, ``min_samples_leaf``, ``max_features`` as in scikit-learn, and ``splitter``: ``best``
        unless it is ``random``, as in extremely randomised trees.
    """
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    n = len(work.y)
    kind = DecisionTreeRegressor if work.task == "regression" else DecisionTreeClassifier
    # Deeper leaves of large tables cost memory and hardly change the average.
    leaf = max(int(params["min_samples_leaf"]), n // 4000)
    generator = np.random.default_rng(work.seed)
    encoding, X = encode_categories(work)
    total = np.zeros((n, work.width), dtype=np.float32)
    counts = np.zeros(n, dtype=np.int32)
    trees: list[Any] = []
    weights = np.ones(n) if work.weights is None else work.weights
    for _ in range(int(params["trees"])):
        seen, seed = _drawn(generator, n)
        grower = kind(
            min_samples_leaf=leaf,
            max_features=params["max_features"],
            splitter=params.get("splitter", "best"),
            random_state=seed,
        )
        tree = grower.fit(X, work.y, sample_weight=seen * weights).tree_
        left_out = np.flatnonzero(seen == 0)
        total[left_out] += tree.predict(X[left_out]).reshape(len(left_out), -1)
        counts[left_out] += 1
        trees.append(tree)
        if work.clock.is_up():
            break
    bags = ((work.seed, len(trees)),)
    return ForestModel(tuple(trees), encoding, bags=bags, rows=n), OutOfBag(total, counts)
