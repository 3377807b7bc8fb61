"""Kernel ridge and kernel logistic regression on a sample of landmarks.

The kernel between all rows is approached by that to some of them (Nyström's method: Williams and Seeger 2001,
"Using the Nyström method to speed up kernel machines"; Rudi, Camoriano and Rosasco 2015, "Less is more").
Small tables have every row as a landmark, and then it is exact. Unlike the machines that keep support
vectors, a logistic loss gives probabilities, and one set of features serves all penalties.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.learners import F32, Params, Path, Work
from automl_jupyter.engine.penalty import solve
from automl_jupyter.engine.products import product
from automl_jupyter.engine.softmax import softmax

F64 = npt.NDArray[np.float64]

_LEAST_PART = 1e-6
_CHUNK = 2048


@dataclass(frozen=True)
class Kernel:
    """A kernel between rows and landmarks.

    Attributes
    ----------
    landmarks : ndarray of shape (m, p), float32
        Rows in the learner's view.
    width : float
        The squared distance at which it has fallen to 1/e.
    shape : str
        ``gauss`` falls with the squared distance, ``laplace`` with the distance itself.
    """

    landmarks: F32
    width: float
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
        d *= np.float32(1 / self.width)
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
        m, p = self.kernel.landmarks.shape
        return float(30.0 + m * (0.004 + 0.0005 * p))

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        m, p = self.kernel.landmarks.shape
        return float(m * (0.01 + 0.0001 * p))

    def predict(self, X: F32) -> F32:
        """Predict in chunks of rows, which bounds memory."""
        return np.asarray(_predict(self, X, self.weights, self.intercept)[0])


@dataclass(frozen=True)
class KernelPath(Path):
    """Penalties that share their kernel."""

    models: tuple[KernelModel, ...]

    def predictions(self, X: F32) -> F32:
        """Predict rows at each stage, the kernel once."""
        weights = np.hstack([model.weights for model in self.models])
        return _predict(self.models[0], X, weights, np.concatenate([m.intercept for m in self.models]))


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
