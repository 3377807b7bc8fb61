"""LightGBM: gradient-boosted trees with categories as they are."""

from __future__ import annotations

import re
import threading
import zlib
from dataclasses import dataclass, replace
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import expit

from automl_jupyter.engine.learners import F32, Codes, Params, Path, Work, reserve
from automl_jupyter.engine.softmax import softmax

LESSON = 1.0
"""What the rows of a lesson weigh together at least, relative to the training rows; each counts as much as
one of these, or more."""

LIKELIEST, LEAST_SHARE = 3, 0.02
"""So many classes of an answer are learnt at most, and none whose share is smaller."""

OBJECTIVES = {
    "taught": ("cross_entropy", "cross_entropy"),
    "binary": ("binary", "binary_logloss"),
    "multiclass": ("multiclass", "multi_logloss"),
    "regression": ("l2", "l2"),
}

LADDER = tuple(dict.fromkeys(round(4 * 1.18**i) for i in range(50)))
"""The numbers of rounds that are stages."""

MOST_STAGES, STAGED_NUMBERS = 12, 4_000_000
"""So many stages are kept of a fit, fewer where they would be more than so many predictions."""

CALL_COST = 45.0
"""Microseconds of a call of LightGBM."""

_LEVEL_COST = 0.009
"""Microseconds of a tree for each of its levels, were it even."""

_FETCH_COST = 0.08
"""Microseconds of a tree that is read for one row alone, and from memory."""

MANY_ROWS, BLOCK_LEAVES = 50, 5000
"""So many rows go through trees of so many leaves together at a time, which a processor's cache holds."""

_LEAVES = re.compile(r"^num_leaves=(\d+)$", re.MULTILINE)


class Trees:
    """LightGBM's trees without their training data.

    They are pickled as LightGBM's own text, compressed, so that reading them back needs no class of LightGBM.
    """

    def __init__(self, booster: lgb.Booster) -> None:
        self.booster = booster
        # LightGBM notes in the booster which rounds a call asks for: calls with others must not meet.
        self._one_at_a_time = threading.Lock()

    def raw(self, X: F32, first: int, rounds: int, leaves: float, threads: int = 1) -> F32:
        """Add up so many rounds of trees, of so many leaves on average, from one on.

        LightGBM takes each row through all trees. Where both are many, the trees are read from memory again
        for each row, unless they are taken some at a time.
        """
        step = rounds
        if len(X) >= MANY_ROWS:
            step = int(BLOCK_LEAVES / leaves / self.booster.num_model_per_iteration())
        end, step = first + rounds, max(step, 1)
        with self._one_at_a_time:
            total = sum(self._some(X, at, min(step, end - at), threads) for at in range(first, end, step))
        return np.asarray(total, dtype=np.float32)

    def _some(self, X: F32, first: int, rounds: int, threads: int) -> npt.NDArray[np.float64]:
        found = self.booster.predict(
            X, start_iteration=first, num_iteration=rounds, raw_score=True, num_threads=threads
        )
        return np.asarray(found, dtype=np.float64)

    def __reduce__(self) -> tuple[Any, ...]:
        return (rebuild, (zlib.compress(self.booster.model_to_string(num_iteration=-1).encode(), 1),))


def rebuild(content: bytes, binary: bool | None = None) -> Trees | BoosterModel:
    """Read trees from LightGBM's compressed text.

    The first release kept a whole model so, and said whether it was one of two classes.
    """
    trees = Trees(lgb.Booster(model_str=zlib.decompress(content).decode()))
    if binary is None:
        return trees
    task = "multiclass" if trees.booster.num_model_per_iteration() > 1 else "regression"
    return BoosterModel(trees, trees.booster.current_iteration(), "binary" if binary else task)


@dataclass(frozen=True)
class BoosterModel:
    """The first rounds of some trees.

    Attributes
    ----------
    trees : Trees
        The trees of all rounds.
    rounds : int
        How many rounds count.
    task : str
        ``binary`` (or ``taught``, which is the same for shares of classes), ``multiclass`` or ``regression``.
    leaves : float
        How many leaves a tree has on average.
    """

    trees: Trees
    rounds: int
    task: str
    view: str = "tree"
    leaves: float = 31.0

    @property
    def row_cost(self) -> float:
        """Microseconds for one row: LightGBM's call, and its trees."""
        return CALL_COST + _FETCH_COST * self._count + self.bulk_cost

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows: its way through each tree."""
        return _LEVEL_COST * float(np.log2(self.leaves + 1)) * self._count

    @property
    def _count(self) -> int:
        return self.rounds * int(self.trees.booster.num_model_per_iteration())

    def predict(self, X: F32) -> F32:
        """Predict on the calling thread alone."""
        return answer(self.trees.raw(X, 0, self.rounds, self.leaves), self.task)


def answer(raw: F32, task: str) -> F32:
    """Turn sums of trees into coded predictions of shape (n, K)."""
    if task == "multiclass":
        return np.asarray(softmax(raw), dtype=np.float32)
    if task == "regression":
        return raw[:, None]
    # Each class on its own: a difference from one would lose what is rare.
    return np.asarray(np.column_stack([expit(-raw), expit(raw)]), dtype=np.float32)


@dataclass(frozen=True)
class BoostingPath(Path):
    """Stages that share their trees."""

    models: tuple[BoosterModel, ...]

    def predictions(self, X: F32) -> F32:
        """Predict rows at each stage, each tree once."""
        found, before = [], 0
        total = np.zeros(1, np.float32)
        for model in self.models:
            total = total + model.trees.raw(X, before, model.rounds - before, model.leaves)
            before = model.rounds
            found.append(answer(total, model.task))
        return np.stack(found)


def fit_boosting(work: Work, params: Params) -> BoostingPath:
    """Boost until the held rows have not gained for some rounds.

    Parameters
    ----------
    work : Work
        The training rows in the tree view.
    params : mapping
        LightGBM's parameters, and ``rounds`` (at most), ``patience`` (rounds without improvement),
        ``native`` (whether categories are told from numbers; yes unless said) and ``stages`` (the last one is
        the number of rounds, where it is known).
    """
    settings = _settings(work, params)
    rounds, patience = settings.pop("rounds"), settings.pop("patience")
    if "stages" in settings:
        rounds = settings.pop("stages")[-1]
    categories = list(range(work.numeric_width, work.X.shape[1])) if settings.pop("native", True) else []
    reserve(_memory(len(work.y), work.X.shape[1], settings))
    train = lgb.Dataset(work.X, work.y, weight=work.weights, categorical_feature=categories, params=settings)

    def watch(env: lgb.callback.CallbackEnv) -> None:
        if work.clock.is_up():
            raise lgb.callback.EarlyStopException(env.iteration, env.evaluation_result_list)

    callbacks: list[Any] = [watch]
    held = []
    if work.X_held is not None:
        held = [lgb.Dataset(work.X_held, work.y_held, reference=train, categorical_feature=categories)]
        callbacks.append(lgb.early_stopping(patience, verbose=False))
    booster = lgb.train(
        settings,
        train,
        num_boost_round=rounds,
        valid_sets=held,
        callbacks=callbacks,
        keep_training_booster=True,
    )
    # Without its data, but with the rounds after its own best one: other folds may find them better.
    text = booster.model_to_string(num_iteration=-1)
    trees = Trees(lgb.Booster(model_str=text))
    leaves = float(np.mean([int(n) for n in _LEAVES.findall(text)]))
    made = trees.booster.current_iteration()
    stages = (made,) if "stages" in params else stages_of(made, work)
    return BoostingPath(
        stages, tuple(BoosterModel(trees, stage, work.task, leaves=leaves) for stage in stages)
    )


def fit_distilled(work: Work, params: Params) -> BoostingPath:
    """Do the same, but learn what an ensemble answers to further rows as well.

    With more than two classes each such row stands once for each of its likeliest classes, weighted by them.
    """
    if work.lesson is None:
        return fit_boosting(work, params)
    X, answers = work.lesson.X, work.lesson.answers
    weights = np.ones(len(work.y)) if work.weights is None else work.weights
    each = max(1.0, LESSON * len(work.y) / len(X))
    said = np.full(len(X), each)
    labels: npt.NDArray[np.generic] = answers[:, -1]
    if work.task == "multiclass":
        rows, labels, shares = likeliest(answers)
        X, said = X[rows], said[rows] * shares
    pupil = replace(
        work,
        X=np.concatenate([work.X, X]),
        y=_joined(work, labels),
        weights=np.concatenate([weights, said]),
        task="taught" if work.task == "binary" else work.task,
        lesson=None,
    )
    return fit_boosting(pupil, params)


def likeliest(answers: F32) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], F32]:
    """Give the likeliest classes of answers: the position of an answer, a class of it, and its share."""
    most = min(answers.shape[1], LIKELIEST)
    classes = np.argpartition(-answers, most - 1, axis=1)[:, :most]
    shares = np.take_along_axis(answers, classes, axis=1)
    shares = shares / shares.sum(axis=1, keepdims=True)
    rows, places = np.nonzero(shares > LEAST_SHARE)
    return rows, classes[rows, places], shares[rows, places]


def _joined(work: Work, labels: npt.NDArray[np.generic]) -> Codes:
    """The target of a fold, and after it further answers."""
    joined = np.concatenate([work.y, labels])
    return joined.astype(np.int32) if work.task == "multiclass" else joined.astype(np.float32)


def stages_of(made: int, work: Work, most: int = MOST_STAGES) -> tuple[int, ...]:
    """Give the stages of so many rounds: the last ones where each is predictions to keep, else all."""
    ladder = (*[stage for stage in LADDER if stage < made], made)
    if work.X_held is None:
        return ladder
    most = min(most, STAGED_NUMBERS // (len(work.X_held) * work.width))
    return ladder[-max(most, 3) :]


def _memory(rows: int, columns: int, settings: Params) -> int:
    """Bytes that a fit takes at most: a copy of its rows, their bins, and for each leaf a histogram."""
    bins = min(int(settings.get("max_bin", 255)), rows // 3 + 2)
    return columns * (6 * rows + 16 * bins * int(settings["num_leaves"]))


def _settings(work: Work, params: Params) -> dict[str, Any]:
    """Give LightGBM's parameters for a number of rows."""
    objective, metric = OBJECTIVES[work.task]
    rows = len(work.y)
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
