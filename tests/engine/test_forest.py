"""Forests: one row goes through all trees at once, and comes to the same leaves."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from automl_jupyter.engine import forest, merging
from automl_jupyter.engine.learners import Clock, Work

WIDTHS = {"binary": 2, "multiclass": 4, "regression": 1}


def rows(n, seed=0):
    """Two numbers, one of them missing at times, and a category."""
    rng = np.random.default_rng(seed)
    found = np.column_stack([rng.normal(size=(n, 2)), rng.integers(0, 9, n)])
    found[::5, 0] = np.nan
    return found.astype(np.float32)


def grown(task, splitter="best", trees=12):
    X = rows(300)
    signal = np.nan_to_num(X[:, 0], nan=0.7) + (X[:, 2] > 4) * X[:, 1]
    y = signal if task == "regression" else np.digitize(signal, np.linspace(-0.5, 1, WIDTHS[task] - 1))
    coded = y.astype(np.float32 if task == "regression" else np.int32)
    work = Work(X, coded, task, WIDTHS[task], 2, 0, Clock(np.inf, np.inf))
    params = {"trees": trees, "min_samples_leaf": 2, "max_features": 1.0, "splitter": splitter}
    return forest.fit_forest(work, params)[0]


@pytest.mark.parametrize("splitter", ["best", "random"])
@pytest.mark.parametrize("task", WIDTHS)
def test_a_row_alone_is_told_to_the_last_digit_what_it_is_told_among_others(task, splitter):
    model, X = grown(task, splitter), rows(60, seed=1)
    together = model.predict(X)
    assert together.shape == (60, WIDTHS[task])
    assert np.array_equal(np.concatenate([model.predict(X[i : i + 1]) for i in range(60)]), together)
    assert np.array_equal(model.predict(X[: forest.FEW_ROWS]), together[: forest.FEW_ROWS])


def test_a_tree_that_is_a_leaf_alone_says_the_same_to_everybody():
    model = grown("regression", trees=2)
    stump = forest.ForestModel((_leaf(), *model.trees), model.encoding)
    X = rows(8, seed=2)
    assert np.array_equal(np.concatenate([stump.predict(X[i : i + 1]) for i in range(8)]), stump.predict(X))


def _leaf():
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor().fit(np.zeros((3, 3), np.float32), [1.0, 2.0, 6.0]).tree_


def test_forests_of_all_rows_are_one_and_others_stay_by_themselves():
    several = [forest.plant([grown("multiclass", splitter)]) for splitter in ("best", "random")]
    (one,) = merging.merged(several)
    X = rows(60, seed=1)
    assert np.allclose(one.predict(X), (several[0].predict(X) + several[1].predict(X)) / 2, atol=1e-6)
    assert len(one.bags) == 2
    assert merging.row_cost(several) == one.row_cost < sum(each.row_cost for each in several)
    by_folds = [grown("multiclass"), grown("multiclass", "random")]
    assert merging.merged(by_folds) == tuple(by_folds)


def test_what_one_row_needs_is_not_kept_with_the_model():
    model, X = grown("binary"), rows(1)
    before = len(pickle.dumps(model))
    said = model.predict(X)
    assert len(pickle.dumps(model)) == before
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), said)
