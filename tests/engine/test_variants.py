"""Learners that read what others do not: logarithms, words, categories by their targets."""

import pickle

import numpy as np
import pandas as pd
import pytest

from automl_jupyter.engine import columns, encoding, fitting, persist, preprocess, resample, skewed, task
from automl_jupyter.engine.fitting import LEARNERS, Material
from automl_jupyter.engine.learners import Clock

FOREVER = Clock(np.inf, np.inf)
LINEAR = {"strengths": (0.1, 1.0, 10.0, 100.0), "steps": 60}


def material(X, y, kind, k=4):
    plan = columns.layout(columns.learn(X))
    cells, _ = columns.read_frame(plan, X)
    _, views = preprocess.fit(plan, cells)
    target, codes = task.encode(pd.Series(y), kind)
    return Material(views, codes, target, (resample.divide(codes, kind, k, 0),), 0)


def fitted(family, params, of):
    learner = LEARNERS[family]
    parts = [learner.fit_part(of, params, i, FOREVER) for i in range(learner.parts(of.folds, params))]
    return fitting.join(parts, fitting.fit_baseline(of)[1], of)


@pytest.fixture
def prices():
    """Quantities that are products of what the columns say."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(0, 1, (500, 3)), columns=list("abc"))
    return X, 1000 * np.exp(X["a"] + 0.5 * X["b"] + rng.normal(0, 0.3, 500))


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
def test_logarithms_serve_skewed_quantities_whatever_their_unit(prices, unit):
    X, y = prices
    of = material(X, y * unit, "regression")
    assert skewed.is_skewed(of.target, of.codes)
    models, logs = fitted("linear", {**LINEAR, "target": "log"}, of)
    _, plain = fitted("linear", LINEAR, of)
    errors = [float(np.mean((q[:, 0] - of.codes) ** 2)) for q in (logs, plain)]
    assert errors[0] < 0.5 * errors[1]
    assert logs.mean() == pytest.approx(0, abs=0.05)
    rows = of.views["linear"]
    back = persist.loads(pickle.dumps(models[0]))
    assert np.array_equal(back.predict(rows), models[0].predict(rows))
    assert np.array_equal(back.predict(rows[3:4])[0], back.predict(rows)[3])


def test_what_is_negative_or_even_is_not_skewed(prices):
    X, y = prices
    for other in (y - 2000, -y, np.log(y)):
        of = material(X, other, "regression")
        assert not skewed.is_skewed(of.target, of.codes)
    classes = material(X, y > 1000, "binary")
    assert not skewed.is_skewed(classes.target, classes.codes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_words_find_what_is_said_in_texts(kind):
    rng = np.random.default_rng(1)
    filler = ["late", "good", "poor", "fast", "calm", "loud", "blue", "warm", "train", "house"]
    texts = [" ".join(rng.choice(filler, 8)) for _ in range(400)]
    said = rng.random(400) < 0.4
    marks = rng.choice(["refund", "refunded", "Refunds!"], 400)
    texts = [f"{t} {mark}" if s else t for t, s, mark in zip(texts, said, marks, strict=True)]
    X = pd.DataFrame({"text": texts, "n": rng.normal(0, 1, 400)})
    y = said if kind == "binary" else said + 0.3 * X["n"] + rng.normal(0, 0.05, 400)
    of = material(X, y, kind)
    models, q = fitted("words", LINEAR, of)
    if kind == "binary":
        assert ((q[:, 1] > 0.5) == said).mean() > 0.98
    else:
        assert float(np.mean((q[:, 0] - of.codes) ** 2)) < 0.1
    rows = of.views["words"]
    back = persist.loads(pickle.dumps(models[0]))
    assert np.array_equal(back.predict(rows), models[0].predict(rows))
    assert np.array_equal(back.predict(rows[5:6])[0], back.predict(rows)[5])
    bare = persist.loads(pickle.dumps(of.bare()))
    assert (bare.views["words"] != rows).nnz == 0


def test_training_rows_are_encoded_without_their_own_target():
    rng = np.random.default_rng(2)
    X = pd.DataFrame({"n": rng.normal(0, 1, 300), "who": [f"w{i % 100}" for i in range(300)]})
    of = material(X, rng.normal(0, 1, 300), "regression")
    work = of.work(None, "tree", 0, FOREVER)
    encoded, rows = encoding.encode_categories(work)
    assert rows.shape == (300, 2)
    assert abs(np.corrcoef(rows[:, 1], work.y)[0, 1]) < 0.3 < np.corrcoef(encoded(work.X)[:, 1], work.y)[0, 1]
    new = work.X[:1].copy()
    new[0, 1] = 5000
    assert encoded(new)[0, 1] == pytest.approx(work.y.mean(), abs=1e-6)


def test_forests_of_groups_keep_the_encoding_of_their_own_fold(prices):
    X, y = prices
    X = X.assign(kind=np.where(X["c"] > 0, "u", "v"))
    of = material(X, y, "regression")
    folds = resample.divide(of.codes, "regression", 4, 0, groups=np.arange(500) % 25)
    by_groups = Material(of.views, of.codes, of.target, (folds,), 0)
    params = {"trees": 5, "min_samples_leaf": 3, "max_features": 0.7}
    assert len(fitted("forest", params, of)[0]) == 1
    models, q = fitted("forest", params, by_groups)
    assert len(models) == 4
    mean = np.mean([m.predict(of.views["tree"]) for m in models], axis=0)
    assert np.mean((mean[:, 0] - of.codes) ** 2) < np.mean((q[:, 0] - of.codes) ** 2)


def test_what_comes_round_again_is_near_its_beginning_in_the_linear_view():
    when = pd.Timestamp("2021-01-01") + pd.to_timedelta(np.arange(0, 24 * 300, 7), unit="h")
    X = pd.DataFrame({"when": when, "n": np.arange(len(when))})
    X.loc[3, "when"] = None
    of = material(X, np.arange(len(when)) % 2, "binary")
    cycles = of.views.of.cycles
    assert [period for _, period in cycles] == [7.0, 365.25, 24.0]
    view = of.views["linear"]
    at = view.shape[1] - 2 * len(cycles)
    hours = of.views.numbers[:, cycles[2][0]]
    late, early = (int(np.flatnonzero(hours == hour)[0]) for hour in (23, 0))
    assert np.abs(view[late, at + 4 :] - view[early, at + 4 :]).max() < 0.3
    assert (view[3, at:] == 0).all()
    assert np.allclose((view[late, at:].reshape(-1, 2) ** 2).sum(axis=1), 1, atol=1e-5)


def test_ranks_make_skewed_columns_even():
    rng = np.random.default_rng(3)
    X = pd.DataFrame(
        {"tail": np.exp(3 * rng.normal(0, 1, 400)), "mostly": np.r_[np.zeros(300), rng.random(100)]}
    )
    of = material(X, rng.normal(0, 1, 400), "regression")
    view = of.views["normal"]
    assert np.abs(view).max() < 5
    assert view.std(axis=0) == pytest.approx([1, 1], abs=0.15)
    order = np.argsort(X["tail"].to_numpy(), kind="stable")
    assert (np.diff(view[order, 0]) >= 0).all()
    far = X.assign(tail=1e12)
    cells, _ = columns.read_frame(of.views.of.plan, far)
    assert of.views.of.views(cells)["normal"][0, 0] == view[:, 0].max()
