"""scikit-learn's own checks of the three estimators."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from automl_jupyter.engine import AutoMLClassifier, AutoMLClusterer, AutoMLRegressor

ESTIMATORS = [
    AutoMLClassifier(time_budget=10, max_trials=2, n_jobs=1),
    AutoMLRegressor(time_budget=10, max_trials=2, n_jobs=1),
    AutoMLClusterer(n_clusters=3, time_budget=10, n_jobs=1),
]

CANNOT_HOLD: dict[str, dict[str, str]] = {
    "AutoMLClassifier": {},
    "AutoMLRegressor": {},
    "AutoMLClusterer": {},
}


@pytest.mark.slow
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda e: CANNOT_HOLD[type(e).__name__])
def test_scikit_learn_contract(estimator, check):
    check(estimator)
