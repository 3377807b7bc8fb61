"""A search whose process is killed in the middle of a fit: what was finished is kept, and it goes on."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import psutil
import pytest

from automl_jupyter.backends.tracking import Tracking
from automl_jupyter.engine.trials import FinishedTrial, Trial
from automl_jupyter.services.control import STOP
from automl_jupyter.services.coordinator import Attempt, Recorder
from automl_jupyter.services.searching import StoredTrials, stored_trials

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BUDGET = 200
"""More than any of them needs: they end when there is nothing left to try."""


def trials(n):
    """What of a job makes its search try so many candidates, one fit at a time."""
    return {"threads": 1, "time_budget": BUDGET, "planned_budget": BUDGET, "options": {"max_trials": n}}


class NoTracking(Tracking):
    """MLflow is somebody else's test."""


NoTracking.__abstractmethods__ = frozenset()


def search_process():
    """The one that fits, of this process's children; None if it has ended."""
    alive = [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]
    return next((p for p in alive if "search_process" in " ".join(p.cmdline())), None)


class Killer:
    """Kills the search each time it begins to fit one of some candidates, or, for None, whatever it is."""

    def __init__(self, attempt, *victims, how=signal.SIGKILL):
        self.victims, self.how, self.killed = list(victims), how, []
        self.limits, self.pids = set(), set()
        self._hear = attempt.heard
        attempt.heard = self.hear

    def hear(self, line):
        self._hear(line)
        if line.get("kind") == "begun" and self.victims and self.victims[0] in (line["name"], None):
            child = search_process()
            if child is None or child.pid in self.pids:
                # Killed already; quick fits go on for a moment.
                return
            self.pids.add(child.pid)
            self.limits.add(child.rlimit(psutil.RLIMIT_DATA)[0])
            os.kill(child.pid, self.how)
            self.killed.append(self.victims.pop(0))


def attempt_of(task):
    recorder = Recorder(NoTracking(), task.payload, task.storage)
    return Attempt(task.payload, task.report, task.storage, recorder)


def culprits(attempt):
    """The candidates that were under way: with one fit at a time at most one at each crash."""
    found = [crash["under_way"] for crash in attempt.crashes]
    assert all(len(names) <= 1 for names in found), found
    return [name for names in found for name in names]


def board(attempt):
    return {trial["name"]: (trial["state"], trial["reason"]) for trial in attempt.model["leaderboard"]}


def test_killed_twice_it_ends_with_what_it_has(task):
    made = task(rows=1500, columns=10, memory_bytes=3 * 1024**3, **trials(7))
    attempt = attempt_of(made)
    killer = Killer(attempt, "kernel", "kernel")
    outcome = attempt.search(time.monotonic() + BUDGET)
    assert outcome.exit == "ended", outcome.stderr_tail
    assert killer.killed[:1] == ["kernel"]
    assert killer.limits == {3 * 1024**3}
    assert all(crash["killed"] for crash in attempt.crashes)
    found = board(attempt)
    for name in culprits(attempt):
        assert found.pop(name) == ("failed", "engine.trial_crashed")
    # What needs more memory than the one that ended the process is left out; what was finished is kept.
    left_out = [name for name, trial in found.items() if trial == ("skipped", "engine.trial_left_out")]
    assert "lightgbm_extra" in left_out
    for name in left_out:
        del found[name]
    assert {"lightgbm_quick", "lightgbm", "linear", "stumps", "neural_bins", "ensemble"} <= found.keys()
    assert set(found.values()) == {("done", None)}
    assert not [key for key in made.storage.list("jobs/job") if "/spread" in key]


def test_a_native_crash_costs_its_candidates_alone_and_no_trial_is_told_twice_over(task):
    made = task(rows=1500, columns=10, **trials(5))
    attempt = attempt_of(made)
    Killer(attempt, "lightgbm", "stumps", how=signal.SIGSEGV)
    outcome = attempt.search(time.monotonic() + BUDGET)
    assert outcome.exit == "ended", outcome.stderr_tail
    found = board(attempt)
    guilty = culprits(attempt)
    assert 1 <= len(attempt.crashes) <= 2
    assert {name for name, trial in found.items() if trial != ("done", None)} == set(guilty)
    assert all(found[name] == ("failed", "engine.trial_crashed") for name in guilty)
    numbers = {}
    for kind, data in made.reported:
        if kind == "trial":
            numbers.setdefault(data["trial"]["name"], set()).add(data["number"])
    assert all(len(given) == 1 for given in numbers.values()), numbers
    assert len({next(iter(given)) for given in numbers.values()}) == len(numbers) == len(found)
    assert len(made.storage.list("jobs/job/trials")) == len(found)
    assert len(attempt.noted) == len(found)


def test_a_search_that_dies_again_and_again_still_makes_a_model(task):
    """It is killed at the first unit of each process: five times, then a model is made of what there is.

    Or until a kill came twice in a row after the end of the unit that it was meant for.
    """
    made = task(rows=3000, columns=10, **trials(6))
    attempt = attempt_of(made)
    Killer(attempt, *[None] * 6, how=signal.SIGABRT)
    outcome = attempt.search(time.monotonic() + BUDGET)
    assert outcome.exit == "ended", outcome.stderr_tail
    found = board(attempt)
    idle = [not crash["under_way"] for crash in attempt.crashes]
    assert len(idle) == 5 or idle[-2:] == [True, True]
    assert 2 <= len(idle) <= 5
    assert all(found[name] == ("failed", "engine.trial_crashed") for name in culprits(attempt))
    assert found["baseline"] == found["ensemble"] == ("done", None)


def test_what_an_earlier_attempt_finished_makes_the_model_of_one_that_dies_before_it_began(task):
    made = task(**trials(2))
    assert attempt_of(made).search(time.monotonic() + BUDGET).exit == "ended"

    class Unlucky(Attempt):
        """Is asked to stop at once, and its first process dies before it has told anything."""

        def _started(self, tell):
            super()._started(tell)
            if not self.crashes:
                search_process().kill()

        def asked(self):
            self.wish = STOP
            return STOP

    first = attempt_of(made)
    attempt = Unlucky(first.payload, first.report, first.storage, first.recorder)
    outcome = attempt.search(time.monotonic() + BUDGET)
    assert outcome.exit == "ended", outcome.stderr_tail
    assert len(attempt.crashes) == 1
    found = board(attempt)
    assert {"baseline", "lightgbm_quick", "lightgbm", "ensemble"} <= found.keys()
    assert {found[name] for name in ("baseline", "lightgbm_quick", "ensemble")} == {("done", None)}


@pytest.mark.alone
def test_the_deadline_stays_hard_however_often_it_dies(task):
    made = task(rows=3000, columns=30, threads=1, time_budget=20)
    attempt = attempt_of(made)
    Killer(attempt, "lightgbm_quick", "lightgbm", how=signal.SIGABRT)
    began = time.monotonic()
    attempt.search(began + 20)
    assert time.monotonic() - began < 20 + 2 + 20 + 2


def test_a_reused_trial_keeps_its_number_and_its_file(tmp_path, task):
    made = task()
    lines = []

    def observer():
        kept = stored_trials(made.storage, "jobs/job/trials")
        return StoredTrials(made.storage, "jobs/job/trials", lines.append, threading.Event(), kept)

    import numpy as np

    first = observer()
    for name in ("baseline", "a", "b"):
        first.trial_finished(FinishedTrial(Trial(name, "linear", 1.0), (), np.ones((3, 1), np.float32), "f"))
    before = made.storage.list("jobs/job/trials")
    second = observer()
    known = {f.trial.name: f for f in second.known_trials()}
    lines.clear()
    second.trial_finished(FinishedTrial(Trial("b", "linear", 1.0), (), known["b"].predictions, "f"))
    assert made.storage.list("jobs/job/trials") == before
    second.trial_finished(FinishedTrial(Trial("a", "linear", 2.0), (), np.zeros((3, 1), np.float32), "f"))
    second.trial_finished(FinishedTrial(Trial("c", "linear", 2.0), (), np.zeros((3, 1), np.float32), "f"))
    assert [(line["number"], line["trial"]["name"]) for line in lines] == [(3, "b"), (2, "a"), (4, "c")]
    after = made.storage.list("jobs/job/trials")
    assert len(after) == 4
    assert before[1] not in after
    assert json.dumps(lines)
