"""Intervals hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.model_selection import train_test_split

from automl_jupyter.engine import AutoMLRegressor
from automl_jupyter.engine.conformal import bands_of


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("noise", ["even", "uneven", "skewed"])
def test_new_rows_of_one_kind_are_covered(noise, coverage):
    rng = np.random.default_rng(0)
    held = []
    for _ in range(40):
        said = rng.uniform(0, 10, 3000)
        errors = {
            "even": rng.normal(size=3000),
            "uneven": (0.1 + said) * rng.normal(size=3000),
            "skewed": rng.exponential(size=3000),
        }[noise]
        bands = bands_of((said + errors)[:1500], said[:1500], coverage)
        low, high = bands.around(said[1500:]).T
        inside = (low <= (said + errors)[1500:]) & ((said + errors)[1500:] <= high)
        held.append(inside.mean())
    assert np.mean(held) == pytest.approx(coverage, abs=0.02)


def test_they_are_wide_where_errors_are_large():
    rng = np.random.default_rng(0)
    said = rng.uniform(0, 10, 3000)
    bands = bands_of(said + said * rng.normal(size=3000), said)
    narrow, wide = bands.around(np.array([1.0, 9.0]))
    assert np.ptp(wide) > 4 * np.ptp(narrow)


def test_few_and_equal_predictions_have_intervals_as_well():
    for said in (np.zeros(5), np.zeros(2000), np.repeat([0.0, 1.0], 1000)):
        truth = said + np.linspace(-1, 1, len(said))
        bands = bands_of(truth, said)
        low, high = bands.around(said).T
        assert ((low <= truth) & (truth <= high)).mean() >= 0.85


def tables():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    yield "diabetes", X, y
    A, b = make_friedman1(2000, noise=2.0, random_state=0)
    yield "friedman", pd.DataFrame(A), pd.Series(b)
    rng = np.random.default_rng(1)
    C = pd.DataFrame({"x": rng.uniform(0, 3, 2000), "c": rng.choice(["u", "v"], 2000)})
    yield "skewed", C, np.exp(C["x"] + (C["c"] == "u") + 0.4 * rng.normal(size=2000))


@pytest.mark.slow
def test_models_cover_rows_that_they_have_never_seen():
    covered, rows = {}, 0
    for name, X, y in tables():
        X.columns = [str(column) for column in X.columns]
        hits, n = 0, 0
        for seed in range(2):
            A, B, a, b = train_test_split(X, y, test_size=0.4, random_state=seed)
            model = AutoMLRegressor(time_budget=20, max_trials=2, n_jobs=2, random_state=seed).fit(A, a)
            low, high = model.predict_interval(B).T
            hits, n = hits + int(((low <= b) & (b <= high)).sum()), n + len(b)
        covered[name], rows = hits / n, rows + n
    # What chance does with so few rows is allowed for beside the two points.
    for name, share in covered.items():
        assert share == pytest.approx(0.9, abs=0.02 + 0.02), (name, covered)
    assert np.mean(list(covered.values())) == pytest.approx(0.9, abs=0.02)
