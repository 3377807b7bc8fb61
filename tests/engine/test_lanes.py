"""Who fits what: lanes that come and go, memory that runs out, candidates that ended a process."""

import subprocess
import sys
import threading
import time
from ast import literal_eval
from dataclasses import replace

import numpy as np
import pytest

from automl_jupyter.engine import AutoMLRegressor, fitting, persist, portfolio, resample
from automl_jupyter.engine.fitting import Learner
from automl_jupyter.engine.lanes import Alone, Crash, LaneLost, UnitLost, fit_here
from automl_jupyter.engine.portfolio import PORTFOLIO, Candidate

QUICK = PORTFOLIO[0]


def states(model):
    return {t.name: (t.state, t.reason) for t in model.trials_}


@pytest.fixture
def workshop(watcher):
    """An observer that offers lanes of a test's own making, and may know of crashes."""

    class Helped(Alone, watcher):
        def __init__(self, fitters=(), crashes=(), known=()):
            watcher.__init__(self, known=known)
            self.fitters, self.ended = fitters, crashes
            self.told, self.over = [], False

        def lanes(self, material):
            self.material = material
            return iter(self.fitters)

        def lanes_over(self):
            self.over = True

        def crashes(self):
            return self.ended

        def unit_begun(self, name, number):
            self.told.append(("begun", name, number))

        def unit_ended(self, name, number):
            self.told.append(("ended", name, number))

    return Helped


def as_elsewhere(tmp_path):
    """A lane that gets and gives files only, as a lane on another machine does."""

    def fit(material, candidate, number, clock):
        file = tmp_path / f"{threading.get_ident()}-{candidate.name}-{number}"
        seen = persist.load(file, persist.save(material.bare(), file))
        fitted = fit_here(seen, candidate, number, clock)
        fit.units += 1
        return replace(fitted, part=persist.load(file, persist.save(fitted.part, file)))

    fit.units = 0
    return fit


def test_nothing_depends_on_which_lane_fitted(mixed, one_of_each, workshop, tmp_path):
    X, y = mixed
    here = AutoMLRegressor(max_trials=3, n_jobs=1).fit(X, y)
    far = as_elsewhere(tmp_path)
    seen = workshop([far, far])
    spread = AutoMLRegressor(max_trials=3, n_jobs=1).fit(X, y, observer=seen)
    assert far.units > 0
    assert seen.over
    assert {t.name: t.score for t in here.trials_} == {t.name: t.score for t in spread.trials_}
    assert np.array_equal(here.predict(X), spread.predict(X))


def test_a_unit_that_is_lost_is_fitted_by_another_lane(mixed, one_of_each, workshop):
    X, y = mixed

    def gone(material, candidate, number, clock):
        raise LaneLost

    def unlucky(material, candidate, number, clock):
        if number == 1 and not lost:
            lost.append(candidate.name)
            raise UnitLost
        return fit_here(material, candidate, number, clock)

    lost = []
    helped = AutoMLRegressor(max_trials=3, n_jobs=1).fit(X, y, observer=workshop([gone, unlucky]))
    alone = AutoMLRegressor(max_trials=3, n_jobs=1).fit(X, y)
    assert {s for s, _ in states(helped).values()} == {"done"}
    assert np.array_equal(helped.predict(X), alone.predict(X))


def with_learner(monkeypatch, learner, *candidates):
    learners = {**fitting.LEARNERS, "odd": learner}
    monkeypatch.setattr(fitting, "LEARNERS", learners)
    monkeypatch.setattr(portfolio, "PORTFOLIO", candidates)


def test_a_unit_that_is_lost_everywhere_fails_its_candidate(mixed, monkeypatch, workshop):
    X, y = mixed

    def waits(material, params, part, clock):
        while not clock.is_up():
            time.sleep(0.01)

    def lost(material, candidate, number, clock):
        raise UnitLost

    with_learner(monkeypatch, Learner(lambda folds, params: 3, waits), Candidate("odd", "odd"))
    model = AutoMLRegressor(time_budget=3, n_jobs=1).fit(X, y, observer=workshop([lost]))
    assert states(model)["odd"] == ("failed", "engine.trial_crashed")


def test_what_lacks_memory_beside_others_is_fitted_alone(mixed, monkeypatch):
    X, y = mixed
    meeting, running, alone = threading.Barrier(2), [], []

    def cramped(material, params, part, clock):
        running.append(part)
        try:
            if not alone:
                # The first two wait for each other, so that they are certain to run side by side.
                meeting.wait(20)
                alone.append(True)
                raise MemoryError
            assert len(running) == 1
            return fitting.LEARNERS["lightgbm"].fit_part(material, QUICK.params, part, clock)
        finally:
            running.remove(part)

    with_learner(monkeypatch, Learner(lambda folds, params: 3, cramped), Candidate("odd", "odd"))
    monkeypatch.setattr(resample, "count_folds", lambda *_: 3)
    model = AutoMLRegressor(time_budget=60, n_jobs=2).fit(X, y)
    assert {s for s, _ in states(model).values()} == {"done"}, states(model)


@pytest.mark.parametrize("words", ["std::bad_alloc", "Unable to allocate 3 GiB", "Out of memory"])
def test_what_lacks_memory_alone_fails_and_smaller_ones_go_on(mixed, monkeypatch, words):
    X, y = mixed

    def hungry(material, params, part, clock):
        raise (RuntimeError if "std" in words else MemoryError)(words)

    with_learner(
        monkeypatch,
        Learner(lambda folds, params: 3, hungry),
        Candidate("hungry", "odd", memory=3.0),
        Candidate("same", "odd", memory=3.0),
        QUICK,
        Candidate("hungrier", "odd", memory=30.0),
    )
    model = AutoMLRegressor(time_budget=60, n_jobs=2).fit(X, y)
    reason = "engine.trial_out_of_memory"
    assert states(model)["hungry"] == ("failed", reason)
    # Its twin may have been begun beside it; then it fails by itself.
    assert states(model)["same"][1] == reason
    assert states(model)["hungrier"][1] == reason
    assert states(model)["lightgbm_quick"] == ("done", None)


def test_what_ended_a_process_is_not_tried_again(mixed, workshop, monkeypatch):
    X, y = mixed
    names = ("lightgbm_quick", "lightgbm", "linear", "forest", "lightgbm_careful", "lightgbm_large")
    monkeypatch.setattr(portfolio, "PORTFOLIO", tuple(c for c in PORTFOLIO if c.name in names))
    crashes = [Crash(("lightgbm_careful", "lightgbm_quick"), killed=True)]
    seen = workshop(crashes=crashes)
    model = AutoMLRegressor(time_budget=60, n_jobs=2, max_trials=6).fit(X, y, observer=seen)
    found = states(model)
    assert found["lightgbm_careful"] == ("failed", "engine.trial_crashed")
    assert found["lightgbm"] == found["lightgbm_large"] == ("skipped", "engine.trial_left_out")
    assert found["lightgbm_quick"] == found["linear"] == found["forest"] == ("done", None)
    # One at a time: what is begun has ended before the next begins.
    assert [kind for kind, _, _ in seen.told] == ["begun", "ended"] * (len(seen.told) // 2)


def test_a_crash_that_was_no_kill_says_nothing_of_memory(mixed, one_of_each, workshop):
    X, y = mixed
    seen = workshop(crashes=[Crash(("lightgbm_quick",), killed=False)])
    found = states(AutoMLRegressor(time_budget=60).fit(X, y, observer=seen))
    assert found["lightgbm_quick"] == ("failed", "engine.trial_crashed")
    assert found["linear"] == found["forest"] == ("done", None)


def test_memory_needs_are_declared():
    assert QUICK.memory == 1
    assert {c.family for c in PORTFOLIO if c.memory < 1} == {"forest", "neural"}


LIMITED = """
import resource
import numpy as np, pandas as pd
from automl_jupyter.engine import AutoMLRegressor, portfolio
found = {c.name: c for c in portfolio.PORTFOLIO}
portfolio.PORTFOLIO = (found['lightgbm_large'], found['lightgbm_quick'])
portfolio.PORTFOLIO += (portfolio.Candidate("larger", "lightgbm", memory=20.0),)
rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(400, 2000)).astype("float32")).add_prefix("n")
y = X["n0"] + rng.normal(size=400)
AutoMLRegressor(time_budget=20, max_trials=1, n_jobs=1).fit(X.iloc[:, :20], y)
used = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmData")) << 10
limit = used + (200 << 20)
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
model = AutoMLRegressor(time_budget=90, max_trials=3, n_jobs=2).fit(X, y)
print({t.name: (t.state, t.reason) for t in model.trials_})
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits what a process allocates")
def test_a_wide_table_under_a_real_limit():
    """A candidate whose histograms do not fit fails with its reason; the small one makes the model."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    reason = "engine.trial_out_of_memory"
    assert literal_eval(done.stdout.splitlines()[-1]) == {
        "ensemble": ("done", None),
        "baseline": ("done", None),
        "lightgbm_quick": ("done", None),
        "lightgbm_large": ("failed", reason),
        "larger": ("skipped", reason),
    }
