import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from automl_jupyter import messages
from automl_jupyter.engine import AutoMLClusterer, kmeans, persist
from automl_jupyter.engine.grouping import methods, stability
from automl_jupyter.errors import Unprocessable

pytestmark = pytest.mark.slow


def test_the_number_of_groups_is_found(watcher):
    X, y = make_blobs(400, centers=5, n_features=4, cluster_std=0.7, random_state=2)
    seen = watcher()
    model = AutoMLClusterer(time_budget=20).fit(X, observer=seen)
    assert model.n_clusters_ == 5
    assert adjusted_rand_score(y, model.labels_) > 0.95
    assert (model.predict(X) == model.labels_).all()
    board = model.leaderboard_.set_index("name")
    assert board.index[0] == "kmeans_5"
    assert board.loc["kmeans_5", "tied_with_best"]
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
    assert answer.classes == tuple(range(model.n_clusters_))
    assert answer.probabilities.sum() == pytest.approx(1)
    assert answer.probabilities[0].argmax() == model.labels_[0]


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
    model = AutoMLClusterer().fit(X, observer=watcher(stop_when=lambda seen: len(seen.done) >= 3))
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


def told(profile, language="en"):
    return [messages.render(t.code, t.params, language) for t in profile.traits]


def test_four_planted_groups_are_found_and_told_apart_in_words():
    rng = np.random.default_rng(0)
    y = np.repeat(range(4), [40, 30, 20, 10])
    centres = np.array([[0, 0, 0], [7, 0, 3], [0, 7, -3], [7, 7, 0]])
    X = pd.DataFrame(centres[y] + rng.normal(size=(100, 3)), columns=["height", "weight", "noise"])
    X["colour"] = np.where(y == 1, "red", rng.choice(["blue", "green"], 100))
    model = AutoMLClusterer(time_budget=200).fit(X)
    assert model.n_clusters_ == 4
    assert model.verdict_ == "groups.clusters_found"
    assert adjusted_rand_score(y, model.labels_) == 1
    assert [p.rows for p in model.profiles_] == [40, 30, 20, 10]
    assert "“colour” is more often “red”: 100 % against 0 % elsewhere" in told(model.profiles_[1])
    assert any(
        text.startswith("«\u00a0weight\u00a0» est plus élevé") for text in told(model.profiles_[2], "fr")
    )
    assert min(p.found_again for p in model.profiles_) > 0.9
    chosen = next(e for e in model.evidence_ if e.chosen)
    assert (chosen.groups, chosen.name) == (4, model.trials_[0].name)
    assert chosen.strength > 0.9
    assert chosen.noise < chosen.silhouette
    new = pd.DataFrame({"height": [7, 3.5], "weight": [0, 3.5], "noise": [3, 0], "colour": ["red", "blue"]})
    sure = model.predict_proba(new)
    assert sure[0].max() > 0.99
    assert sure[1].max() < sure[0].max()


@pytest.mark.parametrize("kind", ["normal", "even", "skewed", "stretched", "mixed", "answers"])
def test_noise_without_groups_is_told_to_have_none(kind):
    rng = np.random.default_rng(3)
    made = {
        "normal": lambda: rng.normal(size=(120, 3)),
        "even": lambda: rng.random((120, 2)),
        "skewed": lambda: rng.exponential(size=(120, 3)),
        "stretched": lambda: (
            rng.normal(size=(120, 3)) @ np.array([[1, 0.9, 0.8], [0, 0.3, 0.1], [0, 0, 0.3]])
        ),
        "mixed": lambda: rng.normal(size=(120, 2)),
        "answers": lambda: rng.random((120, 3)) > 0.5,
    }[kind]()
    X = pd.DataFrame(made, columns=list("abc")[: made.shape[1]])
    if kind == "mixed":
        X["word"] = rng.choice(["x", "y", "z"], 120)
    model = AutoMLClusterer(time_budget=200).fit(X)
    assert model.n_clusters_ == 1
    assert model.verdict_ == "groups.clusters_none"
    assert model.trials_[0].baseline
    assert set(model.predict(X)) == {0}
    assert messages.render(model.verdict_, {}, "fr").startswith("Pas de groupes")


def test_groups_that_were_asked_for_are_given_with_a_warning_where_there_are_none():
    X = np.random.default_rng(3).normal(size=(120, 3))
    asked = AutoMLClusterer(n_clusters=3, time_budget=200).fit(X)
    assert (asked.n_clusters_, asked.verdict_) == (3, "groups.clusters_as_asked_but_weak")


def test_groups_of_any_shape_are_found():
    X, y = make_moons(400, noise=0.05, random_state=0)
    model = AutoMLClusterer(time_budget=200).fit(X)
    assert adjusted_rand_score(y, model.labels_) > 0.95
    assert model.trials_[0].family == "hdbscan"


@pytest.mark.alone
def test_the_budget_is_kept_on_many_rows():
    X = np.random.default_rng(0).normal(size=(60_000, 20))
    began = time.monotonic()
    model = AutoMLClusterer(time_budget=4).fit(X)
    assert time.monotonic() - began < 5
    assert "engine.trial_out_of_time" in {t.reason for t in model.trials_}


def test_groups_of_real_rows_are_close_to_what_they_are(shared_data, record_property):
    """Penguins: the species, which is not among the columns."""
    table = pd.read_csv(shared_data / "tables" / "penguins.csv")
    model = AutoMLClusterer(time_budget=60).fit(table.drop(columns="species"))
    agreement = adjusted_rand_score(table["species"], model.labels_)
    record_property("adjusted_rand", agreement)
    assert agreement > 0.9


def test_prediction_strength_is_that_of_the_worst_group():
    own, other = np.repeat([0, 1], 10), np.r_[np.zeros(10, int), np.repeat([0, 1], 5)]
    assert stability.prediction_strength(own, own) == 1
    assert stability.prediction_strength(own, other) == pytest.approx(2 * 20 / 90)
    assert stability.overlaps(own, other, 2) == pytest.approx([10 / 15, 5 / 10])


def test_rows_between_dense_places_are_unsure():
    X = np.vstack([np.zeros((20, 2)), np.full((20, 2), 4.0), [[2.0, 2.0]]])
    found = methods.examples(X, np.r_[np.zeros(20, int), np.ones(20, int), -1])
    shares = found.memberships(np.array([[0.1, 0.0], [2.0, 2.0]]))
    assert shares[0] == pytest.approx([1, 0])
    assert shares[1].max() < 0.6


@pytest.mark.parametrize("family", ["kmeans", "mixture", "mixture_oval", "ward", "hdbscan"])
def test_each_way_of_grouping_is_saved_and_read_back(tmp_path, monkeypatch, family):
    X = load_iris(as_frame=True).data
    X["word"] = np.where(X.iloc[:, 2] > 3, "long", "short")
    one = methods.Candidate(family, 5 if family == "hdbscan" else 2)
    monkeypatch.setattr(methods, "candidates", lambda rows, n_groups: [one])
    model = AutoMLClusterer(time_budget=200).fit(X)
    assert model.n_clusters_ == 2
    back = persist.load(tmp_path / "model", persist.save(model, tmp_path / "model"))
    assert np.array_equal(back.predict_proba(X), model.predict_proba(X))
    assert back.profiles_ == model.profiles_
    assert back.evidence_ == model.evidence_
