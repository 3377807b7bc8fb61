"""Who may use how much of the time."""

from __future__ import annotations

import time

import pytest

from automl_jupyter.engine.lanes import Deadline
from automl_jupyter.engine.portfolio import PORTFOLIO
from automl_jupyter.engine.schedule import Costs, Schedule


def schedule(size: int, seconds: float, lanes: int, share: float = 1.0) -> Schedule:
    return Schedule(
        pending=[PORTFOLIO[0]],
        size=lambda candidate: size,
        deadline=Deadline(time.monotonic() + seconds),
        lanes=lanes,
        costs=Costs(),
        timed=True,
        repeats=1,
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
