"""Metrics of a person's own: any of scikit-learn's, or a function."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from automl_jupyter.engine import AutoMLClassifier, AutoMLRegressor
from automl_jupyter.engine.scorers import metric_of
from automl_jupyter.errors import Unprocessable

CLASSES = np.array(["no", "yes"])


def some(seed=0, n=200):
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return (rng.random(n) < p).astype(np.int32), np.column_stack([1 - p, p])


def beta(y, q):
    return sk.fbeta_score(y, q[:, 1] > 0.5, beta=2)


def right(true, named):
    return float(np.mean((true == "yes") == (named == "yes")))


@pytest.mark.parametrize(
    ("given", "task", "expected"),
    [
        ("roc_auc", "binary", lambda y, q: sk.roc_auc_score(y, q[:, 1])),
        ("precision", "binary", None),
        ("d2_log_loss_score", "binary", sk.d2_log_loss_score),
        (sk.make_scorer(sk.fbeta_score, beta=2, pos_label="yes"), "binary", beta),
        (right, "binary", lambda y, q: sk.accuracy_score(y, q[:, 1] > 0.5)),
    ],
)
def test_scores_are_scikit_learns(given, task, expected):
    y, q = some()
    if expected is None:
        with pytest.raises(Unprocessable, match="precision"):
            metric_of(given, task, CLASSES)
        return
    metric = metric_of(given, task, CLASSES)
    assert metric.score(y, q) == pytest.approx(expected(y, q))
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 3, len(y)).astype(np.float64)
    rows = np.repeat(np.arange(len(y)), counts.astype(int))
    assert metric.scores(y, q, counts[None])[0] == pytest.approx(expected(y[rows], q[rows]))


@pytest.mark.parametrize("name", ["neg_median_absolute_error", "explained_variance", "neg_max_error"])
def test_quantities_are_scored_by_other_names_as_well(name, mixed, one_of_each):
    X, y = mixed
    model = AutoMLRegressor(metric=name, max_trials=2).fit(X, y)
    low, high = model.interval_
    assert low <= model.score_ <= high
    assert model.score_ > model.trials_[-1].score or model.trials_[0].score >= model.trials_[-1].score


def test_a_function_decides_who_is_best(one_of_each):
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.normal(size=(300, 3))).add_prefix("n")
    y = X["n0"] * 3 + rng.normal(size=300)

    def within_one(true, predicted):
        return float(np.mean(np.abs(true - predicted) < 1))

    model = AutoMLRegressor(metric=within_one, max_trials=3).fit(X, y)
    assert model.metric_ == "within_one"
    assert 0.5 < model.score_ < 0.8
    assert max(t.score for t in model.trials_ if not t.baseline) > 0.5


@pytest.mark.parametrize("metric", ["roc", "r2", 7])
def test_what_does_not_fit_is_refused(metric):
    X = pd.DataFrame({"a": np.arange(40.0)})
    with pytest.raises(Unprocessable) as caught:
        AutoMLClassifier(metric=metric, max_trials=1).fit(X, ["a", "b"] * 20)
    assert caught.value.code == "engine.unknown_metric"
