"""Models of several folds that are asked as one."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from automl_jupyter.engine import boosting, kernel, linear, merging, neural
from automl_jupyter.engine.boosting import BoosterModel
from automl_jupyter.engine.learners import Clock, ConstantModel, Work
from automl_jupyter.engine.merging import Share, mean, merged

PARAMS = {"learning_rate": 0.2, "num_leaves": 8, "min_data_in_leaf": 5, "rounds": 60, "patience": 60}


def model(task, seed):
    """Trees of some rows: two numbers and a category."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=(400, 2)), rng.integers(0, 12, 400)]).astype(np.float32)
    signal = X[:, 0] + (X[:, 2] > 5) * X[:, 1]
    y = np.digitize(signal, [-0.5, 0.5]) if task == "multiclass" else signal
    y = (signal > 0) if task == "binary" else y
    width = {"binary": 2, "multiclass": 3, "regression": 1}[task]
    coded = y.astype(np.float32 if task == "regression" else np.int32)
    work = Work(X, coded, task, width, 2, seed, Clock(np.inf, np.inf))
    return boosting.fit_boosting(work, PARAMS).models[-1 - seed]


def rows(n):
    rng = np.random.default_rng(99)
    found = np.column_stack([rng.normal(size=(n, 2)), rng.integers(0, 14, n)])
    found[::7, 0] = np.nan
    return found.astype(np.float32)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_together_they_say_what_each_says_and_the_mean_is_one_call(task):
    alone = [model(task, seed) for seed in range(3)]
    joined = merged(alone)
    assert len({id(share.trees) for share in joined}) == 1
    X = rows(500)
    for one, share in zip(alone, joined, strict=True):
        assert np.allclose(one.predict(X), share.predict(X), atol=1e-6)
    raw = sum(one.trees.raw(X, 0, one.rounds, one.leaves) for one in alone) / np.float32(3)
    assert np.allclose(mean(joined, X), boosting.answer(raw, task), atol=1e-6)
    again = pickle.loads(pickle.dumps(joined))
    assert np.array_equal(mean(again, X), mean(joined, X))
    # Fewer than all of them are not the mean of all.
    assert np.allclose(mean(joined[:2], X), (alone[0].predict(X) + alone[1].predict(X)) / 2, atol=1e-6)
    assert merging.row_cost(alone) == pytest.approx(sum(share.row_cost for share in joined))


def test_a_few_rows_and_many_are_answered_alike(monkeypatch):
    monkeypatch.setattr(boosting, "BLOCK_LEAVES", 100)
    joined = merged([model("multiclass", seed) for seed in range(3)])
    X = rows(200)
    few = np.vstack([mean(joined, X[i : i + 20]) for i in range(0, 200, 20)])
    assert np.allclose(mean(joined, X), few, atol=1e-6)


def test_threads_that_ask_for_different_rounds_do_not_disturb_each_other(monkeypatch):
    monkeypatch.setattr(boosting, "BLOCK_LEAVES", 50)
    joined = merged([model("regression", seed) for seed in range(3)])
    parts = [rows(60 + 40 * i) for i in range(8)]
    asked = [(share, X) for X in parts for share in joined]
    expected = [share.predict(X) for share, X in asked]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda a: a[0].predict(a[1]), asked * 5))
    assert all(np.array_equal(a, b) for a, b in zip(found, expected * 5, strict=True))


NETWORK = {
    "hidden": (16, 8),
    "members": 3,
    "rate": 0.01,
    "decay": 0.02,
    "dropout": 0.1,
    "epochs": 3,
}
FITS = {
    "linear": (linear.fit_linear, {"strengths": (0.1, 3.0), "steps": 60}),
    "gauss": (kernel.fit_kernel, {"landmarks": 60, "width": 1.0, "shape": "gauss"}),
    "laplace": (kernel.fit_kernel, {"landmarks": 60, "width": 0.5, "shape": "laplace"}),
    "neural": (neural.fit_neural, {**NETWORK, "bins": 0}),
    "neural_bins": (neural.fit_neural, {**NETWORK, "bins": 6}),
}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("name", FITS)
def test_one_product_is_the_mean_of_all(name, task):
    rng = np.random.default_rng(3)
    fit, params = FITS[name]
    alone = []
    for seed in range(4):
        X = rng.normal(size=(90 + seed, 5)).astype(np.float32)
        X[:, seed] = np.round(X[:, seed], 1)
        y = {
            "binary": X[:, 0] > 0,
            "multiclass": np.digitize(X[:, 0], [-0.5, 0.5]),
            "regression": X[:, 0],
        }[task]
        width = {"binary": 2, "multiclass": 3, "regression": 1}[task]
        coded = y.astype(np.float32 if task == "regression" else np.int32)
        work = Work(X, coded, task, width, 5, seed, Clock(np.inf, np.inf))
        alone.append(fit(work, {"strengths": (0.1, 3.0), "steps": 60, **params}).models[-1])
    joined = merged(alone)
    X = rng.normal(size=(140, 5)).astype(np.float32)
    answers = [one.predict(X) for one in alone]
    assert mean(joined, X) == pytest.approx(np.mean(answers, axis=0), abs=1e-5)
    # Each is still there.
    for part, answer in zip(joined, answers, strict=True):
        assert part.predict(X) == pytest.approx(answer, abs=1e-5)
    assert mean(joined[:2], X) == pytest.approx((answers[0] + answers[1]) / 2, abs=1e-5)
    # A row alone, and what is read back, give the same.
    again = pickle.loads(pickle.dumps(joined))
    assert np.vstack([mean(again, row[None]) for row in X]) == pytest.approx(mean(joined, X), abs=1e-6)
    assert mean(joined, X[:0]).shape == (0, width)
    # Networks that read less than others are widened.
    assert merging.row_cost(alone) == pytest.approx(sum(part.row_cost for part in joined), rel=0.1)
    bulk = sum(part.bulk_cost for part in joined)
    assert bulk == pytest.approx(sum(one.bulk_cost for one in alone), rel=0.1)
    assert merged(alone[:1]) == tuple(alone[:1])


def test_what_cannot_be_joined_stays_as_it_is():
    constant = ConstantModel(np.array([1.0], np.float32))
    assert merged([constant, constant]) == (constant, constant)
    one = model("regression", 0)
    assert isinstance(merged([one])[0], BoosterModel)
    assert isinstance(merged([one, model("regression", 1)])[0], Share)
