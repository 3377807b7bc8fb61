"""Figures for the tracking server, drawn without a display.

Colours are Okabe and Ito's and matplotlib's cividis, which stay apart for colour-blind readers and in grey.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from automl_jupyter import messages

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from automl_jupyter.engine.cluster import AutoMLClusterer
    from automl_jupyter.engine.estimators import AutoMLClassifier, AutoMLRegressor

    Drawable = AutoMLClassifier | AutoMLRegressor | AutoMLClusterer

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
PALETTE = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MOST_CLASSES, MOST_POINTS = 15, 3000

F64 = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]


class _Say(Protocol):
    def __call__(self, what: str) -> str: ...


def figures(model: Drawable, language: str = "en") -> dict[str, Figure]:
    """Draw what a person wants to see of a fitted model.

    Parameters
    ----------
    model : fitted estimator
        Its own held-out predictions are drawn; no table is needed.
    language : str
        Language of titles and axes, one of :data:`automl_jupyter.messages.LANGUAGES`.

    Returns
    -------
    dict of str to matplotlib.figure.Figure
        ``confusion_matrix`` and ``roc`` for classes (ROC up to seven classes), ``predicted_vs_true`` and
        ``residuals`` for quantities, ``cluster_sizes`` for clusters.
    """

    def say(what: str) -> str:
        return messages.render(f"engine.plot_{what}", {}, language)

    if model.contract_.task == "clustering":
        return {"cluster_sizes": _figure(lambda axes: _cluster_sizes(axes, model.labels_, say))}
    truth, predictions = model.evaluation_.truth, model.evaluation_.predictions
    if model.contract_.task == "regression":
        return {
            "predicted_vs_true": _figure(lambda axes: _predicted(axes, truth, predictions, say)),
            "residuals": _figure(lambda axes: _residuals(axes, truth, predictions, say)),
        }
    names = [str(label) for label in model.contract_.classes]
    drawn = {"confusion_matrix": _figure(lambda axes: _confusion(axes, truth, predictions, names, say))}
    if len(names) <= len(PALETTE):
        drawn["roc"] = _figure(lambda axes: _roc(axes, truth, predictions, names, say))
    return drawn


def _figure(draw: Callable[[Axes], None]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure.add_subplot())
    return figure


def _confusion(axes: Axes, truth: npt.NDArray[np.generic], q: F64, names: Sequence[str], say: _Say) -> None:
    true, predicted, shown = _fewer(truth.astype(np.intp), q.argmax(axis=1), names, say("other"))
    k = len(shown)
    table = np.bincount(true * k + predicted, minlength=k * k).reshape(k, k)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(share, cmap="cividis", vmin=0, vmax=1)
    axes.figure.colorbar(image, ax=axes, fraction=0.046)
    for i in range(k):
        for j in range(k):
            colour = "black" if share[i, j] > 0.5 else "white"
            axes.text(
                j, i, f"{table[i, j]}", ha="center", va="center", color=colour, fontsize=9 if k < 8 else 6
            )
    labels = [name if len(name) <= 18 else f"{name[:17]}…" for name in shown]
    axes.set_xticks(range(k), labels, rotation=45 if k > 3 else 0, ha="right" if k > 3 else "center")
    axes.set_yticks(range(k), labels)
    axes.set(title=say("confusion"), xlabel=say("predicted"), ylabel=say("true"))


def _fewer(true: Codes, predicted: Codes, names: Sequence[str], other: str) -> tuple[Codes, Codes, list[str]]:
    """Join all but the most frequent classes into one where there are too many to read."""
    if len(names) <= MOST_CLASSES:
        return true, predicted, list(names)
    frequent = np.sort(
        np.argsort(-np.bincount(true, minlength=len(names)), kind="stable")[: MOST_CLASSES - 1]
    )
    place = np.full(len(names), MOST_CLASSES - 1)
    place[frequent] = np.arange(len(frequent))
    return place[true], place[predicted], [*(names[i] for i in frequent), other]


def _roc(axes: Axes, truth: npt.NDArray[np.generic], q: F64, names: Sequence[str], say: _Say) -> None:
    which: Mapping[int, str] = {1: names[1]} if len(names) == 2 else dict(enumerate(names))
    for (code, name), colour in zip(which.items(), PALETTE, strict=False):
        order = np.argsort(-q[:, code], kind="stable")
        hits = (truth[order] == code).astype(np.float64)
        # Points within a run of equal scores are not thresholds.
        last = np.r_[np.diff(q[order, code]) != 0, True]
        true_positives = np.cumsum(hits)[last] / max(hits.sum(), 1)
        false_positives = np.cumsum(1 - hits)[last] / max((1 - hits).sum(), 1)
        axes.plot(np.r_[0, false_positives], np.r_[0, true_positives], color=colour, label=name)
    axes.plot([0, 1], [0, 1], linestyle="--", color=GREY, label=say("chance"))
    axes.set(title=say("roc"), xlabel=say("false_positives"), ylabel=say("true_positives"))
    axes.set_aspect("equal")
    axes.legend(loc="lower right")


def _points(truth: npt.NDArray[np.generic], predictions: F64) -> tuple[F64, F64]:
    step = max(1, len(truth) // MOST_POINTS)
    return truth[::step].astype(np.float64), predictions[::step]


def _predicted(axes: Axes, truth: npt.NDArray[np.generic], predictions: F64, say: _Say) -> None:
    true, predicted = _points(truth, predictions)
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    axes.scatter(true, predicted, s=9, alpha=0.4, color=BLUE, edgecolors="none")
    axes.plot(ends, ends, linestyle="--", color=GREY)
    axes.set(title=say("fit"), xlabel=say("true"), ylabel=say("predicted"))


def _residuals(axes: Axes, truth: npt.NDArray[np.generic], predictions: F64, say: _Say) -> None:
    true, predicted = _points(truth, predictions)
    axes.scatter(predicted, true - predicted, s=9, alpha=0.4, color=BLUE, edgecolors="none")
    axes.axhline(0, linestyle="--", color=GREY)
    axes.set(title=say("residuals"), xlabel=say("predicted"), ylabel=say("error"))


def _cluster_sizes(axes: Axes, labels: Codes, say: _Say) -> None:
    sizes = np.bincount(labels)
    bars = axes.bar(range(len(sizes)), sizes, color=BLUE)
    axes.bar_label(bars)
    axes.set_xticks(range(len(sizes)))
    axes.set(title=say("clusters"), xlabel=say("cluster"), ylabel=say("rows"))
