"""More rows help where there is more to learn, and the curve says so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from automl_jupyter.engine import AutoMLClassifier, AutoMLRegressor, portfolio
from automl_jupyter.engine.explain.learning import Thinned, learning_curve
from automl_jupyter.engine.resample import make_folds
from automl_jupyter.engine.retrace import retrace
from automl_jupyter.errors import Unprocessable


@pytest.fixture
def only(monkeypatch):
    """Have a search try one candidate alone."""

    def limit(name):
        found = tuple(c for c in portfolio.PORTFOLIO if c.name == name)
        monkeypatch.setattr(portfolio, "PORTFOLIO", found)

    return limit


def curve_of(model, X, y, seconds=60.0, **given):
    done = []
    found = learning_curve(model, retrace(model, X, y, **given), seconds, done.append)
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1.0)
    return found


def test_the_last_point_is_the_line_of_the_leaderboard(only):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(800, 3)), columns=list("abc"))
    y = pd.Series(X["a"] * X["b"] + rng.normal(0, 0.2, 800), name="y")
    only("lightgbm_quick")
    model = AutoMLRegressor(time_budget=60, max_trials=1).fit(X, y)
    found = curve_of(model, X, y)
    line = next(trial for trial in model.trials_ if trial.name == found.name)
    assert (found.name, found.metric) == ("lightgbm_quick", "neg_root_mean_squared_error")
    assert found.points[-1].score == pytest.approx(line.score, rel=1e-4)
    assert [point.rows for point in found.points][-2:] == [350, 700]
    # A product of two columns takes many rows to learn.
    assert found.points[0].score < found.points[-1].score
    assert found.gain[1] > 0


def test_what_is_learnt_from_few_rows_gains_nothing_by_more(only):
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.normal(size=(600, 2)), columns=list("ab"))
    y = pd.Series(np.where(X["a"] + rng.normal(0, 1, 600) > 0, "yes", "no"), name="y")
    groups = rng.integers(0, 60, 600)
    only("linear")
    model = AutoMLClassifier(time_budget=60, max_trials=1).fit(X, y, groups=groups)
    found = curve_of(model, X, y, groups=groups)
    assert found.gain[1] < 0 < found.gain[2]
    assert all(point.interval[0] <= point.score <= point.interval[1] for point in found.points)


def test_parts_are_within_each_other_and_never_hold_what_is_judged():
    codes = np.zeros(100, np.float32)
    folds, order = make_folds(codes, "regression", 5, 0), np.random.default_rng(0).permutation(100)
    before: set[int] = set()
    for used in (0.25, 0.5, 1.0):
        thin = Thinned(folds.k, folds.part, used=used, order=order)
        rows, held = thin.split(2)
        assert len(rows) == 80 * used
        assert before <= set(rows.tolist())
        assert not set(rows.tolist()) & set(held.tolist())
        assert np.array_equal(held, folds.split(2)[1])
        before = set(rows.tolist())


def test_without_time_there_is_no_curve(only):
    rng = np.random.default_rng(2)
    X = pd.DataFrame({"a": rng.normal(size=200)})
    only("linear")
    model = AutoMLRegressor(time_budget=60, max_trials=1).fit(X, X["a"].rename("y"))
    with pytest.raises(Unprocessable) as caught:
        learning_curve(model, retrace(model, X, X["a"].rename("y")), 0.0, lambda done: None)
    assert caught.value.code == "engine.learning_nothing"
