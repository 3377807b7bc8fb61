"""How much time to give."""

from dataclasses import astuple

from hypothesis import given
from hypothesis import strategies as st

from automl_jupyter.engine.advice import LEAST, MOST, budgets

sizes = st.tuples(st.integers(1, 10**7), st.integers(1, 5000), st.integers(1, 100), st.integers(1, 64))


@given(sizes)
def test_the_figures_are_in_order_and_within_reason(size):
    found = astuple(budgets(*size))
    assert list(found) == sorted(found)
    assert LEAST <= found[0] <= found[-1] <= MOST


@given(sizes, sizes)
def test_a_larger_table_is_never_told_to_take_less(one, other):
    small = (*map(min, one[:3], other[:3]), 2)
    large = (*map(max, one[:3], other[:3]), 2)
    assert all(a <= b for a, b in zip(astuple(budgets(*small)), astuple(budgets(*large)), strict=True))
    assert all(
        a <= b for a, b in zip(astuple(budgets(*large[:3], 8)), astuple(budgets(*large[:3], 1)), strict=True)
    )
