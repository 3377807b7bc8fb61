"""A graph of ONNX's operators while it grows, and the parts of moments as such operators."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_jupyter.errors import Unprocessable

ML = "ai.onnx.ml"
OPSETS = {"": 17, ML: 3}
"""Old enough for every runtime in use."""
IR_VERSION = 8
"""The edition of the file format that came with these operators."""

_DAY = 86_400
# The calendar counts from the first of March of year 0: leap days are then the last of their years.
_ZERO = 719_468
_EARLIEST, _LATEST = -6e10, 2.5e11

Value = str | int | float | np.generic | npt.NDArray[Any]
"""The name of what was computed, or a constant."""


def onnx() -> Any:
    """Give the package, which is installed on demand.

    Raises
    ------
    Unprocessable
        ``engine.onnx_not_installed``.
    """
    try:
        import onnx as package
    except ImportError as error:
        raise Unprocessable("engine.onnx_not_installed") from error
    return package


@dataclass
class Graph:
    """What the inputs become, operator by operator.

    Attributes
    ----------
    taken : set of str
        Names that mean something already: those of columns.
    """

    taken: set[str]
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def op(self, operator: str, *inputs: Value, domain: str = "", **attributes: Any) -> str:
        """Add an operator with one output; returns the output's name.

        Whole numbers become int64, other numbers double.
        """
        name = self._free(operator)
        names = [self._named(value) for value in inputs]
        node = onnx().helper.make_node(operator, names, [name], name=name, domain=domain, **attributes)
        self.nodes.append(node)
        return name

    def cast(self, value: str, to: str) -> str:
        """Change the type of the elements, to ``FLOAT``, ``DOUBLE`` or ``INT64``."""
        return self.op("Cast", value, to=getattr(onnx().TensorProto, to))

    def clip(self, value: str, low: float, high: float) -> str:
        """Keep numbers between two bounds, and NaN as it is, of which ``Clip`` promises nothing."""
        above = self.op("Where", self.op("Less", value, low), low, value)
        return self.op("Where", self.op("Greater", above, high), high, above)

    def give(self, value: str, name: str) -> str:
        """Call what was computed by a name for others, or one like it that is still free."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        self.nodes.append(onnx().helper.make_node("Identity", [value], [name], name=f"give {name}"))
        return name

    def model(self, inputs: Iterable[Any], outputs: Iterable[Any], notes: dict[str, str]) -> bytes:
        """Close the graph and write it as a file."""
        helper = onnx().helper
        graph = helper.make_graph(
            self.nodes, "automl", list(inputs), list(outputs), initializer=self.constants
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="automl_jupyter"
        )
        helper.set_model_props(model, notes)
        onnx().checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())

    def _named(self, value: Value) -> str:
        if isinstance(value, str):
            return value
        name = self._free("constant")
        self.constants.append(onnx().numpy_helper.from_array(np.asarray(value), name))
        return name

    def _free(self, kind: str) -> str:
        number = len(self.taken)
        while (name := f"{kind} {number}") in self.taken:
            number += 1
        self.taken.add(name)
        return name


def parts_of_moment(graph: Graph, seconds: str) -> str:
    """Compute the numbers that a moment becomes, as :mod:`automl_jupyter.engine.preprocess` does.

    Days, year, month, day of the month, weekday, day of the year and hour. By Hinnant (2014),
    "chrono-compatible low-level date algorithms": whole numbers alone, and none below zero.

    Parameters
    ----------
    graph : Graph
        Where it is computed.
    seconds : str
        Seconds since 1970, double of shape (n, 1); NaN where missing.

    Returns
    -------
    str
        Double of shape (n, 7).
    """
    op = graph.op
    missing = op("IsNaN", seconds)
    safe = graph.clip(op("Where", missing, 0.0, seconds), _EARLIEST, _LATEST)
    z = op("Div", op("Add", graph.cast(safe, "INT64"), _ZERO * _DAY), _DAY)
    era = op("Div", z, 146_097)
    of_era = op("Mod", z, 146_097)
    leaps = op(
        "Sub", op("Div", of_era, 36_524), op("Add", op("Div", of_era, 1460), op("Div", of_era, 146_096))
    )
    of_years = op("Div", op("Add", of_era, leaps), 365)
    of_year = op("Sub", of_era, _days_of_years(graph, of_years, cycles=False))
    month_from_march = op("Div", op("Add", op("Mul", of_year, 5), 2), 153)
    gone = op("Div", op("Add", op("Mul", month_from_march, 153), 2), 5)
    month = op("Add", op("Mod", op("Add", month_from_march, 2), 12), 1)
    next_year = graph.cast(op("Less", month, 3), "INT64")
    year = op("Add", op("Add", of_years, op("Mul", era, 400)), next_year)
    # The year 1 begins 306 days after the first of March of year 0.
    new_year = op("Add", _days_of_years(graph, op("Sub", year, 1), cycles=True), 306)
    whole = (
        year,
        month,
        op("Add", op("Sub", of_year, gone), 1),
        op("Mod", op("Add", z, (3 - _ZERO) % 7), 7),
        op("Add", op("Sub", z, new_year), 1),
    )
    of_day = op("Mod", safe, float(_DAY), fmod=1)
    of_day = op("Where", op("Less", of_day, 0.0), op("Add", of_day, float(_DAY)), of_day)
    parts = [op("Div", safe, float(_DAY)), *(graph.cast(part, "DOUBLE") for part in whole)]
    found = op("Concat", *parts, op("Div", of_day, 3600.0), axis=1)
    return op("Where", missing, float("nan"), found)


def _days_of_years(graph: Graph, years: str, *, cycles: bool) -> str:
    """Count the days of so many years; the leap day of every 400th is asked for where there may be one."""
    op = graph.op
    days = op("Add", op("Mul", years, 365), op("Div", years, 4))
    days = op("Sub", days, op("Div", years, 100))
    return op("Add", days, op("Div", years, 400)) if cycles else days
