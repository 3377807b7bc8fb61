"""Models that are loaded, and what they answer as plain JSON: for the processes that predict and study."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl_jupyter.engine import AutoMLClassifier, AutoMLClusterer, AutoMLRegressor, persist
from automl_jupyter.engine.serving import RowPredictions
from automl_jupyter.errors import Unprocessable

Model = AutoMLClassifier | AutoMLRegressor | AutoMLClusterer


class Shelf:
    """The models used last, loaded."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._models: OrderedDict[str, Model] = OrderedDict()

    def take(self, path: str, digest: str) -> Model:
        """The model of a file, whose digest is checked before it is read.

        Raises
        ------
        AutoMLError
            If the file is not what was stored, or is no model of ours.
        """
        model = self._models.pop(digest, None)
        if model is None:
            loaded = persist.load(Path(path), digest)
            if not isinstance(loaded, AutoMLClassifier | AutoMLRegressor | AutoMLClusterer):
                raise Unprocessable("services.no_model")
            model = loaded
        self._models[digest] = model
        while len(self._models) > self._size:
            self._models.popitem(last=False)
        return model


def plain(value: object) -> object:
    """A value as JSON has it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value


def probabilities_of(found: RowPredictions) -> Iterator[dict[str, float] | None]:
    """By class, for each row; None where there are no classes."""
    if found.probabilities is None:
        yield from (None for _ in found.values)
        return
    labels = [str(label) for label in found.classes]
    for row in found.probabilities:
        yield dict(zip(labels, map(float, row), strict=True))


def intervals_of(model: Model, found: RowPredictions) -> Iterator[list[float] | None]:
    """For each row the interval around a quantity; None where there is none, or another model answered."""
    if not isinstance(model, AutoMLRegressor) or model.bands_ is None or found.answered_by != "ensemble":
        yield from (None for _ in found.values)
        return
    yield from model.bands_.around(np.array(found.values, dtype=np.float64)).tolist()


def notes(found: RowPredictions) -> list[dict[str, Any]]:
    """What concerns all rows, as codes with their parameters."""
    return [
        {"code": note.code, "params": {"columns": list(note.columns), "n": len(note.columns)}}
        for note in found.notes
    ]
