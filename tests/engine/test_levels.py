"""The second level, the quick model, weights of rows: what is served, and what is said of it."""

import time

import numpy as np
import pandas as pd
import pytest

from automl_jupyter.engine import AutoMLClassifier, AutoMLRegressor, distill, persist, portfolio
from automl_jupyter.engine.portfolio import PORTFOLIO, STACK
from automl_jupyter.errors import Unprocessable

FOUR = ("lightgbm_quick", "linear", "spline", "neighbours")


@pytest.fixture
def four(monkeypatch):
    """Enough candidates for a second level, all of them quick."""
    monkeypatch.setattr(portfolio, "PORTFOLIO", tuple(c for c in PORTFOLIO if c.name in FOUR))


def waves(n, seed, noise=0.3):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.uniform(-2, 2, (n, 4))).add_prefix("n")
    X["kind"] = rng.choice(["a", "b", "c"], n)
    signal = np.sin(2 * X["n0"]) + X["n1"] * X["n2"] + (X["kind"] == "a")
    return X, signal + rng.normal(0, noise, n)


def rmse(truth, predicted):
    return float(np.sqrt(np.mean((truth - predicted) ** 2)))


@pytest.mark.slow
def test_a_second_level_weighs_the_first_and_a_quick_model_learns_from_it(four, watcher, tmp_path):
    X, y = waves(700, 0)
    unseen, truth = waves(4000, 1)
    seen = watcher()
    model = AutoMLRegressor(max_trials=4).fit(X, y, observer=seen)
    states = {t.name: t.state for t in model.trials_}
    assert {states[c.name] for c in STACK} == {states["fast"]} == {"done"}
    assert [f.trial.name for f in seen.trials].count("fast") == 1
    low, high = model.interval_
    assert low - 0.03 <= -rmse(truth, model.predict(unseen)) <= high + 0.03
    alone = AutoMLRegressor(max_trials=1).fit(X, y)
    assert rmse(truth, model.predict(unseen)) < rmse(truth, alone.predict(unseen))

    quick = AutoMLRegressor(max_trials=4, max_predict_ms=1e-6).fit(X, y)
    board = {t.name: t.score for t in quick.trials_}
    served = rmse(truth, quick.predict(unseen))
    assert quick.predict_frame(unseen.head(2)).answered_by == "fast"
    assert model.predict_frame(unseen.head(2)).answered_by == "ensemble"
    assert model.predict_rows(unseen.head(1).to_dict("records"), 1e-6).answered_by == "fast"
    # Its score is of models that were taught by others than have seen the row: it holds for new rows.
    assert served == pytest.approx(-board["fast"], rel=0.15)
    assert quick.row_milliseconds_["fast"] < quick.row_milliseconds_["ensemble"]

    path = tmp_path / "model.bin"
    again = persist.load(path, persist.save(model, path))
    assert np.array_equal(again.predict(unseen), model.predict(unseen))
    assert np.array_equal(again.predict_frame(unseen, 1e-6).values, model.predict_frame(unseen, 1e-6).values)


def test_a_quick_model_that_was_judged_and_not_made_is_not_served(four, watcher, monkeypatch):
    X, y = waves(300, 0)
    judged, choose = [], distill.served

    def served(*told):
        judged.append(True)
        return choose(*told)

    monkeypatch.setattr(distill, "served", served)
    seen = watcher(stop_when=lambda _: bool(judged))
    model = AutoMLRegressor(max_trials=4).fit(X, y, observer=seen)
    assert [f.trial.state for f in seen.trials if f.trial.name == "fast"] == ["skipped"]
    board = {t.name: t for t in model.trials_}
    assert (board["fast"].state, board["fast"].reason) == ("skipped", "engine.trial_stopped")
    assert board["fast"].fit_seconds > 0
    assert model.fast_ is None
    assert model.predict_rows(X.head(1).to_dict("records"), 1e-6).answered_by == "ensemble"


@pytest.mark.slow
def test_rows_alone_are_answered_as_among_others(four):
    X, y = waves(300, 2)
    labels = pd.Series(np.where(y > 0.5, "high", np.where(y < -0.5, "low", "middle")))
    model = AutoMLClassifier(max_trials=4).fit(X, labels)
    assert model.ensemble_.temperature > 0
    together = model.predict_proba(X.head(40))
    alone = np.vstack([model.predict_proba(X.iloc[[i]]) for i in range(40)])
    assert np.abs(together - alone).max() < 1e-5


@pytest.mark.alone
@pytest.mark.slow
def test_what_is_left_of_the_time_goes_to_repeats(four, watcher):
    X, y = waves(300, 3)
    seen = watcher()
    AutoMLRegressor(time_budget=12, n_jobs=2).fit(X, y, observer=seen)
    repeats = {f.trial.name: f.repeats for f in seen.trials if f.predictions is not None}
    assert max(repeats.values()) > 1
    # A trial that was repeated is told again, with the mean of its predictions and all of its models.
    name = max(repeats, key=repeats.get)
    told = [f for f in seen.trials if f.trial.name == name]
    assert [f.repeats for f in told] == list(range(1, repeats[name] + 1))
    assert len(told[1].models) == 2 * len(told[0].models) or name == "neighbours"


@pytest.mark.alone
@pytest.mark.slow
def test_a_resumed_search_repeats_on(four, watcher):
    X, y = waves(300, 3)
    before = watcher()
    AutoMLRegressor(time_budget=12, n_jobs=2).fit(X, y, observer=before)
    latest = {f.trial.name: f for f in before.trials}
    after = watcher(known=[f for f in latest.values() if f.trial.name in FOUR])
    began = time.monotonic()
    AutoMLRegressor(time_budget=12, n_jobs=2).fit(X, y, observer=after, seconds=5)
    assert time.monotonic() - began < 7
    told = {f.trial.name: f.repeats for f in after.trials if f.trial.name in FOUR}
    assert all(told[name] >= latest[name].repeats for name in FOUR)


def test_rows_count_as_much_as_they_weigh(one_of_each):
    rng = np.random.default_rng(4)
    X = pd.DataFrame({"a": rng.normal(size=600), "b": rng.normal(size=600)})
    group = np.arange(600) % 2
    y = pd.Series(np.where(group, X["a"], -X["a"]) + rng.normal(0, 0.1, 600))
    first = AutoMLRegressor(max_trials=3).fit(X, y, sample_weight=np.where(group, 1.0, 0.0))
    assert np.corrcoef(first.predict(X), X["a"])[0, 1] > 0.95
    second = AutoMLRegressor(max_trials=3).fit(X, y, sample_weight=np.where(group, 0.02, 1.0))
    assert np.corrcoef(second.predict(X), X["a"])[0, 1] < -0.9
    # The score is that of the rows that count.
    assert second.score_ > -0.6


def test_a_weight_is_as_good_as_a_repetition(one_of_each):
    X, y = waves(200, 5)
    plain = AutoMLRegressor(max_trials=2, random_state=1).fit(X, y)
    same = AutoMLRegressor(max_trials=2, random_state=1).fit(X, y, sample_weight=np.full(200, 7.0))
    assert plain.predict(X) == pytest.approx(same.predict(X), abs=0.05)


@pytest.mark.parametrize("weights", [[-1.0] + [1.0] * 99, [np.nan] * 100, [0.0] * 100])
def test_weights_that_are_none_are_refused(weights):
    X, y = waves(100, 6)
    with pytest.raises(Unprocessable, match="eights must be numbers"):
        AutoMLRegressor(max_trials=1).fit(X, y, sample_weight=weights)
