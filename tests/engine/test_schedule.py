"""Who may use how much of the time."""

from __future__ import annotations

import time

import pytest

from automl_jupyter.engine.lanes import Deadline
from automl_jupyter.engine.portfolio import PORTFOLIO
from automl_jupyter.engine.schedule import Costs, Schedule


def schedule(size: int, seconds: float, lanes: int, share: float = 1.0, repeats: int = 1) -> Schedule:
    return Schedule(
        pending=[PORTFOLIO[0]],
        size=lambda candidate: size,
        deadline=Deadline(time.monotonic() + seconds),
        lanes=lanes,
        costs=Costs(),
        timed=True,
        repeats=repeats,
        share=share,
        wanted=list,
        further=list,
    )


def test_what_quick_parts_leave_is_for_later_ones():
    shares = [unit.job.share for unit in schedule(size=5, seconds=600, lanes=2).units()]
    assert shares == pytest.approx([200, 200, 300, 300, 600], abs=1)


def test_a_candidate_has_its_part_of_the_time_and_no_more():
    shares = [unit.job.share for unit in schedule(size=2, seconds=600, lanes=1, share=0.5).units()]
    assert shares == pytest.approx([150, 300], abs=1)


class Asked:
    """Gives always the same, and remembers how often it was asked."""

    def __init__(self, answer):
        self.answer, self.times = answer, 0

    def __call__(self):
        self.times += 1
        return list(self.answer)


@pytest.fixture
def dear():
    """A schedule with nothing left but a repeat and a variation that would each take longer than there is."""
    done, further = PORTFOLIO[0], PORTFOLIO[1]
    found = schedule(size=2, seconds=20, lanes=2, repeats=8)
    found.pending.clear()
    found.wanted, found.further = Asked([done.name]), Asked([further])
    found.finished(done, 1.0, 1)
    for candidate in (done, further):
        found.costs.learn(candidate, 60.0, 1.0)
    return found


def test_it_is_over_when_no_repeat_can_end_in_time(dear):
    assert list(dear.units()) == []
    assert (dear.wanted.times, dear.further.times) == (1, 0)


def test_it_is_over_when_no_variation_can_end_in_time(dear):
    dear.wanted.answer = []
    assert list(dear.units()) == []
    assert dear.further.times == 1


def test_a_cheap_one_is_still_tried_where_repeats_are_too_dear(dear):
    dear.pending.append(PORTFOLIO[2])
    dear.costs.learn(PORTFOLIO[2], 0.1, 1.0)
    assert [unit.job.candidate for unit in dear.units()] == [PORTFOLIO[2]] * 2


def test_nothing_is_thought_of_when_time_is_up(dear):
    dear.deadline.at = time.monotonic() - 1
    assert list(dear.units()) == []
    assert (dear.wanted.times, dear.further.times) == (0, 0)
