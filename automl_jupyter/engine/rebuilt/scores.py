"""How each metric is said with scikit-learn, and how a class is named where the metric depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from automl_jupyter.engine import decision


@dataclass(frozen=True)
class Score:
    """A metric in code.

    Attributes
    ----------
    code : str
        An expression of `true` and of `probabilities`, `named` (classes) or `predicted` (quantities).
    imported : str
        What it needs of sklearn.metrics, if anything.
    defined : str
        The definition of what else it calls.
    """

    code: str
    imported: str = ""
    defined: str = ""


def _of_sklearn(name: str, second: str, before: str = "", further: str = "") -> Score:
    return Score(f"{before}{name}(true, {second}{further})", name)


_AREA = """\
def area_within_folds(true, likely, fold):
    total = pairs = 0
    for k in np.unique(fold):
        positive, some = true[fold == k].mean(), likely[fold == k]
        if 0 < positive < 1:
            here = positive * (1 - positive) * len(some) ** 2
            total, pairs = total + here * roc_auc_score(true[fold == k], some), pairs + here
    return total / pairs if pairs else roc_auc_score(true, likely)
"""

SCORES: Mapping[str, Score] = {
    "roc_auc": Score("area_within_folds(true, probabilities[:, 1], within)", "roc_auc_score", _AREA),
    "average_precision": _of_sklearn("average_precision_score", "probabilities[:, 1]"),
    "neg_brier_score": _of_sklearn("brier_score_loss", "probabilities[:, 1]", "-"),
    "neg_log_loss": Score("np.log(np.clip(probabilities[np.arange(len(true)), true], 1e-7, 1)).mean()"),
    "accuracy": _of_sklearn("accuracy_score", "named"),
    "balanced_accuracy": _of_sklearn("balanced_accuracy_score", "named"),
    "f1": _of_sklearn("f1_score", "named"),
    "f1_macro": _of_sklearn("f1_score", "named", further=', average="macro"'),
    "f1_weighted": _of_sklearn("f1_score", "named", further=', average="weighted"'),
    "matthews_corrcoef": _of_sklearn("matthews_corrcoef", "named"),
    "neg_root_mean_squared_error": _of_sklearn("root_mean_squared_error", "predicted", "-"),
    "neg_mean_absolute_error": _of_sklearn("mean_absolute_error", "predicted", "-"),
    "neg_mean_absolute_percentage_error": _of_sklearn("mean_absolute_percentage_error", "predicted", "-"),
    "r2": _of_sklearn("r2_score", "predicted"),
}

_BY_COUNTS = {
    "accuracy": "(tp + tn) / (tp + fp + fn + tn)",
    "balanced_accuracy": "tp / np.maximum(tp + fn, 1e-12) + tn / np.maximum(tn + fp, 1e-12)",
    "f1": "2 * tp / np.maximum(2 * tp + fp + fn, 1e-12)",
    "matthews_corrcoef": (
        "(tp * tn - fp * fn) / np.sqrt(np.maximum((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn), 1e-12))"
    ),
}

_THRESHOLD = """\
THRESHOLDS = np.linspace(0.01, 0.99, 99)


def factors_of(true, probabilities):
    at = np.searchsorted(THRESHOLDS, probabilities[:, 1], side="right")
    positives = np.bincount(at, true == 1, minlength=100)
    negatives = np.bincount(at, true == 0, minlength=100)
    tp = positives[::-1].cumsum()[::-1][1:]
    fp = negatives[::-1].cumsum()[::-1][1:]
    fn, tn = positives.sum() - tp, negatives.sum() - fp
    scores = @scores@
    smooth = np.convolve(np.pad(scores, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    best = THRESHOLDS[np.argmax(smooth)]
    threshold = best + 0.1 * (0.5 - best)
    return np.array([threshold, 1 - threshold])
"""

_FREQUENCY = """\
def factors_of(true, probabilities):
    shares = np.bincount(true, minlength=WIDTH) + 1.0
    shares /= shares.sum()
    options = [shares**-power for power in (0, 0.25, 0.5, 0.75, 1)]

    def score(factors):
        named = (probabilities * factors).argmax(axis=1)
        return @score@

    return max(options, key=score)
"""


def decided(metric: str, width: int) -> str | None:
    """Code that chooses the factors by which classes are named; None where the likeliest class is."""
    if not decision.matters(metric, width):
        return None
    if width == 2:
        return _THRESHOLD.replace("@scores@", _BY_COUNTS[metric])
    return _FREQUENCY.replace("@score@", SCORES[metric].code)
