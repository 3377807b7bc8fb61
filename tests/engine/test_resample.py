"""How rows are divided: no group on both sides, nothing learnt from what comes later."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from automl_jupyter.engine import metrics, resample
from automl_jupyter.engine.metrics import Judge
from automl_jupyter.engine.task import Target
from automl_jupyter.errors import Unprocessable

seeds = st.integers(0, 2**31 - 2)


@given(
    seed=seeds,
    n=st.integers(10, 400),
    groups=st.integers(2, 60),
    k=st.integers(2, 8),
    task=st.sampled_from(["binary", "multiclass", "regression"]),
)
@settings(deadline=None, max_examples=80)
def test_a_group_is_in_one_fold_and_every_row_is_predicted_once(seed, n, groups, k, task):
    r = np.random.default_rng(seed)
    group = np.unique(r.integers(0, groups, n), return_inverse=True)[1]
    if group.max() < 1:
        group[0] = group.max() + 1
        group = np.unique(group, return_inverse=True)[1]
    codes = r.normal(size=n).astype(np.float32) if task == "regression" else r.integers(0, 3, n)
    folds = resample.divide(codes, task, k, seed, groups=group)
    assert np.array_equal(folds.part, resample.divide(codes, task, k, seed, groups=group).part)
    assert set(folds.part) == set(range(folds.k))
    for fold in range(folds.k):
        rows, held = folds.split(fold)
        assert not set(group[rows]) & set(group[held])
        assert len(rows)
        assert len(held)
        fit, check = resample.inner_split(codes[rows], task, seed, groups=group[rows])
        assert len(fit)
        assert sorted([*fit, *check]) == list(range(len(rows)))
        if len(np.unique(group[rows])) > 2 and len(rows) > 20 and task == "regression":
            assert not set(group[rows][fit]) & set(group[rows][check])
    assert np.array_equal(folds.predicted, np.arange(n))
    assert np.array_equal(folds.judged, np.arange(n))


@given(
    seed=seeds,
    n=st.integers(10, 400),
    times=st.integers(3, 300),
    k=st.integers(2, 8),
    gaps=st.floats(0, 0.3),
)
@settings(deadline=None, max_examples=80)
def test_nothing_is_predicted_from_what_comes_later(seed, n, times, k, gaps):
    r = np.random.default_rng(seed)
    time = r.integers(0, times, n).astype(np.float64)
    time[:3] = [0, 1, 2]
    time[3:][r.random(n - 3) < gaps] = np.nan
    folds = resample.by_time(time, k)
    assert 2 <= folds.k <= k or folds.k == 2
    for fold in range(folds.k):
        rows, held = folds.split(fold)
        assert len(rows)
        assert len(held)
        assert np.nanmax(time[rows]) < np.nanmin(time[held])
        assert not np.isnan(time[rows]).any()
        fit, check = resample.inner_split(time[rows], "regression", seed, time=time[rows])
        assert not len(check) or time[rows][fit].max() <= time[rows][check].min()
    oldest = folds.part == -1
    known = np.isfinite(time)
    # Every row that has a past is predicted.
    assert set(folds.predicted) == set(np.flatnonzero(known & ~oldest))
    assert set(folds.judged) < set(folds.predicted)
    assert len(folds.choosers(0)) == 0
    for fold in range(1, folds.k):
        assert time[folds.choosers(fold)].max() < time[folds.split(fold)[1]].min()


def test_blocks_are_of_about_equal_size():
    folds = resample.by_time(np.random.default_rng(0).random(900), 5)
    sizes = np.bincount(folds.part + 1)
    assert len(sizes) == 6
    assert sizes.max() - sizes.min() <= 1


def test_classes_are_as_well_spread_as_those_of_scikit_learn():
    r = np.random.default_rng(0)
    worse = []
    for seed in range(10):
        group = np.unique(r.integers(0, 70, 1200), return_inverse=True)[1]
        y = (r.random(1200) < r.beta(1, 3, 70)[group]).astype(np.int64)
        ours = resample.by_groups(y, group, "binary", 5, seed).part
        theirs = np.empty(len(y))
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        for fold, (_, held) in enumerate(splitter.split(y, y, group)):
            theirs[held] = fold
        spread = [np.std([y[part == f].mean() for f in range(5)]) for part in (ours, theirs)]
        sizes = np.bincount(ours)
        assert sizes.max() < 1.25 * sizes.min()
        worse.append(spread[0] - spread[1])
    assert np.mean(worse) < 0.01


def test_rows_of_one_class_after_the_oldest_are_refused():
    codes = np.r_[np.tile([0, 1], 10), np.zeros(200, np.int64)]
    with pytest.raises(Unprocessable) as caught:
        resample.divide(codes, "binary", 5, 0, time=np.arange(220.0))
    assert caught.value.code == "engine.time_of_one_class"


def test_the_interval_is_that_of_groups_where_rows_are_alike():
    """Intervals by groups hold the truth about as often as they say; those by rows hardly ever do."""
    kept = {"groups": 0, "rows": 0}
    for seed in range(60):
        r = np.random.default_rng(seed)
        group = np.repeat(np.arange(60), 20)
        right = (r.random(60) < 0.7)[group]  # a model that is right about whole groups
        y = r.integers(0, 2, len(group))
        q = np.where(right, y, 1 - y)
        raw = np.column_stack([1 - q, q]).astype(np.float32)
        target = Target("binary", np.array([0, 1]))
        for name, clusters in (("groups", group), ("rows", None)):
            judged = Judge(metrics.get("accuracy"), target, y, seed, None, clusters).judge(raw)
            kept[name] += judged.interval[0] <= 0.7 <= judged.interval[1]
    assert kept["groups"] >= 48
    assert kept["rows"] <= 35
