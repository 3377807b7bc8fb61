"""LightGBM's trees as ONNX writes them: one list of nodes, in which each comparison is told apart.

LightGBM compares in double precision, and the graph in single, as whatever runs it is sure to do. No row
notices: a row of the tree view is in single precision, and each threshold is rounded down to the largest
number of single precision that is not above it. A split of categories becomes a chain of questions, one for
each category that goes left, which all lead to the same node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.boosting import Trees
from automl_jupyter.engine.learners import F32

_AT_MOST, _EQUALS, _LEAF = "BRANCH_LEQ", "BRANCH_EQ", "LEAF"


@dataclass
class Nodes:
    """The nodes of all trees, in the words of ONNX's ``TreeEnsembleRegressor``.

    Attributes
    ----------
    trees, ids : list of int
        Of each node the tree, and its number there; 0 is the root.
    features, modes, values : list
        Which column each compares, how, and with what.
    yes, no : list of int
        The nodes that follow.
    missing : list of int
        1 where a cell that is missing follows ``yes``.
    leaf_trees, leaf_ids, targets, weights : list
        Of each leaf the tree and the node, and what it adds to which column of the answer.
    """

    trees: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    yes: list[int] = field(default_factory=list)
    no: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    leaf_trees: list[int] = field(default_factory=list)
    leaf_ids: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def attributes(self, width: int) -> dict[str, Any]:
        """Give the attributes of the operator, for so many columns of the answer."""
        return {
            "n_targets": width,
            "nodes_treeids": self.trees,
            "nodes_nodeids": self.ids,
            "nodes_featureids": self.features,
            "nodes_modes": self.modes,
            "nodes_values": rounded_down(np.array(self.values)).tolist(),
            "nodes_truenodeids": self.yes,
            "nodes_falsenodeids": self.no,
            "nodes_missing_value_tracks_true": self.missing,
            "target_treeids": self.leaf_trees,
            "target_nodeids": self.leaf_ids,
            "target_ids": self.targets,
            "target_weights": self.weights,
        }


def nodes_of(trees: Trees, rounds: int, share: float = 1.0) -> Nodes:
    """Write down the first rounds of some trees.

    Parameters
    ----------
    trees : Trees
        The trees.
    rounds : int
        How many rounds count.
    share : float
        By what the leaves are multiplied.
    """
    nodes = Nodes()
    width = trees.booster.num_model_per_iteration()
    for number, tree in enumerate(trees.booster.dump_model(num_iteration=rounds)["tree_info"]):
        _Writer(nodes, number, number % width, share).write(tree["tree_structure"])
    return nodes


def rounded_down(values: npt.NDArray[np.float64]) -> F32:
    """Give for each threshold the largest float32 that is not above it.

    ``x <= threshold`` then answers for every float32 ``x`` as it does in double precision.
    """
    with np.errstate(over="ignore", under="ignore"):
        nearest = values.astype(np.float32)
        return np.where(nearest > values, np.nextafter(nearest, np.float32(-np.inf)), nearest)


@dataclass
class _Writer:
    """Writes one tree, each node before those that follow it."""

    nodes: Nodes
    tree: int
    target: int
    share: float
    count: int = 0

    def write(self, node: Mapping[str, Any]) -> int:
        """Write a node of LightGBM's and all below it; returns its number."""
        if "leaf_value" in node:
            return self._leaf(node["leaf_value"])
        if node["decision_type"] == "==":
            return self._among(node)
        first = self._node(node["split_feature"], _AT_MOST, node["threshold"], missing_goes_left(node))
        place = len(self.nodes.ids) - 1
        self.nodes.yes[place] = self.write(node["left_child"])
        self.nodes.no[place] = self.write(node["right_child"])
        return first

    def _among(self, node: Mapping[str, Any]) -> int:
        """Ask for one category after the other; the last question leads to the right."""
        categories = [int(code) for code in node["threshold"].split("||")]
        first, start = self.count, len(self.nodes.ids)
        for code in categories:
            self._node(node["split_feature"], _EQUALS, code, False)
        left = self.write(node["left_child"])
        right = self.write(node["right_child"])
        for i in range(len(categories)):
            last = i == len(categories) - 1
            self.nodes.yes[start + i] = left
            self.nodes.no[start + i] = right if last else first + i + 1
        return first

    def _leaf(self, value: float) -> int:
        number = self._node(0, _LEAF, 0.0, False)
        self.nodes.leaf_trees.append(self.tree)
        self.nodes.leaf_ids.append(number)
        self.nodes.targets.append(self.target)
        self.nodes.weights.append(value * self.share)
        return number

    def _node(self, feature: int, mode: str, value: float, missing: bool) -> int:
        nodes, number = self.nodes, self.count
        self.count += 1
        nodes.trees.append(self.tree)
        nodes.ids.append(number)
        nodes.features.append(feature)
        nodes.modes.append(mode)
        nodes.values.append(value)
        nodes.yes.append(0)
        nodes.no.append(0)
        nodes.missing.append(int(missing))
        return number


def missing_goes_left(node: Mapping[str, Any]) -> bool:
    """Tell where LightGBM sends a missing number: where it learnt to, or else where zero goes.

    Zero itself is never taken for a missing number: that would be ``zero_as_missing``, which none of our
    candidates asks for.
    """
    if node["missing_type"] == "NaN":
        return bool(node["default_left"])
    return bool(node["threshold"] >= 0)
