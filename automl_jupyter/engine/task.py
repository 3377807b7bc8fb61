"""What is to be predicted: the task that a target means, and how its values become numbers and come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from automl_jupyter.engine import admission
from automl_jupyter.engine.admission import ColumnSummary, refuse

FloatArray = npt.NDArray[np.floating]

_OBJECTS = {
    "datetime": "datetime",
    "datetime64": "datetime",
    "date": "datetime",
    "boolean": "boolean",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
}
"""Types by what pandas finds among objects; anything else is a string."""

_DTYPES: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (pd.api.types.is_bool_dtype, "boolean"),
    (pd.api.types.is_integer_dtype, "integer"),
    (pd.api.types.is_datetime64_any_dtype, "datetime"),
    (pd.api.types.is_timedelta64_dtype, "datetime"),
)


def infer_task(y: pd.Series) -> str:
    """Guess what a target means.

    Parameters
    ----------
    y : Series of shape (n_rows,)
        The target; missing values are left out.

    Returns
    -------
    str
        ``binary``, ``multiclass`` or ``regression``.
    """
    seen = summarise(y)
    return admission.guess_task(seen.type, seen.distinct, lowest=seen.lowest, highest=seen.highest)


def summarise(y: pd.Series, name: str = "") -> ColumnSummary:
    """Describe a target as :func:`automl_jupyter.engine.admission.check_target` wants it."""
    known = y.dropna()
    kind = _kind(known)
    numeric = kind in ("integer", "number") and len(known) > 0
    numbers = pd.to_numeric(known) if numeric else known
    return ColumnSummary(
        name=name or str(y.name if y.name is not None else "y"),
        type=kind,
        role="",
        missing=len(y) - len(known),
        distinct=int(known.nunique()),
        lowest=float(numbers.min()) if numeric else None,
        highest=float(numbers.max()) if numeric else None,
    )


def _kind(known: pd.Series) -> str:
    """Name the type of a column's known values, in the words of a column summary."""
    dtype = known.cat.categories.dtype if isinstance(known.dtype, pd.CategoricalDtype) else known.dtype
    if pd.api.types.is_object_dtype(dtype):
        guess = _OBJECTS.get(pd.api.types.infer_dtype(known), "string")
        if guess != "number":
            return guess
        known = pd.to_numeric(known)
        dtype = known.dtype
    for is_kind, kind in _DTYPES:
        if is_kind(dtype):
            return kind
    if not pd.api.types.is_numeric_dtype(dtype):
        return "string"
    values = known.to_numpy(np.float64)
    return "integer" if bool(np.all(values == np.floor(values))) else "number"


def check_training(X: pd.DataFrame, y: pd.Series, target: str, task: str | None) -> str:
    """Decide the task of a table and a target, or say why nothing can be learnt.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        The columns to learn from.
    y : Series of shape (n_rows,)
        The target.
    target : str
        Its name, for the messages.
    task : str or None
        The task asked for; None lets the target decide.

    Raises
    ------
    Unprocessable
        As :func:`automl_jupyter.engine.admission.check_target`, and ``engine.unknown_task``,
        ``engine.infinite_target``, ``engine.no_features``.
    """
    if task is not None and task not in admission.SUPERVISED:
        raise refuse("task", "engine.unknown_task", task=task, known=list(admission.SUPERVISED))
    decided = admission.check_target(summarise(y, target), len(y), task)
    if decided == "regression" and not np.isfinite(y.dropna().to_numpy(np.float64)).all():
        raise refuse("target", "engine.infinite_target", target=target)
    check_columns(X, target)
    return decided


def check_columns(X: pd.DataFrame, target: str | None) -> None:
    """Raise Unprocessable if no column varies; without a target the table is to be clustered."""
    if not any(X[name].nunique(dropna=False) > 1 for name in X.columns):
        raise admission.no_features(target)


@dataclass(frozen=True)
class Target:
    """How a target's values become the numbers that learners see, and come back.

    Classes become codes ``0 … K-1``. Quantities are centred and scaled, so that no learner depends on their
    unit; predictions are kept within a tenth of the range beyond what was seen.

    Attributes
    ----------
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    classes : ndarray of shape (K,) or None
        The classes in sorted order.
    shift, scale : float
        Centre and spread of a quantity.
    lowest, highest : float
        Bounds of predictions of a quantity.
    """

    task: str
    classes: npt.NDArray[np.generic] | None = None
    shift: float = 0.0
    scale: float = 1.0
    lowest: float = -np.inf
    highest: float = np.inf

    @property
    def width(self) -> int:
        """Number of columns of a prediction: the classes, or one."""
        return 1 if self.classes is None else len(self.classes)

    def decode(self, raw: FloatArray) -> npt.NDArray[np.float64]:
        """Bring predictions of a quantity, shape (n, 1), back into its unit, shape (n,)."""
        values = raw[:, 0].astype(np.float64) * self.scale + self.shift
        return np.clip(values, self.lowest, self.highest)

    def label(
        self, probabilities: FloatArray, factors: npt.NDArray[np.float64] | None = None
    ) -> npt.NDArray[np.generic]:
        """Name the class whose probability times its factor is largest, the first one of equals."""
        if self.classes is None:
            raise TypeError("a quantity has no classes")
        turned = probabilities if factors is None else probabilities * factors
        return np.asarray(self.classes[turned.argmax(axis=1)])


def encode(y: pd.Series, task: str) -> tuple[Target, npt.NDArray[np.float32] | npt.NDArray[np.int32]]:
    """Learn the coding of a target without missing values and apply it.

    Returns
    -------
    target : Target
        The coding.
    codes : ndarray of shape (n_rows,)
        int32 codes of classes, or float32 standardised quantities.
    """
    if task == "regression":
        values = y.to_numpy(np.float64)
        # In units of the largest value: squares of huge values overflow and those of tiny ones vanish.
        unit = float(np.abs(values).max()) or 1.0
        shift, scale = float((values / unit).mean()) * unit, float((values / unit).std()) * unit or unit
        margin = 0.1 * float(values.max() / 2 - values.min() / 2)
        codes = (values - shift) / scale
        lowest, highest = float(values.min()) - margin, float(values.max()) + margin
        return Target(task, None, shift, scale, lowest, highest), codes.astype(np.float32)
    classes, codes = np.unique(labels(y), return_inverse=True)
    return Target(task, classes), codes.astype(np.int32)


def labels(y: pd.Series) -> npt.NDArray[np.generic]:
    """Class labels as an array that sorts: plain types where possible, else their text."""
    kind = _kind(y)
    if kind == "string":
        return np.asarray([str(value) for value in y.to_numpy(object)], dtype=object)
    if kind == "boolean":
        return np.asarray(y, dtype=bool)
    if isinstance(y.dtype, np.dtype) and y.dtype != object:
        return np.asarray(y)
    numbers = pd.to_numeric(y.astype(object)).to_numpy()
    return np.asarray(numbers, dtype=np.int64 if kind == "integer" else np.float64)
