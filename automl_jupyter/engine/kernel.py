"""Kernel ridge and kernel logistic regression on a sample of landmarks.

The kernel between all rows is approached by that to some of them (Nyström's method: Williams and Seeger 2001,
"Using the Nyström method to speed up kernel machines"; Rudi, Camoriano and Rosasco 2015, "Less is more").
Small tables have every row as a landmark, and then it is exact. Unlike the machines that keep support
vectors, a logistic loss gives probabilities, and one set of features serves all penalties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.learners import F32, Params, Path, Work
from automl_jupyter.engine.penalty import solve
from automl_jupyter.engine.products import BLOCK, product
from automl_jupyter.engine.softmax import softmax

F64 = npt.NDArray[np.float64]

CALL_COST = 25.0
"""Microseconds that a row takes however few landmarks there are."""

_LEAST_PART = 1e-6
_CHUNK = 2048
_NUMBERS = 2_000_000
"""So many similarities at a time."""


@dataclass(frozen=True)
class Kernel:
    """A kernel between rows and landmarks.

    Attributes
    ----------
    landmarks : ndarray of shape (m, p), float32
        Rows in the learner's view.
    width : float or ndarray of shape (m,)
        The squared distance at which it has fallen to 1/e; one for all landmarks, or one for each.
    shape : str
        ``gauss`` falls with the squared distance, ``laplace`` with the distance itself.
    """

    landmarks: F32
    width: float | F64
    shape: str

    @cached_property
    def _squares(self) -> F32:
        return np.asarray(np.einsum("ij,ij->i", self.landmarks, self.landmarks))

    @cached_property
    def _turned(self) -> F32:
        return np.ascontiguousarray(self.landmarks.T)

    def __call__(self, X: F32) -> F32:
        """Compare rows, shape (n, p), with the landmarks; shape (n, m)."""
        d = product(X, self._turned)
        d *= -2
        d += np.einsum("ij,ij->i", X, X)[:, None]
        d += self._squares
        np.maximum(d, 0, out=d)
        d *= np.asarray(1 / self.width, np.float32)
        if self.shape == "laplace":
            np.sqrt(d, out=d)
        return np.exp(-d, out=d)

    def __reduce__(self) -> tuple[object, ...]:
        return Kernel, (self.landmarks, self.width, self.shape)


@dataclass(frozen=True)
class KernelModel:
    """Weights of landmarks, shape (m, K), intercepts, and a softmax where there are classes."""

    kernel: Kernel
    weights: F64
    intercept: F64
    classes: bool
    view: str = "linear"

    @property
    def row_cost(self) -> float:
        """Microseconds for one row."""
        return _row_cost(self.kernel, 1)

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        return _bulk_cost(self.kernel)

    def predict(self, X: F32) -> F32:
        """Predict in chunks of rows, which bounds memory."""
        return np.asarray(_predict(self, X, self.weights, self.intercept)[0])


@dataclass(frozen=True)
class KernelMean:
    """The mean of several kernel machines, whose similarities are one product.

    Attributes
    ----------
    kernel : Kernel
        With the landmarks of one machine after the other.
    weights : ndarray of shape (m, K)
        Of all landmarks.
    starts : tuple of int
        Where those of each machine begin.
    intercepts : ndarray of shape (machines, K)
        Theirs.
    classes : bool
        Whether each answers with probabilities.
    """

    kernel: Kernel
    weights: F64
    starts: tuple[int, ...]
    intercepts: F64
    classes: bool
    view: str = "linear"

    @classmethod
    def of(cls, models: Sequence[KernelModel]) -> KernelMean:
        """Join models of one trial."""
        first, sizes = models[0], [len(model.weights) for model in models]
        landmarks = np.vstack([model.kernel.landmarks for model in models])
        widths = np.repeat([float(model.kernel.width) for model in models], sizes)
        return cls(
            Kernel(landmarks, widths, first.kernel.shape),
            np.vstack([model.weights for model in models]),
            tuple(accumulate([0, *sizes[:-1]])),
            np.stack([model.intercept for model in models]),
            first.classes,
            first.view,
        )

    def __len__(self) -> int:
        return len(self.starts)

    def one(self, i: int) -> KernelModel:
        """Give one of the machines."""
        own = slice(self.starts[i], [*self.starts, len(self.weights)][i + 1])
        width = float(np.broadcast_to(self.kernel.width, len(self.weights))[own.start])
        kernel = Kernel(self.kernel.landmarks[own], width, self.kernel.shape)
        return KernelModel(kernel, self.weights[own], self.intercepts[i], self.classes, self.view)

    @property
    def row_cost(self) -> float:
        """Microseconds for one row."""
        return _row_cost(self.kernel, len(self))

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        return _bulk_cost(self.kernel)

    def predict(self, X: F32) -> F32:
        """Predict in chunks of rows, which bounds memory."""
        result = np.empty((len(X), self.weights.shape[1]), np.float32)
        step = max(BLOCK, _NUMBERS // len(self.weights))
        for first in range(0, len(X), step):
            result[first : first + step] = self._some(self.kernel(X[first : first + step]))
        return result

    def _some(self, similar: F32) -> F64:
        total: F64 = np.zeros((len(similar), self.weights.shape[1]))
        ends = (*self.starts[1:], len(self.weights))
        for start, end, intercept in zip(self.starts, ends, self.intercepts, strict=True):
            scores = product(similar[:, start:end].astype(np.float64), self.weights[start:end]) + intercept
            total += softmax(scores) if self.classes else scores
        return total / len(self.starts)


@dataclass(frozen=True)
class KernelPath(Path):
    """Penalties that share their kernel."""

    models: tuple[KernelModel, ...]

    def predictions(self, X: F32) -> F32:
        """Predict rows at each stage, the kernel once."""
        weights = np.hstack([model.weights for model in self.models])
        return _predict(self.models[0], X, weights, np.concatenate([m.intercept for m in self.models]))


def _row_cost(kernel: Kernel, machines: int) -> float:
    m, p = kernel.landmarks.shape
    return float(CALL_COST + 10.0 * machines + m * (0.008 + 0.0005 * p))


def _bulk_cost(kernel: Kernel) -> float:
    m, p = kernel.landmarks.shape
    return float(m * (0.01 + 0.0001 * p))


def _predict(model: KernelModel, X: F32, weights: F64, intercept: F64) -> F32:
    """Scores for several sets of weights side by side; shape (sets, n, K)."""
    width = model.weights.shape[1]
    result = np.empty((weights.shape[1] // width, len(X), width), np.float32)
    for first in range(0, len(X), _CHUNK):
        similar = model.kernel(X[first : first + _CHUNK]).astype(np.float64)
        scores = product(similar, weights) + intercept
        for found, some in zip(result, np.split(scores, len(result), axis=1), strict=True):
            found[first : first + _CHUNK] = softmax(some) if model.classes else some
    return result


def fit_kernel(work: Work, params: Params) -> Path:
    """Fit a kernel machine with several penalties: the stages, the strongest penalty first.

    Parameters
    ----------
    work : Work
        The training rows in the linear view.
    params : mapping
        ``landmarks`` (at most), ``width`` (in units of the median squared distance), ``shape`` (see
        :class:`Kernel`), ``strengths`` and ``steps`` as in :func:`automl_jupyter.engine.linear.fit_linear`.
    """
    kernel = _kernel(work, params)
    back = _whitening(kernel)
    strengths = params["strengths"]
    models = []
    solutions = solve(
        _features(kernel, back, work.X, work),
        work,
        strengths,
        params.get("stages", tuple(range(len(strengths)))),
        params["steps"],
        None if work.X_held is None else _features(kernel, back, work.X_held, work),
    )
    stages = []
    for found in solutions:
        weights = back @ found.coefficients
        models.append(KernelModel(kernel, weights, found.intercept, work.task != "regression"))
        stages.append(found.stage)
    return KernelPath(tuple(stages), tuple(models))


def _kernel(work: Work, params: Params) -> Kernel:
    """Choose landmarks at random, and a width by the median distance between them (a usual heuristic)."""
    n = len(work.y)
    order = np.random.default_rng(work.seed).permutation(n)[: int(params["landmarks"])]
    landmarks = np.ascontiguousarray(work.X[np.sort(order)])
    some = landmarks[:: max(1, len(landmarks) // 500)].astype(np.float64)
    squares = (some**2).sum(axis=1)
    distances = (squares[:, None] + squares - 2 * some @ some.T)[np.triu_indices(len(some), 1)]
    middle = float(np.median(distances)) if len(distances) else 0.0
    return Kernel(landmarks, float(params["width"]) * (middle if middle > 1e-6 else 1.0), params["shape"])


def _whitening(kernel: Kernel) -> F64:
    """Give what turns similarities to landmarks into features with the kernel as their product: K^(-1/2)."""
    among = kernel(kernel.landmarks).astype(np.float64)
    values, vectors = np.linalg.eigh((among + among.T) / 2)
    kept = values > _LEAST_PART * values[-1]
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))


def _features(kernel: Kernel, back: F64, X: F32, work: Work) -> F32:
    found = np.empty((len(X), back.shape[1]), np.float32)
    for first in range(0, len(X), _CHUNK):
        found[first : first + _CHUNK] = kernel(X[first : first + _CHUNK]) @ back.astype(np.float32)
        work.clock.is_up()
    return found
