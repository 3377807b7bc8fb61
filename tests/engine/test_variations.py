"""Variations of candidates, and what more time is expected to bring."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from automl_jupyter.engine import AutoMLRegressor, outlook, portfolio, variations
from automl_jupyter.engine.outlook import Point
from automl_jupyter.engine.portfolio import PORTFOLIO

ABLE = [c for c in PORTFOLIO if c.family in variations.RANGES]


@given(st.integers(1, 10_000), st.integers(0, 100))
@example(161, 88)
@settings(max_examples=100, deadline=None)
def test_a_variation_stays_within_its_ranges_and_is_the_same_again(number, seed):
    weights = [1.0] * len(PORTFOLIO)
    made = variations.variation(PORTFOLIO, weights, number, seed)
    assert made == variations.variation(PORTFOLIO, weights, number, seed)
    parent = next(c for c in PORTFOLIO if c.name == made.name.partition(variations.MARK)[0])
    assert variations.number_of(made.name) == number
    assert made.params != parent.params
    assert 0 < made.cost < math.inf
    for name, allowed in variations.RANGES[made.family].items():
        if name in made.params and made.params[name] != parent.params.get(name):
            assert allowed.low <= made.params[name] <= allowed.high
            assert isinstance(made.params[name], int) or not allowed.whole
    assert variations.known(PORTFOLIO, made.name, made.params).params == made.params


def test_only_what_is_used_and_can_be_varied_is():
    linear = next(c for c in PORTFOLIO if c.family == "linear")
    assert variations.variation([linear], [1.0], 1, 0) is None
    assert variations.variation(ABLE, [0.0] * len(ABLE), 1, 0) is None
    one = [float(c is ABLE[1]) for c in ABLE]
    names = {variations.variation(ABLE, one, number, 0).name for number in range(1, 20)}
    assert {name.partition(variations.MARK)[0] for name in names} == {ABLE[1].name}
    assert variations.known(PORTFOLIO, "lightgbm", {}) is None


@pytest.mark.slow
def test_a_search_with_time_to_spare_varies_what_it_uses_and_goes_on_from_that(monkeypatch, watcher):
    three = ("lightgbm_quick", "linear", "stumps")
    monkeypatch.setattr(portfolio, "PORTFOLIO", tuple(c for c in PORTFOLIO if c.name in three))
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.uniform(-2, 2, (700, 4))).add_prefix("n")
    y = np.sin(2 * X["n0"]) + X["n1"] * X["n2"] + rng.normal(0, 0.3, len(X))
    # As long as it takes on a busy machine.
    seen = watcher(stop_when=lambda seen: sum(variations.MARK in n for n in seen.done) >= 2 and seen.told)
    model = AutoMLRegressor(time_budget=60, n_jobs=2).fit(X, y, observer=seen)
    varied = {t.name for t in model.trials_ if variations.MARK in t.name and t.state == "done"}
    assert varied
    # Of those that were only planned nothing is said.
    assert all(t.fit_seconds > 0 for t in model.trials_ if variations.MARK in t.name)
    assert [p.seconds for p in model.curve_] == sorted(p.seconds for p in model.curve_)
    assert seen.told
    assert all(0 <= ahead.low <= ahead.gain <= ahead.high <= 1 for ahead in seen.told)

    # Taken up again: none of them is fitted anew, and the next ones have other numbers.
    kept = {f.trial.name: f for f in seen.trials if f.models}
    again = watcher(stop_when=lambda seen: varied <= set(seen.done), known=list(kept.values()))
    AutoMLRegressor(time_budget=60, n_jobs=2).fit(X, y, observer=again)
    for name in varied:
        assert any(f.predictions is kept[name].predictions for f in again.trials if f.trial.name == name)


def curve(power, seconds=(1, 2, 4, 8, 16, 32), floor=0.0):
    return [Point(float(s), floor + s**-power) for s in seconds]


def test_a_steeper_curve_promises_more_and_a_flat_one_little():
    steep, flat = (outlook.outlook(curve(power), 32.0) for power in (0.2, 0.0))
    assert steep.gain > 3 * flat.gain
    assert flat.gain < 0.01
    assert steep.low < steep.gain < steep.high
    assert outlook.outlook(curve(0.2), 320.0).gain > steep.gain
    assert outlook.outlook(curve(0.2)[:2], 32.0) is None
    assert outlook.outlook([Point(1, 1.0), Point(2, 0.5), Point(4, 0.0)], 4.0) is None


def test_the_curve_is_looked_at_less_and_less_often():
    assert not outlook.is_due([], 0.5)
    assert outlook.is_due([], 1.0)
    assert not outlook.is_due([Point(10, 1.0)], 12.0)
    assert outlook.is_due([Point(10, 1.0)], 14.2)
