"""Two versions of a model, judged on the same rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from automl_jupyter.engine import decision
from automl_jupyter.engine.estimators import AutoMLSupervised
from automl_jupyter.engine.explain.importance import measure_of
from automl_jupyter.engine.metrics import CONFIDENCE, Part
from automl_jupyter.errors import Unprocessable

F64 = npt.NDArray[np.float64]

RESAMPLES = 1000
LEAST_ROWS = 30


@dataclass(frozen=True)
class Comparison:
    """Two versions on the same rows.

    Attributes
    ----------
    metric : str
        By what they are judged; higher is better.
    rows : int
        Rows that neither had learnt from when it predicted them.
    scores : tuple of float
        Of both.
    intervals : tuple of (float, float)
        90 %, by bootstrap.
    difference : float
        How much better the second is.
    interval : tuple of float
        90 % of that, by the same resamples for both.
    agreement : float
        Part of the rows of which both say the same class, or correlation of the quantities.
    """

    metric: str
    rows: int
    scores: tuple[float, float]
    intervals: tuple[tuple[float, float], tuple[float, float]]
    difference: float
    interval: tuple[float, float]
    agreement: float


@dataclass(frozen=True)
class _Said:
    """What a model predicted, and for each row the fold whose models did, where they were several."""

    values: F64
    part: Part | None

    @classmethod
    def of(cls, model: AutoMLSupervised, at: npt.NDArray[np.intp]) -> _Said:
        """Give what a model said of some of the rows that it was judged by."""
        seen = model.evaluation_
        return cls(seen.predictions[at], None if seen.part is None else seen.part[at])


def on_same_table(first: AutoMLSupervised, second: AutoMLSupervised, seed: int = 0) -> Comparison:
    """Compare two models of one table by what each predicted of rows that it had not seen.

    Raises
    ------
    Unprocessable
        ``engine.nothing_to_compare`` if too few rows were judged for both.
    """
    a, b = first.evaluation_, second.evaluation_
    if a.rows is None or b.rows is None:
        raise Unprocessable("engine.nothing_to_compare", n=0, needed=LEAST_ROWS)
    _, at, of = np.intersect1d(a.rows, b.rows, assume_unique=True, return_indices=True)
    return _compared(first, second, a.truth[at], _Said.of(first, at), _Said.of(second, of), seed)


def on_new_rows(
    first: AutoMLSupervised,
    second: AutoMLSupervised,
    before: pd.DataFrame,
    after: pd.DataFrame,
    seed: int = 0,
) -> Comparison:
    """Compare a model of one table and a model of another, on rows that are new in the second table.

    Parameters
    ----------
    first, second : AutoMLSupervised
        The models.
    before, after : DataFrame
        Their tables, as given to ``fit``, with the target as their last column.
    seed : int
        Seed of the resamples.

    Raises
    ------
    Unprocessable
        ``engine.nothing_to_compare`` if too few rows are new, or of classes that the first does not know.
    """
    b = second.evaluation_
    shared = [name for name in after.columns if name in before.columns]
    known = frozenset(pd.util.hash_pandas_object(before[shared].astype(str), index=False))
    hashes = pd.util.hash_pandas_object(after[shared].astype(str), index=False).to_numpy()
    rows = np.arange(0) if b.rows is None else b.rows
    new = np.flatnonzero([hashes[row] not in known for row in rows])
    if _classes(first) != _classes(second):
        new = new[:0]
    if len(new) < LEAST_ROWS:
        raise Unprocessable("engine.nothing_to_compare", n=len(new), needed=LEAST_ROWS)
    found = first.predict_frame(after.iloc[rows[new], :-1])
    said = np.array(found.values, dtype=np.float64) if found.probabilities is None else found.probabilities
    return _compared(first, second, b.truth[new], _Said(said, None), _Said.of(second, new), seed)


def _classes(model: AutoMLSupervised) -> list[object] | None:
    return None if model.target_.classes is None else model.target_.classes.tolist()


def _compared(
    first: AutoMLSupervised,
    second: AutoMLSupervised,
    truth: npt.NDArray[np.generic],
    one: _Said,
    two: _Said,
    seed: int,
) -> Comparison:
    n = len(truth)
    if n < LEAST_ROWS:
        raise Unprocessable("engine.nothing_to_compare", n=n, needed=LEAST_ROWS)
    measure = measure_of(second.metric_, second.target_)
    a, b = one.values, two.values
    if second.target_.classes is not None:
        a, b = (
            q if m.decision_ is None else decision.decided(q, m.decision_)
            for q, m in ((a, first), (b, second))
        )
        agreement = float((a.argmax(axis=1) == b.argmax(axis=1)).mean())
    else:
        agreement = float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0
    generator = np.random.default_rng(seed)
    chunks = []
    for _ in range(RESAMPLES // 50):
        draws = np.stack([np.bincount(generator.integers(0, n, n), minlength=n) for _ in range(50)])
        weights = draws.astype(np.float64)
        chunks.append(
            (measure.scores(truth, a, weights, one.part), measure.scores(truth, b, weights, two.part))
        )
    of_one, of_two = (np.concatenate(list(some)) for some in zip(*chunks, strict=True))
    scores = measure.score(truth, a, one.part), measure.score(truth, b, two.part)
    return Comparison(
        measure.name,
        n,
        scores,
        (_middle(of_one), _middle(of_two)),
        scores[1] - scores[0],
        _middle(of_two - of_one),
        agreement,
    )


def _middle(values: F64) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, [tail, 1 - tail]).tolist()
    return low, high
