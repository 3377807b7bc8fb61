"""LightGBM: gradient-boosted trees with categories as they are."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np

from automl_jupyter.engine.learners import F32, Params, Work, reserve
from automl_jupyter.engine.resample import inner_split

_OBJECTIVES = {
    "binary": ("binary", "binary_logloss"),
    "multiclass": ("multiclass", "multi_logloss"),
    "regression": ("l2", "l2"),
}


@dataclass(frozen=True)
class BoosterModel:
    """A LightGBM model without its training data.

    It is pickled as LightGBM's own text, compressed, so that reading it back needs no class of LightGBM.
    """

    booster: lgb.Booster
    binary: bool
    view: str = "tree"

    @property
    def row_cost(self) -> float:
        """Microseconds for one row: LightGBM's call, and its trees."""
        return 30.0 + 0.2 * float(self.booster.num_trees())

    def predict(self, X: F32) -> F32:
        """Predict on the calling thread alone."""
        q = np.asarray(self.booster.predict(X, num_threads=1), dtype=np.float32)
        if q.ndim == 2:
            return q
        return np.column_stack([1 - q, q]) if self.binary else q[:, None]

    def __reduce__(self) -> tuple[Any, ...]:
        return (rebuild, (zlib.compress(self.booster.model_to_string().encode(), 1), self.binary))


def rebuild(content: bytes, binary: bool) -> BoosterModel:
    """Make a model of LightGBM's compressed text."""
    return _of_text(zlib.decompress(content).decode(), binary)


def _of_text(text: str, binary: bool) -> BoosterModel:
    return BoosterModel(lgb.Booster(model_str=text), binary)


def _memory(rows: int, columns: int, settings: Params) -> int:
    """Bytes that a fit takes at most: a copy of its rows, their bins, and for each leaf a histogram."""
    bins = min(int(settings.get("max_bin", 255)), rows // 3 + 2)
    return columns * (6 * rows + 16 * bins * int(settings["num_leaves"]))


def fit_boosting(work: Work, params: Params) -> BoosterModel:
    """Fit with early stopping on an inner split of the training rows.

    In order of time the rows to stop by are the latest, on which what comes next depends most: once the
    number of rounds is known, all rows are learnt from.

    Parameters
    ----------
    work : Work
        The training rows in the tree view.
    params : mapping
        LightGBM's parameters, and ``rounds`` (at most) and ``patience`` (rounds without improvement).
    """
    fit, check = inner_split(work.y, work.task, work.seed, work.groups, work.time)
    settings = _settings(work, params, len(fit))
    rounds, patience = settings.pop("rounds"), settings.pop("patience")
    categories = list(range(work.numeric_width, work.X.shape[1]))
    reserve(_memory(fit.size, work.X.shape[1], settings))
    train = lgb.Dataset(work.X[fit], work.y[fit], categorical_feature=categories, params=settings)
    valid = lgb.Dataset(work.X[check], work.y[check], reference=train, categorical_feature=categories)

    def watch(env: lgb.callback.CallbackEnv) -> None:
        if work.clock.is_up():
            raise lgb.callback.EarlyStopException(env.iteration, env.evaluation_result_list)

    booster = lgb.train(
        settings,
        train,
        num_boost_round=rounds,
        valid_sets=[valid],
        callbacks=[lgb.early_stopping(patience, verbose=False), watch],
    )
    best = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
    if work.time is not None and not work.clock.is_up():
        whole = lgb.Dataset(work.X, work.y, categorical_feature=categories, params=settings)
        again = lgb.train(settings, whole, num_boost_round=best, callbacks=[watch])
        if again.current_iteration() == best:
            booster = again
    return _of_text(booster.model_to_string(num_iteration=best), work.task == "binary")


def _settings(work: Work, params: Params, rows: int) -> dict[str, Any]:
    """Give LightGBM's parameters for a number of rows."""
    objective, metric = _OBJECTIVES[work.task]
    settings: dict[str, Any] = {
        "objective": objective,
        "metric": metric,
        "num_threads": 1,
        "seed": work.seed,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
        "feature_pre_filter": False,
        "max_cat_to_onehot": 8,
        **params,
    }
    if work.task == "multiclass":
        settings["num_class"] = work.width
    # Small tables have small groups: with the usual limits nothing could be told apart in them.
    settings["min_data_in_leaf"] = max(1, min(settings["min_data_in_leaf"], rows // 20))
    settings["min_data_per_group"] = max(5, min(50, rows // 50))
    return settings
