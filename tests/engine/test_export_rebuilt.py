"""The code that is written for a trial makes its line of the leaderboard again, and needs nothing of ours."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from automl_jupyter.engine import AutoMLClassifier, AutoMLRegressor, portfolio
from automl_jupyter.engine.rebuilt.recipe import recipe_of
from automl_jupyter.engine.rebuilt.written import archive
from automl_jupyter.errors import Conflict, Unprocessable

pytestmark = pytest.mark.slow

N = 300


@pytest.fixture
def table():
    """Numbers with gaps, a large one, yes and no, categories, a date; a quantity that depends on them."""
    rng = np.random.default_rng(3)
    X = pd.DataFrame(
        {
            "it's": rng.normal(10, 3, N),
            "account": 1e9 + rng.integers(0, 500, N).astype(float),
            "on": rng.random(N) > 0.5,
            "colour": rng.choice(["red", "green", "blue", "rare"], N, p=[0.4, 0.3, 0.28, 0.02]),
            "same": 7,
            "when": pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 9000, N), unit="h"),
        }
    )
    X.loc[rng.random(N) < 0.1, ["it's", "colour"]] = None
    X.loc[3, "when"] = pd.Timestamp("9999-12-31")
    signal = X["it's"].fillna(9) / 3 + 2 * (X["colour"] == "red") + X["on"] + rng.normal(0, 1, N)
    return X, signal.rename("y")


@pytest.fixture
def only(monkeypatch):
    """Have a search try one candidate alone."""

    def limit(name):
        found = tuple(c for c in portfolio.PORTFOLIO if c.name == name)
        monkeypatch.setattr(portfolio, "PORTFOLIO", found)

    return limit


def words(table):
    rng = np.random.default_rng(4)
    known = ["late", "good", "poor", "fast", "calm", "loud"]
    return table.assign(remark=[" ".join(rng.choice(known, 5)) for _ in range(N)])


def searched(kind, X, y, metric="auto", **told):
    model = kind(time_budget=60, max_trials=1, metric=metric).fit(X, y, **told)
    return model, recipe_of(model, X, y, **told)


def unpacked(recipe, format_, folder):
    zipfile.ZipFile(io.BytesIO(archive(recipe, "made-1", format_, "fr"))).extractall(folder)
    (file,) = [path for path in folder.rglob("made-1.*") if path.is_file()]
    assert "automl_jupyter" not in file.read_text(encoding="utf-8")
    return file


def judge(model, recipe, told):
    score, board, ensemble = (float(figure) for figure in told.split())
    row = next(trial for trial in model.trials_ if trial.name == recipe.trial.name)
    assert score == pytest.approx(row.score, abs=1e-6)
    assert (board, ensemble) == (pytest.approx(row.score), pytest.approx(model.score_))


def prove(model, recipe, folder):
    """Run the script in a Python of its own."""
    plain = [sys.executable, "-I", "-W", "error", unpacked(recipe, "python", folder)]
    done = subprocess.run(plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    judge(model, recipe, done.stdout)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_notebook_makes_the_line_again(table, only, tmp_path, task):
    X, signal = table
    kinds = pd.cut(signal, 3, labels=["a", "b", "c"])
    y = {"binary": signal > 5, "multiclass": kinds, "regression": signal}[task]
    only("lightgbm_quick")
    model, recipe = searched(AutoMLRegressor if task == "regression" else AutoMLClassifier, X, y)
    file = unpacked(recipe, "notebook", tmp_path)
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    resources = {"metadata": {"path": str(file.parent)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    judge(model, recipe, notebook.cells[-1].outputs[0].text)


def test_texts_and_a_named_class(table, only, tmp_path):
    X, signal = table
    only("lightgbm_quick")
    prove(*searched(AutoMLClassifier, words(X), signal > 5, "f1"), tmp_path)


def test_groups_and_frequent_classes(table, only, tmp_path):
    X, signal = table
    only("lightgbm_quick")
    y = pd.cut(signal, 3, labels=["a", "b", "c"])
    groups = pd.Series(np.random.default_rng(5).integers(0, 40, N)).astype(str)
    prove(*searched(AutoMLClassifier, X, y, "balanced_accuracy", groups=groups), tmp_path)


def test_what_comes_later(table, only, tmp_path):
    X, signal = table
    only("lightgbm_quick")
    when = X["when"].where(np.arange(N) % 50 > 0)
    prove(*searched(AutoMLRegressor, X, 1e4 * signal, "r2", time=when), tmp_path)


def test_areas_within_blocks_of_time(table, only, tmp_path):
    X, signal = table
    only("lightgbm_quick")
    prove(*searched(AutoMLClassifier, X, signal > 5, "roc_auc", time=X["when"]), tmp_path)


def test_logarithms_of_rows_that_count_once(table, only, tmp_path):
    X, signal = (pd.concat([part, part.head(20)]) for part in table)
    only("lightgbm_log")
    marks = {"colour": ["blue"]}
    model, recipe = searched(AutoMLRegressor, X, np.exp(signal), missing_values=marks, drop_duplicates=True)
    assert len(recipe.table) == N
    prove(model, recipe, tmp_path)


def test_of_many_rows_fewer_stages_are_kept(table, only, tmp_path, monkeypatch):
    X, signal = table
    only("lightgbm_quick")
    for module in ("boosting", "rebuilt.training"):
        monkeypatch.setattr(f"automl_jupyter.engine.{module}.STAGED_NUMBERS", 400)
    prove(*searched(AutoMLClassifier, X, signal > 5), tmp_path)


def test_what_cannot_be_told_is_refused(table, only):
    X, signal = table
    only("linear")
    model = AutoMLRegressor(time_budget=60, max_trials=1).fit(X, signal)
    with pytest.raises(Unprocessable) as caught:
        recipe_of(model, X, signal)
    assert caught.value.code == "engine.rebuilt_nothing"
    with pytest.raises(Conflict) as caught:
        recipe_of(model, X, signal + 1)
    assert caught.value.code == "engine.rebuilt_other_rows"
    model.metric_ = "a scorer of mine"
    with pytest.raises(Unprocessable) as caught:
        recipe_of(model, X, signal)
    assert caught.value.code == "engine.rebuilt_metric"


def test_a_model_of_weighted_rows_is_not_told_in_code(table, only):
    X, signal = table
    only("lightgbm")
    weights = np.linspace(0.5, 2, len(X))
    model = AutoMLRegressor(time_budget=60, max_trials=1).fit(X, signal, sample_weight=weights)
    with pytest.raises(Unprocessable) as caught:
        recipe_of(model, X, signal)
    assert caught.value.code == "engine.rebuilt_weights"
