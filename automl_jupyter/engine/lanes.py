"""Lanes: what fits units of work for a search, here or elsewhere, and the queue that feeds them.

A unit is one part of one candidate. Each lane is a thread that takes a unit, has it fitted and takes the
next. A unit means the same to every lane, so that nothing depends on which of them fitted it.
"""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from automl_jupyter.engine import fitting
from automl_jupyter.engine.fitting import Material, Part
from automl_jupyter.engine.learners import Clock, OutOfTime
from automl_jupyter.engine.portfolio import Candidate

MOST_LOSSES = 2
"""So often a unit is fitted anew that was lost with whoever fitted it."""

_WAIT = 0.5


class UnitLost(Exception):
    """A unit was not fitted, through no fault of the search: it should be fitted by another lane."""


class LaneLost(UnitLost):
    """The same, and this lane will fit nothing more."""


@dataclass(frozen=True)
class Fitted:
    """A part and how long its fit took, in seconds."""

    part: Part
    seconds: float


Fitter = Callable[[Material, Candidate, int, Clock], Fitted]
"""Fits one part of a candidate; raises OutOfTime, UnitLost, LaneLost, or what learners raise."""


@dataclass(frozen=True)
class Crash:
    """How an earlier process of the same search ended.

    Attributes
    ----------
    under_way : tuple of str
        The candidates that were being fitted in it.
    killed : bool
        Whether it was killed from outside, as systems do that run out of memory.
    """

    under_way: tuple[str, ...]
    killed: bool = True


@runtime_checkable
class Workshop(Protocol):
    """What an observer may offer besides: further lanes, and what a search that crashes leaves behind."""

    def lanes(self, material: Material) -> Iterator[Fitter]:
        """Give further lanes as they come; called once, in a thread of its own, and may wait."""
        ...

    def lanes_over(self) -> None:
        """Take note that no further lane is needed, and that those given have nothing more to do."""
        ...

    def unit_begun(self, name: str, number: int) -> None:
        """Take note that a part is about to be fitted in this process; called by several threads."""
        ...

    def unit_ended(self, name: str, number: int) -> None:
        """Take note that its fit has ended, in whatever way."""
        ...

    def crashes(self) -> Sequence[Crash]:
        """Tell how earlier processes of this search ended, the first one first."""
        ...


class Alone:
    """The workshop that offers nothing."""

    def lanes(self, material: Material) -> Iterator[Fitter]:
        """Give none."""
        return iter(())

    def lanes_over(self) -> None:
        """Do nothing."""

    def unit_begun(self, name: str, number: int) -> None:
        """Do nothing."""

    def unit_ended(self, name: str, number: int) -> None:
        """Do nothing."""

    def crashes(self) -> Sequence[Crash]:
        """Know of none."""
        return ()


@dataclass
class Deadline:
    """When something must end, on :func:`time.monotonic`; it may be moved while it is waited for."""

    at: float


@dataclass
class Job:
    """A candidate under way, for the first time or for a repeat on another division of the rows."""

    candidate: Candidate
    size: int
    share: float
    repeat: int = 0
    parts: dict[int, Part] = field(default_factory=dict)
    seconds: float = 0.0
    too_dear: bool = False
    over: bool = False


@dataclass(frozen=True)
class Unit:
    """One part of a candidate.

    Attributes
    ----------
    job : Job
        The candidate.
    number : int
        The part.
    losses : int
        How often it was lost.
    alone : bool
        Whether nothing else was fitted in this process at the time.
    """

    job: Job
    number: int
    losses: int = 0
    alone: bool = False


class Units:
    """The queue between a search and its lanes; all methods may be called by any thread.

    Parameters
    ----------
    plan : iterator of Unit
        Gives one unit after the other; advanced under :attr:`changed`.
    most : int
        How many lanes of this process may fit at a time.
    """

    def __init__(self, plan: Iterator[Unit], most: int) -> None:
        self.changed = threading.Condition()
        self.most = most
        self._plan = plan
        self._returned: collections.deque[Unit] = collections.deque()
        self._out = 0
        self._here = 0
        self._closed = False

    def take(self, *, here: bool) -> Unit | None:
        """Give the next unit; None once nothing is left to do or to wait for.

        A lane waits while units are with other lanes: any of them may come back.
        """
        with self.changed:
            while not self._closed:
                unit = self._next() if not here or self._here < self.most else None
                if unit is not None:
                    self._out += 1
                    self._here += here
                    return replace(unit, alone=not here or self.most == 1)
                if self._out == 0:
                    break
                self.changed.wait(_WAIT)
            return None

    def _next(self) -> Unit | None:
        while self._returned:
            unit = self._returned.popleft()
            if not unit.job.over:
                return unit
        return next(self._plan, None)

    def settle(self, *, here: bool, back: Unit | None = None) -> None:
        """Take note that a unit that was given is done with, or take it back."""
        with self.changed:
            self._out -= 1
            self._here -= here
            if back is not None:
                self._returned.appendleft(back)
            self.changed.notify_all()

    def go_single(self) -> None:
        """Have this process fit one unit at a time from now on."""
        with self.changed:
            self.most = 1

    def close(self) -> None:
        """Give nothing more to anybody."""
        with self.changed:
            self._closed = True
            self.changed.notify_all()


def fit_here(material: Material, candidate: Candidate, number: int, clock: Clock) -> Fitted:
    """Fit on the calling thread."""
    began = time.monotonic()
    part = fitting.learner_of(candidate.family).fit_part(material, candidate.params, number, clock)
    return Fitted(part, time.monotonic() - began)


_MEMORY_WORDS = ("bad_alloc", "out of memory", "cannot allocate memory", "unable to allocate")


def is_lack_of_memory(error: BaseException) -> bool:
    """Tell whether a fit failed for lack of memory, which native libraries say in words only."""
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in _MEMORY_WORDS)


@dataclass(frozen=True)
class Report:
    """What a lane hands over: a part, the reason why there is none, or neither if no time was left.

    Attributes
    ----------
    reason, detail : str or None
        The code of a sentence; the error in its own words.
    """

    unit: Unit
    seconds: float
    part: Part | None = None
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Lane:
    """Takes units, has them fitted and reports, until nothing is left.

    Attributes
    ----------
    fit : callable
        Who fits.
    here : bool
        Whether that is this process.
    units : Units
        The queue.
    material : Material
        What is fitted to.
    deadline : Deadline
        When fits end.
    stopped : Event
        Set when it ends early.
    report : callable
        Takes reports.
    workshop : Workshop
        Is told what is under way in this process.
    """

    fit: Fitter
    here: bool
    units: Units
    material: Material
    deadline: Deadline
    stopped: threading.Event
    report: Callable[[Report], None]
    workshop: Workshop

    def run(self) -> None:
        """Work until nothing is left, the search is over or the lane is lost."""
        while not self.stopped.is_set() and time.monotonic() < self.deadline.at:
            unit = self.units.take(here=self.here)
            if unit is None:
                return
            began, lost = time.monotonic(), False
            found: Report | None = None
            back: Unit | None = None
            try:
                found = self._attempt(unit, began)
            except UnitLost as error:
                lost = isinstance(error, LaneLost)
                found, back = self._lost(unit, time.monotonic() - began)
            except _Starved:
                self.units.go_single()
                back = unit
            if found is not None:
                self.report(found)
            self.units.settle(here=self.here, back=back)
            if lost:
                return

    def _attempt(self, unit: Unit, began: float) -> Report:
        candidate = unit.job.candidate
        clock = Clock(began + unit.job.share, self.deadline.at, self.stopped)
        if self.here:
            self.workshop.unit_begun(candidate.name, unit.number)
        try:
            fitted = self.fit(self.material, candidate, unit.number, clock)
        except OutOfTime:
            return Report(unit, time.monotonic() - began)
        except UnitLost:
            raise
        except Exception as error:  # noqa: BLE001 - a learner that fails, however, costs its own place only
            detail = f"{type(error).__name__}: {error}"
            reason = "engine.trial_out_of_memory" if is_lack_of_memory(error) else "engine.learner_failed"
        else:
            return Report(unit, fitted.seconds, fitted.part)
        finally:
            if self.here:
                self.workshop.unit_ended(candidate.name, unit.number)
        if reason == "engine.trial_out_of_memory" and not unit.alone:
            raise _Starved
        return Report(unit, time.monotonic() - began, reason=reason, detail=detail)

    def _lost(self, unit: Unit, seconds: float) -> tuple[Report | None, Unit | None]:
        if unit.losses < MOST_LOSSES:
            return None, replace(unit, losses=unit.losses + 1)
        return Report(unit, seconds, reason="engine.trial_crashed"), None


class _Starved(Exception):
    """There was too little memory for this fit beside others; alone it may do."""
