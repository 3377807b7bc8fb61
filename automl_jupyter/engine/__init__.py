"""Table in, fitted model and leaderboard out: the engine works alone in a script.

The public names are imported on first use (PEP 562), so that ``import automl_jupyter.engine`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automl_jupyter.engine.cluster import AutoMLClusterer as AutoMLClusterer
    from automl_jupyter.engine.contract import synthetic_example as synthetic_example
    from automl_jupyter.engine.estimators import AutoMLClassifier as AutoMLClassifier
    from automl_jupyter.engine.estimators import AutoMLRegressor as AutoMLRegressor
    from automl_jupyter.engine.onnx_export import to_onnx as to_onnx
    from automl_jupyter.engine.portable import requirements as requirements

_WHERE = {
    "AutoMLClassifier": "estimators",
    "AutoMLRegressor": "estimators",
    "AutoMLClusterer": "cluster",
    "requirements": "portable",
    "synthetic_example": "contract",
    "to_onnx": "onnx_export",
}

__all__ = [
    "AutoMLClassifier",
    "AutoMLClusterer",
    "AutoMLRegressor",
    "requirements",
    "synthetic_example",
    "to_onnx",
]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
