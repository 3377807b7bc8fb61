import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from automl_jupyter.engine import metrics
from automl_jupyter.engine.admission import METRICS
from automl_jupyter.engine.metrics import Judge
from automl_jupyter.engine.resample import divide
from automl_jupyter.engine.task import Target

PROBABILISTIC = {
    "roc_auc": lambda y, q, w: sk.roc_auc_score(y, q[:, 1], sample_weight=w),
    "average_precision": lambda y, q, w: sk.average_precision_score(y, q[:, 1], sample_weight=w),
    "neg_brier_score": lambda y, q, w: -sk.brier_score_loss(y, q[:, 1], sample_weight=w),
}
LABELLED = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": sk.f1_score,
    "f1_macro": lambda y, p, sample_weight: sk.f1_score(y, p, average="macro", sample_weight=sample_weight),
    "f1_weighted": lambda y, p, sample_weight: sk.f1_score(
        y, p, average="weighted", sample_weight=sample_weight
    ),
    "matthews_corrcoef": sk.matthews_corrcoef,
}
QUANTITIES = {
    "neg_root_mean_squared_error": lambda *a, **k: -sk.root_mean_squared_error(*a, **k),
    "neg_mean_absolute_error": lambda *a, **k: -sk.mean_absolute_error(*a, **k),
    "neg_mean_absolute_percentage_error": lambda *a, **k: -sk.mean_absolute_percentage_error(*a, **k),
    "r2": sk.r2_score,
}


def reference(name, y, q, w):
    if name == "neg_log_loss":
        return -sk.log_loss(y, q, sample_weight=w, labels=range(q.shape[1]))
    if name in PROBABILISTIC:
        return PROBABILISTIC[name](y, q, w)
    if name in LABELLED:
        return LABELLED[name](y, q.argmax(axis=1), sample_weight=w)
    return QUANTITIES[name](y, q, sample_weight=w)


def example(task, seed):
    rng = np.random.default_rng(seed)
    n = 60
    if task == "regression":
        y = rng.normal(5, 2, n)
        return y, y + rng.normal(0, 1, n)
    k = 2 if task == "binary" else 4
    y = np.r_[np.arange(k), rng.integers(0, k, n - k)]
    # Few distinct values: ties are what rank metrics get wrong.
    q = rng.integers(1, 5, (n, k)) + 2.0 * np.eye(k)[y]
    return y, q / q.sum(axis=1, keepdims=True)


CASES = [(task, name) for task in ("binary", "multiclass", "regression") for name in METRICS[task]]


@pytest.mark.parametrize(("task", "name"), CASES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_scores_are_those_of_scikit_learn_for_any_weights(task, name, seed):
    y, q = example(task, seed)
    w = np.random.default_rng(seed).integers(0, 3, len(y)).astype(float)
    w[:4] = 1  # every class counts
    both = metrics.get(name).scores(y, q, np.stack([np.ones(len(y)), w]))
    assert both == pytest.approx([reference(name, y, q, np.ones(len(y))), reference(name, y, q, w)], abs=1e-9)


@pytest.mark.parametrize(("task", "name"), CASES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_the_truth_itself_scores_best(task, name, seed):
    y, q = example(task, seed)
    perfect = y if task == "regression" else np.eye(q.shape[1])[y]
    metric = metrics.get(name)
    assert metric.score(y, perfect) >= metric.score(y, q)
    assert metric.sign == (-1 if name.startswith("neg_") else 1)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**20), parts=st.integers(1, 6))
def test_within_folds_an_area_is_the_mean_of_theirs_weighted_by_their_pairs(seed, parts):
    y, q = example("binary", seed)
    rng = np.random.default_rng(seed)
    part = rng.integers(0, parts, len(y)).astype(np.int8)
    w = np.stack([np.ones(len(y)), rng.integers(0, 3, len(y))])
    found = metrics.get("roc_auc").scores(y, q, w, part)
    for score, weights in zip(found, w, strict=True):
        areas, pairs = [], []
        for k in range(parts):
            here = part == k
            both = [weights[here & (y == c)].sum() for c in (0, 1)]
            if min(both) > 0:
                areas.append(PROBABILISTIC["roc_auc"](y[here], q[here], weights[here]))
                pairs.append(both[0] * both[1])
        assert score == pytest.approx(np.average(areas, weights=pairs))


def test_folds_of_one_class_each_are_compared_with_each_other():
    y, q = example("binary", 0)
    metric = metrics.get("roc_auc")
    assert metric.score(y, q, y.astype(np.int8)) == pytest.approx(metric.score(y, q))
    assert np.isnan(metric.score(np.zeros_like(y), q, y.astype(np.int8)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_a_fold_whose_models_are_surer_is_no_worse_for_it(seed):
    y, q = example("binary", seed)
    rng = np.random.default_rng(seed)
    folds = divide(y.astype(np.int32), "binary", 4, seed)
    odds = np.log(q[:, 1] / q[:, 0])
    moved = 1 / (1 + np.exp(-(odds * rng.uniform(0.5, 2, 4)[folds.part] + rng.normal(0, 3, 4)[folds.part])))
    judge = Judge(
        metrics.get("roc_auc"), Target("binary", np.array(["no", "yes"])), y.astype(np.int32), 0, folds=folds
    )
    assert judge.score(np.column_stack([1 - moved, moved])) == pytest.approx(judge.score(q))


def test_the_interval_holds_the_score_and_narrows_with_more_rows():
    rng = np.random.default_rng(0)
    target = Target("binary", np.array(["no", "yes"]))

    def width(n):
        y = rng.integers(0, 2, n).astype(np.int32)
        p = np.clip(0.5 + 0.2 * (y - 0.5) + rng.normal(0, 0.2, n), 0.01, 0.99)
        judged = Judge(metrics.get("roc_auc"), target, y, 0).judge(
            np.column_stack([1 - p, p]).astype(np.float32)
        )
        low, high = judged.interval
        assert low < judged.score < high
        return high - low

    # Four times the rows halve it; beyond 20,000 the resamples are smaller, the interval is not wider.
    assert 1.5 < width(2_000) / width(8_000) < 2.7
    assert 1.4 < width(20_000) / width(80_000) < 2.8


def test_a_clearly_worse_prediction_is_not_tied_and_an_equal_one_is():
    rng = np.random.default_rng(0)
    y = rng.normal(size=500).astype(np.float32)
    judge = Judge(metrics.get("neg_root_mean_squared_error"), Target("regression"), y, 0)
    errors = rng.normal(0, 0.5, 500)
    good = judge.judge((y + errors)[:, None])
    again = judge.judge((y + errors[::-1])[:, None])
    bad = judge.judge((y + rng.normal(0, 1.5, 500))[:, None])
    assert judge.tied(good, good)
    best, other = (good, again) if good.score > again.score else (again, good)
    assert judge.tied(best, other)
    assert not judge.tied(good, bad)


def test_the_interval_is_where_other_rows_score():
    """Planes through few rows: what is reported is compared with what 2,000 other rows say."""
    metric, target, columns = metrics.get("neg_root_mean_squared_error"), Target("regression"), 16
    inside = {"rows": 0, "rows and models": 0}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        slopes = rng.normal(size=columns)

        def draw(n, rng=rng, slopes=slopes):
            X = rng.normal(size=(n, columns))
            return X, (X @ slopes + rng.normal(size=n)).astype(np.float32)

        X, y = draw(100)
        folds = divide(y, "regression", 5, seed)
        raw, models = np.zeros((100, 1), np.float32), []
        for fold in range(folds.k):
            seen, held = folds.split(fold)
            models.append(np.linalg.lstsq(X[seen], y[seen], rcond=None)[0])
            raw[held, 0] = X[held] @ models[-1]
        others, truth = draw(2000)
        served = metric.score(truth, others @ np.mean(models, axis=0))
        for name, known in (("rows", None), ("rows and models", folds)):
            low, high = Judge(metric, target, y, seed, folds=known).judge(raw).interval
            inside[name] += low <= served <= high
    assert inside["rows"] < 0.82 * 300
    assert 0.87 * 300 <= inside["rows and models"] <= 0.95 * 300
