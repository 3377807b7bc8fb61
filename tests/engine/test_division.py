"""Planted tables on which a random division praises a model, and what the search says when told."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score, root_mean_squared_error

from automl_jupyter.engine import AutoMLClassifier, AutoMLClusterer, AutoMLRegressor, persist
from automl_jupyter.engine.contract import Contract
from automl_jupyter.errors import Unprocessable

QUICK = {"time_budget": 60, "max_trials": 3, "n_jobs": 2}


def patients(seed, count, visits=10):
    """Rows of patients: `a` to `c` recognise a patient, `pulse` alone says something of another one."""
    r = np.random.default_rng(seed)
    patient = np.repeat(np.arange(count), visits)
    ill = r.integers(0, 2, count)[patient]
    table = pd.DataFrame(r.normal(size=(count, 3))[patient], columns=list("abc"))
    table["pulse"] = 0.8 * ill + r.normal(size=len(patient))
    return table, pd.Series(ill, name="ill"), pd.Series([f"P{p}" for p in patient], name="patient")


@pytest.mark.slow
def test_scores_by_groups_hold_for_new_groups():
    X, y, patient = patients(0, 80)
    new_X, new_y, _ = patients(99, 3000, 2)
    flattered = AutoMLClassifier(**QUICK).fit(X, y)
    truth = roc_auc_score(new_y, flattered.predict_proba(new_X)[:, 1])
    assert flattered.score_ > 0.99
    assert truth < 0.8
    honest = AutoMLClassifier(**QUICK).fit(X, y, groups=patient)
    truth = roc_auc_score(new_y, honest.predict_proba(new_X)[:, 1])
    low, high = honest.interval_
    assert low - 0.02 <= truth <= high + 0.02
    assert abs(honest.score_ - truth) < 0.12
    assert len(honest.evaluation_.truth) == len(y)


@pytest.mark.slow
def test_forests_by_groups_are_not_judged_out_of_the_bag(one_of_each):
    X, y, patient = patients(1, 60)
    model = AutoMLClassifier(**QUICK).fit(X, y, groups=patient)
    scores = {trial.name: trial.score for trial in model.trials_}
    assert all(score < 0.85 for score in scores.values())
    assert scores["forest"] > 0.4


def drifting(rows=1000, later=200):
    """A level that moves slowly: rows of the same weeks tell it, earlier ones do not."""
    r = np.random.default_rng(3)
    t = np.arange(rows + later)
    level = 0.02 * t + 4 * np.sin(t / 40)
    table = pd.DataFrame({"day": pd.Timestamp("2021-01-01") + pd.to_timedelta(t, "D")})
    table["x"] = r.normal(size=len(t))
    value = pd.Series(level + table["x"] + 0.3 * r.normal(size=len(t)), name="value")
    shuffled = r.permutation(rows)
    return table, value, shuffled, t[rows:]


@pytest.mark.slow
def test_scores_in_order_of_time_hold_for_what_comes_next():
    table, value, past, future = drifting()
    errors = {}
    for name, time in (("random", None), ("time", table["day"][past])):
        model = AutoMLRegressor(**QUICK).fit(table.loc[past], value[past], time=time)
        truth = root_mean_squared_error(value[future], model.predict(table.loc[future]))
        errors[name] = (-model.score_, truth, -model.interval_[1], -model.interval_[0])
    said, truth, _, _ = errors["random"]
    assert said < 0.5 * truth
    said, truth, low, high = errors["time"]
    assert 0.6 * low <= truth <= 1.5 * high
    # What is served has learnt from all rows, as well as what was judged did from the past.
    assert truth < 1.2 * errors["random"][1]


@pytest.mark.slow
def test_in_order_of_time_every_family_is_judged_and_one_model_is_served(one_of_each, watcher):
    table, value, past, _ = drifting(400)
    when = table["day"][past].astype(str)
    when.iloc[:7] = None
    seen = watcher()
    model = AutoMLRegressor(**QUICK).fit(table.loc[past, ["x"]], value[past], time=when, observer=seen)
    done = [f for f in seen.trials if f.trial.state == "done"]
    assert {f.trial.name for f in done} == {
        "baseline",
        "lightgbm_quick",
        "linear",
        "forest",
        "ensemble",
    }
    assert all(len(f.models) == 1 for f in done if f.trial.name != "ensemble")
    assert all(np.isfinite(f.predictions).all() for f in done)
    assert 200 < len(model.evaluation_.truth) < 400


def test_other_folds_are_another_search(mixed, watcher, one_of_each):
    X, y = mixed
    before = watcher()
    AutoMLRegressor(**QUICK).fit(X, y, observer=before)
    marks = {f.fingerprint for f in before.trials if f.fingerprint}
    for more in ({"groups": np.arange(len(y)) % 30}, {"time": X["when"]}):
        again = watcher()
        AutoMLRegressor(**QUICK).fit(X, y, observer=again, **more)
        assert not marks & {f.fingerprint for f in again.trials}


@pytest.mark.slow
def test_repeated_rows_flatter_unless_they_are_learnt_from_once():
    r = np.random.default_rng(0)
    X = pd.DataFrame(r.normal(size=(150, 4)), columns=list("abcd"))
    y = pd.Series(np.where(X["a"] + 1.5 * r.normal(size=150) > 0, "yes", "no"), name="y")
    new_X = pd.DataFrame(r.normal(size=(5000, 4)), columns=list("abcd"))
    new_y = new_X["a"] + 1.5 * r.normal(size=5000) > 0
    places = np.repeat(np.arange(150), 6)
    repeated = X.iloc[places].reset_index(drop=True), y.iloc[places].reset_index(drop=True)
    flattered = AutoMLClassifier(**QUICK).fit(*repeated)
    once = AutoMLClassifier(**QUICK).fit(*repeated, drop_duplicates=True)
    truth = roc_auc_score(new_y, once.predict_proba(new_X)[:, 1])
    assert flattered.score_ > 0.95
    assert abs(once.score_ - truth) < 0.1
    assert len(once.evaluation_.truth) == 150
    plain = AutoMLClassifier(**QUICK).fit(X, y)
    assert once.score_ == plain.score_


def marked(rows=300):
    r = np.random.default_rng(5)
    table = pd.DataFrame({"weight": r.normal(70, 10, rows), "city": r.choice(["Lyon", "Oslo"], rows)})
    table["day"] = pd.Timestamp("2022-01-01") + pd.to_timedelta(r.integers(0, 300, rows), "D")
    table["count"] = r.integers(0, 50, rows)
    y = pd.Series(table["weight"] + 5 * (table["city"] == "Oslo") + r.normal(size=rows), name="y")
    gone = {name: r.random(rows) < 0.2 for name in table}
    holes, signs = table.astype({"count": float}), table.copy()
    for name, value in (
        ("weight", -999),
        ("city", "n/a"),
        ("day", pd.Timestamp("1900-01-01")),
        ("count", 9999),
    ):
        holes.loc[gone[name], name] = None
        signs.loc[gone[name], name] = value
    marks = {"weight": ["-999"], "city": ["n/a"], "day": ["1900-01-01"], "count": [9999]}
    return holes, signs, y, marks


def test_a_value_that_stands_for_none_is_none_when_learning_and_predicting(one_of_each, tmp_path):
    holes, signs, y, marks = marked()
    plain = AutoMLRegressor(**QUICK).fit(holes, y)
    model = AutoMLRegressor(**QUICK).fit(signs, y, missing_values=marks)
    assert model.score_ == plain.score_
    by_name = {column.name: column for column in model.contract_.columns}
    assert by_name["weight"].lowest > 0
    assert by_name["count"].highest < 51
    assert "n/a" not in by_name["city"].categories
    persist.load(tmp_path / "m", persist.save(model, tmp_path / "m"))
    assert Contract.from_dict(json.loads(json.dumps(model.contract_.to_dict()))) == model.contract_

    assert np.array_equal(model.predict(signs), plain.predict(holes))
    whole = model.predict_frame(signs)
    assert not any(whole.warnings)
    rows = [
        {name: value.isoformat() if name == "day" else value for name, value in row.items()}
        for row in signs.head(40).to_dict("records")
    ]
    alone = [model.predict_rows([row]) for row in rows]
    assert [one.values[0] for one in alone] == whole.values[:40]
    assert not any(one.warnings[0] for one in alone)
    typed = {"weight": "-999.0", "city": " n/a ", "day": "1900-01-01", "count": "9999"}
    empty = dict.fromkeys(typed)
    said, none = model.predict_rows([typed]), model.predict_rows([empty])
    assert said.values == none.values
    assert said.warnings == none.warnings == [[]]


def test_words_among_numbers_that_mean_none_leave_numbers(one_of_each):
    r = np.random.default_rng(0)
    numbers = r.normal(size=200)
    words = [f"{v:.3f}" if u > 0.2 else "none yet" for v, u in zip(numbers, r.random(200), strict=True)]
    X = pd.DataFrame({"a": words, "b": r.normal(size=200)})
    model = AutoMLRegressor(**QUICK).fit(X, numbers, missing_values={"a": ["none yet"]})
    assert {column.name: column.kind for column in model.contract_.columns}["a"] == "numeric"


def test_clusters_are_those_of_the_rows_without_repetition():
    r = np.random.default_rng(0)
    X = pd.DataFrame(np.vstack([r.normal(c, 0.2, (40, 2)) for c in (0, 3)]), columns=list("ab"))
    X.loc[3, "a"] = -999
    places = np.r_[np.arange(80), np.zeros(200, int)]
    repeated = X.iloc[places].reset_index(drop=True)
    model = AutoMLClusterer(time_budget=20, max_trials=2).fit(
        repeated, drop_duplicates=True, missing_values={"a": [-999]}
    )
    assert len(model.labels_) == 280
    assert model.n_clusters_ == 2
    assert len(set(model.labels_[80:])) == 1
    assert np.array_equal(model.labels_, model.predict(repeated))


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"groups": np.zeros(240)}, "groups", "engine.one_group"),
        ({"time": np.arange(240) % 2}, "time_column", "engine.too_few_times"),
        ({"time": ["soon", "late"] * 120}, "time_column", "engine.not_a_time"),
        ({"time": np.arange(240), "groups": np.arange(240)}, "time_column", "engine.groups_and_time"),
        ({"missing_values": {"siz": [0]}}, "missing_values.siz", "engine.unknown_column"),
    ],
)
def test_what_cannot_divide_rows_is_refused(mixed, more, field, code):
    with pytest.raises(Unprocessable) as caught:
        AutoMLRegressor(time_budget=5).fit(*mixed, **more)
    assert caught.value.code == code
    assert caught.value.errors[0].field == field


def test_groups_of_another_length_are_refused(mixed):
    with pytest.raises(ValueError, match="inconsistent"):
        AutoMLRegressor(time_budget=5).fit(*mixed, groups=[1, 2, 3])


def test_rows_without_a_group_are_groups_of_their_own(mixed, one_of_each):
    X, y = mixed
    groups = pd.Series(["a", "b", None, None] * 60)
    model = AutoMLRegressor(**QUICK).fit(X, y, groups=groups)
    assert np.isfinite(model.score_)
