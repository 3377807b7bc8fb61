"""Errors of predictions, lower is better: 1 − AUC for two classes, log-loss for more, RMSE for quantities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

LEAST = 1e-15
Floats = npt.NDArray[np.float64]


def by_class(classes: Sequence[str], answer: Floats, wanted: Sequence[str]) -> Floats:
    """Probabilities of shape (n, K) with a column for each wanted class, almost 0 where none is given."""
    full = np.full((len(answer), len(wanted)), LEAST)
    places = {name: i for i, name in enumerate(wanted)}
    for column, name in enumerate(classes):
        full[:, places[name]] = answer[:, column]
    return full


def per_row(task: str, truth: npt.NDArray[np.generic], answer: Floats) -> Floats:
    """What each row adds to the error: squared differences, or the logarithm's loss, of shape (n,).

    Parameters
    ----------
    task : str
        ``multiclass`` or ``regression``; the other one has no such sum.
    truth : ndarray of shape (n,)
        Places of classes, or quantities.
    answer : ndarray of shape (n, K) or (n,)
        Probabilities, or quantities.
    """
    if task == "regression":
        return (truth.astype(float) - answer) ** 2
    kept = np.clip(answer, LEAST, 1)
    kept = kept / kept.sum(axis=1, keepdims=True)
    return np.asarray(-np.log(kept[np.arange(len(truth)), truth.astype(int)]))


def error(task: str, truth: npt.NDArray[np.generic], answer: Floats) -> float:
    """The error, of the same arguments and for two classes as well."""
    if task == "binary":
        return 1 - float(roc_auc_score(truth.astype(int), answer[:, 1]))
    mean = float(np.mean(per_row(task, truth, answer)))
    return mean**0.5 if task == "regression" else mean


def of_run(
    task: str, truth: Sequence[str] | Sequence[float], classes: Sequence[str] | None, answer: Floats
) -> tuple[npt.NDArray[np.generic], Floats]:
    """Truth and answer as :func:`error` takes them, from the words and columns of a run."""
    if task == "regression" or classes is None:
        return np.asarray(truth, dtype=float), np.asarray(answer, dtype=float).ravel()
    words = [str(word) for word in truth]
    wanted = sorted({*classes, *words})
    places = {name: i for i, name in enumerate(wanted)}
    codes = np.asarray([places[word] for word in words])
    return codes, by_class(classes, answer, wanted)


def resampled(
    task: str, truth: npt.NDArray[np.generic], answer: Floats, seed: int, times: int = 200
) -> Floats:
    """Errors of rows drawn with replacement, of shape (times,): how much the error depends on the rows.

    Draws in which a class of two does not occur are left out.
    """
    dice = np.random.default_rng(seed)
    found = []
    for _ in range(times):
        rows = dice.integers(0, len(truth), len(truth))
        if task == "binary" and len(np.unique(truth[rows])) < 2:
            continue
        found.append(error(task, truth[rows], answer[rows]))
    return np.asarray(found)
