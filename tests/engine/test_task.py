import numpy as np
import pandas as pd
import pytest

from automl_jupyter.engine import task
from automl_jupyter.errors import Unprocessable

N = 40
X = pd.DataFrame({"a": np.arange(N)})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, False], "binary"),
        (["yes", "no"], "binary"),
        ([0.5, 1.5], "binary"),
        (["a", "b", "c"], "multiclass"),
        ([0, 1, 2], "multiclass"),
        ([1.0, 2.0, 3.0], "multiclass"),
        ([3, 5, 9], "regression"),
        (list(range(20)), "regression"),
        ([0.1, 0.2, 0.35], "regression"),
    ],
)
def test_a_target_means_what_people_expect(values, expected):
    y = pd.Series((values * N)[:N])
    assert task.infer_task(y) == expected
    assert task.infer_task(y.astype("category")) == expected
    assert task.infer_task(y.astype(object)) == expected
    assert task.infer_task(pd.concat([y.astype(object), pd.Series([None])])) == expected


@pytest.mark.parametrize(
    ("y", "wanted", "code"),
    [
        (pd.Series([None] * N), None, "engine.target_all_missing"),
        (pd.Series([4] * N), None, "engine.constant_target"),
        (pd.Series(pd.date_range("2020", periods=N)), None, "engine.datetime_target"),
        (pd.Series([1.5, 2.5, 9.5, 8.0] + [None] * (N - 4)), None, "engine.too_few_rows"),
        (pd.Series(["a", "b"] * (N // 2)), "regression", "engine.task_mismatch"),
        (pd.Series([1.5, np.inf] * (N // 2)), "regression", "engine.infinite_target"),
        (pd.Series(["a", "b"] * (N // 2)), "ranking", "engine.unknown_task"),
    ],
)
def test_a_target_that_cannot_be_learnt_is_named(y, wanted, code):
    with pytest.raises(Unprocessable) as caught:
        task.check_training(X, y, "price", wanted)
    assert caught.value.code == code
    if "target" in caught.value.params:
        assert "price" in str(caught.value)


def test_columns_that_do_not_vary_are_refused():
    with pytest.raises(Unprocessable) as caught:
        task.check_training(X.assign(a=1), pd.Series([0, 1] * (N // 2)), "y", None)
    assert caught.value.code == "engine.no_features"


@pytest.mark.parametrize("unit", [1e-300, 1e-9, 1.0, 1e9, 1e300])
def test_quantities_of_any_size_come_back(unit):
    y = pd.Series(np.linspace(-3, 7, N) * unit)
    target, codes = task.encode(y, "regression")
    assert np.isfinite(codes).all()
    assert codes.std() == pytest.approx(1, rel=1e-3)
    assert target.decode(codes[:, None]) == pytest.approx(y.to_numpy(), rel=1e-5, abs=1e-6 * unit)


@pytest.mark.parametrize(
    "y",
    [
        pd.Series([True, False] * 5),
        pd.Series([3, 1, 2] * 4),
        pd.Series(["b", "a"] * 5),
        pd.Series(["b", "a"] * 5).astype("category"),
        pd.Series([0.0, 1.0] * 5),
        pd.Series([1, 0] * 5, dtype="Int64"),
        pd.Series([1, "a"] * 5),
    ],
)
def test_classes_keep_their_type_and_order(y):
    target, codes = task.encode(y, "multiclass")
    labels = target.classes[codes]
    assert [str(v) for v in labels] == [str(v) for v in y]
    assert list(target.classes) == sorted(target.classes)
    assert target.label(np.eye(len(target.classes))[codes]).tolist() == labels.tolist()
