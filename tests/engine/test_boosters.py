"""CatBoost and XGBoost: learners like ours, where they are installed.

`make test` installs them in a folder of their own, named by ``AUTOML_TEST_BOOSTERS``, so that no other test
searches longer because of them.
"""

import importlib
import os
import pickle
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest

from automl_jupyter.engine import AutoMLClassifier, extensions, fitting, persist
from automl_jupyter.engine.learners import Clock, OutOfTime, Work

NAMES = ("catboost", "xgboost")
FOLDER = os.environ.get("AUTOML_TEST_BOOSTERS")


@pytest.fixture(scope="module", autouse=True)
def path():
    """Make what lies in the folder importable; afterwards it is as if it had never been."""
    with pytest.MonkeyPatch.context() as patch:
        if FOLDER:
            patch.syspath_prepend(FOLDER)
        yield
    if FOLDER:
        ours = tuple(f"automl_jupyter.engine.{name}_trees" for name in NAMES)
        for module in [name for name in sys.modules if name in ours or name.partition(".")[0] in NAMES]:
            del sys.modules[module]
        extensions.installed.cache_clear()


@pytest.fixture(params=NAMES)
def extension(request):
    if not FOLDER:
        pytest.importorskip(request.param)
    return importlib.import_module(f"automl_jupyter.engine.{request.param}_trees").EXTENSION


def work(task, clock=None, rows=600):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(rows, 2)), rng.integers(0, 12, rows)]).astype(np.float32)
    X[::9, 0] = np.nan
    signal = np.nan_to_num(X[:, 0]) + (X[:, 2] > 5) * X[:, 1]
    y = {
        "binary": signal > 0,
        "multiclass": np.digitize(signal, [-0.5, 0.5]),
        "regression": signal,
    }[task].astype(np.float32 if task == "regression" else np.int32)
    width = {"binary": 2, "multiclass": 3, "regression": 1}[task]
    half = rows // 2
    return Work(
        X[:half],
        y[:half],
        task,
        width,
        2,
        7,
        clock or Clock(np.inf, np.inf),
        X_held=X[half:],
        y_held=y[half:],
    )


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_it_learns_in_stages_and_is_read_back(extension, task):
    asked = work(task)
    params = {**extension.candidates[0].params, "rounds": 60}
    path = extension.fit(asked, params)
    assert len(path.stages) == len(path.models) > 1
    found = path.predictions(asked.X_held)
    assert found.shape == (len(path.stages), len(asked.X_held), asked.width)
    last = found[-1]
    if task == "regression":
        assert np.mean((last[:, 0] - asked.y_held) ** 2) < 0.5 * np.var(asked.y_held)
    else:
        assert np.allclose(last.sum(axis=1), 1, atol=1e-5)
        assert np.mean(last.argmax(axis=1) == asked.y_held) > 0.75
    model = path.models[-1]
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(asked.X_held), last)
    alone = np.vstack([model.predict(asked.X_held[[i]]) for i in range(5)])
    assert np.allclose(alone, last[:5], atol=1e-6)
    same = extension.fit(asked, {**params, "stages": path.stages}).models[-1]
    assert same.rounds == path.stages[-1]


@pytest.mark.alone
def test_it_watches_the_clock(extension):
    params = {**extension.candidates[0].params, "rounds": 100_000, "patience": 100_000}
    now = time.monotonic()
    path = extension.fit(work("regression", Clock(now + 1, now + 60)), params)
    assert time.monotonic() - now < 4
    assert path.stages[-1] < 100_000
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(OutOfTime):
        extension.fit(work("regression", Clock(np.inf, np.inf, stopped)), params)


def test_it_competes_with_ours(extension, one_of_each, monkeypatch, tmp_path):
    for module in (extensions, fitting):
        monkeypatch.setattr(module, "installed", lambda: (extension,))
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"a": rng.normal(size=800), "kind": rng.choice(list("abcdef"), 800)})
    y = np.where(X["a"] + X["kind"].isin(["a", "b"]) > 0.5, "yes", "no")
    model = AutoMLClassifier(max_trials=4, n_jobs=2, time_budget=120).fit(X, y)
    board = {t.name: t for t in model.trials_}
    assert board[extension.family].state == "done"
    assert board[extension.family].score > 0.9
    path = tmp_path / "model.bin"
    digest = persist.save(model, path)
    assert np.array_equal(persist.load(path, digest).predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("name", NAMES)
def test_the_package_names_it(name):
    text = (importlib.resources.files("automl_jupyter").parent / "pyproject.toml").read_text("utf-8")
    assert f'{name} = "automl_jupyter.engine.{name}_trees:EXTENSION"' in text
