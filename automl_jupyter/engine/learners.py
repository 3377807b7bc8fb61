"""What a learner is: it fits one fold on one thread, watches the clock, and leaves compact models.

Predictions are coded as in :class:`automl_jupyter.engine.task.Target`: shape (n, K) probabilities, or (n, 1)
standardised quantities.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
Codes = npt.NDArray[np.float32] | npt.NDArray[np.int32]
Params = Mapping[str, Any]


class OutOfTime(Exception):
    """The time of the whole search is over: the fit is given up."""


@dataclass(frozen=True)
class Clock:
    """The time that a fit has.

    Attributes
    ----------
    share : float
        When the fit should end and keep what it has, on :func:`time.monotonic`.
    end : float
        When the whole search ends.
    stopped : Event
        Set when the search ends early.
    """

    share: float
    end: float
    stopped: threading.Event = field(default_factory=threading.Event)

    def has_passed(self) -> bool:
        """Tell whether the fit has used its share, or the whole search is over."""
        return self.stopped.is_set() or time.monotonic() > min(self.share, self.end)

    def is_up(self) -> bool:
        """Tell whether the fit has used its share.

        Raises
        ------
        OutOfTime
            If the whole search is over.
        """
        now = time.monotonic()
        if now > self.end or self.stopped.is_set():
            raise OutOfTime
        return now > self.share


@dataclass(frozen=True)
class Lesson:
    """Rows in the learner's view, shape (m, p), and what an ensemble answers to them, shape (m, K)."""

    X: F32
    answers: F32


@dataclass(frozen=True)
class Work:
    """What a fit is given.

    Attributes
    ----------
    X : ndarray of shape (n, p), float32
        The training rows, in the learner's view.
    y : ndarray of shape (n,)
        Their coded target.
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    width : int
        Columns of a prediction.
    numeric_width : int
        Columns of the tree view that are numbers; the others are codes of categories.
    seed : int
        Seed of all that is random.
    clock : Clock
        To be asked often.
    groups, time : ndarray of shape (n,) or None
        What an inner division of the rows must keep to, as in
        :class:`automl_jupyter.engine.resample.Folds`.
    weights : ndarray of shape (n,) or None
        How much each row counts, 1 on average.
    lesson : Lesson or None
        Further rows and what to answer, for a learner that is taught by an ensemble.
    X_held, y_held : ndarray or None
        The rows that the fold predicts. They may tell a fit when it is of no use to go on, never which stage
        is the best: that is chosen by the rows of the other folds.
    zero : float
        What the quantity zero is coded as.
    """

    X: F32
    y: Codes
    task: str
    width: int
    numeric_width: int
    seed: int
    clock: Clock
    groups: npt.NDArray[np.intp] | None = None
    time: npt.NDArray[np.float64] | None = None
    weights: npt.NDArray[np.float64] | None = None
    lesson: Lesson | None = None
    X_held: F32 | None = None
    y_held: Codes | None = None
    zero: float = 0.0


class Model(Protocol):
    """What a fit leaves: small, thread-safe, picklable."""

    @property
    def view(self) -> str:
        """Name of the view that it reads."""
        ...

    @property
    def row_cost(self) -> float:
        """Expected microseconds to predict one row alone; of the size of the model, not of a clock."""
        ...

    @property
    def bulk_cost(self) -> float:
        """Expected microseconds to predict one of many rows, on one thread."""
        ...

    def predict(self, X: F32) -> F32:
        """Predict coded values of shape (n, K) for rows of the model's view."""
        ...


@dataclass(frozen=True)
class Path:
    """A model at several stages of its making: after some rounds or epochs, or at some penalties.

    One of them is served. Which one is chosen by the rows of other folds, so that a fold learns from all of
    its rows and is still judged by rows that took no part in anything.

    Attributes
    ----------
    stages : tuple of int
        What the stages are, in increasing order, in a unit that all folds share.
    models : tuple of Model
        The model at each stage.
    """

    stages: tuple[int, ...]
    models: tuple[Model, ...]

    def predictions(self, X: F32) -> F32:
        """Predict rows at each stage, shape (stages, n, K)."""
        return np.stack([model.predict(X) for model in self.models])


@dataclass(frozen=True)
class ConstantModel:
    """Answers the same for every row: the baseline, and what stands in where a fold has one class only."""

    values: F32
    view: str = "tree"

    @property
    def row_cost(self) -> float:
        """Microseconds for one row."""
        return 5.0

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        return 0.01

    def predict(self, X: F32) -> F32:
        """Repeat the values."""
        return np.repeat(self.values[None, :], X.shape[0], axis=0)


def fit_constant(work: Work, params: Params) -> ConstantModel:
    """Learn the mean or the frequencies of the classes (one row is added to each, so that none is zero)."""
    if work.task == "regression":
        return ConstantModel(np.array([np.average(work.y, weights=work.weights)], dtype=np.float32))
    counts = np.bincount(work.y.astype(np.intp), work.weights, minlength=work.width) + 1.0
    return ConstantModel((counts / counts.sum()).astype(np.float32))


def reserve(size: int) -> None:
    """Ask the system for so many bytes and give them back untouched.

    Native code that does not look whether it got its memory ends the whole process. Where there is a limit,
    this meets it first, in an orderly way.

    Raises
    ------
    MemoryError
        If there is not so much.
    """
    np.empty(max(0, size), dtype=np.uint8)
