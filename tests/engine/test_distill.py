"""How long, and with what, the quick model is taught."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from automl_jupyter.engine import distill, resample
from automl_jupyter.engine.ensemble import Ensemble, Member
from automl_jupyter.engine.portfolio import FAST, HASTE
from automl_jupyter.engine.trials import FinishedTrial, Trial


@dataclass(frozen=True)
class Speaker:
    """Takes so many microseconds to answer one of many rows."""

    bulk_cost: float
    row_cost: float = 1.0
    view: str = "tree"

    def predict(self, X):
        return np.zeros((len(X), 1), np.float32)


def teacher(folds=8, microseconds=100.0):
    each = tuple(
        Ensemble("regression", (Member("any", 1.0, (Speaker(microseconds),)),)) for _ in range(folds)
    )
    return distill.Teacher(each, each)


def prepared(seconds, pace, *, rows=4000, width=1, **speaks):
    return distill.prepared(FAST, teacher(**speaks), pace, seconds, rows=rows, width=width, lanes=2)


def test_a_fold_is_taught_by_those_that_have_not_seen_it_and_all_rows_by_each_in_turn():
    codes = np.arange(40, dtype=np.float32)
    folds = resample.divide(codes, "regression", 4, 0)
    trial = Trial("lightgbm", "lightgbm")
    models = tuple(Speaker(float(number)) for number in range(4 * 3))
    forest = FinishedTrial(Trial("forest", "forest"), (Speaker(99.0),), np.zeros((40, 1), np.float32))
    pool = [FinishedTrial(trial, models, np.zeros((40, 1), np.float32), repeats=3), forest]
    teacher = distill.teacher_of(pool, [0.5, 0.5], folds, "regression")
    assert [[m.models for m in blind.members] for blind in teacher.blind] == [[(m,)] for m in models[:4]]
    assert [[m.models for m in some.members] for some in teacher.whole] == [
        [(model,), forest.models] for model in models[:4]
    ]


PACE = distill.Pace(rounds=200, seconds=0.002)

seconds = st.floats(0, 1000)
paces = st.builds(distill.Pace, st.integers(1, 3000), st.floats(1e-5, 0.1))
many, classes = st.integers(20, 1_000_000), st.integers(1, 120)


@given(seconds, paces, many, classes)
def test_it_keeps_within_the_limits_whatever_it_is_asked(seconds, pace, rows, width):
    pupil, teaches = prepared(seconds, pace, rows=rows, width=width)
    assert 1 <= pupil.params["rounds"] <= FAST.params["rounds"]
    assert distill.FEW_ROWS <= teaches.rows <= distill.MOST_ROWS
    trees = pupil.params["rounds"] * (width if width > 2 else 1)
    assert trees <= max(distill.MOST_TREES, distill.LEAST_ROUNDS * width)
    assert pupil.params.keys() == FAST.params.keys()


@given(seconds, paces, many)
def test_more_time_makes_nothing_worse(seconds, pace, rows):
    less, fewer = prepared(seconds, pace, rows=rows)
    more, further = prepared(2 * seconds, pace, rows=rows)
    # The slower it learns, the better; at the same pace more rows are.
    slower = more.params["learning_rate"] < less.params["learning_rate"]
    same = more.params["learning_rate"] == less.params["learning_rate"]
    assert slower or (same and further.rows >= fewer.rows and more.params["rounds"] >= less.params["rounds"])


def test_with_ample_time_it_learns_slowly_from_many_rows():
    pupil, teaches = prepared(1e6, PACE)
    assert pupil.params == {**FAST.params, "rounds": distill.FURTHER * PACE.rounds}
    assert teaches.rows == distill.MOST_TIMES * 4000


def test_without_a_clock_it_does_not_learn_as_slowly_as_it_could():
    pupil, teaches = prepared(np.inf, PACE)
    assert pupil.params["learning_rate"] == HASTE[0]["learning_rate"]
    assert pupil.params["rounds"] == distill.FURTHER * PACE.rounds // 2
    assert teaches.rows == distill.MOST_TIMES * 4000


def test_with_little_it_learns_in_haste_from_a_few():
    pupil, teaches = prepared(0.5, PACE)
    assert pupil.params["learning_rate"] == 0.2
    assert teaches.rows == distill.FEWEST_ROWS
    assert pupil.params["rounds"] < 200


def test_a_teacher_that_takes_long_says_less():
    _, quick = prepared(12, PACE, microseconds=1)
    _, slow = prepared(12, PACE, microseconds=250)
    assert distill.FEWEST_ROWS < slow.rows < quick.rows / 2


def test_what_is_expected_is_within_the_time():
    pace = distill.Pace(rounds=150, seconds=0.004)
    for seconds in (8, 12, 20, 60):
        pupil, teaches = prepared(seconds, pace, microseconds=50)
        usual = 150 * 0.05 / pupil.params["learning_rate"]
        fits = 5 * distill.TO_STOP * usual * pace.seconds * (4000 + teaches.rows) / 4000
        assert fits + teaches.rows * teaches.row_seconds(2) <= seconds


def test_all_models_teach_all_rows_together_where_that_takes_little():
    _, quick = prepared(12, PACE, microseconds=1)
    assert [len(m.models) for who in quick.whole for m in who.members] == [8]
    _, slow = prepared(12, PACE, microseconds=250)
    assert [len(m.models) for who in slow.whole for m in who.members] == [1] * 8


def test_many_classes_have_few_rounds_each():
    pupil, _ = prepared(np.inf, PACE, width=40)
    assert pupil.params["rounds"] * 40 <= distill.MOST_TREES
    assert pupil.params["learning_rate"] == 0.2


def test_it_is_taught_in_haste_where_nothing_is_known_of_the_pace():
    pupil, teaches = prepared(60, None)
    assert pupil.params["learning_rate"] == 0.2
    assert teaches.rows == distill.FEWEST_ROWS
