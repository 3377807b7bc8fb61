"""What every learner owes: honest parts, the same answer for a row alone, nothing left to chance."""

import pickle
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from automl_jupyter.engine import columns, distill, fitting, persist, preprocess, resample, task
from automl_jupyter.engine.fitting import LEARNERS, Material
from automl_jupyter.engine.learners import Clock, OutOfTime
from automl_jupyter.engine.trials import FinishedTrial, Trial

CURVES = {"strengths": (0.01, 0.1, 1.0), "steps": 50}
FAMILIES = {
    "lightgbm": (
        "lightgbm",
        {"learning_rate": 0.1, "num_leaves": 8, "min_data_in_leaf": 5, "rounds": 60, "patience": 10},
    ),
    "linear": ("linear", CURVES),
    "curves": ("spline", {**CURVES, "pairs": 0.0}),
    "pairs": ("spline", {**CURVES, "pairs": 0.3}),
    "kernel": ("kernel", {**CURVES, "landmarks": 150, "width": 1.0, "shape": "gauss"}),
    "kernel_sharp": ("kernel", {**CURVES, "landmarks": 150, "width": 1.0, "shape": "laplace"}),
    "neighbours": ("neighbours", {"counts": (3, 8, 20)}),
    "forest": ("forest", {"trees": 10, "min_samples_leaf": 3, "max_features": 0.5}),
    "extra": ("forest", {"trees": 10, "min_samples_leaf": 2, "max_features": 0.9, "splitter": "random"}),
}
"""Quick settings of each family."""

TASKS = ("binary", "multiclass", "regression")
FOREVER = Clock(np.inf, np.inf)


def table(n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "a": rng.normal(0, 1, n),
            "b": rng.normal(5, 2, n),
            "flat": np.r_[np.zeros(n - 1), 1.0],
            "kind": rng.choice(["red", "green", "blue"], n),
        }
    )
    value = X["a"] ** 2 + 0.5 * X["b"] + 2 * (X["kind"] == "red") + rng.normal(0, 0.3, n)
    X.loc[rng.random(n) < 0.1, ["a", "kind"]] = None
    return X, value


def material(kind, n=300, k=3, **more):
    X, value = table(n)
    y = value if kind == "regression" else pd.qcut(value, 2 if kind == "binary" else 4, labels=False)
    plan = columns.layout(columns.learn(X))
    cells, _ = columns.read_frame(plan, X)
    _, views = preprocess.fit(plan, cells)
    target, codes = task.encode(y, kind)
    return Material(views, codes, target, (resample.divide(codes, kind, k, 0),), 0, **more)


def fitted(family, of, clock=FOREVER):
    name, params = FAMILIES[family]
    learner = LEARNERS[name]
    parts = [learner.fit_part(of, params, i, clock) for i in range(learner.parts(of.folds, params))]
    return fitting.join(parts, fitting.fit_baseline(of)[1], of)


def loss(of, q):
    if of.target.task == "regression":
        return float(np.mean((q[:, 0] - of.codes) ** 2))
    return float(-np.mean(np.log(np.maximum(q[np.arange(len(q)), of.codes], 1e-6))))


@pytest.mark.parametrize("kind", TASKS)
def test_who_is_taught_is_served_as_one_model_for_as_long_as_the_folds_find_best(kind):
    of = material(kind)
    pool = []
    for name in ("linear", "forest"):
        models, q = fitted(name, of)
        pool.append(FinishedTrial(Trial(name, FAMILIES[name][0]), models, q))
    of = replace(of, teacher=distill.teacher_of(pool, [0.5, 0.5], of.folds, kind))
    learner, params = LEARNERS["distilled"], FAMILIES["lightgbm"][1]
    parts = [learner.fit_part(of, params, i, FOREVER) for i in range(learner.parts(of.folds, params))]
    judged = fitting.join(parts, fitting.fit_baseline(of)[1], of)[1]
    assert loss(of, judged) < loss(of, fitting.fit_baseline(of)[1])

    rounds = fitting.best_stage(parts, of)
    assert rounds in {stage for part in parts for stage in part.stages}
    served = {**params, "stages": (rounds,)}
    assert learner.parts(of.folds, served) == 1
    one, two = (
        learner.fit_part(of, {**served, "num_threads": threads}, 0, FOREVER).models for threads in (1, 2)
    )
    assert [model.rounds for model in one] == [rounds]
    assert np.array_equal(one[0].predict(of.views["tree"]), two[0].predict(of.views["tree"]))
    with pytest.raises(OutOfTime):
        learner.fit_part(of, served, 0, Clock(0.0, 0.0))


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_learner_beats_the_baseline_and_is_the_same_again(family, kind):
    of = material(kind)
    models, q = fitted(family, of)
    assert q.shape == (300, of.target.width)
    assert q.dtype == np.float32
    baseline = loss(of, fitting.fit_baseline(of)[1])
    assert loss(of, q) < (0.95 if family in ("linear", "neighbours") else 0.75) * baseline
    if kind != "regression":
        assert np.allclose(q.sum(axis=1), 1, atol=1e-5)
    again, same = fitted(family, of)
    assert np.array_equal(q, same)
    for one, other in zip(models, again, strict=True):
        rows = of.views[one.view]
        assert np.array_equal(one.predict(rows), other.predict(rows))


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_alone_gives_what_it_gives_among_others_also_after_reading_back(family, kind):
    of = material(kind)
    for model in fitted(family, of)[0]:
        rows = of.views[model.view]
        whole = model.predict(rows)
        for i in range(0, 300, 13):
            assert np.array_equal(model.predict(rows[i : i + 1])[0], whole[i])
        assert np.array_equal(persist.loads(pickle.dumps(model)).predict(rows), whole)
        assert model.row_cost > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_that_weighs_nothing_teaches_nothing(family):
    of = material("regression")
    weights = np.ones(300)
    weights[::3] = 0
    weights *= 300 / weights.sum()
    spoilt = of.codes.copy()
    spoilt[::3] = 30.0
    clean = fitted(family, replace(of, weights=weights))[1]
    whole = fitted(family, replace(of, weights=weights, codes=spoilt))[1]
    plain = fitted(family, replace(of, codes=spoilt))[1]
    kept = np.arange(300) % 3 > 0
    error = [float(np.mean((q[kept, 0] - of.codes[kept]) ** 2)) for q in (clean, whole, plain)]
    assert error[1] < 1.5 * error[0] + 0.1
    assert error[2] > 3 * error[1]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fit_ends_with_the_search_and_keeps_something_when_its_share_is_over(family):
    of = material("multiclass")
    now = time.monotonic()
    with pytest.raises(OutOfTime):
        fitted(family, of, Clock(now - 2, now - 1))
    q = fitted(family, of, Clock(now - 1, now + 60))[1]
    assert np.isfinite(q).all()
