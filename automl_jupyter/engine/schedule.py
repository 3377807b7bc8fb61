"""Which part of which candidate is fitted next, and for how long: the time is spent where it helps most.

Candidates come in the portfolio's order, but what a family has cost and scored so far decides as well:
nothing is begun that cannot end well, and variants of families that lose wait until the others are done. Time
that is left goes to repeats, in which what the ensemble uses is fitted once more on another division of the
rows, and to variations of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from automl_jupyter.engine.lanes import Deadline, Job, Unit
from automl_jupyter.engine.portfolio import Candidate

BEFORE_LOSERS = 2
"""So many repeats come before variants of families that lose."""

LEAST_SECONDS = 0.3
LARGE = 0.2
"""What takes more than this part of the time that is left waits until smaller things are done."""

COLD = 1.08
"""A family whose best loss is so many times the best of all waits."""


@dataclass
class Costs:
    """What fits have cost so far, from which what others of their family will cost is told."""

    _seen: dict[str, list[float]] = field(default_factory=dict)
    _ratios: dict[str, list[float]] = field(default_factory=dict)

    def learn(self, candidate: Candidate, seconds: float, work: float) -> None:
        """Take note of the time of a part that is so much of a usual part's work."""
        usual = max(seconds, 1e-4) / max(work, 1e-3)
        self._seen.setdefault(candidate.name, []).append(usual)
        self._ratios.setdefault(candidate.family, []).append(usual / candidate.cost)

    def expected(self, candidate: Candidate) -> float | None:
        """Seconds of one part of a candidate; None while nothing is known of its family."""
        if candidate.name in self._seen:
            return float(np.median(self._seen[candidate.name]))
        ratios = self._ratios.get(candidate.family)
        return None if not ratios else float(np.median(ratios[-24:])) * candidate.cost


@dataclass
class Schedule:
    """Plans the units of a search; all methods are called under the lock of the units.

    Attributes
    ----------
    pending : list of Candidate
        What has not begun, in order.
    size : callable
        Number of parts of a candidate.
    deadline : Deadline
        When fits must end; may be moved.
    lanes : int
        How many parts are fitted at a time.
    costs : Costs
        What fits have cost.
    timed : bool
        Whether time decides; if not all candidates are fitted whole, in order.
    repeats : int
        How often a candidate may be fitted at most.
    share : float
        The part of the time that is left which one candidate may use at most.
    wanted : callable
        The names of what the ensemble uses now and may be repeated, the most important first.
    further : callable
        Gives candidates that nobody thought of before, when all others were tried; none if it is of no use.
    """

    pending: list[Candidate]
    size: Callable[[Candidate], int]
    deadline: Deadline
    lanes: int
    costs: Costs
    timed: bool
    repeats: int
    share: float
    wanted: Callable[[], list[str]]
    further: Callable[[], list[Candidate]]
    jobs: list[Job] = field(default_factory=list)
    losses: dict[str, float] = field(default_factory=dict)
    known: dict[str, Candidate] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    begun: dict[str, int] = field(default_factory=dict)

    def units(self) -> Iterator[Unit]:
        """Give one part after the other.

        Candidates come first, then repeats of the best, candidates that lose, further repeats, and when these
        bring nothing any more, variations. It is over when nothing that is left could end in time.
        """
        repeat, early = 0, BEFORE_LOSERS
        while True:
            while self.pending and (self.warm() or not early):
                candidate = self._next()
                self.pending.remove(candidate)
                yield from self._parts(candidate, 0)
            if not self.timed or time.monotonic() >= self.deadline.at:
                return
            repeat += 1
            again = [name for name in self.wanted() if name in self.known] if repeat < self.repeats else []
            if again and not any(map(self._has_time, (*self.pending, *(self.known[name] for name in again)))):
                return
            for name in again:
                done = self.done.get(name, repeat + 1)
                # What is under way already is not begun again.
                if done <= repeat and self.begun.get(name, 0) < done:
                    self.begun[name] = done
                    yield from self._parts(self.known[name], done)
            early = early - 1 if again and early else 0
            if not self.pending and not again:
                self.pending += self.further()
                if not any(map(self._has_time, self.pending)):
                    return

    def finished(self, candidate: Candidate, loss: float, repeats: int) -> None:
        """Take note of a candidate that was judged, so many times now."""
        self.known[candidate.name] = candidate
        self.done[candidate.name] = repeats
        self.losses[candidate.family] = min(self.losses.get(candidate.family, np.inf), loss)

    def warm(self) -> list[Candidate]:
        """Give the candidates not begun whose family does not lose."""
        best = min(self.losses.values(), default=np.inf)
        cold = {family for family, loss in self.losses.items() if loss > best + (COLD - 1) * abs(best)}
        return [c for c in self.pending if c.family not in cold] if self.timed else list(self.pending)

    def leave_out(self, memory: float, *, more: bool) -> list[Candidate]:
        """Drop the candidates not begun that need so much memory, or more than that."""
        hungry = [c for c in self.pending if c.memory > memory or (c.memory == memory and not more)]
        self.pending[:] = [c for c in self.pending if c not in hungry]
        return hungry

    def _next(self) -> Candidate:
        """The first candidate whose family does not lose and that leaves time for others, or the first."""
        if not self.timed or not self.losses:
            return self.pending[0]
        warm = self.warm() or self.pending
        left = self.deadline.at - time.monotonic()
        return next((c for c in warm if self._whole(c) < LARGE * left), warm[0])

    def _whole(self, candidate: Candidate) -> float:
        """Seconds until a candidate that has not begun would be done; none where nothing is known of it."""
        each = self.costs.expected(candidate) or 0.0
        return each * -(-self.size(candidate) // self.lanes)

    def _parts(self, candidate: Candidate, repeat: int) -> Iterator[Unit]:
        size = self.size(candidate)
        rounds, until = -(-size // self.lanes), self._until()
        job = Job(candidate, size, self._share(until, rounds), repeat=repeat)
        self.jobs.append(job)
        for number in range(size):
            # What quick parts leave is for later ones: the last may be the longest.
            job.share = max(job.share, self._share(until, rounds - number // self.lanes))
            if not job.too_dear:
                job.too_dear = not self._is_affordable(job, size - number)
            if job.too_dear or job.over:
                return
            yield Unit(job, repeat * size + number)

    def _until(self) -> float:
        """Until when a candidate that begins now may go on, on :func:`time.monotonic`."""
        now = time.monotonic()
        return now + self.share * (self.deadline.at - now) if self.timed else float("inf")

    @staticmethod
    def _share(until: float, rounds: int) -> float:
        """Give the seconds that each of so many parts, one after the other, may take."""
        return max(LEAST_SECONDS, (until - time.monotonic()) / rounds)

    def _has_time(self, candidate: Candidate) -> bool:
        """Tell whether a candidate that begins now can be expected to end in time."""
        size = self.size(candidate)
        return self._is_affordable(
            Job(candidate, size, self._share(self._until(), -(-size // self.lanes))), size
        )

    def _is_affordable(self, job: Job, left: int) -> bool:
        """Tell whether the rest of a candidate can be expected to end in time with half of its work or more.

        Models that are cut further than that do an ensemble harm.
        """
        each = self.costs.expected(job.candidate)
        if not self.timed or each is None:
            return True
        if each > 2 * job.share:
            return False
        rounds = -(-left // self.lanes)
        return time.monotonic() + 1.05 * rounds * min(each, job.share) < self.deadline.at
