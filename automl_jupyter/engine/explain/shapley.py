"""How a prediction comes about: what each column adds to it, compared to usual rows (Shapley values).

Shapley (1953), "A value for n-person games"; Lundberg and Lee (2017), "A unified approach to interpreting
model predictions". Along a path, the cells of a usual row are replaced by those of the row in question, one
column after the other in random order; what the prediction changes by is the column's. A path and its reverse
form a pair (Štrumbelj and Kononenko 2014, "Explaining prediction models and individual predictions with
feature contributions"; Mitchell, Cooper, Frank and Holmes 2022, "Sampling permutations for Shapley value
estimation"). Whatever the
number of paths, contributions and base value add up to the prediction exactly.

An ensemble takes long to ask. Where it has a quick model beside it, many paths of the quick model are
completed by the difference of the two along a few: the difference is small, so that it varies little (a
control variate). For the quick model alone the trees themselves are read: TreeSHAP, Lundberg et al. (2020),
"From local explanations to global understanding with explainable AI for trees".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.boosting import BoosterModel
from automl_jupyter.engine.columns import Cells
from automl_jupyter.engine.explain.ground import (
    F64,
    SCALES,
    Ground,
    Positions,
    mixed,
    seconds_per_row,
)
from automl_jupyter.engine.explain.witnesses import take
from automl_jupyter.engine.preprocess import Preprocessor

BACKGROUND = 64
"""So many usual rows there are, chosen at random."""

QUICK_PATHS = 64
MOST_PATHS = 64
QUESTIONS_AT_ONCE = 20_000
OVERVIEW_PATHS = 16
LEAST_ROWS, MOST_ROWS, AT_ONCE = 30, 200, 25

Ask = Callable[[Cells], F64]


@dataclass(frozen=True)
class Contributions:
    """What columns add to some predictions.

    Attributes
    ----------
    scale : str
        ``log_odds`` of the second class, ``centred_log_probability`` of each class, or ``target``.
    base : ndarray of shape (n, outputs)
        What is predicted for usual rows, on average.
    values : ndarray of shape (n, columns, outputs)
        What each column adds: base and values add up to `said`.
    errors : ndarray of shape (n, columns, outputs)
        Standard errors of the values; zero where they are exact.
    said : ndarray of shape (n, outputs)
        The prediction on that scale.
    """

    scale: str
    base: F64
    values: F64
    errors: F64
    said: F64


def background_of(ground: Ground, seed: int = 0) -> Cells:
    """Choose usual rows."""
    return take(ground.cells, ground.some(BACKGROUND, seed))


@dataclass(frozen=True)
class Explainer:
    """Explains rows by a model.

    Attributes
    ----------
    ground : Ground
        The model.
    background : Cells
        Usual rows.
    seconds : float
        About how long one row may take.
    seconds_each : float
        What a question costs.
    quick_paths : int
        Paths of the quick model, where it stands in for most of an ensemble's.
    """

    ground: Ground
    background: Cells
    seconds: float
    seconds_each: float
    quick_paths: int = QUICK_PATHS

    @classmethod
    def of(cls, ground: Ground, seconds: float, seed: int = 0) -> Explainer:
        """Choose usual rows, and measure what a question costs."""
        background = background_of(ground, seed)
        ground.ask(background)
        return cls(ground, background, seconds, seconds_per_row(ground.ask, background, BACKGROUND))

    def explain(self, cells: Cells, answering: str = "ensemble", seed: int = 0) -> Contributions:
        """Explain some rows.

        Parameters
        ----------
        cells : Cells
            n rows.
        answering : str
            ``ensemble`` or ``fast``.
        seed : int
            Seed of the paths.
        """
        model = self.ground.model
        if answering == "fast":
            exact = of_trees(self.ground, cells)
            if exact is not None:
                return exact
        slow = self._paths(answering)
        if answering == "fast" or model.fast_ is None or slow >= self.quick_paths:
            values, errors = self._walk(lambda c: self.ground.ask(c, answering), cells, slow, seed)
        else:
            values, errors = self._walk(lambda c: self.ground.ask(c, "fast"), cells, self.quick_paths, seed)
            more, uncertain = self._walk(self._difference, cells, slow, seed)
            values, errors = values + more, np.hypot(errors, uncertain)
        said = self.ground.ask(cells, answering)
        base = self._base[answering == "fast"]
        values, errors = _settled(values, errors, said - base)
        return Contributions(
            SCALES[model.task_], np.repeat(base[None], len(said), axis=0), values, errors, said
        )

    @cached_property
    def _base(self) -> tuple[F64, F64]:
        """What the ensemble, and the quick model if there is one, say of usual rows on average."""
        whole = self.ground.ask(self.background).mean(axis=0)
        quick = self.ground.ask(self.background, "fast").mean(axis=0)
        return whole, quick

    def _difference(self, cells: Cells) -> F64:
        return self.ground.ask(cells) - self.ground.ask(cells, "fast")

    def _paths(self, answering: str) -> int:
        """How many paths fit into the time, an even number."""
        each = self.seconds_each if answering == "ensemble" else self.seconds_each / 10
        steps = len(self.ground.columns) + 1
        fit = int(self.seconds / (each * steps))
        return int(np.clip(fit - fit % 2, 2, MOST_PATHS))

    def _walk(self, ask: Ask, cells: Cells, paths: int, seed: int) -> tuple[F64, F64]:
        """Walk so many paths to each row; gives values and their standard errors."""
        n, p = len(cells.numbers), len(self.ground.columns)
        at_once = max(1, QUESTIONS_AT_ONCE // (paths * (p + 1)))
        parts = [
            self._walk_some(ask, take(cells, np.arange(start, min(start + at_once, n))), paths, seed + start)
            for start in range(0, n, at_once)
        ]
        values, errors = (np.concatenate(list(some)) for some in zip(*parts, strict=True))
        return values, errors

    def _walk_some(self, ask: Ask, cells: Cells, paths: int, seed: int) -> tuple[F64, F64]:
        n, p = len(cells.numbers), len(self.ground.columns)
        order, start = self._plan(n, paths, p, seed)
        rows = np.repeat(np.arange(n), paths)
        # Step t of a path has taken the first t columns of its order from the row.
        rank = np.argsort(order, axis=1)
        differs = ~self._equal(cells, rows, start)
        taken = np.arange(p + 1)[None, :, None] > rank[:, None, :]
        moves = np.take_along_axis(differs, order, axis=1)
        needed = np.concatenate([np.ones((len(rows), 1), bool), moves], axis=1)
        path, step = np.nonzero(needed)
        asked = mixed(take(cells, rows[path]), take(self.background, start[path]), taken[path, step])
        said = ask(asked)
        # A column that is alike in both rows changes nothing and is not asked about.
        at = np.cumsum(needed.ravel()).reshape(needed.shape) - 1
        steps = said[at]
        changes = np.diff(steps, axis=1)
        found = np.empty_like(changes)
        np.put_along_axis(found, order[:, :, None], changes, axis=1)
        found = found.reshape(n, paths, p, -1)
        # A path and its reverse are one draw.
        pairs = (found[:, 0::2] + found[:, 1::2]) / 2
        errors = (
            pairs.std(axis=1, ddof=1) / np.sqrt(pairs.shape[1]) if pairs.shape[1] > 1 else np.abs(pairs[:, 0])
        )
        return found.mean(axis=1), errors

    def _plan(self, n: int, paths: int, p: int, seed: int) -> tuple[npt.NDArray[np.intp], Positions]:
        """Orders of the columns and the usual rows to start from, both for n times so many paths.

        The first paths are the same whatever their number: what is small of one model is then taken from the
        same paths as for the other.
        """
        generator = np.random.default_rng(seed)
        half = np.argsort(generator.random((n, MOST_PATHS // 2, p)), axis=2)[:, : paths // 2]
        order = np.stack([half, half[:, :, ::-1]], axis=2).reshape(n * paths, p)
        many = len(self.background.numbers)
        starts = np.argsort(generator.random((n, many)), axis=1)
        start = np.tile(starts, (1, -(-MOST_PATHS // many)))[:, : paths // 2]
        return order, np.repeat(start, 2, axis=1).ravel()

    def _equal(self, cells: Cells, rows: Positions, start: Positions) -> npt.NDArray[np.bool_]:
        a, b = cells, self.background
        x, y = a.numbers[rows], b.numbers[start]
        texts = [
            np.array([one[i] == other[j] for i, j in zip(rows, start, strict=True)], bool)[:, None]
            for one, other in zip(a.texts, b.texts, strict=True)
        ]
        numbers = (x == y) | (np.isnan(x) & np.isnan(y))
        return np.hstack([numbers, a.codes[rows] == b.codes[start], *texts])


def _settled(values: F64, errors: F64, total: F64) -> tuple[F64, F64]:
    """Have values add up to a total: what is missing goes to where it is least certain, by variance.

    The paths of a row start at some of the usual rows, the base value is the mean of all of them. To know the
    sum is to know more of the least certain value: what comes back are values and errors given the sum, as of
    independent normal variables.
    """
    missing = total - values.sum(axis=1)
    shares = errors**2 + 1e-12 * (values**2).max(axis=1, keepdims=True) + 1e-300
    shares /= shares.sum(axis=1, keepdims=True)
    return values + shares * missing[:, None, :], errors * np.sqrt(1 - shares)


@dataclass(frozen=True)
class Overview:
    """What columns add to the predictions of many rows.

    Attributes
    ----------
    rows : ndarray of int
        Which of the ground's rows were explained.
    found : Contributions
        Of them.
    """

    rows: Positions
    found: Contributions

    @property
    def mean_size(self) -> F64:
        """How much each column adds or takes away, on average; shape (columns, outputs)."""
        return np.asarray(np.abs(self.found.values).mean(axis=0))


def overview(ground: Ground, seconds: float, tell: Callable[[float], None], seed: int = 0) -> Overview:
    """Explain as many rows as fit into the time, chosen at random.

    Parameters
    ----------
    ground : Ground
        The model and its rows.
    seconds : float
        About how long it may take.
    tell : callable
        Told how far it is, from 0 to 1.
    seed : int
        Seed of rows and paths.
    """
    explainer = replace(Explainer.of(ground, 0.0, seed), quick_paths=OVERVIEW_PATHS)
    each = explainer.seconds_each * 2 * (len(ground.columns) + 1) * 1.3
    rows = ground.some(int(np.clip(seconds / each, LEAST_ROWS, MOST_ROWS)), seed)
    parts = []
    for start in range(0, len(rows), AT_ONCE):
        some = take(ground.cells, rows[start : start + AT_ONCE])
        parts.append(explainer.explain(some, seed=seed + start))
        tell(min(1.0, (start + AT_ONCE) / len(rows)))
    arrays = ("base", "values", "errors", "said")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays}
    return Overview(rows, Contributions(parts[0].scale, **joined))


def of_trees(ground: Ground, cells: Cells) -> Contributions | None:
    """Read contributions from the trees of the quick model; None where it is no such model.

    What its trees say of what was derived from a column (parts of a moment, of a text) is the column's.
    """
    model = ground.model
    if model.fast_ is None:
        return None
    (member,) = model.fast_.members
    (quick,) = member.models if len(member.models) == 1 else (None,)
    if not isinstance(quick, BoosterModel) or quick.view != "tree":
        return None
    preprocessor = model.preprocessor_
    X = preprocessor.views(cells)["tree"]
    raw = np.asarray(
        quick.trees.booster.predict(X, num_iteration=quick.rounds, pred_contrib=True, num_threads=1)
    )
    outputs = raw.shape[1] // (X.shape[1] + 1)
    raw = raw.reshape(len(X), outputs, X.shape[1] + 1)
    if model.target_.classes is None:
        raw = raw * model.target_.scale
        raw[:, :, -1] += model.target_.shift
    elif outputs > 1:
        raw = raw - raw.mean(axis=1, keepdims=True)
    values = np.zeros((len(X), len(ground.columns), outputs))
    for j, column in enumerate(origins(preprocessor)):
        values[:, column] += raw[:, :, j]
    base = np.asarray(raw[:, :, -1])
    return Contributions(SCALES[model.task_], base, values, np.zeros_like(values), base + values.sum(axis=1))


def origins(preprocessor: Preprocessor) -> npt.NDArray[np.intp]:
    """For each column of the tree view, which column it was made of, as in ``columns_of``."""
    plan = preprocessor.plan
    numbers, categories = len(plan.numbers), len(plan.categories)
    made = preprocessor.derived_from
    texts = made >= numbers
    made = np.where(texts, made + categories, made)
    return np.concatenate([made[preprocessor.keep], numbers + np.arange(categories)]).astype(np.intp)
