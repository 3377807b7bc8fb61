"""Lanes at work on one schedule: what they finish is taken, judged, and what loses is given up."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from automl_jupyter.engine import fitting, lanes
from automl_jupyter.engine.board import Board
from automl_jupyter.engine.fitting import Material, Part
from automl_jupyter.engine.lanes import Fitter, Job, Lane, Report, Units, Workshop
from automl_jupyter.engine.portfolio import BASELINE
from automl_jupyter.engine.schedule import Schedule
from automl_jupyter.engine.trials import FAILED, SKIPPED, FinishedTrial, Observer

DEAR = 0.06
"""What takes more than this part of the time that is left is given up where it loses."""

_POLL = 0.05


@dataclass(frozen=True)
class Crew:
    """Who works, and whom they tell.

    Attributes
    ----------
    lanes : int
        How many parts are fitted at a time in this process.
    workshop : Workshop
        What there is besides.
    observer : Observer
        May stop the work.
    tick : callable
        Called a few times a second.
    """

    lanes: int
    workshop: Workshop
    observer: Observer
    tick: Callable[[], None]


class Fits:
    """Lanes at work on one schedule, and the queue of what they report.

    Parameters
    ----------
    crew : Crew
        Who works.
    board : Board
        Where finished candidates are noted.
    schedule : Schedule
        What is fitted.
    material : Material
        What it is fitted to.
    finished : callable
        Told of each candidate, or repeat of one, that was judged.
    drops_losers : bool
        Whether what is dear and clearly behind is given up.
    """

    def __init__(
        self,
        crew: Crew,
        board: Board,
        schedule: Schedule,
        material: Material,
        finished: Callable[[Job, FinishedTrial], None],
        *,
        drops_losers: bool,
    ) -> None:
        self.crew, self.board, self.schedule, self.material = crew, board, schedule, material
        self.units = Units(schedule.units(), crew.lanes)
        self.over = threading.Event()
        self._finished, self._drops_losers = finished, drops_losers
        self._reports: queue.SimpleQueue[Report | None] = queue.SimpleQueue()

    def invite(self) -> None:
        """Let further lanes join, on other machines for example."""
        self._start("automl-search-elsewhere", self._work_elsewhere)

    def collect(self) -> None:
        """Fit, and take what lanes finish until all is done, time is up, or it is stopped."""
        crew = self.crew
        try:
            for i in range(crew.lanes):
                self._start(f"automl-search-{i}", self._work)
            working = crew.lanes
            while working and time.monotonic() < self.schedule.deadline.at:
                if crew.observer.should_stop():
                    return
                try:
                    report = self._reports.get(timeout=_POLL)
                except queue.Empty:
                    crew.tick()
                    continue
                if report is None:
                    working -= 1
                else:
                    self._take(report)
                    crew.tick()
        finally:
            self.over.set()
            self.units.close()

    def _take(self, report: Report) -> None:
        job = report.unit.job
        job.seconds += report.seconds
        if job.over:
            return
        if report.reason is not None:
            job.over = True
            if not job.repeat:
                self.board.fail(job.candidate, job.seconds, FAILED, report.reason, report.detail)
            if report.reason == "engine.trial_out_of_memory":
                self._leave_out(job.candidate.memory, report.reason)
        elif report.part is not None:
            number = report.unit.number
            job.parts[number] = report.part
            with self.units.changed:
                fold = number % self.material.folds.fits
                self.schedule.costs.learn(job.candidate, report.seconds, self.material.folds.share(fold))
            if len(job.parts) == job.size:
                self._finish(job)
            elif self._is_lost(job, report.part):
                job.over = True
                self.board.fail(job.candidate, job.seconds, SKIPPED, "engine.trial_losing")

    def _is_lost(self, job: Job, part: Part) -> bool:
        """Tell whether the rest of a candidate takes long, and what is there of it is clearly behind."""
        if job.repeat or not self.schedule.timed or not self._drops_losers:
            return False
        each = self.schedule.costs.expected(job.candidate) or 0.0
        rest = each * (job.size - len(job.parts)) / self.crew.lanes
        if rest < DEAR * (self.schedule.deadline.at - time.monotonic()):
            return False
        best = self.board.best()
        return best is not None and fitting.loses(part, best, self.material)

    def _finish(self, job: Job) -> None:
        job.over = True
        prior = self.board.finished[BASELINE.name].out_of_fold()
        done = self.board.join(job, self.material, prior)
        with self.units.changed:
            self.schedule.finished(job.candidate, self.board.loss(done.trial.name), done.repeats)
            self._finished(job, done)

    def _leave_out(self, memory: float, reason: str) -> None:
        """Skip the candidates not begun that need so much memory."""
        with self.units.changed:
            hungry = self.schedule.leave_out(memory, more=False)
        for candidate in hungry:
            self.board.fail(candidate, 0.0, SKIPPED, reason)

    # --- the lanes' threads

    def _start(self, name: str, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name=name, daemon=True).start()

    def _work(self) -> None:
        try:
            self._lane(lanes.fit_here, here=True).run()
        finally:
            self._reports.put(None)

    def _work_elsewhere(self) -> None:
        for i, fit in enumerate(self.crew.workshop.lanes(self.material)):
            if self.over.is_set():
                return
            self._start(f"automl-search-elsewhere-{i}", self._lane(fit, here=False).run)

    def _lane(self, fit: Fitter, *, here: bool) -> Lane:
        return Lane(
            fit,
            here,
            self.units,
            self.material,
            self.schedule.deadline,
            self.over,
            self._reports.put,
            self.crew.workshop,
        )
