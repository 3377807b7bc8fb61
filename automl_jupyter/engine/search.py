"""The search: candidates in order, one fold a lane, until the time is up; then an ensemble.

The thread that calls :func:`run` never waits for a learner. It collects what lanes finish
(:mod:`automl_jupyter.engine.lanes`), tells the observer, and when the time is up it makes the ensemble while
an unfinished fit ends by itself.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from automl_jupyter.engine import ensemble, fitting, lanes, metrics, portfolio, resample
from automl_jupyter.engine.ensemble import Ensemble, Member
from automl_jupyter.engine.fitting import LEARNERS, Material
from automl_jupyter.engine.lanes import Alone, Fitter, Job, Lane, Report, Unit, Units, Workshop
from automl_jupyter.engine.learners import F32, Codes, Model
from automl_jupyter.engine.metrics import Judge, Judged
from automl_jupyter.engine.portfolio import BASELINE, Candidate
from automl_jupyter.engine.preprocess import Views
from automl_jupyter.engine.resample import Folds, Groups, Positions, Times
from automl_jupyter.engine.task import Target
from automl_jupyter.engine.trials import FAILED, SKIPPED, FinishedTrial, Observer, Silent, Trial, ranked

__all__ = ["FinishedTrial", "Observer", "Problem", "Result", "Silent", "Trial", "run"]

ENSEMBLE = "ensemble"
TIME_SHARE = 0.75
_POLL = 0.05


@dataclass(frozen=True)
class Problem:
    """What is to be searched.

    Attributes
    ----------
    views : Views
        The training rows.
    codes : ndarray of shape (n,)
        Their coded target.
    target : Target
        Its coding.
    metric : str
        The metric's name.
    planned : float
        Seconds by which folds are chosen: the same for all attempts at one search.
    budget : float
        Seconds of this attempt, from `start`.
    start : float
        When the time began to run, on :func:`time.monotonic`.
    workers : int
        Number of threads.
    seed : int
        Seed of all that is random.
    max_trials : int or None
        Only so many candidates, and then nothing depends on time unless the budget runs out.
    groups, time : ndarray of shape (n,), optional
        What rows are divided by, as in :func:`automl_jupyter.engine.resample.divide`.
    """

    views: Views
    codes: Codes
    target: Target
    metric: str
    planned: float
    budget: float
    start: float
    workers: int
    seed: int
    max_trials: int | None
    groups: Groups | None = None
    time: Times | None = None


@dataclass(frozen=True)
class Result:
    """What a search found.

    Attributes
    ----------
    ensemble : Ensemble
        What is served.
    trials : tuple of Trial
        The leaderboard, the best first.
    row : Trial
        The ensemble's own line.
    predictions : ndarray of shape (n, K)
        The ensemble's predictions by models and weights that had not seen the row.
    judged : ndarray of int
        The rows of which that is true, and from which the scores come.
    """

    ensemble: Ensemble
    trials: tuple[Trial, ...]
    row: Trial
    predictions: F32
    judged: Positions


def run(problem: Problem, observer: Observer) -> Result:
    """Search until the candidates or the time are used up, and make an ensemble.

    Returns not later than about a second after ``start + budget``, whatever the learners do.
    """
    return _Search(problem, observer).run()


class _Search:
    """The state of one search. Lanes touch the units and the queue of reports, nothing else."""

    def __init__(self, problem: Problem, observer: Observer) -> None:
        self.problem, self.observer = problem, observer
        n, width = len(problem.codes), problem.views.of.width
        k = resample.count_folds(n, n * max(width, 1), problem.planned)
        folds = resample.divide(
            problem.codes, problem.target.task, k, problem.seed, problem.groups, problem.time
        )
        self.material = Material(problem.views, problem.codes, problem.target, (folds,), problem.seed)
        self.metric = metrics.get(problem.metric)
        self.judge = Judge(
            self.metric, problem.target, problem.codes, problem.seed, folds.judged, folds.clusters
        )
        self.fingerprint = _fingerprint(problem, folds)
        reserve = min(3.0, max(0.08 * problem.budget, 0.4), 0.4 * problem.budget)
        self.end = problem.start + problem.budget - reserve
        self.stopped = threading.Event()
        self.finished: dict[str, FinishedTrial] = {}
        self.judged: dict[str, Judged] = {}
        self.workshop: Workshop = observer if isinstance(observer, Workshop) else Alone()
        self._reports: queue.SimpleQueue[Report | None] = queue.SimpleQueue()
        self._reference: float | None = None
        self._jobs: list[Job] = []
        self._pending = self._choose()
        # After a crash one fit at a time: less memory, and another crash has one culprit.
        self._here = 1 if self.workshop.crashes() else problem.workers
        self._units = Units(self._plan(), self._here)
        self._told = 0.0

    # --- the caller's thread

    def run(self) -> Result:
        self._baseline()
        for known in self.observer.known_trials():
            self._reuse(known)
        for crash in self.workshop.crashes():
            self._blame(crash)
        try:
            if not self.observer.should_stop():
                self._open_lanes()
                self._collect(self._here)
        finally:
            # Also after an interrupt or an observer's error: fits under way end by themselves.
            self.stopped.set()
            self._units.close()
            self.workshop.lanes_over()
        self._give_up()
        self.observer.progress(0.95, "engine.progress_ensembling")
        return self._conclude()

    def _choose(self) -> list[Candidate]:
        chosen = portfolio.candidates(self.problem.target.task, len(self.problem.codes))
        return list(chosen if self.problem.max_trials is None else chosen[: self.problem.max_trials])

    def _baseline(self) -> None:
        models, predictions = fitting.fit_baseline(self.material)
        trial = Trial(BASELINE.name, BASELINE.family, baseline=True, predict_seconds=0.0)
        self._record(trial, self.judge.judge(predictions), models, predictions)

    def _reuse(self, known: FinishedTrial) -> None:
        names = [candidate.name for candidate in self._pending]
        if (
            known.fingerprint != self.fingerprint
            or known.trial.name not in names
            or known.predictions is None
        ):
            return
        self._pending = [c for c in self._pending if c.name != known.trial.name]
        judged = self.judge.judge(known.predictions)
        self._record(known.trial, judged, known.models, known.predictions)

    def _collect(self, working: int) -> None:
        """Take what lanes finish until those of this process have ended, time is up, or it is stopped."""
        while working and time.monotonic() < self.end:
            if self.observer.should_stop():
                return
            try:
                report = self._reports.get(timeout=_POLL)
            except queue.Empty:
                self._tell_progress()
                continue
            if report is None:
                working -= 1
            else:
                self._take(report)
                self._tell_progress()

    def _take(self, report: Report) -> None:
        job = report.unit.job
        job.seconds += report.seconds
        if job.over:
            return
        if report.reason is not None:
            self._fail(job, FAILED, report.reason, report.detail)
            if report.reason == "engine.trial_out_of_memory":
                self._leave_out(job.candidate.memory, report.reason)
        elif report.part is not None:
            job.parts[report.unit.number] = report.part
            # The quickest so far: imports, and whatever else the machine does, only ever make a part slower.
            work = job.candidate.cost * self.material.folds.share(report.unit.number)
            unit = max(report.seconds, 1e-3) / work
            self._reference = unit if self._reference is None else min(self._reference, unit)
            if len(job.parts) == job.size:
                self._finish(job)

    def _blame(self, crash: lanes.Crash) -> None:
        """Fail the candidate that ended an earlier process: of those under way, the one that needs most.

        The others are tried again, one at a time; so a crash of theirs would be theirs for certain.
        """
        suspects = [c for c in self._pending if c.name in crash.under_way]
        if not suspects:
            return
        culprit = max(suspects, key=lambda c: c.memory)
        with self._units.changed:
            self._pending.remove(culprit)
        self._fail(Job(culprit, 0, 0.0), FAILED, "engine.trial_crashed")
        if crash.killed:
            self._leave_out(culprit.memory, "engine.trial_left_out", more=True)

    def _leave_out(self, memory: float, reason: str, *, more: bool = False) -> None:
        """Skip the candidates not begun that need so much memory, or more than that."""
        with self._units.changed:
            hungry = [c for c in self._pending if c.memory > memory or (c.memory == memory and not more)]
            self._pending = [c for c in self._pending if c not in hungry]
        for candidate in hungry:
            self._fail(Job(candidate, 0, 0.0), SKIPPED, reason)

    def _fail(self, job: Job, state: str, reason: str, detail: str | None = None) -> None:
        job.over = True
        trial = Trial(
            job.candidate.name,
            job.candidate.family,
            fit_seconds=job.seconds,
            state=state,
            params=job.candidate.params,
            reason=reason,
            detail=detail,
        )
        done = FinishedTrial(trial, fingerprint=self.fingerprint)
        self.finished[trial.name] = done
        self.observer.trial_finished(done)

    def _give_up(self) -> None:
        """Say of what was begun or planned that there was no time for it."""
        late = time.monotonic() >= self.end
        out_of_time, stopped = "engine.trial_out_of_time", "engine.trial_stopped"
        with self._units.changed:
            waiting, self._pending = self._pending, []
        for job in self._jobs:
            if not job.over and job.candidate.name not in self.finished:
                self._fail(job, SKIPPED, out_of_time if late or job.too_dear else stopped)
        for candidate in waiting:
            self._fail(Job(candidate, 0, 0.0), SKIPPED, out_of_time if late else stopped)

    def _finish(self, job: Job) -> None:
        """Join the parts of a candidate and put it on the leaderboard."""
        job.over = True
        parts = [job.parts[number] for number in range(job.size)]
        prior = _predictions(self.finished[BASELINE.name])
        models, predictions = fitting.join(parts, prior, self.material)
        trial = Trial(
            job.candidate.name,
            job.candidate.family,
            fit_seconds=job.seconds,
            predict_seconds=sum(part.predict_seconds for part in parts),
            params=job.candidate.params,
        )
        self._record(trial, self.judge.judge(predictions), models, predictions)

    def _record(self, trial: Trial, judged: Judged, models: tuple[Model, ...], predictions: F32) -> None:
        self.judged[trial.name] = judged
        best = max(self.judged.values(), key=_score)
        trial = replace(
            trial,
            score=judged.score,
            interval=judged.interval,
            tied_with_best=self.judge.tied(best, judged),
        )
        done = FinishedTrial(trial, models, predictions, self.fingerprint)
        self.finished[trial.name] = done
        self.observer.trial_finished(done)

    def _tell_progress(self) -> None:
        now = time.monotonic()
        if now - self._told < 0.25:
            return
        self._told = now
        by_time = (now - self.problem.start) / (self.end - self.problem.start)
        with self._units.changed:
            total = max(1, len(self.finished) + len(self._pending) + sum(not job.over for job in self._jobs))
        by_trials = len(self.finished) / total
        self.observer.progress(min(0.95, max(by_time, by_trials)), "engine.progress_training")

    # --- the end

    def _conclude(self) -> Result:
        done = [f for f in self._in_order() if f.predictions is not None]
        pool = [f for f in done if not f.trial.baseline] or done
        weights = self._selector(pool).weights()
        costs = np.array([sum(model.row_cost for model in f.models) for f in pool])
        kept = ensemble.lighten(weights, costs)
        if not kept.all():
            pool = [f for f, keep in zip(pool, kept, strict=True) if keep]
            weights = self._selector(pool).weights()
        honest = self._selector(pool).cross_fitted(self.material.folds)
        used = [(f, float(w)) for f, w in zip(pool, weights, strict=True) if w > 0]
        row = Trial(
            ENSEMBLE,
            ENSEMBLE,
            fit_seconds=sum(f.trial.fit_seconds for f, _ in used),
            predict_seconds=sum(f.trial.predict_seconds for f, _ in used),
            params={f.trial.name: round(w, 4) for f, w in used},
        )
        self._record(row, self.judge.judge(honest), (), honest)
        trials = self._final_trials()
        row = next(trial for trial in trials if trial.name == ENSEMBLE)
        members = tuple(Member(f.trial.name, w, f.models) for f, w in used)
        return Result(
            Ensemble(self.problem.target.task, members), trials, row, honest, self.material.folds.judged
        )

    def _selector(self, pool: list[FinishedTrial]) -> ensemble.Selector:
        problem = self.problem
        return ensemble.Selector(
            ensemble.selection_metric(self.metric, problem.target.task),
            problem.target,
            self.judge.truth,
            [ensemble.to_link(_predictions(f), problem.target.task) for f in pool],
            problem.seed,
            max(problem.start + problem.budget - 0.3, time.monotonic() + 0.2),
            self.material.folds.predicted,
        )

    def _in_order(self) -> list[FinishedTrial]:
        """Finished trials in the portfolio's order, so that nothing depends on which thread was faster."""
        order = [BASELINE.name, *(c.name for c in portfolio.PORTFOLIO)]
        return sorted(self.finished.values(), key=lambda f: order.index(f.trial.name))

    def _final_trials(self) -> tuple[Trial, ...]:
        best = max(self.judged.values(), key=_score)
        return ranked(
            replace(f.trial, tied_with_best=self.judge.tied(best, self.judged[f.trial.name]))
            if f.trial.name in self.judged
            else f.trial
            for f in self.finished.values()
        )

    # --- the lanes' threads

    def _open_lanes(self) -> None:
        for i in range(self._here):
            self._start(f"automl-search-{i}", self._work)
        self._start("automl-search-elsewhere", self._work_elsewhere)

    def _start(self, name: str, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name=name, daemon=True).start()

    def _work(self) -> None:
        try:
            self._lane(lanes.fit_here, here=True).run()
        finally:
            self._reports.put(None)

    def _work_elsewhere(self) -> None:
        for i, fit in enumerate(self.workshop.lanes(self.material)):
            if self.stopped.is_set():
                return
            self._start(f"automl-search-elsewhere-{i}", self._lane(fit, here=False).run)

    def _lane(self, fit: Fitter, *, here: bool) -> Lane:
        return Lane(
            fit, here, self._units, self.material, self.end, self.stopped, self._reports.put, self.workshop
        )

    def _plan(self) -> Iterator[Unit]:
        """Give one part after the other, in the portfolio's order."""
        while self._pending:
            candidate = self._pending.pop(0)
            size = LEARNERS[candidate.family].parts(self.material.folds)
            job = Job(candidate, size, self._share(size))
            self._jobs.append(job)
            job.too_dear = not self._is_affordable(job)
            for number in range(0 if job.too_dear else size):
                if not job.over:
                    yield Unit(job, number)

    def _share(self, size: int) -> float:
        """Give the seconds that one part may take: no candidate may use more than a share of what is left."""
        if self.problem.max_trials is not None:
            return float("inf")
        rounds = -(-size // self.problem.workers)
        return max(0.2, TIME_SHARE * (self.end - time.monotonic()) / rounds)

    def _is_affordable(self, job: Job) -> bool:
        """Tell whether a candidate's parts can be expected to get half of their usual time or more.

        Models that are cut further than that do an ensemble harm.
        """
        if self.problem.max_trials is not None or self._reference is None:
            return True
        return self._reference * job.candidate.cost < 2 * job.share


def _predictions(finished: FinishedTrial) -> F32:
    if finished.predictions is None:
        raise TypeError("a trial that is done has predictions")
    return finished.predictions


def _score(judged: Judged) -> float:
    return judged.score if np.isfinite(judged.score) else -np.inf


def _fingerprint(problem: Problem, folds: Folds) -> str:
    """Identify data, folds and seed."""
    digest = hashlib.sha256()
    for array in (problem.codes, problem.views.numbers, problem.views.cells.codes, folds.part):
        digest.update(np.ascontiguousarray(array).tobytes())
    for ties in (folds.groups, folds.time):
        digest.update(b"-" if ties is None else np.ascontiguousarray(ties).tobytes())
    target = problem.target
    digest.update(
        repr((target.task, target.width, target.shift, target.scale, folds.k, problem.seed)).encode()
    )
    return digest.hexdigest()
