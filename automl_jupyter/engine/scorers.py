"""Metrics of a person's own, and scikit-learn's scorers by name or as objects.

They are called row by row of resamples, so fewer of those are drawn than of metrics that are computed here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine import admission, metrics
from automl_jupyter.engine.admission import refuse
from automl_jupyter.engine.metrics import F64, Array, Judging, Part

RESAMPLES, SAMPLED_ROWS = 48, 5000


@dataclass(frozen=True)
class Scorer:
    """A metric that is a function of true and predicted values.

    Attributes
    ----------
    name : str
        How it is called on the leaderboard.
    function : callable
        (true values, predicted values) to a number; higher is better but for the sign.
    sign : int
        -1 where lower is better.
    shares : bool
        Whether it wants probabilities: of the second of two classes, or of all.
    classes : ndarray or None
        The classes, where there are any.
    """

    name: str
    function: Callable[..., Any] = field(repr=False)
    sign: int = 1
    shares: bool = False
    classes: npt.NDArray[np.generic] | None = None

    @property
    def weighted(self) -> bool:
        """Whether it takes ``sample_weight``; else rows are repeated as often as they count."""
        return "sample_weight" in inspect.signature(self.function).parameters

    @property
    def effort(self) -> tuple[int, int]:
        """Number of resamples, and rows that they are drawn from."""
        return RESAMPLES, SAMPLED_ROWS

    def scores(self, y: Array, q: F64, weights: F64, part: Part | None = None) -> F64:
        """Score predictions under several weightings of the rows, of all folds together."""
        true, predicted = self._readable(y, np.asarray(q, np.float64))
        weighted = self.weighted
        return np.array([self._score(true, predicted, row, weighted=weighted) for row in weights])

    def score(self, y: Array, q: F64, part: Part | None = None) -> float:
        """Score predictions, each row counting once."""
        return float(self.scores(y, q, np.ones((1, len(y))))[0])

    def _readable(self, y: Array, q: F64) -> tuple[Array, Array]:
        if self.classes is None:
            return y, q
        true = self.classes[y.astype(np.intp)]
        if not self.shares:
            return true, self.classes[q.argmax(axis=1)]
        return true, q[:, 1] if q.shape[1] == 2 else q

    def _score(self, true: Array, predicted: Array, weights: F64, *, weighted: bool) -> float:
        if weighted:
            return self.sign * float(self.function(true, predicted, sample_weight=weights))
        rows = np.repeat(np.arange(len(true)), np.rint(weights).astype(np.intp))
        return self.sign * float(self.function(true[rows], predicted[rows]))


def metric_of(given: object, task: str, classes: npt.NDArray[np.generic] | None) -> Judging:
    """Give the metric that a person means.

    Parameters
    ----------
    given : str, callable or None
        One of :data:`automl_jupyter.engine.admission.METRICS`, the name of another of scikit-learn's scorers,
        what ``sklearn.metrics.make_scorer`` returns, or a function of true and predicted values of which more
        is better; None or ``"auto"``: the task's default.
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    classes : ndarray or None
        The classes, where there are any.

    Raises
    ------
    Unprocessable
        ``engine.unknown_metric`` if it does not fit the task.
    """
    if given is None or given == "auto" or given in admission.METRICS[task]:
        return metrics.get(admission.check_metric(None if given is None else str(given), task))
    if isinstance(given, str):
        return _by_name(given, task, classes)
    if not callable(given):
        raise _unknown(given, task)
    if hasattr(given, "_score_func"):
        return _of_scorer(given, task, classes)
    return Scorer(getattr(given, "__name__", type(given).__name__), given, classes=classes)


def _unknown(given: object, task: str) -> Exception:
    known = list(admission.METRICS[task])
    return refuse("metric", "engine.unknown_metric", metric=str(given), task=task, known=known)


def _by_name(name: str, task: str, classes: npt.NDArray[np.generic] | None) -> Judging:
    from sklearn.metrics import get_scorer

    try:
        scorer = get_scorer(name)
    except ValueError:
        raise _unknown(name, task) from None
    found = _of_scorer(scorer, task, classes)
    width = 1 if classes is None else len(classes)
    rows = np.arange(4 * width) % max(width, 2)
    trial = np.eye(width)[rows] * 0.8 + 0.2 / width if classes is not None else rows.astype(np.float64)
    try:
        found.score(rows, trial)
    except (TypeError, ValueError):
        raise _unknown(name, task) from None
    return found


def _of_scorer(scorer: Any, task: str, classes: npt.NDArray[np.generic] | None) -> Scorer:
    """Take a scorer of scikit-learn apart, which wants an estimator where there are only predictions."""
    response = scorer._response_method
    response = (response,) if isinstance(response, str) else response
    function = partial(scorer._score_func, **scorer._kwargs)
    shares = classes is not None and "predict" not in response
    name = scorer._score_func.__name__
    return Scorer(name, function, int(scorer._sign), shares, classes)
