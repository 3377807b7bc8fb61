"""A model of ours as MLflow loads it: ``mlflow.pyfunc.load_model`` finds :func:`_load_pyfunc` by its name.

MLflow keeps this package's ``engine`` and ``data`` beside the model, so that nothing of ours needs to be
installed where the model is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from automl_jupyter.engine import AutoMLClassifier, AutoMLClusterer, AutoMLRegressor, persist
from automl_jupyter.errors import Unprocessable


class Served:
    """What ``mlflow.pyfunc`` calls."""

    def __init__(self, model: AutoMLClassifier | AutoMLRegressor | AutoMLClusterer) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Predict rows.

        Parameters
        ----------
        model_input : DataFrame of shape (n, p)
            The rows, columns in any order.
        params : mapping, optional
            Not used; part of MLflow's interface.

        Returns
        -------
        DataFrame of shape (n, 1 + K)
            ``prediction``, and ``probability_<label>`` for each of K classes.
        """
        found = self.model.predict_frame(pd.DataFrame(model_input))
        answer = pd.DataFrame({"prediction": found.values})
        if found.probabilities is not None:
            for place, label in enumerate(found.classes):
                answer[f"probability_{label}"] = found.probabilities[:, place]
        return answer


def _load_pyfunc(data_path: str) -> Served:
    """Load the model file that stands at ``data_path``, itself or as ``model.bin`` in that folder."""
    path = Path(data_path)
    model = persist.loads((path / "model.bin" if path.is_dir() else path).read_bytes())
    if not isinstance(model, AutoMLClassifier | AutoMLRegressor | AutoMLClusterer):
        raise Unprocessable("engine.untrusted_type", type=type(model).__name__)
    return Served(model)
