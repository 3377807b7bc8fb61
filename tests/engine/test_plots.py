import io

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris

from automl_jupyter.engine import AutoMLClassifier, AutoMLClusterer, AutoMLRegressor
from automl_jupyter.engine.plots import figures


def drawn(model, language="en"):
    result = {}
    for name, figure in figures(model, language).items():
        file = io.BytesIO()
        figure.savefig(file, format="png")
        assert len(file.getvalue()) > 10_000
        result[name] = figure.axes[0].get_title()
    return result


@pytest.mark.parametrize("classes", [2, 3, 20])
def test_a_classifier_has_a_confusion_matrix_and_a_roc_curve_while_it_can_be_read(classes):
    X = np.random.default_rng(0).normal(size=(200, 3))
    model = AutoMLClassifier(max_trials=1).fit(X, [f"class {i % classes}" for i in range(200)])
    titles = drawn(model, "fr")
    assert set(titles) == {"confusion_matrix", "roc"} if classes < 8 else {"confusion_matrix"}
    assert titles["confusion_matrix"].startswith("Matrice")


def test_a_regressor_and_a_clusterer_have_theirs():
    X, y = load_diabetes(return_X_y=True)
    assert set(drawn(AutoMLRegressor(max_trials=1).fit(X, y))) == {"predicted_vs_true", "residuals"}
    assert set(drawn(AutoMLClusterer(n_clusters=3).fit(load_iris().data))) == {"cluster_sizes"}
