"""Statistics of paired results, against values worked out by hand or by other means."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality import statistic


def test_an_interval_of_a_mean_is_students() -> None:
    found = statistic.mean([1, 2, 3, 4])
    # 2.353363 is the 95 % quantile of t with 3 degrees of freedom, 1.290994 the standard deviation.
    assert found.value == 2.5
    assert found.high - found.value == pytest.approx(2.353363 * 1.290994 / 2, rel=1e-5)
    assert found.low == pytest.approx(5 - found.high)


def test_one_value_has_no_interval() -> None:
    assert math.isnan(statistic.mean([1.0]).low)
    assert math.isnan(statistic.mean([]).value)


def test_a_share_has_an_exact_interval() -> None:
    found = statistic.share(10, 10)
    assert found.value == 1
    assert found.low == pytest.approx(0.05 ** (1 / 10))
    assert found.high == 1


def test_ratios_near_zero_stay_finite_and_are_clipped() -> None:
    assert statistic.log_ratio(0, 0) == 0
    assert statistic.clipped(statistic.log_ratio(0.5, 0)) == 0.3
    assert statistic.clipped(statistic.log_ratio(0, 0.5)) == -0.3
    assert statistic.log_ratio(2, 1) == pytest.approx(math.log(2))


def test_ranks_are_shared_by_equals_and_failures_are_last() -> None:
    tables = [{"a": 1.0, "b": 2.0, "c": math.inf}, {"a": 2.0, "b": 2.0, "c": 1.0}]
    assert statistic.mean_ranks(tables) == {"a": 1.75, "b": 2.25, "c": 2.0}
    assert statistic.mean_ranks([]) == {}


def test_worse_is_told_by_a_one_sided_paired_test() -> None:
    assert statistic.p_worse([-1, 1]) == pytest.approx(0.5)
    assert statistic.p_worse([0.1, 0.11, 0.09, 0.1]) < 0.001
    assert statistic.p_worse([-0.1, -0.11, -0.09, -0.1]) > 0.999
    assert statistic.p_worse([0.1, 0.1]) == 0
    assert statistic.p_worse([0.0, 0.0]) == 1
    assert math.isnan(statistic.p_worse([0.1]))


def test_holm() -> None:
    assert statistic.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    found = statistic.holm([math.nan, 0.02])
    assert math.isnan(found[0])
    assert found[1] == 0.02


@given(st.lists(st.floats(0, 1), max_size=20))
def test_adjusting_keeps_order_and_never_helps(values: list[float]) -> None:
    found = statistic.holm(values)
    assert all(p <= q <= 1 for p, q in zip(values, found, strict=True))
    pairs = sorted(zip(values, found, strict=True))
    assert [q for _, q in pairs] == sorted(found)


def test_exponents_of_powers() -> None:
    sizes = [10.0, 100.0, 1000.0]
    assert statistic.exponent(sizes, [3 * n**1.5 for n in sizes]) == pytest.approx(1.5)
    assert math.isnan(statistic.exponent([10.0, 10.0], [1.0, 2.0]))
