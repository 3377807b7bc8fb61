"""Random forests that are fitted once: the rows a tree did not see stand in for a fold.

Breiman (2001), "Random forests"; Geurts, Ernst and Wehenkel (2006), "Extremely randomized trees". Trees are
grown one at a time, so that the clock is asked between them and no pool of processes is needed; what is kept
is scikit-learn's compiled trees alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.encoding import AS_THEY_ARE, Encoding, encode_categories
from automl_jupyter.engine.learners import F32, Params, Work


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
    """

    trees: tuple[Any, ...]
    encoding: Encoding = AS_THEY_ARE
    view: str = "tree"
    bags: tuple[tuple[int, int], ...] = ()
    rows: int = 0

    @property
    def row_cost(self) -> float:
        """Microseconds for one row: a call for each tree."""
        return 10.0 + 3.0 * len(self.trees)

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows: its way through each deep tree."""
        return 0.14 * len(self.trees)

    def predict(self, X: F32) -> F32:
        """Average the trees, in their order."""
        X = self.encoding(X)
        total = self.trees[0].predict(X).astype(np.float64)
        for tree in self.trees[1:]:
            total += tree.predict(X)
        total /= len(self.trees)
        return np.asarray(total if total.ndim == 2 else total[:, None], dtype=np.float32)


def plant(forests: Sequence[ForestModel]) -> ForestModel:
    """Make one forest of several that were fitted to the same rows, and thus encode categories alike."""
    return ForestModel(
        tuple(tree for forest in forests for tree in forest.trees),
        forests[0].encoding,
        forests[0].view,
        tuple(bag for forest in forests for bag in forest.bags),
        forests[0].rows,
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
