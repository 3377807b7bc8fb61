"""scikit-learn's own checks of the three estimators."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from automl_jupyter.engine import AutoMLClassifier, AutoMLClusterer, AutoMLRegressor

ESTIMATORS = [
    AutoMLClassifier(time_budget=10, max_trials=3, n_jobs=1),
    AutoMLRegressor(time_budget=10, max_trials=3, n_jobs=1),
    AutoMLClusterer(n_clusters=3, time_budget=10, n_jobs=1),
]

REPEATED = "rows that are repeated fall into several folds, a row that counts twice into one"
CANNOT_HOLD: dict[type, dict[str, str]] = {
    AutoMLClassifier: {
        "check_sample_weight_equivalence_on_dense_data": REPEATED,
        "check_classifiers_one_label_sample_weights": "of its ten rows five count: too few, which is said",
    },
    AutoMLRegressor: {"check_sample_weight_equivalence_on_dense_data": REPEATED},
}
"""Checks that cannot hold, with the reason."""


@pytest.mark.slow
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda e: CANNOT_HOLD.get(type(e), {}))
def test_scikit_learn_contract(estimator, check, one_of_each):
    check(estimator)
