"""Explanations find what was planted, and nothing where there is nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from automl_jupyter.engine import AutoMLClassifier, AutoMLRegressor, portfolio
from automl_jupyter.engine.estimators import Evaluation
from automl_jupyter.engine.explain import comparison
from automl_jupyter.engine.explain.association import groups
from automl_jupyter.engine.explain.counterexamples import counterexamples, said_of
from automl_jupyter.engine.explain.dependence import dependence, named
from automl_jupyter.engine.explain.ground import Ground, ground_of
from automl_jupyter.engine.explain.importance import importance
from automl_jupyter.engine.explain.segments import segments
from automl_jupyter.engine.explain.shapley import Explainer, overview
from automl_jupyter.engine.explain.witnesses import take

pytestmark = pytest.mark.slow


def silent(done: float) -> None:
    assert 0 <= done <= 1


def table(n=1200, seed=0):
    """Two numbers that act together, a copy of a third, a category, a moment, words, and noise."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({name: rng.normal(size=n) for name in ("a", "b", "c", "noise", "more noise")})
    X["copy"] = X["c"] + 0.05 * rng.normal(size=n)
    X["kind"] = rng.choice(["red", "green", "blue"], n)
    X["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    X.loc[rng.random(n) < 0.05, ["c", "kind"]] = None
    value = 2 * X["a"] * X["b"] + X["copy"] + 1.5 * (X["kind"] == "red")
    return X, value + rng.normal(size=n), rng


@pytest.fixture(scope="module")
def few():
    """Candidates of several kinds, among them a forest and neighbours; quick."""
    names = ("lightgbm_quick", "linear", "forest", "neighbours", "stumps")
    chosen = tuple(c for c in portfolio.PORTFOLIO if c.name in names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portfolio, "PORTFOLIO", chosen)
        yield


@pytest.fixture(scope="module")
def quantity(few):
    X, y, _ = table()
    return ground_of(AutoMLRegressor(time_budget=200, max_trials=5, random_state=1).fit(X, y.rename("y")), X)


@pytest.fixture(scope="module")
def classes(few):
    X, y, rng = table(seed=3)
    label = pd.Series(np.where(y > 0.5, "high", "low"), name="y")
    X["leak"] = (label == "high") + 0.4 * rng.normal(size=len(X))
    return ground_of(AutoMLClassifier(time_budget=200, max_trials=5, random_state=1).fit(X, label), X)


def test_those_who_are_asked_have_not_seen_the_rows(quantity):
    assert quantity.witnesses.share > 0.9
    rows = np.arange(len(quantity))
    said = quantity.judge(quantity.cells, rows)
    truth = quantity.truth
    honest = np.mean((quantity.predictions - truth) ** 2)
    served = quantity.ask(quantity.cells)[:, 0]
    assert np.mean((said - truth) ** 2) == pytest.approx(honest, rel=0.1)
    assert np.mean((served - truth) ** 2) < 0.95 * honest
    # Rows may come in any order, and more than once.
    some = np.array([5, 900, 5])
    np.testing.assert_allclose(quantity.judge(take(quantity.cells, some), some), said[some], atol=1e-4)


def test_columns_that_say_the_same_are_shuffled_together(quantity):
    found = groups(quantity.cells, quantity.columns, np.arange(len(quantity)))
    names = [{quantity.columns[i].name for i in group} for group in found]
    assert {"c", "copy"} in names
    assert all(len(group) == 1 for group in names if group != {"c", "copy"})


def test_what_matters_is_told_from_noise(quantity):
    found = importance(quantity, 3.0, silent)
    worth = {group.columns: group for group in found.groups}
    noise = max(worth[("noise",)].interval[1], worth[("more noise",)].interval[1])
    for name in (("a",), ("b",), ("c", "copy"), ("kind",)):
        assert worth[name].interval[0] > noise
    assert worth[("noise",)].interval[0] <= 0
    assert worth[("when",)].drop < noise + 0.02
    assert found.score < 0


def test_a_leak_is_on_top(classes):
    assert importance(classes, 2.0, silent).groups[0].columns == ("leak",)
    top = overview(classes, 1.0, silent).mean_size
    assert classes.columns[int(top[:, 0].argmax())].name == "leak"


@pytest.mark.parametrize("answering", ["ensemble", "fast"])
@pytest.mark.parametrize("which", ["quantity", "classes"])
def test_contributions_add_up_to_the_answer(which, answering, request):
    ground: Ground = request.getfixturevalue(which)
    if answering == "fast" and ground.model.fast_ is None:
        pytest.fail("there is no quick model to look at")
    cells = take(ground.cells, np.arange(4))
    found = Explainer.of(ground, 0.02).explain(cells, answering)
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), found.said, atol=1e-5)
    np.testing.assert_allclose(found.said, ground.ask(cells, answering), atol=1e-4)


def test_what_is_exact_and_what_is_sampled_agree(quantity):
    cells = take(quantity.cells, np.arange(10))
    exact = Explainer.of(quantity, 0.02).explain(cells, "fast").values[:, :, 0]
    ground = quantity
    sampled = Explainer.of(ground, 1.0)._walk(lambda c: ground.ask(c, "fast"), cells, 64, 0)[0][:, :, 0]
    assert np.corrcoef(exact.ravel(), sampled.ravel())[0, 1] > 0.9


def test_errors_are_as_large_as_what_other_paths_say_differs(quantity):
    explainer, cells = Explainer.of(quantity, 60.0), take(quantity.cells, np.arange(8))
    found = [explainer.explain(cells, seed=seed) for seed in range(0, 8000, 1000)]
    spread = np.stack([one.values for one in found]).std(axis=0, ddof=1)
    told = np.sqrt(np.mean([one.errors**2 for one in found], axis=0))
    # Paths begin at half of the usual rows, which are few: the errors are of more rows than there are.
    assert (spread.mean(axis=(0, 2)) < 1.2 * told.mean(axis=(0, 2))).all()
    assert (told.mean(axis=(0, 2)) < 3 * spread.mean(axis=(0, 2))).all()


def test_an_interaction_is_seen(quantity):
    found = dependence(quantity, named(quantity.columns, "a"))
    assert found.together_with[0][0] == "b"
    alone = dependence(quantity, named(quantity.columns, "kind"))
    assert alone.differs < found.differs / 2
    assert alone.together_with == ()
    by_kind = dict(zip(alone.values, alone.mean[:, 0], strict=True))
    assert by_kind["red"] - by_kind["blue"] == pytest.approx(1.5, abs=0.5)


def test_counterexamples_are_near_and_otherwise(classes):
    said = said_of(classes)
    (found,) = counterexamples(classes, take(classes.cells, np.array([7])), said[[7]])
    assert len(found) == 3
    assert all(example.predicted != said[7] for example in found)
    assert [e.distance for e in found] == sorted(e.distance for e in found)


def planted(model, n, seed, weak):
    """Rows with made residuals: noise of one size, or twice as large where a is high and kind is red."""
    X, _, rng = table(n, seed)
    cells = ground_of(model, X).cells if model.evaluation_.rows is None else None
    assert cells is None
    from automl_jupyter.engine import columns

    cells, _ = columns.read_frame(model.preprocessor_.plan, X)
    size = np.where((X["a"] > 0.3) & (X["kind"] == "red"), 2.5, 1.0) if weak else 1.0
    truth = rng.normal(size=n)
    return Ground(model, cells, np.arange(n, dtype=np.int32), truth, truth + size * rng.normal(size=n))


def test_a_weak_segment_is_found_and_none_where_there_is_none(quantity):
    found = segments(planted(quantity.model, 3000, 11, weak=True))
    told = [{c.column for c in item.conditions} for item in found.items]
    assert {"a", "kind"} in told
    worst = found.items[0]
    assert worst.inside > 1.5 * worst.outside
    assert worst.interval[0] > 0
    alarms = sum(bool(segments(planted(quantity.model, 1500, s, weak=False)).items) for s in range(40))
    assert alarms <= 4


class TestComparison:
    def test_a_better_version_is_told_from_a_worse_one(self, quantity):
        better = quantity.model
        worse = AutoMLRegressor()
        worse.__dict__.update(better.__dict__)
        old = better.evaluation_
        noisy = old.predictions + np.random.default_rng(0).normal(size=len(old.predictions))
        worse.evaluation_ = Evaluation(old.truth, noisy, old.rows, old.part, old.order)
        found = comparison.on_same_table(worse, better)
        assert found.interval[0] > 0
        assert found.rows == len(old.rows)
        assert comparison.on_same_table(better, worse).interval[1] < 0

    def test_other_tables_are_compared_on_rows_that_are_new(self, quantity):
        X, y, _ = table()
        before = X.assign(y=y)
        after, fresh, _ = table(seed=9)
        joined = pd.concat([before, after.assign(y=fresh)], ignore_index=True)
        model = AutoMLRegressor(time_budget=20, max_trials=1, n_jobs=1).fit(
            joined.drop(columns="y"), joined["y"]
        )
        found = comparison.on_new_rows(quantity.model, model, before, joined)
        assert found.rows == 1200
        assert found.agreement > 0.5
