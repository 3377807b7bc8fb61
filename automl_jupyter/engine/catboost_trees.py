"""CatBoost, where it is installed: symmetric trees, and categories told by what the rows before them were.

Prokhorenkova et al. (2018), "CatBoost: unbiased boosting with categorical features".
Found by the entry point ``automl_jupyter.learners``.
"""

from __future__ import annotations

import tempfile
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, ClassVar

import catboost
import numpy as np

from automl_jupyter.engine.boosting import stages_of
from automl_jupyter.engine.extensions import Extension
from automl_jupyter.engine.foreign import ForeignModel
from automl_jupyter.engine.learners import F32, Clock, Params, Path, Work, reserve
from automl_jupyter.engine.portfolio import Candidate

MOST_STAGES = 8

_LOSSES = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}


class CatBoostTrees:
    """CatBoost's trees; they are pickled as CatBoost's own bytes."""

    call_cost: ClassVar[float] = 250.0
    tree_cost: ClassVar[float] = 0.03

    def __init__(self, model: catboost.CatBoost, numeric_width: int) -> None:
        self.model, self.numeric_width = model, numeric_width
        self._one_at_a_time = threading.Lock()

    def raw(self, X: F32, rounds: int) -> F32:
        """Add up the first rounds for rows, on the calling thread."""
        rows = _table(X, self.numeric_width)
        with self._one_at_a_time:
            found = self.model.predict(
                rows, prediction_type="RawFormulaVal", ntree_end=rounds, thread_count=1
            )
        return np.asarray(found, dtype=np.float32)

    def __reduce__(self) -> tuple[Any, ...]:
        with tempfile.TemporaryDirectory() as scratch:
            file = FilePath(scratch) / "model.cbm"
            self.model.save_model(str(file))
            return (rebuild, (zlib.compress(file.read_bytes(), 1), self.numeric_width))


def rebuild(content: bytes, numeric_width: int) -> CatBoostTrees:
    """Read trees from CatBoost's compressed bytes."""
    model = catboost.CatBoost()
    model.load_model(blob=zlib.decompress(content))
    return CatBoostTrees(model, numeric_width)


class _Watch:
    """Ends a fit when its share of the time is used up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def after_iteration(self, info: Any) -> bool:
        """Say whether to go on; what the clock raises must not pass through CatBoost."""
        return not self._clock.has_passed()


def fit_catboost(work: Work, params: Params) -> Path:
    """Boost until the held rows have not gained for some rounds.

    Parameters
    ----------
    work : Work
        The training rows in the tree view.
    params : mapping
        CatBoost's parameters, and ``rounds``, ``patience`` and ``stages`` as of
        :func:`automl_jupyter.engine.boosting.fit_boosting`.
    """
    settings: dict[str, Any] = {
        "loss_function": _LOSSES[work.task],
        "thread_count": 1,
        "random_seed": work.seed,
        "allow_writing_files": False,
        "logging_level": "Silent",
        **params,
    }
    rounds, patience = settings.pop("rounds"), settings.pop("patience")
    if "stages" in settings:
        rounds = settings.pop("stages")[-1]
    if work.task == "multiclass":
        settings["classes_count"] = work.width
    reserve(12 * work.X.size)
    model = catboost.CatBoost({**settings, "iterations": rounds, "use_best_model": False})
    held = None
    if work.X_held is not None and work.y_held is not None:
        held = catboost.Pool(_table(work.X_held, work.numeric_width), work.y_held)
    model.fit(
        catboost.Pool(_table(work.X, work.numeric_width), work.y, weight=work.weights),
        eval_set=held,
        early_stopping_rounds=patience if held is not None else None,
        callbacks=[_Watch(work.clock)],
    )
    # Raises if the whole search is over.
    work.clock.is_up()
    trees = CatBoostTrees(model, work.numeric_width)
    made = int(model.tree_count_)
    kept = (made,) if "stages" in params else stages_of(made, work, MOST_STAGES)
    return Path(kept, tuple(ForeignModel(trees, stage, work.task, work.width) for stage in kept))


def _table(X: F32, numeric_width: int) -> catboost.FeaturesData:
    """Numbers, and the codes of categories as the words that CatBoost wants."""
    numbers = np.ascontiguousarray(X[:, :numeric_width]) if numeric_width else None
    codes = X[:, numeric_width:]
    words = np.array(list(_words(codes)), dtype=object) if codes.shape[1] else None
    return catboost.FeaturesData(num_feature_data=numbers, cat_feature_data=words)


def _words(codes: F32) -> Iterator[list[bytes]]:
    known = [str(code).encode() for code in range(int(codes.max(initial=0)) + 1)]
    for row in codes.astype(np.intp).tolist():
        yield [known[code] for code in row]


EXTENSION = Extension(
    "catboost",
    fit_catboost,
    "tree",
    (
        Candidate(
            "catboost",
            "catboost",
            {
                "learning_rate": 0.07,
                "depth": 6,
                "l2_leaf_reg": 3.0,
                "rounds": 1500,
                "patience": 40,
                "border_count": 128,
            },
            cost=3.0,
            memory=4.0,
            why="engine.why_catboost",
        ),
    ),
    (
        ("automl_jupyter.engine.foreign", "ForeignModel"),
        ("automl_jupyter.engine.catboost_trees", "rebuild"),
    ),
)
"""What the entry point names."""
