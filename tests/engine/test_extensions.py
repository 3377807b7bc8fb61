"""A learner of another package: found by its entry point, judged like ours, read back like ours."""

import importlib

import numpy as np
import pandas as pd
import pytest

from automl_jupyter.engine import AutoMLRegressor, extensions, persist
from automl_jupyter.errors import Unprocessable

PACKAGE = '''
from dataclasses import dataclass

import numpy as np

from automl_jupyter.engine.extensions import Extension
from automl_jupyter.engine.learners import Path
from automl_jupyter.engine.portfolio import Candidate


@dataclass(frozen=True)
class Doubled:
    """Knows that the answer is twice the first column."""

    centre: float
    slope: float
    view: str = "tree"
    row_cost = 1.0
    bulk_cost = 0.01

    def predict(self, X):
        return (self.centre + self.slope * X[:, :1]).astype(np.float32)


def fit(work, params):
    work.clock.is_up()
    slope, centre = np.polyfit(work.X[:, 0], work.y, params["degree"])
    return Path((0,), (Doubled(float(centre), float(slope)),))


EXTENSION = Extension(
    "doubled",
    fit,
    "tree",
    (
        Candidate("doubled", "doubled", {"degree": 1}, tasks=("regression",)),
        Candidate("small_only", "doubled", {"degree": 1}, tasks=("regression",), most_rows=10),
        Candidate("broken", "doubled", {}, tasks=("regression",)),
    ),
    (("another_package", "Doubled"),),
)
'''

POINTS = """[automl_jupyter.learners]
another = another_package:EXTENSION
absent = not_installed_anywhere:EXTENSION
wrong = another_package:fit
"""


@pytest.fixture
def another(tmp_path, monkeypatch):
    """A package that is installed, as far as Python can tell."""
    (tmp_path / "another_package.py").write_text(PACKAGE, "utf-8")
    about = tmp_path / "another_package-1.0.dist-info"
    about.mkdir()
    (about / "entry_points.txt").write_text(POINTS, "utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: another-package\nVersion: 1.0\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    extensions.installed.cache_clear()
    yield
    monkeypatch.undo()
    extensions.installed.cache_clear()


def doubled(n=120):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    return X, 2 * X["a"] + rng.normal(0, 0.01, n)


def test_a_learner_of_another_package_competes(another, one_of_each, tmp_path, caplog):
    X, y = doubled()
    model = AutoMLRegressor(max_trials=6, n_jobs=1).fit(X, y)
    board = {t.name: t for t in model.trials_}
    assert board["doubled"].score == max(
        t.score for t in model.trials_ if t.state == "done" and t.name != "ensemble"
    )
    assert board["broken"].state == "failed"
    assert "degree" in board["broken"].detail
    assert "small_only" not in board
    assert [member.name for member in model.ensemble_.members][-1] == "doubled"
    path = tmp_path / "model.bin"
    digest = persist.save(model, path)
    assert np.array_equal(persist.load(path, digest).predict(X), model.predict(X))
    told = " ".join(record.getMessage() for record in caplog.records)
    assert "not_installed_anywhere" in told
    assert "another_package:fit" in told


def test_its_models_are_not_read_where_it_is_not_installed(another, one_of_each, tmp_path, monkeypatch):
    X, y = doubled()
    path = tmp_path / "model.bin"
    digest = persist.save(AutoMLRegressor(max_trials=4, n_jobs=1).fit(X, y), path)
    monkeypatch.setattr(extensions, "installed", tuple)
    with pytest.raises(Unprocessable) as caught:
        persist.load(path, digest)
    assert caught.value.code == "engine.untrusted_type"
