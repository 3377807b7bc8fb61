import subprocess
import sys
import time
import warnings
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split

from automl_jupyter import engine, messages
from automl_jupyter.engine import AutoMLClassifier, AutoMLRegressor
from automl_jupyter.engine.serving import ContractWarning
from automl_jupyter.errors import Unprocessable


@pytest.fixture(scope="module")
def labelled():
    """A classifier of a mixed table, with the table."""
    rng = np.random.default_rng(3)
    n = 300
    X = pd.DataFrame(
        {
            "size": rng.normal(10, 3, n),
            "colour": rng.choice(["red", "green", "blue"], n),
            "on": rng.random(n) > 0.5,
            "when": pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "remark": [" ".join(rng.choice(["late", "good", "poor", "fast", "calm"], 5)) for _ in range(n)],
        }
    )
    X.loc[rng.random(n) < 0.1, ["size", "colour"]] = None
    y = pd.Series(
        np.where(X["size"].fillna(10) + 4 * (X["colour"] == "red") > 11, "big", "small"), name="class"
    )
    return AutoMLClassifier(time_budget=60, max_trials=4).fit(X, y), X


def plain(X):
    return [{k: None if pd.isna(v) else v for k, v in row.items()} for row in X.to_dict("records")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "estimator", "least"),
    [
        (load_breast_cancer, AutoMLClassifier, 0.98),
        (load_wine, AutoMLClassifier, -0.3),
        (load_diabetes, AutoMLRegressor, 0.3),
    ],
)
def test_held_out_rows_are_predicted_well_and_the_score_is_honest(load, estimator, least):
    X, y = load(return_X_y=True, as_frame=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
    model = estimator(time_budget=60, max_trials=4).fit(X, y)
    if estimator is AutoMLRegressor:
        assert r2_score(y_test, model.predict(X_test)) > least
        error = np.sqrt(np.mean((y_test - model.predict(X_test)) ** 2))
        assert -model.score_ == pytest.approx(error, rel=0.15)
        return
    proba = model.predict_proba(X_test)
    score = roc_auc_score(y_test, proba[:, 1]) if len(model.classes_) == 2 else -log_loss(y_test, proba)
    assert score > least
    assert model.score_ == pytest.approx(score, abs=0.1)
    assert (model.classes_[proba.argmax(axis=1)] == model.predict(X_test)).all()


@pytest.mark.slow
def test_rows_and_tables_are_answered_alike(labelled):
    model, X = labelled
    table = model.predict_frame(X)
    assert table.values == model.predict(X).tolist()
    assert table.probabilities == pytest.approx(model.predict_proba(X), abs=1e-12)
    assert table.classes == ("big", "small")
    assert not any(table.warnings)
    rows = plain(X.head(40))
    together = model.predict_rows(rows)
    assert together.values == table.values[:40]
    for i, row in enumerate(rows):
        alone = model.predict_rows([dict(reversed(row.items()))])
        assert alone.probabilities[0] == pytest.approx(table.probabilities[i], abs=1e-6)
        assert alone.probabilities[0] == pytest.approx(together.probabilities[i], abs=1e-6)


@pytest.mark.slow
def test_departures_are_reported_by_row_and_for_the_request(labelled):
    model, X = labelled
    rows = plain(X.head(3))
    rows[1] = {**rows[1], "colour": "mauve", "weight": 3, "class": "big"}
    del rows[2]["when"]
    answers = [model.predict_rows(rows), model.predict_frame(pd.DataFrame(rows).drop(columns="when"))]
    assert [[w.code for w in row] for row in answers[0].warnings] == [
        [],
        ["engine.unseen_category"],
        ["engine.missing_column"],
    ]
    assert {w.code for w in answers[1].warnings[1]} == {"engine.unseen_category", "engine.missing_column"}
    for answer in answers:
        assert [(note.code, note.columns) for note in answer.notes] == [("engine.extra_columns", ("weight",))]
        for language in messages.LANGUAGES:
            for w in (w for row in answer.warnings for w in row):
                assert messages.render(w.code, {"column": w.column, "value": w.value}, language)


@pytest.mark.slow
def test_predict_warns_once_of_cells_that_training_did_not_know(labelled):
    model, X = labelled
    with pytest.warns(ContractWarning, match="2 cells .*colour"):
        model.predict(X.head(4).assign(colour=["red", "mauve", "pink", None]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(X)


@pytest.mark.slow
def test_no_rows_give_no_predictions(labelled):
    model, X = labelled
    assert model.predict_rows([]).values == []
    assert model.predict_frame(X.head(0)).values == []


@pytest.mark.slow
@pytest.mark.alone
def test_one_row_is_cheap(labelled):
    model, X = labelled
    row = plain(X.head(1))
    model.predict_rows(row)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        model.predict_rows(row)
        times.append(time.perf_counter() - began)
    # The quickest of many: other processes may share the machine.
    assert min(times) < 0.005


@pytest.mark.slow
def test_many_rows_are_answered_as_few(labelled):
    model, X = labelled
    many = pd.concat([X] * 50, ignore_index=True)
    assert np.array_equal(model.predict_proba(many)[: len(X)], model.predict_proba(X))


@pytest.mark.parametrize(
    "target",
    [
        lambda y: y,
        lambda y: y == "a",
        lambda y: y.map({"a": 7, "b": 3}),
        lambda y: y.astype("category"),
        lambda y: y.where(np.arange(len(y)) % 5 > 0),
        lambda y: y.mask(np.arange(len(y)) == 3, "rare"),
        lambda y: pd.Series(np.where(np.arange(len(y)) == 3, "only one", "rest")),
    ],
)
def test_classes_of_any_type_missing_or_rare(target, one_of_each, capfd):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=80), "b": rng.choice(["u", "v"], 80)})
    y = target(pd.Series(np.where(X["a"] > 0, "a", "b")))
    model = AutoMLClassifier(time_budget=60).fit(X, y)
    assert set(model.predict(X)) <= set(y.dropna())
    assert sorted(model.classes_, key=str) == sorted(y.dropna().unique(), key=str)
    assert {t.state for t in model.trials_} == {"done"}
    assert model.predict_proba(X).sum(axis=1) == pytest.approx(np.ones(80))
    # A process that speaks over its standard output must not be talked into.
    assert capfd.readouterr() == ("", "")


def awkward():
    rng = np.random.default_rng(0)
    n = 90
    a = rng.normal(size=n)
    yield "infinite", pd.DataFrame({"a": a, "i": np.where(a > 1, np.inf, np.where(a < -1, -np.inf, a))})
    yield (
        "huge",
        pd.DataFrame(
            {"a": a, "h": [10**30 + int(x * 10) for x in a], "f": a * 1e307, "i": (a * 2**60).astype(int)}
        ),
    )
    yield "empty", pd.DataFrame({"a": a, "e": [np.nan] * n, "o": [None] * n})
    yield (
        "many values",
        pd.DataFrame(
            {"a": a, "m": [f"v{i}" for i in rng.integers(0, 60, n)], "k": [f"k{i}" for i in range(n)]}
        ),
    )
    yield (
        "types",
        pd.DataFrame(
            {
                "a": a,
                "mixed": [1, "x", True, 2.5, None, "y"] * (n // 6),
                "nullable": pd.array([1, 2, None] * (n // 3), dtype="Int64"),
                "maybe": pd.array([True, False, None] * (n // 3), dtype="boolean"),
                "category": pd.Categorical([1, 2, 3] * (n // 3)),
                "zone": pd.date_range("2024-01-01", periods=n, tz="Europe/Paris"),
                "far": pd.Series(pd.date_range("2024-01-01", periods=n)).mask(a > 1),
            }
        ),
    )
    plain = pd.DataFrame(
        {"a": a, "w": ["u", "v", None] * (n // 3), "d": pd.date_range("2024-01-01", periods=n)}
    )
    yield (
        "arrow",
        plain.convert_dtypes(dtype_backend="pyarrow").assign(
            day=pd.Series([date(2024, 1, 1 + i % 28) for i in range(n)], dtype=pd.ArrowDtype(pa.date32()))
        ),
    )
    yield "names", pd.DataFrame({"a": a, 'b"[]{}:,\n': a, "é": a, "": a})
    yield "numbers as names", pd.DataFrame({0: a, 1: a**2})
    yield "copies", pd.DataFrame({"a": a, "b": a, "c": a})
    yield "array", rng.normal(size=(n, 3))
    yield "lists", rng.normal(size=(n, 2)).tolist()


@pytest.mark.parametrize("X", [pytest.param(X, id=name) for name, X in awkward()])
def test_awkward_tables_are_learnt_from(X, one_of_each):
    y = np.asarray(X)[:, 0].astype(float) * 3 + np.random.default_rng(1).normal(0, 0.1, len(X))
    model = AutoMLRegressor(time_budget=60).fit(X, y)
    assert {t.state for t in model.trials_} == {"done"}
    assert r2_score(y, model.predict(X)) > 0.5
    if isinstance(X, pd.DataFrame):
        answer = model.predict_rows(plain(X.astype(object).head(10)))
        assert answer.values == pytest.approx(model.predict(X.head(10)).tolist(), rel=1e-4)
        assert not any(answer.warnings)


@pytest.mark.alone
@pytest.mark.slow
def test_more_columns_than_rows():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 5000))).add_prefix("n")
    began = time.monotonic()
    model = AutoMLClassifier(time_budget=6).fit(X, (X["n0"] > 0).astype(int))
    assert time.monotonic() - began < 7
    assert len(model.predict(X)) == 60


@pytest.mark.slow
@pytest.mark.parametrize(
    "copies",
    [
        lambda X: pd.concat([X, X], axis=1),
        lambda X: X[["remark"]].assign(remark=[f"id {i}" for i in range(300)]),
    ],
)
def test_columns_that_cannot_be_used_are_named(labelled, copies):
    _, X = labelled
    with pytest.raises(Unprocessable) as caught:
        AutoMLClassifier(time_budget=5).fit(copies(X), ["a", "b"] * 150)
    assert caught.value.code in ("engine.duplicate_column", "engine.no_features")


def test_a_column_is_what_the_person_says(one_of_each):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"code": [f"{v}" for v in rng.integers(100, 120, 300)], "place": range(300)})
    y = X["code"].isin(["103", "108", "117"])
    assert [c.kind for c in AutoMLClassifier(max_trials=1).fit(X, y).contract_.columns] == [
        "numeric",
        "numeric",
    ]
    model = AutoMLClassifier(max_trials=3).fit(X, y, kinds={"code": "category", "place": "ignored"})
    assert [c.kind for c in model.contract_.columns] == ["category", "ignored"]
    answer = model.predict_rows([{"code": 103}, {"code": "999"}])
    assert answer.values[0] is True
    assert [[w.code for w in row] for row in answer.warnings] == [[], ["engine.unseen_category"]]
    with pytest.raises(Unprocessable, match=r"code.*fish.*category"):
        AutoMLClassifier().fit(X, y, kinds={"code": "fish"})


@pytest.mark.slow
def test_a_metric_that_does_not_fit_is_refused(labelled):
    _, X = labelled
    with pytest.raises(Unprocessable, match="roc_auc"):
        AutoMLClassifier(metric="r2").fit(X, ["a", "b"] * 150)
    assert AutoMLClassifier(metric="f1", max_trials=1).fit(X, ["a", "b"] * 150).metric_ == "f1"


def test_importing_the_engine_is_cheap_and_needs_public_packages_alone():
    code = (
        "import sys, automl_jupyter.engine as e; light = {'numpy', 'pandas'} & set(sys.modules);"
        "e.AutoMLClassifier, e.AutoMLClusterer; from automl_jupyter.engine import persist, plots;"
        "print(light, {'pydantic', 'mlflow', 'tornado', 'matplotlib', 'dask'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "set() set()\n"


def test_requirements_are_pinned_and_true():
    required = dict(line.split("==") for line in engine.requirements())
    assert required["numpy"] == np.__version__
    assert required["pandas"] == pd.__version__
    assert set(required) == {"numpy", "scipy", "pandas", "scikit-learn", "lightgbm"}
    with pytest.raises(AttributeError):
        engine.nothing  # noqa: B018
