"""The code that is written for a trial makes its line of the leaderboard again, and needs nothing of ours."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from automl_jupyter.engine import AutoMLClassifier, AutoMLRegressor
from automl_jupyter.engine.rebuilt.recipe import recipe_of
from automl_jupyter.engine.rebuilt.written import archive

N = 300


@pytest.fixture
def table():
    """Numbers with gaps, a large one, yes and no, categories, a date; what depends on them."""
    rng = np.random.default_rng(3)
    X = pd.DataFrame(
        {
            "size": rng.normal(10, 3, N),
            "account": 1e9 + rng.integers(0, 500, N).astype(float),
            "on": rng.random(N) > 0.5,
            "colour": rng.choice(["red", "green", "blue", "rare"], N, p=[0.4, 0.3, 0.28, 0.02]),
            "same": 7,
            "when": pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 9000, N), unit="h"),
        }
    )
    X.loc[rng.random(N) < 0.1, ["size", "colour"]] = None
    X.loc[3, "when"] = pd.Timestamp("9999-12-31")
    signal = X["size"].fillna(9) / 3 + 2 * (X["colour"] == "red") + X["on"] + rng.normal(0, 1, N)
    return X, signal


def run(content, tmp_path):
    """Run the script of an archive in a Python of its own; give the three figures that it prints."""
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path)
    (script,) = tmp_path.rglob("*.py")
    text = script.read_text(encoding="utf-8")
    assert "automl_jupyter" not in text
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + text
    return [float(figure) for figure in done.stdout.split()]


def rebuilt(model, X, y, tmp_path, **told):
    model.fit(X, y, **told)
    recipe = recipe_of(model, X, y, **told)
    score, board, ensemble = run(archive(recipe, "made-1", "python", "fr"), tmp_path)
    row = next(trial for trial in model.trials_ if trial.name == recipe.trial.name)
    assert (board, ensemble) == (pytest.approx(row.score), pytest.approx(model.score_))
    assert score == pytest.approx(row.score, abs=1e-6)
    return recipe


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_script_makes_the_line_again(table, tmp_path, task):
    X, signal = table
    y = {"binary": signal > 5, "multiclass": pd.cut(signal, 3, labels=["a", "b", "c"]), "regression": signal}[
        task
    ]
    kind = AutoMLRegressor if task == "regression" else AutoMLClassifier
    recipe = rebuilt(kind(time_budget=60, max_trials=2), X, y.rename("y"), tmp_path)
    assert recipe.trial.family == "lightgbm"
    assert recipe.folds.k == 8


if __name__ == "__main__":
    pytest.main([__file__, "-x"])
