"""A small neural network for tables, trained on one thread: where boundaries are smooth or classes many.

What it does and whom it follows: :mod:`automl_jupyter.engine.nn_network` (members that share their
matrices), :mod:`automl_jupyter.engine.nn_train` (rate and optimiser), :mod:`automl_jupyter.engine.nn_bins`
(numbers in pieces). Which of the places where the rate is zero serves is chosen by the rows of other folds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine import nn_train
from automl_jupyter.engine.learners import F32, Params, Path, Work
from automl_jupyter.engine.nn_bins import Bins, BinsOfSeveral, learn_bins
from automl_jupyter.engine.nn_network import Design, Network, answer, answer_of_several, softmax, start

CALL_COST = 55.0
"""Microseconds that a row takes however small a network is."""

_BATCHES, _SMALLEST, _LARGEST = 16, 32, 256
_BINS_IN_ALL = 1024
_MEMBER_ROWS = 10_000
"""Rows that all members together read in an epoch: on long tables more steps are worth more than members."""
_CHUNK, _FEW = 256, 32
"""So many rows are answered at a time, fewer by several networks: what is computed should stay in a cache."""
_SLACK = 1e-9
_WORSE = 1.05
_NEARLY = 0.97


@dataclass(frozen=True)
class NeuralModel:
    """A trained network.

    Attributes
    ----------
    design : Design
        Its sizes.
    parameters : ndarray of shape (design.size,), float32
        Its parameters.
    bins : Bins
        What numbers become before it reads them.
    classes : bool
        Whether it answers with probabilities.
    """

    design: Design
    parameters: F32
    bins: Bins
    classes: bool
    view: str = "linear"

    @property
    def row_cost(self) -> float:
        """Microseconds for one row: some twenty calls of numpy, and reading the parameters once."""
        return CALL_COST + 10.0 + 0.0004 * self.design.size

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows: products, and the hidden units of each member."""
        return _bulk_cost(self.design)

    def predict(self, X: F32) -> F32:
        """Predict on the calling thread, some rows at a time."""
        result = np.empty((len(X), self.design.outputs), dtype=np.float32)
        for at in range(0, len(X), _CHUNK):
            rows = self.bins.widen(X[at : at + _CHUNK])
            result[at : at + _CHUNK] = answer(self.design, self.parameters, rows, self.classes)
        return result


@dataclass(frozen=True)
class NeuralMean:
    """The mean of several networks of one shape, each step of which is one call for all.

    Attributes
    ----------
    design : Design
        The sizes of each; all read as many numbers as that which reads most.
    parameters : ndarray of shape (networks, design.size), float32
        The parameters of each.
    bins : BinsOfSeveral
        What numbers become before they read them.
    classes : bool
        Whether they answer with probabilities.
    """

    design: Design
    parameters: F32
    bins: BinsOfSeveral
    classes: bool
    view: str = "linear"

    @classmethod
    def of(cls, models: Sequence[NeuralModel]) -> NeuralMean:
        """Join models that are :func:`alike`."""
        first = models[0]
        design = replace(first.design, inputs=max(model.design.inputs for model in models))
        parameters = np.zeros((len(models), design.size), np.float32)
        for own, model in zip(parameters, models, strict=True):
            for name, part in design.parts(own).items():
                theirs = model.design.parts(model.parameters)[name]
                part[: len(theirs)] = theirs
        bins = BinsOfSeveral.of([model.bins for model in models])
        return cls(design, parameters, bins, first.classes, first.view)

    def __len__(self) -> int:
        return len(self.parameters)

    def one(self, i: int) -> NeuralModel:
        """Give one of the networks."""
        return NeuralModel(self.design, self.parameters[i], self.bins.one(i), self.classes, self.view)

    @property
    def row_cost(self) -> float:
        """Microseconds for one row."""
        return CALL_COST + 10.0 * len(self.parameters) + 0.0004 * self.parameters.size

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows: products, and the hidden units of each member."""
        return len(self.parameters) * _bulk_cost(self.design)

    def predict(self, X: F32) -> F32:
        """Predict on the calling thread, some rows at a time."""
        result = np.empty((len(X), self.design.outputs), dtype=np.float32)
        step = max(_FEW, _CHUNK // len(self.parameters))
        for at in range(0, len(X), step):
            rows = self.bins.widen(X[at : at + step])
            result[at : at + step] = answer_of_several(self.design, self.parameters, rows, self.classes)
        return result


def alike(models: Sequence[NeuralModel]) -> bool:
    """Tell whether networks differ in nothing but the numbers that they read."""
    return len({replace(model.design, inputs=0) for model in models}) == 1


def _bulk_cost(design: Design) -> float:
    return 0.00004 * design.products() + 0.002 * design.members * sum(design.hidden)


def fit_neural(work: Work, params: Params) -> Path:
    """Train a network; its stages are in percent of the schedule.

    Parameters
    ----------
    work : Work
        The training rows in the linear view.
    params : mapping
        ``hidden`` (units of each layer), ``members`` (networks that share matrices, at most: long tables get
        fewer), ``bins`` (of a number; 0 for none), ``rate``, ``decay``, ``dropout``, ``epochs`` (at most:
        fewer where the share of time ends earlier), ``stages`` (where it is known when to stop).
    """
    rng = np.random.default_rng(work.seed)
    bins = learn_bins(work.X, int(params["bins"]), _BINS_IN_ALL)
    design = Design(
        inputs=work.X.shape[1] + len(bins.columns),
        outputs=work.width,
        hidden=tuple(params["hidden"]),
        members=min(int(params["members"]), max(1, _MEMBER_ROWS // len(work.y))),
    )
    parameters = start(design, _first_answer(work), rng)
    n = len(work.y)
    batch = min(n, _LARGEST, max(_SMALLEST, n // _BATCHES))
    network = Network(design, parameters, batch, float(params["dropout"]), rng)
    optimiser = nn_train.Adam(parameters, _decay(design, float(params["decay"])))
    pace = nn_train.Pace(max(1, int(params["epochs"]) * max(1, n // batch)), work.clock)
    model = NeuralModel(design, parameters, bins, work.task != "regression")
    path = _Stages(work, model, params)
    for done, rows in zip(pace, _batches(n, batch, rng), strict=False):
        X = bins.widen(work.X[rows])
        network.learn(X, _wrong(network.scores(X), work, rows))
        optimiser.step(network.gradient, float(params["rate"]) * nn_train.rate_at(done))
        if path.is_enough(pace.done):
            break
    return path.end(pace.done)


class _Stages:
    """Keeps the model at the places where the rate is zero, and sees when it is of no use to go on."""

    def __init__(self, work: Work, model: NeuralModel, params: Params) -> None:
        self._work, self._model = work, model
        last = max(params.get("stages", (100,)))
        first, *later = nn_train.ENDS
        self._ends = [first, *[end for end in later if _percent(end) <= last]]
        self._stages: list[int] = []
        self._models: list[NeuralModel] = []
        self._losses: list[float] = []

    def is_enough(self, done: float) -> bool:
        """Keep the model if a place to stop at has been reached, and tell whether it is the last."""
        if done < self._ends[0] - _SLACK:
            return False
        while self._ends and done >= self._ends[0] - _SLACK:
            end = self._ends.pop(0)
        self._keep(end)
        if self._ends and self._diverges():
            self._ends.clear()
        return not self._ends

    def end(self, done: float) -> Path:
        """Give what was kept, and the model as it is where no place or nearly the next one was reached."""
        if not self._models or (self._ends and done >= _NEARLY * self._ends[0]):
            self._keep(done)
        return Path(tuple(self._stages), tuple(self._models))

    def _keep(self, done: float) -> None:
        self._stages.append(_percent(done))
        self._models.append(replace(self._model, parameters=self._model.parameters.copy()))

    def _diverges(self) -> bool:
        """Held rows lose clearly more than before: this ends a fit, it chooses no stage."""
        work = self._work
        if work.X_held is None or work.y_held is None:
            return False
        q = self._models[-1].predict(work.X_held)
        if work.task == "regression":
            self._losses.append(float(np.mean((q[:, 0] - work.y_held) ** 2)))
        else:
            true = q[np.arange(len(q)), work.y_held.astype(np.intp)]
            self._losses.append(-float(np.mean(np.log(np.maximum(true, 1e-7)))))
        return len(self._losses) > 1 and self._losses[-1] > _WORSE * self._losses[-2]


def _percent(done: float) -> int:
    return max(1, round(100 * done))


def _first_answer(work: Work) -> npt.NDArray[np.float64]:
    if work.task == "regression":
        return np.array([np.average(work.y, weights=work.weights)])
    counts = np.bincount(work.y.astype(np.intp), work.weights, minlength=work.width) + 0.5
    return np.asarray(np.log(counts / counts.sum()))


def _decay(design: Design, decay: float) -> F32:
    """Matrices decay, factors and shifts do not."""
    flat = np.zeros(design.size, dtype=np.float32)
    for name, part in design.parts(flat).items():
        if "weight" in name:
            part[:] = decay
    return flat


def _batches(n: int, batch: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.intp]]:
    """Rows of each step: all once in random order, but for those that fill no batch, then again."""
    while True:
        order = rng.permutation(n)
        for at in range(0, n - batch + 1, batch):
            yield order[at : at + batch]


def _wrong(scores: F32, work: Work, rows: npt.NDArray[np.intp]) -> F32:
    """Derivatives by the scores of the mean log loss, or of half the mean square."""
    n = np.float32(len(rows))
    if work.task == "regression":
        wrong = scores
        wrong -= work.y[rows].astype(np.float32)[:, None]
    else:
        wrong = softmax(scores)
        wrong[:, np.arange(len(rows)), work.y[rows].astype(np.intp)] -= np.float32(1)
    if work.weights is not None:
        wrong *= work.weights[rows].astype(np.float32)[:, None]
    wrong /= n
    return wrong
