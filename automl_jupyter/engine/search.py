"""The search: candidates in order, one fold a lane, until the time is up; a second level; an ensemble.

The thread that calls :func:`run` never waits for a learner. It collects what lanes finish
(:mod:`automl_jupyter.engine.lanes`), tells the observer, and when the time is up it makes the ensemble while
an unfinished fit ends by itself.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine import (
    conclusion,
    distill,
    ensemble,
    extensions,
    fitting,
    lanes,
    outlook,
    portfolio,
    resample,
    stacking,
    variations,
)
from automl_jupyter.engine.board import Board
from automl_jupyter.engine.ensemble import Ensemble, Selector
from automl_jupyter.engine.fits import Crew, Fits
from automl_jupyter.engine.fitting import Material
from automl_jupyter.engine.lanes import Alone, Deadline, Job, Workshop
from automl_jupyter.engine.learners import F32, Codes
from automl_jupyter.engine.metrics import Judge, Judging
from automl_jupyter.engine.outlook import Point
from automl_jupyter.engine.portfolio import BASELINE, FAST, STACK, Candidate
from automl_jupyter.engine.preprocess import Views
from automl_jupyter.engine.resample import Folds, Groups, Positions, Times
from automl_jupyter.engine.schedule import Costs, Schedule
from automl_jupyter.engine.skewed import is_skewed
from automl_jupyter.engine.task import Target
from automl_jupyter.engine.trials import (
    DONE,
    FAILED,
    SKIPPED,
    FinishedTrial,
    Observer,
    Reached,
    Silent,
    Trial,
)

__all__ = ["FinishedTrial", "Observer", "Problem", "Result", "Silent", "Trial", "run"]

ENSEMBLE = "ensemble"
MOST_REPEATS, REPEATED_ROWS = 8, 400_000
LEAST_GAIN = 0.0005
"""A repeat that takes off less than this part of the loss is the last one."""

FEWEST_VARIED = 500
"""Fewer rows cannot tell variations apart."""

LEAST_SECOND, SECOND_SHARE, SECOND_FOLDS = 0.14, 0.22, 8
"""The second level gets the time of so many folds of the reference, within these parts of all."""

FAST_SHARE, MOST_FAST = 0.4, 0.2
"""The quick model gets so much of the second level's time, and what that leaves up to this part of all."""

IN_TIME = 0.85
"""The part of its time after which the quick model's folds are ended."""

FIRST_SHARE = 0.4
"""No candidate of the first level may use more than this part of the time that is left: so much may also be
lost by trying a family of which nothing is known yet."""

REFERENCE = "lightgbm"
_QUICK_NUMBERS = 12_000


@dataclass(frozen=True)
class Ablation:
    """What a search is to do without, to measure what it is worth.

    Attributes
    ----------
    without : frozenset of str
        Families, candidates, and the steps ``repeats``, ``variations``, ``second_level``, ``temperature``.
    """

    without: frozenset[str] = frozenset()

    def leaves(self, candidate: Candidate) -> bool:
        """Tell whether a candidate is still tried."""
        return not self.without & {candidate.name, candidate.family}


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
    metric : Judging
        What decides.
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
    weights : ndarray of shape (n,), optional
        How much each row counts, 1 on average.
    ablation : Ablation
        What is left out.
    """

    views: Views
    codes: Codes
    target: Target
    metric: Judging
    planned: float
    budget: float
    start: float
    workers: int
    seed: int
    max_trials: int | None
    groups: Groups | None = None
    time: Times | None = None
    weights: npt.NDArray[np.float64] | None = None
    ablation: Ablation = Ablation()


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
    folds : Folds
        How rows were divided.
    decision : ndarray of shape (K,)
        The factors by which classes are named.
    fast : Ensemble or None
        One quick model that says nearly the same, if there was time for it.
    curve : tuple of Point
        The loss of the first level's ensemble as time went by.
    reached : mapping
        By trial, how far its fits came, see :class:`automl_jupyter.engine.trials.FinishedTrial`.
    """

    ensemble: Ensemble
    trials: tuple[Trial, ...]
    row: Trial
    predictions: F32
    judged: Positions
    folds: Folds
    decision: npt.NDArray[np.float64]
    fast: Ensemble | None
    curve: tuple[Point, ...]
    reached: Mapping[str, tuple[Reached, ...]]


def run(problem: Problem, observer: Observer) -> Result:
    """Search until the candidates or the time are used up, and make an ensemble.

    Returns not later than about a second after ``start + budget``, whatever the learners do.
    """
    return _Search(problem, observer).run()


def material_of(problem: Problem) -> Material:
    """Divide the rows of a problem, with further divisions for repeats where they differ."""
    n, width = len(problem.codes), problem.views.of.width
    k = resample.count_folds(n, n * max(width, 1), problem.planned)
    repeats = 1 if problem.time is not None else int(np.clip(REPEATED_ROWS // n, 1, MOST_REPEATS))
    divisions = tuple(
        resample.divide(
            problem.codes, problem.target.task, k, problem.seed + repeat, problem.groups, problem.time
        )
        for repeat in range(repeats)
    )
    return Material(problem.views, problem.codes, problem.target, divisions, problem.seed, problem.weights)


class _Search:
    """The state of one search. Lanes touch the units and the queue of reports, nothing else."""

    def __init__(self, problem: Problem, observer: Observer) -> None:
        self.problem, self.observer = problem, observer
        self.material = material_of(problem)
        self.metric = problem.metric
        folds = self.material.folds
        self.judge = Judge(
            self.metric,
            problem.target,
            problem.codes,
            problem.seed,
            folds.judged,
            folds.clusters,
            problem.weights,
            folds,
        )
        self.board = Board(self.judge, observer, _fingerprint(problem, folds))
        budget = problem.budget
        self.close = problem.start + budget - min(2.5, max(0.04 * budget, 0.35), 0.4 * budget)
        self.stopped = threading.Event()
        workshop: Workshop = observer if isinstance(observer, Workshop) else Alone()
        # After a crash one fit at a time: less memory, and another crash has one culprit.
        lanes = 1 if workshop.crashes() else problem.workers
        self.crew = Crew(lanes, workshop, observer, self._tell_progress)
        self.costs = Costs()
        self._best_losses: list[float] = []
        self.walk = variations.Walk(problem.seed)
        self._curve: list[Point] = []
        self._read: list[FinishedTrial] = []
        self._told = 0.0
        wanted = portfolio.candidates(
            problem.target.task,
            len(problem.codes),
            skewed=is_skewed(problem.target, problem.codes),
            texts=bool(problem.views.of.texts),
            others=[c for extension in extensions.installed() for c in extension.candidates],
        )
        self._wanted = wanted = tuple(c for c in wanted if problem.ablation.leaves(c))
        repeats = 1 if "repeats" in problem.ablation.without else MOST_REPEATS
        self.first = self._schedule(
            list(wanted[: problem.max_trials]), self._variations, repeats=repeats, share=FIRST_SHARE
        )
        self.board.expect([BASELINE, *wanted, *STACK])
        above = () if "second_level" in problem.ablation.without else STACK
        self.above = [c for c in (*above, FAST) if problem.ablation.leaves(c)]

    # --- the caller's thread

    def run(self) -> Result:
        self._baseline()
        for known in self.observer.known_trials():
            self._reuse(known)
        for crash in self.crew.workshop.crashes():
            self._blame(crash)
        try:
            if not self.observer.should_stop():
                self._first_level()
                self._second_level()
        finally:
            # Also after an interrupt or an observer's error: fits under way end by themselves.
            self.stopped.set()
            self.crew.workshop.lanes_over()
        self.observer.progress(0.95, "engine.progress_ensembling")
        return self._conclude()

    def _schedule(
        self,
        candidates: list[Candidate],
        further: Callable[[], list[Candidate]] = list,
        *,
        repeats: int = 1,
        share: float = 1.0,
    ) -> Schedule:
        return Schedule(
            pending=candidates,
            size=lambda c: fitting.learner_of(c.family).parts(self.material.folds, c.params),
            deadline=Deadline(self.close),
            lanes=self.crew.lanes,
            costs=self.costs,
            timed=self.problem.max_trials is None,
            repeats=min(repeats, len(self.material.divisions)),
            share=share,
            wanted=self._worth_repeating,
            further=further,
        )

    def _first_level(self) -> None:
        if self.problem.max_trials is None:
            # Until the reference is known, the most that the second level may get is kept for it.
            self.first.deadline.at = self.close - SECOND_SHARE * self.problem.budget
        fits = Fits(self.crew, self.board, self.first, self.material, self._first_finished, drops_losers=True)
        fits.invite()
        fits.collect()
        self._give_up(self.first)

    def _second_level(self) -> None:
        pool = self.board.pool(1)
        if len(pool) < stacking.FEWEST_TRIALS or self.observer.should_stop() or not self.above:
            return
        losses = {f.trial.name: self.board.loss(f.trial.name) for f in pool}
        weights = self._selector(pool).weights(most=_QUICK_NUMBERS)
        shares = conclusion.shares_of(pool, len(self.problem.codes))
        self._read = stacking.chosen(pool, weights, losses, self.problem.target.width, shares)
        material = stacking.material_above(self.material, self._read)
        quick = [c for c in self.above if c.name == FAST.name]
        above = [c for c in self.above if c not in quick]
        kept = FAST_SHARE if quick and self.problem.max_trials is None else 0.0
        self._fit_above(above, material, self.close - kept * (self.close - time.monotonic()))
        teacher = distill.teacher_of(pool, weights.tolist(), self.material.folds, self.problem.target.task)
        for candidate in quick:
            self._teach(*self._prepared(candidate, teacher), material)

    def _teach(self, pupil: Candidate, teacher: distill.Teacher, material: Material) -> None:
        """Fit the quick model by folds, then the one that is served, for as long as they found best."""
        taught, kept = replace(material, teacher=teacher), 0.0
        if self.problem.max_trials is None:
            kept = (self.close - time.monotonic()) / (distill.turns(material.folds.k, self.crew.lanes) + 1)
        # Fits that the clock ends are all a little late: together they must not be too late for the last one.
        for job in self._fit_above([pupil], taught, self.close - kept, share=IN_TIME):
            if self.board.finished[pupil.name].trial.state != DONE:
                return
            stage = fitting.best_stage(list(job.parts.values()), taught)
            self._fit_above([distill.served(pupil, stage, self.crew.lanes)], taught, self.close)
            found = self.board.finished[pupil.name]
            if found.trial.state == DONE and not found.models:
                self.board.fail(
                    pupil, found.trial.fit_seconds, SKIPPED, _unfinished(time.monotonic() >= self.close)
                )

    def _fit_above(
        self, candidates: list[Candidate], material: Material, until: float, *, share: float = 1.0
    ) -> list[Job]:
        if not candidates or self.observer.should_stop():
            return []
        schedule = self._schedule(candidates, share=share)
        schedule.deadline.at = until
        Fits(self.crew, self.board, schedule, material, lambda job, done: None, drops_losers=False).collect()
        self._give_up(schedule)
        return schedule.jobs

    def _prepared(self, candidate: Candidate, teacher: distill.Teacher) -> tuple[Candidate, distill.Teacher]:
        """Choose what the quick model is taught by the time that is left, and by what the reference took."""
        reference = self.board.finished.get(REFERENCE)
        pace = None
        if reference is not None and reference.reached:
            fits = [made for _, repeat in reference.reached for made in repeat]
            pace = distill.Pace(max(fits), reference.trial.fit_seconds / sum(fits))
        budget = self.problem.budget
        left = min(self.close - time.monotonic(), MOST_FAST * budget)
        return distill.prepared(
            candidate,
            teacher,
            pace,
            left if self.problem.max_trials is None else np.inf,
            rows=len(self.problem.codes),
            width=self.problem.target.width,
            lanes=self.crew.lanes,
        )

    def _baseline(self) -> None:
        models, predictions = fitting.fit_baseline(self.material)
        self.board.record(
            Trial(BASELINE.name, BASELINE.family, baseline=True, predict_seconds=0.0), models, predictions
        )

    def _reuse(self, known: FinishedTrial) -> None:
        candidates = {candidate.name: candidate for candidate in self.first.pending}
        candidate = candidates.get(known.trial.name) or self._varied_before(known.trial)
        if known.fingerprint != self.board.fingerprint or candidate is None or known.predictions is None:
            return
        if candidate in self.first.pending:
            self.first.pending.remove(candidate)
        self.board.record(known.trial, known.models, known.predictions, known.repeats, known.reached)
        self.first.finished(candidate, self.board.loss(candidate.name), known.repeats)

    def _blame(self, crash: lanes.Crash) -> None:
        """Fail the candidate that ended an earlier process: of those under way, the one that needs most.

        The others are tried again, one at a time; so a crash of theirs would be theirs for certain.
        """
        suspects = [c for c in (*self.first.pending, *self.above) if c.name in crash.under_way]
        if not suspects:
            return
        culprit = max(suspects, key=lambda c: c.memory)
        (self.first.pending if culprit in self.first.pending else self.above).remove(culprit)
        self.board.fail(culprit, 0.0, FAILED, "engine.trial_crashed")
        if crash.killed:
            for candidate in self.first.leave_out(culprit.memory, more=True):
                self.board.fail(candidate, 0.0, SKIPPED, "engine.trial_left_out")

    def _first_finished(self, job: Job, done: FinishedTrial) -> None:
        """Once the reference is known, keep for the second level what it needs."""
        if done.trial.name == REFERENCE and not job.repeat and self.problem.max_trials is None:
            each = self.costs.expected(job.candidate) or 0.0
            budget = self.problem.budget
            self.first.deadline.at = self.close - min(
                SECOND_SHARE * budget, max(LEAST_SECOND * budget, SECOND_FOLDS * each + 0.02 * budget)
            )

    def _worth_repeating(self) -> list[str]:
        """What the ensemble uses, the most important first; nothing if the last repeat gained nothing."""
        pool = self.board.pool(1)
        selector = self._selector(pool)
        weights = selector.weights(most=_QUICK_NUMBERS)
        rounds = max(f.repeats for f in pool)
        loss = selector.loss(weights)
        while len(self._best_losses) < rounds:
            self._best_losses.append(np.inf)
        self._best_losses[rounds - 1] = min(self._best_losses[rounds - 1], loss)
        if rounds > 2 and loss >= (1 - LEAST_GAIN) * self._best_losses[rounds - 3]:
            return []
        order = np.argsort(-weights, kind="stable")
        return [pool[i].trial.name for i in order if weights[i] > 0]

    def _variations(self) -> list[Candidate]:
        """Some variations of what the ensemble uses; none once they bring nothing.

        What they bring is told by weights that have not seen the rows: a choice among more models always
        looks better on the rows that chose.
        """
        few = len(self.problem.codes) < FEWEST_VARIED
        if few or self.walk.over or "variations" in self.problem.ablation.without:
            return []
        pool = self.board.pool(1)
        selector = self._selector(pool)
        self.walk.note(self.board.loss_of(selector.cross_fitted(self.material.folds)))
        weights = selector.weights(most=_QUICK_NUMBERS)
        parents = [self.first.known[f.trial.name] for f in pool if f.trial.name in self.first.known]
        found = self.walk.batch(parents, weights.tolist()) if len(parents) == len(pool) else []
        self.board.expect(found)
        return found

    def _varied_before(self, trial: Trial) -> Candidate | None:
        """The candidate of a variation that an earlier attempt made, or None if it is none."""
        found = self.walk.again(self._wanted, trial.name, trial.params)
        if found is not None:
            self.board.expect([found])
        return found

    def _give_up(self, schedule: Schedule) -> None:
        """Say of what was begun or planned that there was no time for it."""
        late = time.monotonic() >= schedule.deadline.at
        given_up = {
            job.candidate.name: (job.candidate, job.seconds, late or job.too_dear)
            for job in schedule.jobs
            if not job.over and job.candidate.name not in self.board.finished
        }
        given_up |= {candidate.name: (candidate, 0.0, late) for candidate in schedule.pending}
        for candidate, seconds, no_time in given_up.values():
            # Of variations that were only thought of nobody need hear.
            if seconds or variations.MARK not in candidate.name:
                self.board.fail(candidate, seconds, SKIPPED, _unfinished(no_time))
        schedule.pending.clear()

    def _tell_progress(self) -> None:
        """Tell how far the search is, a few times a second."""
        now = time.monotonic()
        if now - self._told < 0.25:
            return
        self._told = now
        by_time = (now - self.problem.start) / (self.close - self.problem.start)
        by_trials = 0.0
        if self.problem.max_trials is not None:
            total = max(1, len(self.board.finished) + len(self.first.pending) + len(self.above))
            by_trials = len(self.board.finished) / total
        self.observer.progress(min(0.95, max(by_time, by_trials)), "engine.progress_training")
        if outlook.is_due(self._curve, now - self.problem.start) and self.first.losses:
            self._look()

    def _look(self) -> None:
        """Note how good an ensemble would be now, and tell what as much time again would bring."""
        selector = self._selector(self.board.pool(1))
        loss = selector.loss(selector.weights(most=_QUICK_NUMBERS))
        self._curve.append(Point(time.monotonic() - self.problem.start, loss))
        ahead = outlook.outlook(self._curve, self._curve[-1].seconds)
        if ahead is not None:
            self.observer.outlook(ahead)

    # --- the end

    def _conclude(self) -> Result:
        read, rows = [f.trial.name for f in self._read], len(self.problem.codes)
        choice = conclusion.choose(self.board.pool, self._selector, read, rows)
        honest, used = choice.selector.cross_fitted(self.material.folds), choice.used
        row = Trial(
            ENSEMBLE,
            ENSEMBLE,
            fit_seconds=sum(f.trial.fit_seconds for f, _ in used.values()),
            predict_seconds=sum(f.trial.predict_seconds for f, _ in used.values()),
            params={name: round(w, 4) for name, (_, w) in used.items()},
        )
        self.board.record(row, (), honest)
        trials = self.board.trials()
        row = next(trial for trial in trials if trial.name == ENSEMBLE)
        plain = "temperature" in self.problem.ablation.without
        task = self.problem.target.task
        temperature = 1.0 if plain else choice.selector.temperature(choice.weights)
        served = conclusion.served(task, used, choice.below, temperature)
        return Result(
            served,
            trials,
            row,
            honest,
            self.material.folds.judged,
            self.material.folds,
            self.judge.decision(honest),
            conclusion.quick(task, self.board.finished),
            tuple(self._curve),
            {name: f.reached for name, f in self.board.finished.items() if f.reached},
        )

    def _selector(self, pool: Sequence[FinishedTrial]) -> Selector:
        problem = self.problem
        return Selector(
            ensemble.selection_metric(self.metric, problem.target.task),
            problem.target,
            self.judge.truth,
            [ensemble.to_link(f.out_of_fold(), problem.target.task) for f in pool],
            problem.seed,
            max(problem.start + problem.budget - 0.3, time.monotonic() + 0.2),
            self.material.folds.predicted,
            problem.workers,
            problem.weights,
            self.material.folds.part,
        )


def _unfinished(late: bool) -> str:
    return "engine.trial_out_of_time" if late else "engine.trial_stopped"


def _fingerprint(problem: Problem, folds: Folds) -> str:
    """Identify data, folds and seed."""
    digest = hashlib.sha256()
    for array in (problem.codes, problem.views.numbers, problem.views.cells.codes, folds.part):
        digest.update(np.ascontiguousarray(array).tobytes())
    for ties in (folds.groups, folds.time, problem.weights):
        digest.update(b"-" if ties is None else np.ascontiguousarray(ties).tobytes())
    target = problem.target
    digest.update(
        repr((target.task, target.width, target.shift, target.scale, folds.k, problem.seed)).encode()
    )
    return digest.hexdigest()
