"""What a model expects of each column, from training to serving: nothing is silently scored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

MAX_CATEGORIES = 10_000
"""Beyond so many categories a column's list is cut and new values in it are not reported."""

VOCABULARY = 50
"""At most so many categories are taken for words that belong to nobody."""

KINDS = ("numeric", "boolean", "datetime", "category", "text", "ignored")


@dataclass(frozen=True)
class ColumnContract:
    """What is expected of one column.

    Attributes
    ----------
    name : str
        The column's name.
    kind : str
        One of :data:`KINDS`; ``ignored`` columns (identifiers, constants, empty ones) are not read.
    categories : tuple of str
        The categories seen in training, the most frequent first.
    complete : bool
        False if there were more than :data:`MAX_CATEGORIES`.
    lowest, highest : float or None
        The range of numbers, or of moments in seconds since 1970.
    whole : bool
        Whether all numbers are whole.
    date_format : str
        How strings write a moment, as in :func:`automl_jupyter.engine.cells.read_date`.
    missing_values : tuple of str or float
        Values that stand for a missing one, as in :class:`automl_jupyter.engine.cells.Marks`.
    """

    name: str
    kind: str
    categories: tuple[str, ...] = ()
    complete: bool = True
    lowest: float | None = None
    highest: float | None = None
    whole: bool = False
    date_format: str = ""
    missing_values: tuple[str | float, ...] = ()

    def is_beyond(self, value: float) -> bool:
        """Tell whether a number lies more than a tenth of the range outside of it."""
        if self.lowest is None or self.highest is None or math.isnan(value):
            return False
        margin = 0.1 * (self.highest - self.lowest)
        return not self.lowest - margin <= value <= self.highest + margin


@dataclass(frozen=True)
class Contract:
    """What a model expects and answers.

    Attributes
    ----------
    columns : tuple of ColumnContract
        The columns of the training table, in order.
    task : str
        ``binary``, ``multiclass``, ``regression`` or ``clustering``.
    target : str
        The name of what is predicted.
    classes : tuple
        The classes, in the order of the columns of probabilities.
    """

    columns: tuple[ColumnContract, ...]
    task: str
    target: str = ""
    classes: tuple[str | int | float | bool, ...] = ()

    @property
    def used(self) -> tuple[ColumnContract, ...]:
        """The columns that are read."""
        return tuple(column for column in self.columns if column.kind != "ignored")

    def to_dict(self) -> dict[str, Any]:
        """Write the contract as plain data that JSON can carry."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Contract:
        """Rebuild what :meth:`to_dict` wrote, also after a passage through JSON."""
        lists = ("categories", "missing_values")
        columns = tuple(
            ColumnContract(**{**column, **{name: tuple(column.get(name, ())) for name in lists}})
            for column in data["columns"]
        )
        return cls(columns, data["task"], data["target"], tuple(data["classes"]))


@dataclass(frozen=True)
class RowWarning:
    """Something about one cell that weakens a prediction.

    Attributes
    ----------
    code : str
        ``engine.unseen_category``, ``missing_column``, ``unparseable_value`` (the cell counts as missing)
        or ``out_of_range``.
    column : str
        Its column.
    value : str or None
        The cell, shortened.
    """

    code: str
    column: str
    value: str | None = None


def synthetic_example(contract: Contract, n: int = 3) -> list[dict[str, object]]:
    """Make up rows that fit a contract; none of them comes from the data.

    Parameters
    ----------
    contract : Contract
        A model's contract.
    n : int
        Number of rows.

    Returns
    -------
    list of dict
        Plain values that JSON can carry. Numbers are spread evenly over rounded ranges. Categories are the
        model's own where they are few, which makes them a vocabulary; many could be names of people.
    """
    return [{column.name: _made_up(column, i, n) for column in contract.used} for i in range(n)]


def _made_up(column: ColumnContract, i: int, n: int) -> object:
    share = (i + 1) / (n + 1)
    if column.kind == "category":
        few = len(column.categories) <= VOCABULARY
        return column.categories[i % len(column.categories)] if few else f"example {i + 1}"
    if column.kind == "boolean":
        return i % 2 == 0
    if column.kind == "text" or column.lowest is None or column.highest is None:
        return f"example text {i + 1}"
    value = column.lowest + share * (column.highest - column.lowest)
    if column.kind == "datetime":
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT00:00:00")
    return round(value) if column.whole else float(f"{value:.3g}")
