import builtins
import copyreg
import functools
import os
import pickle
import subprocess
import zlib

import numpy as np
import pandas as pd
import pytest

from automl_jupyter.engine import AutoMLClassifier, AutoMLClusterer, AutoMLRegressor, boosting, persist
from automl_jupyter.errors import Conflict, Unprocessable


@pytest.mark.parametrize("estimator", [AutoMLClassifier, AutoMLRegressor, AutoMLClusterer])
def test_a_model_comes_back_as_it_was(mixed, tmp_path, estimator, one_of_each):
    X, y = mixed
    given = {AutoMLClassifier: (y > 10).map({True: "more", False: "less"}), AutoMLRegressor: y}.get(estimator)
    model = estimator(time_budget=60, max_trials=3).fit(X, given)
    digest = persist.save(model, tmp_path / "model")
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    back = persist.load(tmp_path / "model", digest)
    assert type(back) is estimator
    assert np.array_equal(back.predict(X), model.predict(X))
    assert back.contract_ == model.contract_
    assert back.leaderboard_.equals(model.leaderboard_)


def test_a_finished_trial_comes_back_and_serves_a_later_attempt(mixed, tmp_path, watcher, one_of_each):
    X, y = mixed
    seen = watcher()
    AutoMLRegressor(time_budget=60, max_trials=3).fit(X, y, observer=seen)
    digests = {i: persist.save(f, tmp_path / str(i)) for i, f in enumerate(seen.trials)}
    known = [persist.load(tmp_path / str(i), digest) for i, digest in digests.items()]
    model = AutoMLRegressor(time_budget=60, max_trials=3).fit(X, y, observer=watcher(known=known))
    was = {f.trial.name: f.trial.fit_seconds for f in seen.trials}
    assert {t.name: t.fit_seconds for t in model.trials_} == was


def test_a_file_that_was_changed_is_not_opened(mixed, tmp_path):
    X, y = mixed
    path = tmp_path / "model"
    digest = persist.save(AutoMLRegressor(time_budget=60, max_trials=1).fit(X, y), path)
    content = path.read_bytes()
    for changed in (content[:-1], content + b" ", content.replace(b"size", b"sizf", 1), b""):
        path.write_bytes(changed)
        with pytest.raises(Conflict) as caught:
            persist.load(path, digest)
        assert caught.value.code == "engine.tampered"


class Harmful:
    def __reduce__(self):
        return (os.mkdir, ("harm",))


@pytest.mark.parametrize("harmful", [Harmful(), {"a": [Harmful()]}])
def test_a_file_that_calls_for_anything_else_is_refused_and_runs_nothing(tmp_path, monkeypatch, harmful):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unprocessable) as caught:
        persist.loads(pickle.dumps(harmful))
    assert caught.value.code == "engine.untrusted_type"
    assert "mkdir" in str(caught.value)
    with pytest.raises(Unprocessable):
        persist.save(harmful, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


class Calls:
    """Unpickles as the call of a function."""

    def __init__(self, function, *given):
        self.call = function, given

    def __reduce__(self):
        return self.call


class WithState:
    """A type of ours whose state is asked to be set by a function of the file's choice."""

    def __reduce__(self):
        return np.dtype, ("f8",), "harm", None, None, os.mkdir


class InArray:
    """An array whose cells are calls."""

    def __reduce__(self):
        cells = np.empty(1, object)
        cells[0] = Calls(os.mkdir, "harm")
        return cells.__reduce__()


ATTRIBUTE = b"cautoml_jupyter.engine.persist\nos.mkdir\n(S'harm'\ntR."
DEEP_ATTRIBUTE = b"\x80\x04\x8c\x05numpy\x8c\x13dtype.__class__.mro\x93)R."


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Calls(os.system, "mkdir harm")),
        pickle.dumps(Calls(builtins.eval, "__import__('os').mkdir('harm')")),
        pickle.dumps(Calls(builtins.exec, "import os; os.mkdir('harm')")),
        pickle.dumps(Calls(getattr, 1, "real")),
        pickle.dumps(functools.partial(os.mkdir, "harm")),
        pickle.dumps(Calls(subprocess.run, ["mkdir", "harm"])),
        pickle.dumps(Calls(copyreg._reconstructor, subprocess.Popen, object, None)),
        pickle.dumps(Calls(pickle.loads, pickle.dumps(Calls(os.mkdir, "harm")))),
        pickle.dumps(Calls(np.load, "harm.npy", None, True)),
        pickle.dumps(WithState()),
        pickle.dumps(InArray()),
        ATTRIBUTE,
        DEEP_ATTRIBUTE,
    ],
)
def test_known_ways_to_run_code_are_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unprocessable) as caught:
        persist.loads(content)
    assert caught.value.code == "engine.untrusted_type"
    assert list(tmp_path.iterdir()) == []


def test_no_allowed_name_opens_files_or_runs_code():
    modules = {module for module, _ in persist.ALLOWED}
    assert not modules & {
        "builtins",
        "os",
        "posix",
        "nt",
        "sys",
        "subprocess",
        "copyreg",
        "functools",
        "operator",
    }
    for module, name in persist.ALLOWED:
        assert not name.startswith("__")
        assert "." not in name, (module, name)


def test_trees_of_the_first_release_are_models(tmp_path):
    """It kept the text of a model's trees and whether they were of two classes."""
    X = pd.DataFrame({"a": np.linspace(0, 1, 60)})
    model = AutoMLClassifier(max_trials=1).fit(X, X["a"] > 0.5)
    tree = model.ensemble_.members[0].models[0]
    content = zlib.compress(tree.trees.booster.model_to_string(num_iteration=-1).encode())
    again = boosting.rebuild(content, True)
    view = X.to_numpy(np.float32)
    whole = boosting.BoosterModel(tree.trees, again.rounds, "binary")
    assert np.array_equal(again.predict(view), whole.predict(view))
    assert boosting.rebuild(zlib.compress(tree.trees.booster.model_to_string().encode()), False).task == (
        "regression"
    )


def test_what_cannot_be_read_any_more_is_said():
    """A name that is still known, but means something that takes other arguments now."""

    class Changed:
        def __reduce__(self):
            return (boosting.rebuild, (b"no text", None, "and more"))

    with pytest.raises(Unprocessable) as caught:
        persist.loads(pickle.dumps(Changed()))
    assert caught.value.code == "engine.unreadable"
    assert "TypeError" in str(caught.value)
