"""scikit-learn's own checks of the three estimators."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from automl_jupyter.engine import AutoMLClassifier, AutoMLClusterer, AutoMLRegressor

ESTIMATORS = [
    AutoMLClassifier(time_budget=10, max_trials=3, n_jobs=1),
    AutoMLRegressor(time_budget=10, max_trials=3, n_jobs=1),
    AutoMLClusterer(n_clusters=3, time_budget=10, n_jobs=1),
]

CANNOT_HOLD: dict[str, str] = {}
"""Checks that cannot hold, with the reason: none so far."""


@pytest.mark.slow
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda e: CANNOT_HOLD)
def test_scikit_learn_contract(estimator, check, one_of_each):
    check(estimator)
