"""The quick model as one ONNX graph, from cells as they are in the table to labels and probabilities.

The graph is written here operator by operator. The usual converters know neither our columns nor LightGBM's
sets of categories and missing numbers exactly, and each brings a library of its own; what is needed are a few
dozen operators and one of ``ai.onnx.ml`` for the trees.

Numbers come in double precision: single precision has no room for the seconds of a moment, nor for numbers
beyond 2**24, from which a model subtracts what they have in common before it rounds them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from automl_jupyter.engine import cells
from automl_jupyter.engine.boosting import BoosterModel
from automl_jupyter.engine.columns import FIRST, MISSING, OTHER
from automl_jupyter.engine.contract import ColumnContract
from automl_jupyter.engine.ensemble import LEAST_PROBABILITY
from automl_jupyter.engine.estimators import AutoMLSupervised
from automl_jupyter.engine.merging import Share
from automl_jupyter.engine.onnx_graph import ML, Graph, onnx, parts_of_moment
from automl_jupyter.engine.onnx_trees import Nodes, nodes_of
from automl_jupyter.engine.preprocess import LARGEST, Preprocessor
from automl_jupyter.engine.task import Target
from automl_jupyter.errors import Unprocessable

LABEL, PROBABILITIES, VALUE = "label", "probabilities", "value"
"""What the graph gives; a column of the same name has it given as ``label_``, and so on."""

NEAR_ZERO = np.float32(1e-35)
"""LightGBM's ``kZeroThreshold``: where it predicts, no number is nearer to zero without being zero."""


def to_onnx(model: object) -> bytes:
    """Write the quick model of a fitted estimator as an ONNX file.

    Parameters
    ----------
    model : AutoMLClassifier or AutoMLRegressor
        A fitted model.

    Returns
    -------
    bytes
        A graph with one input of shape (n, 1) for each column that is read, by its name: strings for
        categories (the empty string where missing, whole numbers without a fraction), doubles for numbers
        (NaN where missing), for booleans (0, 1 or NaN) and for moments (seconds since 1970 in UTC, or NaN).
        It gives ``label`` of shape (n,) and ``probabilities`` of shape (n, K), or ``value`` of shape (n,), as
        ``predict`` and ``predict_proba`` do where the quick model answers.

    Raises
    ------
    Unprocessable
        ``engine.onnx_no_fast`` if there is no quick model, ``engine.onnx_texts`` if it reads texts,
        ``engine.onnx_not_installed``.
    """
    onnx()
    if not isinstance(model, AutoMLSupervised):
        raise Unprocessable("engine.onnx_no_fast")
    check_is_fitted(model)
    of, target = model.preprocessor_, model.target_
    if of.plan.texts:
        raise Unprocessable("engine.onnx_texts", columns=[column.name for column in of.plan.texts])
    nodes = _trees_of(model)
    graph = Graph({column.name for column in (*of.plan.numbers, *of.plan.categories)})
    attributes = nodes.attributes(1 if target.width == 2 else target.width)
    raw = graph.op("TreeEnsembleRegressor", _tree_view(graph, of), domain=ML, **attributes)
    outputs = _answers(graph, graph.cast(raw, "DOUBLE"), target, model.decision_)
    notes = {"task": target.task, "target": model.contract_.target}
    return graph.model(_inputs(of), outputs, notes)


def _trees_of(model: AutoMLSupervised) -> Nodes:
    """The trees of the quick model, whether one was fitted to all rows or one to each fold."""
    # The quick model is alone in its ensemble, which has nothing to weigh or to calibrate.
    models = () if model.fast_ is None else model.fast_.members[0].models
    first = models[0] if models else None
    if isinstance(first, BoosterModel) and len(models) == 1:
        return nodes_of(first.trees, first.rounds)
    if isinstance(first, Share) and len(models) == first.parts:
        return nodes_of(first.trees, first.trees.booster.current_iteration(), 1 / first.parts)
    raise Unprocessable("engine.onnx_no_fast")


def _inputs(of: Preprocessor) -> list[Any]:
    kinds = onnx().TensorProto
    return [
        onnx().helper.make_tensor_value_info(column.name, kind, ["rows", 1], column.kind)
        for columns, kind in ((of.plan.numbers, kinds.DOUBLE), (of.plan.categories, kinds.STRING))
        for column in columns
    ]


# --- from cells to the tree view


def _tree_view(graph: Graph, of: Preprocessor) -> str:
    """What :class:`automl_jupyter.engine.preprocess.Views` calls the tree view, float of shape (n, p)."""
    parts = [_number(graph, column) for column in of.plan.numbers if column.kind != "datetime"]
    moments = [_number(graph, of.plan.numbers[j]) for j in of.moments]
    parts += [parts_of_moment(graph, seconds) for seconds in moments]
    columns = []
    if of.numeric_width:
        kept = graph.op("Gather", graph.op("Concat", *parts, axis=1), np.flatnonzero(of.keep), axis=1)
        numbers = graph.clip(graph.op("Sub", kept, of.offset), -LARGEST, LARGEST)
        columns = [_without_traces(graph, graph.cast(numbers, "FLOAT"))]
    columns += [
        _codes(graph, column, levels)
        for column, levels in zip(of.plan.categories, of.plan.levels, strict=True)
    ]
    return graph.op("Concat", *columns, axis=1)


def _without_traces(graph: Graph, numbers: str) -> str:
    """Take for zero what LightGBM takes for zero."""
    near = graph.op("LessOrEqual", graph.op("Abs", numbers), NEAR_ZERO)
    return graph.op("Where", near, np.float32(0), numbers)


def _number(graph: Graph, column: ColumnContract) -> str:
    """Read a column of numbers: those that stand for a missing one, or are no boolean, become NaN."""
    value = column.name
    marks = cells.marks_of(column.missing_values)
    for mark in sorted(marks.moments if column.kind == "datetime" else marks.numbers):
        value = graph.op("Where", graph.op("Equal", value, mark), float("nan"), value)
    if column.kind == "boolean":
        known = graph.op("Or", graph.op("Equal", value, 0.0), graph.op("Equal", value, 1.0))
        return graph.op("Where", known, value, float("nan"))
    return value if column.kind == "datetime" else graph.clip(value, -cells.HUGE, cells.HUGE)


def _codes(graph: Graph, column: ColumnContract, levels: dict[str, int]) -> str:
    """Look up the codes of categories; those without one of their own are what was not listed."""
    codes = {label: code for label, code in levels.items() if code >= FIRST}
    codes |= dict.fromkeys(("", *sorted(cells.marks_of(column.missing_values).texts)), MISSING)
    return graph.op(
        "LabelEncoder",
        column.name,
        domain=ML,
        keys_strings=list(codes),
        values_floats=[float(code) for code in codes.values()],
        default_float=float(OTHER),
    )


# --- from sums of trees to answers


def _answers(graph: Graph, raw: str, target: Target, factors: npt.NDArray[np.float64] | None) -> list[Any]:
    """Name what the graph gives, and compute it from sums of trees of shape (n, K)."""
    info, kinds = onnx().helper.make_tensor_value_info, onnx().TensorProto
    if target.classes is None:
        value = graph.op("Add", graph.op("Mul", raw, target.scale), target.shift)
        value = graph.clip(value, target.lowest, target.highest)
        flat = graph.op("Reshape", value, np.array([-1]))
        return [info(graph.give(flat, VALUE), kinds.DOUBLE, ["rows"])]
    probabilities = _probabilities(graph, raw, target.width)
    turned = probabilities if factors is None else graph.op("Mul", probabilities, factors)
    classes = _plain(target.classes)
    label = graph.op("Gather", classes, graph.op("ArgMax", turned, axis=1, keepdims=0))
    kind = onnx().helper.np_dtype_to_tensor_dtype(classes.dtype)
    return [
        info(graph.give(label, LABEL), kind, ["rows"]),
        info(graph.give(probabilities, PROBABILITIES), kinds.DOUBLE, ["rows", target.width]),
    ]


def _probabilities(graph: Graph, raw: str, width: int) -> str:
    """Turn sums of trees into probabilities; none is less than an ensemble can give."""
    if width == 2:
        second = graph.op("Sigmoid", raw)
        found = graph.op("Concat", graph.op("Sub", 1.0, second), second, axis=1)
    else:
        found = graph.op("Softmax", raw, axis=1)
    found = graph.clip(found, LEAST_PROBABILITY, 1.0)
    return graph.op("Div", found, graph.op("ReduceSum", found, np.array([1]), keepdims=1))


def _plain(classes: npt.NDArray[np.generic]) -> npt.NDArray[Any]:
    """Classes in the types that ONNX has: booleans, int64, double or strings."""
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    if classes.dtype.kind == "f":
        return classes.astype(np.float64)
    return classes if classes.dtype.kind == "b" else np.array([str(label) for label in classes], object)
