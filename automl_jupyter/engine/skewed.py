"""Skewed quantities on a logarithmic scale: any learner of quantities, with plain quantities out.

What is learnt is the logarithm; the exponential of its prediction is a median, and is multiplied by what
brings the mean of the training rows back (the smearing estimate of Duan 1983, "Smearing estimate: a
nonparametric retransformation method").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from automl_jupyter.engine.learners import F32, Codes, Model, Params, Path, Work
from automl_jupyter.engine.task import Target

SKEWED = 0.7
"""The skewness from which on a logarithm is worth a try."""

_SMALL = 0.05
"""Added before the logarithm, in standard deviations: what is near zero differs by little."""

_SMEARED_ROWS = 5000
_LARGEST_SMEAR = 2.0


def is_skewed(target: Target, codes: Codes) -> bool:
    """Tell whether a coded target is a quantity without negative values and with a long tail to the right."""
    if target.task != "regression":
        return False
    z = codes.astype(np.float64)
    return bool(z.min() >= zero_of(target) - 1e-6 and np.mean(z**3) > SKEWED)


def zero_of(target: Target) -> float:
    """Give what the quantity zero is coded as."""
    return -target.shift / target.scale


@dataclass(frozen=True)
class Scale:
    """Between codes and centred logarithms.

    Attributes
    ----------
    zero : float
        What the quantity zero is coded as.
    mean, spread : float
        Of the logarithms.
    highest : float
        The highest logarithm that a prediction may have.
    """

    zero: float
    mean: float
    spread: float
    highest: float

    def log(self, y: Codes) -> F32:
        """Turn codes into centred logarithms of spread one."""
        return np.asarray((_log(y, self.zero) - self.mean) / self.spread, dtype=np.float32)

    def plain(self, z: F32, smear: float) -> F32:
        """Turn predictions of :meth:`log` back into codes."""
        powers = np.exp(np.minimum(z.astype(np.float64) * self.spread + self.mean, self.highest))
        return np.asarray(powers * smear - _SMALL + self.zero, dtype=np.float32)


def _log(y: Codes, zero: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.log(np.maximum(y.astype(np.float64) - zero, 0) + _SMALL)


@dataclass(frozen=True)
class LogModel:
    """A model of logarithms, the way back, and a factor for the mean."""

    of: Model
    scale: Scale
    smear: float

    @property
    def view(self) -> str:
        """Name of the view that the model reads."""
        return self.of.view

    @property
    def row_cost(self) -> float:
        """Microseconds for one row."""
        return self.of.row_cost + 5.0

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        return self.of.bulk_cost + 0.05

    def predict(self, X: F32) -> F32:
        """Predict coded quantities."""
        return self.scale.plain(self.of.predict(X), self.smear)


@dataclass(frozen=True)
class LogPath(Path):
    """The stages of a model of logarithms."""

    models: tuple[LogModel, ...]
    of: Path

    def predictions(self, X: F32) -> F32:
        """Predict rows at each stage, as the path of logarithms does."""
        found = zip(self.of.predictions(X), self.models, strict=True)
        return np.stack([model.scale.plain(z, model.smear) for z, model in found])


def fit_logarithms(fit: Callable[[Work, Params], Path], work: Work, params: Params) -> LogPath:
    """Fit a learner of quantities to their logarithms.

    Parameters
    ----------
    fit : callable
        The learner's fit.
    work, params
        What it is given; the target of `work` is a coded quantity.
    """
    logs = _log(work.y, work.zero)
    spread = float(logs.std()) or 1.0
    scale = Scale(work.zero, float(logs.mean()), spread, float(logs.max()) + 0.1)
    coded = scale.log(work.y)
    held = None if work.y_held is None else scale.log(work.y_held)
    path = fit(replace(work, y=coded, y_held=held), params)
    some = np.random.default_rng(work.seed).permutation(len(coded))[:_SMEARED_ROWS]
    weights = None if work.weights is None else work.weights[some]
    models = []
    for model, z in zip(path.models, path.predictions(work.X[some]), strict=True):
        residuals = (coded[some] - z[:, 0]).astype(np.float64) * spread
        smear = float(np.average(np.exp(np.clip(residuals, -20, 20)), weights=weights))
        models.append(LogModel(model, scale, float(np.clip(smear, 1 / _LARGEST_SMEAR, _LARGEST_SMEAR))))
    return LogPath(path.stages, tuple(models), path)
