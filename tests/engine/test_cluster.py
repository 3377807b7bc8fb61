from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from automl_jupyter.engine import AutoMLClusterer, kmeans
from automl_jupyter.errors import Unprocessable


def test_the_number_of_groups_is_found(watcher):
    X, y = make_blobs(400, centers=5, n_features=4, cluster_std=0.7, random_state=2)
    seen = watcher()
    model = AutoMLClusterer(time_budget=20).fit(X, observer=seen)
    assert model.n_clusters_ == 5
    assert adjusted_rand_score(y, model.labels_) > 0.95
    assert (model.predict(X) == model.labels_).all()
    board = model.leaderboard_.set_index("name")
    assert board.index[0] == "kmeans_5"
    assert board.loc["baseline", "score"] == 0
    assert {f.trial.name for f in seen.trials} == set(board.index)
    low, high = model.interval_
    assert low < model.score_ < high


def test_mixed_columns_are_grouped_and_rows_answered():
    X = load_iris(as_frame=True).data
    X = X.assign(word=np.where(X.iloc[:, 2] > 3, "long", "short"))
    X.iloc[3, 0] = np.nan
    model = AutoMLClusterer(time_budget=20, max_trials=3).fit(X)
    answer = model.predict_rows([{**X.iloc[0].to_dict(), "word": "wide"}])
    assert answer.values == [model.labels_[0]]
    assert [w.code for w in answer.warnings[0]] == ["engine.unseen_category"]
    assert answer.probabilities is None


def test_a_given_number_is_kept_and_an_impossible_one_refused():
    X = load_iris(as_frame=True).data
    assert AutoMLClusterer(n_clusters=4).fit(X).n_clusters_ == 4
    for n in (0, 76):
        with pytest.raises(Unprocessable, match="from 1 to 75"):
            AutoMLClusterer(n_clusters=n).fit(X)
    with pytest.raises(Unprocessable):
        AutoMLClusterer().fit(X.head(5))
    with pytest.raises(Unprocessable):
        AutoMLClusterer().fit(pd.DataFrame({"a": [1] * 20}))


def test_stop_keeps_the_best_so_far(watcher):
    X = load_iris(as_frame=True).data
    model = AutoMLClusterer().fit(X, observer=watcher(stop_after=3))
    assert [t.state for t in model.trials_].count("done") == 3
    assert {t.reason for t in model.trials_ if t.state == "skipped"} == {"engine.trial_stopped"}


def test_trials_of_an_earlier_attempt_are_not_run_again(watcher):
    X = load_iris(as_frame=True).data
    before = watcher()
    whole = AutoMLClusterer(time_budget=60, max_trials=5).fit(X, observer=before)
    marked = [replace(f, trial=replace(f.trial, fit_seconds=123.0)) for f in before.trials[:4]]
    after = AutoMLClusterer(time_budget=60, max_trials=5).fit(X, observer=watcher(known=marked), seconds=30)
    assert [t.fit_seconds == 123.0 for t in after.trials_ if not t.baseline].count(True) == 3
    assert [(t.name, t.score) for t in after.trials_] == [(t.name, t.score) for t in whole.trials_]
    assert np.array_equal(after.labels_, whole.labels_)

    another = AutoMLClusterer(time_budget=60, max_trials=5).fit(X.iloc[::-1], observer=watcher(known=marked))
    assert 123.0 not in {t.fit_seconds for t in another.trials_}


def test_silhouettes_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    labels = np.r_[3, rng.integers(0, 3, 79)]
    distances = np.sqrt(kmeans.squared_distances(X, X))
    assert kmeans.silhouettes(distances, labels) == pytest.approx(silhouette_samples(X, labels), abs=1e-6)
