"""XGBoost, where it is installed: trees that are grown level by level, which differ from LightGBM's.

Chen and Guestrin (2016), "XGBoost: a scalable tree boosting system". Found by the entry point
``automl_jupyter.learners``.
"""

from __future__ import annotations

import threading
import zlib
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from automl_jupyter.engine.boosting import stages_of
from automl_jupyter.engine.extensions import Extension
from automl_jupyter.engine.foreign import ForeignModel
from automl_jupyter.engine.learners import F32, Clock, Params, Path, Work, reserve
from automl_jupyter.engine.portfolio import Candidate

MOST_STAGES = 8

_OBJECTIVES = {
    "binary": {"objective": "binary:logistic", "eval_metric": "logloss"},
    "multiclass": {"objective": "multi:softprob", "eval_metric": "mlogloss"},
    "regression": {"objective": "reg:squarederror", "eval_metric": "rmse"},
}


class XGBoostTrees:
    """XGBoost's trees; they are pickled as XGBoost's own bytes."""

    call_cost: ClassVar[float] = 300.0
    tree_cost: ClassVar[float] = 0.06

    def __init__(self, booster: xgb.Booster, types: tuple[str, ...]) -> None:
        self.booster, self.types = booster, types
        self._one_at_a_time = threading.Lock()

    def raw(self, X: F32, rounds: int) -> F32:
        """Add up the first rounds for rows, on the calling thread."""
        rows = _matrix(X, self.types)
        with self._one_at_a_time:
            found = self.booster.predict(rows, iteration_range=(0, rounds), output_margin=True)
        return np.asarray(found, dtype=np.float32)

    def __reduce__(self) -> tuple[Any, ...]:
        return (rebuild, (zlib.compress(bytes(self.booster.save_raw("ubj")), 1), self.types))


def rebuild(content: bytes, types: tuple[str, ...]) -> XGBoostTrees:
    """Read trees from XGBoost's compressed bytes."""
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(zlib.decompress(content)))
    return XGBoostTrees(booster, types)


class _Watch(xgb.callback.TrainingCallback):  # type: ignore[misc]
    """Ends a fit when its share of the time is used up."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Say whether to end."""
        return self._clock.is_up()


def fit_xgboost(work: Work, params: Params) -> Path:
    """Boost until the held rows have not gained for some rounds.

    Parameters
    ----------
    work : Work
        The training rows in the tree view.
    params : mapping
        XGBoost's parameters, and ``rounds``, ``patience`` and ``stages`` as of
        :func:`automl_jupyter.engine.boosting.fit_boosting`.
    """
    settings: dict[str, Any] = {
        **_OBJECTIVES[work.task],
        "tree_method": "hist",
        "nthread": 1,
        "seed": work.seed,
        "verbosity": 0,
        **params,
    }
    rounds, patience = settings.pop("rounds"), settings.pop("patience")
    if "stages" in settings:
        rounds = settings.pop("stages")[-1]
    if work.task == "multiclass":
        settings["num_class"] = work.width
    types = tuple("q" if j < work.numeric_width else "c" for j in range(work.X.shape[1]))
    reserve(10 * work.X.size + 16 * work.X.shape[1] * settings["max_bin"] * 2 ** settings["max_depth"])
    train = _matrix(work.X, types, work.y, work.weights)
    watchers: list[xgb.callback.TrainingCallback] = [_Watch(work.clock)]
    held = []
    if work.X_held is not None:
        held = [(_matrix(work.X_held, types, work.y_held), "held")]
        watchers.append(xgb.callback.EarlyStopping(rounds=patience))
    booster = xgb.train(settings, train, rounds, evals=held, callbacks=watchers, verbose_eval=False)
    trees = XGBoostTrees(booster, types)
    made = booster.num_boosted_rounds()
    kept = (made,) if "stages" in params else stages_of(made, work, MOST_STAGES)
    return Path(kept, tuple(ForeignModel(trees, stage, work.task, work.width) for stage in kept))


def _matrix(
    X: F32,
    types: tuple[str, ...],
    y: npt.NDArray[Any] | None = None,
    weights: npt.NDArray[np.float64] | None = None,
) -> xgb.DMatrix:
    return xgb.DMatrix(
        X, label=y, weight=weights, feature_types=list(types), enable_categorical=True, nthread=1
    )


EXTENSION = Extension(
    "xgboost",
    fit_xgboost,
    "tree",
    (
        Candidate(
            "xgboost",
            "xgboost",
            {
                "eta": 0.06,
                "max_depth": 7,
                "min_child_weight": 2.0,
                "subsample": 0.85,
                "colsample_bytree": 0.8,
                "lambda": 1.0,
                "max_bin": 128,
                "rounds": 2000,
                "patience": 40,
            },
            cost=1.5,
            memory=6.0,
            why="engine.why_xgboost",
        ),
    ),
    (
        ("automl_jupyter.engine.foreign", "ForeignModel"),
        ("automl_jupyter.engine.xgboost_trees", "rebuild"),
    ),
)
"""What the entry point names."""
