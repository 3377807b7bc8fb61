"""Softmax by class: scipy's, and a row gives the same alone as among others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import special

from automl_jupyter.engine.softmax import log_losses, log_softmax, softmax

scores = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.floats(-80, 80, width=32)
)


@given(scores)
def test_it_is_that_of_scipy(z):
    before = z.copy()
    assert softmax(z) == pytest.approx(special.softmax(z, axis=1), rel=1e-5, abs=1e-30)
    assert log_softmax(z) == pytest.approx(special.log_softmax(z, axis=1), rel=1e-5, abs=1e-5)
    true = np.arange(len(z)) % z.shape[1]
    expected = -special.log_softmax(z, axis=1)[np.arange(len(z)), true]
    assert log_losses(z, true) == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert (z == before).all()
    assert softmax(z).dtype == np.float32


@given(scores)
def test_a_row_gives_the_same_alone(z):
    assert (np.vstack([softmax(row[None]) for row in z]) == softmax(z)).all()
