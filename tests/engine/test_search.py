import threading
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl_jupyter import messages
from automl_jupyter.engine import AutoMLClassifier, AutoMLRegressor, fitting, metrics, portfolio, resample
from automl_jupyter.engine.ensemble import Selector, lighten, to_link
from automl_jupyter.engine.fitting import Learner
from automl_jupyter.engine.portfolio import FAST, PORTFOLIO, STACK, Candidate
from automl_jupyter.engine.task import Target
from automl_jupyter.engine.variations import MARK


def states(model):
    return {trial.name: trial.state for trial in model.trials_}


@pytest.mark.slow
def test_the_leaderboard_is_complete_and_the_observer_hears_of_each_trial(mixed, watcher):
    X, y = mixed
    seen = watcher()
    model = AutoMLRegressor(time_budget=30, n_jobs=2).fit(X, y, observer=seen)
    names = [f.trial.name for f in seen.trials]
    assert names[0] == "baseline"
    assert names[-1] == "ensemble"
    fit_for = [c.name for c in (*portfolio.candidates("regression", len(y), texts=True), *STACK, FAST)]
    assert {name for name in names if MARK not in name} == {*fit_for, "baseline", "ensemble"}
    board = model.leaderboard_
    finished = board[board["state"] == "done"]
    assert len(finished) >= 6
    assert board["state"].iloc[: len(finished)].eq("done").all()
    assert finished["score"].is_monotonic_decreasing
    assert (finished["interval"].map(lambda i: i[0]) <= finished["score"]).all()
    assert board.loc[1, "tied_with_best"]
    assert not board.set_index("name").loc["baseline", "tied_with_best"]
    assert board.set_index("name")["baseline"].sum() == 1
    done = [step for step, _ in seen.steps]
    assert done == sorted(done)
    assert done[-1] == 1
    for language in messages.LANGUAGES:
        assert all(messages.render(code, {}, language) for _, code in seen.steps)
        assert all(
            messages.render(c.why, {}, language) for c in (*PORTFOLIO, *STACK, FAST, portfolio.BASELINE)
        )


def test_a_seed_and_a_number_of_trials_decide_everything(mixed, one_of_each):
    X, y = mixed
    first, second = (
        AutoMLRegressor(time_budget=60, max_trials=3, n_jobs=n, random_state=3).fit(X, y) for n in (1, 3)
    )
    assert [(t.name, t.score, t.interval) for t in first.trials_] == [
        (t.name, t.score, t.interval) for t in second.trials_
    ]
    assert np.array_equal(first.predict(X), second.predict(X))
    other = AutoMLRegressor(time_budget=60, max_trials=3, random_state=4).fit(X, y)
    assert not np.array_equal(first.predict(X), other.predict(X))


def test_trials_of_an_earlier_attempt_are_not_run_again(mixed, watcher, one_of_each):
    X, y = mixed
    before = watcher()
    whole = AutoMLRegressor(time_budget=60, max_trials=3).fit(X, y, observer=before)
    known = [f for f in before.trials if f.trial.name != "linear"]
    # What was kept is taken at its word: a mark in it shows that it was not fitted anew.
    marked = [replace(f, trial=replace(f.trial, fit_seconds=123.0)) for f in known]
    after = AutoMLRegressor(time_budget=60, max_trials=3).fit(X, y, observer=watcher(known=marked))
    times = {t.name: t.fit_seconds for t in after.trials_}
    assert times["lightgbm_quick"] == times["forest"] == 123.0
    assert times["linear"] != 123.0
    assert np.array_equal(whole.predict(X), after.predict(X))

    another = AutoMLRegressor(time_budget=60, max_trials=3).fit(X, y + 1, observer=watcher(known=marked))
    assert 123.0 not in {t.fit_seconds for t in another.trials_}


@pytest.mark.alone
def test_an_attempt_with_less_time_goes_on_by_the_same_plan(mixed, watcher, one_of_each):
    """Folds are chosen by the time of the whole search, not by what is left of it."""
    X, y = mixed
    before = watcher()
    whole = AutoMLRegressor(time_budget=60, max_trials=3).fit(X, y, observer=before)
    began = time.monotonic()
    rest = AutoMLRegressor(time_budget=60, max_trials=3)
    rest.fit(X, y, observer=watcher(known=before.trials), seconds=0.01)
    assert time.monotonic() - began < 5
    assert [t.name for t in rest.trials_] == [t.name for t in whole.trials_]
    assert np.array_equal(whole.predict(X), rest.predict(X))


def test_stop_keeps_the_best_so_far(mixed, watcher):
    X, y = mixed
    seen = watcher(stop_when=lambda seen: len(seen.done) >= 2)
    model = AutoMLRegressor(time_budget=60, n_jobs=1).fit(X, y, observer=seen)
    assert states(model)["lightgbm_quick"] == "done"
    assert states(model)["lightgbm_large"] == "skipped"
    assert {t.reason for t in model.trials_ if t.state == "skipped"} == {"engine.trial_stopped"}
    assert np.isfinite(model.predict(X)).all()


def test_an_observer_that_fails_ends_the_search(mixed, watcher):
    X, y = mixed

    class Full(watcher):
        def trial_finished(self, finished):
            if not finished.trial.baseline:
                raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        AutoMLRegressor(time_budget=60).fit(X, y, observer=Full())
    until = time.monotonic() + 10
    while any(t.name.startswith("automl-search") for t in threading.enumerate()):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_learner_that_fails_costs_its_own_place_only(mixed, monkeypatch):
    X, y = mixed
    broken = Candidate("broken", "lightgbm", {**PORTFOLIO[0].params, "num_leaves": -5})
    monkeypatch.setattr(portfolio, "PORTFOLIO", (broken, PORTFOLIO[0]))
    model = AutoMLRegressor(time_budget=60).fit(X, y)
    assert states(model) == {
        "ensemble": "done",
        "lightgbm_quick": "done",
        "baseline": "done",
        "broken": "failed",
    }
    failed = model.trials_[-1]
    assert failed.reason == "engine.learner_failed"
    assert "num_leaves" in failed.detail


def _never_ends(material, params, part, clock):
    time.sleep(15)
    raise AssertionError("waited for")


@pytest.mark.alone
@pytest.mark.parametrize("estimator", [AutoMLClassifier, AutoMLRegressor])
def test_fit_does_not_wait_for_a_learner_that_ignores_the_clock(mixed, monkeypatch, estimator):
    X, y = mixed
    y = y if estimator is AutoMLRegressor else y > y.median()
    monkeypatch.setattr(fitting, "LEARNERS", {"stuck": Learner(lambda folds, params: 2, _never_ends)})
    monkeypatch.setattr(portfolio, "PORTFOLIO", (Candidate("stuck", "stuck"),))
    began = time.monotonic()
    model = estimator(time_budget=1).fit(X, y)
    assert time.monotonic() - began < 2
    assert states(model) == {"baseline": "done", "ensemble": "done", "stuck": "skipped"}
    assert model.trials_[-1].reason == "engine.trial_out_of_time"
    assert model.score_ == next(t.score for t in model.trials_ if t.baseline)
    model.predict(X)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("budget", [1, 4])
def test_fit_keeps_to_its_budget_on_a_large_table(budget):
    rng = np.random.default_rng(0)
    n = 200_000
    X = pd.DataFrame(rng.normal(size=(n, 20))).add_prefix("n")
    X["word"] = rng.choice(["a", "b", "c", "d"], n)
    y = X["n0"] + X["n1"] * X["n2"] + rng.normal(size=n)
    began = time.monotonic()
    model = AutoMLRegressor(time_budget=budget).fit(X, y)
    assert time.monotonic() - began < budget + 1
    assert states(model)["baseline"] == "done"


@settings(max_examples=50, deadline=None)
@given(n=st.integers(10, 200), k=st.integers(2, 10), classes=st.integers(0, 6), seed=st.integers(0, 999))
def test_folds_are_disjoint_even_and_in_proportion(n, k, classes, seed):
    rng = np.random.default_rng(seed)
    task = "multiclass" if classes else "regression"
    codes = rng.integers(0, classes, n) if classes else rng.normal(size=n)
    folds = resample.make_folds(codes, task, k, seed)
    sizes = np.bincount(folds.part, minlength=folds.k)
    assert sizes.sum() == n
    assert sizes.max() - sizes.min() <= 1
    for fold in range(folds.k):
        rows, held = folds.split(fold)
        assert np.array_equal(np.sort(np.r_[rows, held]), np.arange(n))
        for code in range(classes):
            share = (codes[held] == code).sum() - (codes == code).sum() / folds.k
            assert abs(share) <= 2


@settings(max_examples=30, deadline=None)
@given(models=st.integers(1, 6), k=st.integers(2, 4), seed=st.integers(0, 999))
def test_weights_add_up_to_one_and_the_best_model_is_matched(models, k, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, 120).astype(np.int32)
    raw = rng.random((models, 120, k)) + 0.05
    predictions = (raw / raw.sum(axis=2, keepdims=True)).astype(np.float32)
    metric = metrics.get("neg_log_loss")
    links = [to_link(q, "multiclass") for q in predictions]
    selector = Selector(metric, Target("multiclass", np.arange(k)), y, links, seed, np.inf)
    weights = selector.weights()
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    together = selector.combined(weights, np.arange(120)).astype(np.float64)
    assert together.sum(axis=1) == pytest.approx(np.ones(120), abs=1e-5)
    # Weights of less than 3 % are dropped, hence the tolerance.
    assert metric.score(y, together) >= max(metric.score(y, q) for q in predictions) - 0.01


members = st.tuples(st.floats(0, 1), st.floats(0.01, 2), st.booleans(), st.booleans())


@given(st.lists(members, min_size=1, max_size=8).filter(lambda found: any(m[0] > 0 for m in found)))
def test_an_ensemble_that_is_too_slow_keeps_what_is_worth_its_time(found):
    weights, costs, above, read = (np.array(column) for column in zip(*found, strict=True))
    read &= ~above

    def spent(used):
        return costs[used | (read if (used & above).any() else False)].sum()

    kept = lighten(weights, costs, above, np.flatnonzero(read))
    used = kept & (weights > 0)
    assert used.any()
    assert spent(used) <= 1 or used.sum() == 1
    if spent(weights > 0) <= 1:
        assert kept.all()


def test_the_score_of_noise_is_no_better_than_the_baseline(one_of_each):
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.normal(size=(400, 10))).add_prefix("n")
    y = pd.Series(rng.integers(0, 2, 400))
    model = AutoMLClassifier(time_budget=60).fit(X, y)
    low, high = model.interval_
    assert low < 0.5 < high
