"""Which class is named: thresholds for the metric, honest for the score."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from automl_jupyter.engine import AutoMLClassifier, decision, metrics

RARE = 0.12


def rare(n=3000, seed=0):
    """Probabilities of a rare class, and what happened."""
    rng = np.random.default_rng(seed)
    p = np.clip(rng.beta(1, 7, n), 1e-3, 1 - 1e-3)
    return (rng.random(n) < p).astype(np.int32), np.column_stack([1 - p, p])


@pytest.mark.parametrize("name", sorted(decision.BY_COUNTS))
def test_a_threshold_is_as_good_as_the_best_one(name):
    y, q = rare()
    metric = metrics.get(name)
    factors = decision.choose(name, y, q, np.ones(len(y)), metric.score)
    tried = [metric.score(y, decision.decided(q, np.array([t, 1 - t]))) for t in np.linspace(0.02, 0.98, 97)]
    assert metric.score(y, decision.decided(q, factors)) >= max(tried) - 0.02
    assert metric.score(y, decision.decided(q, factors)) >= metric.score(y, q) - 0.005


def test_weights_move_the_threshold():
    y, q = rare()
    score = metrics.get("f1").score
    usual = decision.choose("accuracy", y, q, np.ones(len(y)), score)
    positives_count = decision.choose("accuracy", y, q, np.where(y == 1, 10.0, 1.0), score)
    assert positives_count[0] < usual[0]


def test_rare_classes_are_named_more_often_where_each_counts_alike():
    rng = np.random.default_rng(1)
    shares = np.array([0.7, 0.25, 0.05])
    y = rng.choice(3, 4000, p=shares)
    q = rng.dirichlet(np.ones(3), len(y)) * 0.7 + 0.3 * np.eye(3)[y]
    q = q * shares
    q /= q.sum(axis=1, keepdims=True)
    metric = metrics.get("balanced_accuracy")
    factors = decision.choose("balanced_accuracy", y, q, np.ones(len(y)), metric.score)
    assert factors[2] > factors[0]
    assert metric.score(y, decision.decided(q, factors)) > metric.score(y, q) + 0.05


@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_what_is_decided_are_probabilities_that_cross_one_half_at_the_threshold(shares, threshold):
    p = np.array(shares)
    turned = decision.decided(np.column_stack([1 - p, p]), np.array([threshold, 1 - threshold]))
    assert turned.sum(axis=1) == pytest.approx(np.ones(len(p)))
    clear = abs(p - threshold) > 1e-9
    assert np.array_equal((turned[:, 1] > 0.5)[clear], (p > threshold)[clear])


def test_other_metrics_name_the_likeliest_class():
    y, q = rare(200)
    for name in ("roc_auc", "neg_log_loss", "average_precision"):
        assert decision.choose(name, y, q, np.ones(200), metrics.get(name).score).tolist() == [1, 1]


def customers(n, seed):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 4))).add_prefix("n")
    chance = 1 / (1 + np.exp(2.6 - 1.3 * X["n0"] - X["n1"]))
    return X, pd.Series(np.where(rng.random(n) < chance, "yes", "no"))


def test_a_classifier_names_classes_by_its_metric_and_reports_that_honestly(one_of_each):
    X, y = customers(1200, 0)
    unseen, truth = customers(6000, 1)
    model = AutoMLClassifier(metric="f1", max_trials=3).fit(X, y)
    f1 = sk.f1_score(truth, model.predict(unseen), pos_label="yes")
    plain = AutoMLClassifier(metric="roc_auc", max_trials=3).fit(X, y)
    assert f1 > sk.f1_score(truth, plain.predict(unseen), pos_label="yes") + 0.03
    low, high = model.interval_
    assert low - 0.02 <= f1 <= high + 0.02
    # Probabilities are those of the same models: only the class that is named differs.
    assert (model.predict(unseen) == "yes").mean() > (plain.predict(unseen) == "yes").mean()
    assert model.predict_proba(unseen)[:, 1].mean() == pytest.approx((truth == "yes").mean(), abs=0.03)
    rows = unseen.head(20).to_dict("records")
    assert model.predict_rows(rows).values == model.predict(unseen.head(20)).tolist()
