"""What the nearest neighbours are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl_jupyter.engine.neighbours import Examples, smallest


@given(st.data(), st.integers(1, 12), st.integers(1, 400), st.sampled_from([2, 30, 10**6]))
def test_the_smallest_come_first_and_of_equal_ones_the_first(data, n, q, different):
    most = data.draw(st.integers(1, q))
    dice = np.random.default_rng(data.draw(st.integers(0, 999)))
    d = dice.integers(different, size=(n, q)).astype(np.float32)

    assert np.array_equal(smallest(d, most), np.argsort(d, axis=1, kind="stable")[:, :most])


def test_a_row_finds_itself_and_others_by_their_distance():
    rows = np.random.default_rng(0).normal(size=(900, 5)).astype(np.float32)
    examples = Examples(rows, rows[:, :1], np.ones(900, np.float32), np.zeros(1, np.float32))

    near, squares = examples.nearest(rows[:100], 7)

    truly = ((rows[:100, None, :] - rows) ** 2).sum(axis=2)
    assert np.array_equal(near[:, 0], np.arange(100))
    assert squares == pytest.approx(np.sort(truly, axis=1)[:, :7], abs=1e-4)
