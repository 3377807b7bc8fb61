"""A linear model of the words and pieces of words in texts, beside the other columns.

Words, pairs of words and pieces of three or four characters are hashed to columns of a sparse view
(Weinberger, Dasgupta, Langford, Smola and Attenberg 2009, "Feature hashing for large scale multitask
learning"), so that nothing has to be learnt of the texts before they are read. Rare ones count more, by the
inverse of how many training rows have them (Spärck Jones 1972).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from automl_jupyter.engine.learners import F32, Model, Params, Path, Work
from automl_jupyter.engine.penalty import solve
from automl_jupyter.engine.softmax import softmax

WORDS, PIECES = 2**14, 2**15
"""Columns for words and pairs of words, and for pieces of words, of each text column."""

LONGEST = 4000
"""So many characters of a text are read."""

_FEWEST_ROWS = 2


def hashed(texts: Sequence[str]) -> Any:
    """Count words and pieces of texts; a sparse float32 matrix of shape (n, WORDS + PIECES)."""
    from sklearn.feature_extraction.text import HashingVectorizer

    read = [text[:LONGEST] for text in texts]
    if not read:  # scikit-learn refuses to transform nothing
        return sparse.csr_array((0, WORDS + PIECES), dtype=np.float32)
    blocks = []
    for analyzer, ngrams, width in (("word", (1, 2), WORDS), ("char_wb", (3, 4), PIECES)):
        vectoriser = HashingVectorizer(
            analyzer=analyzer,
            ngram_range=ngrams,
            n_features=width,
            alternate_sign=False,
            norm=None,
            dtype=np.float32,
        )
        counts = sparse.csr_array(vectoriser.transform(read))
        counts.data = 1 + np.log(counts.data)
        length = np.sqrt(np.asarray((counts * counts).sum(axis=1)).ravel())
        scale = (1 / np.maximum(length, 1e-9)).astype(np.float32)
        counts.data *= np.repeat(scale, np.diff(counts.indptr))
        blocks.append(counts)
    return sparse.csr_array(sparse.hstack(blocks, format="csr"))


@dataclass(frozen=True)
class WordsModel:
    """Coefficients of shape (p, K) for the sparse view, intercepts of shape (K,), a softmax for classes."""

    coefficients: F32
    intercept: npt.NDArray[np.float64]
    classes: bool
    view: str = "words"

    @property
    def row_cost(self) -> float:
        """Microseconds for one row, whose texts are read once for all models."""
        return 40.0

    @property
    def bulk_cost(self) -> float:
        """Microseconds for one of many rows."""
        return 1.0

    def predict(self, X: Any) -> F32:
        """Predict rows of the sparse view."""
        scores = np.asarray(X @ self.coefficients) + self.intercept
        return np.asarray(softmax(scores) if self.classes else scores, dtype=np.float32)


def fit_words(work: Work, params: Params) -> Path:
    """Fit ridge or logistic regression to the sparse view; the stages are penalties, the strongest first.

    Parameters
    ----------
    work : Work
        The training rows in the view ``words``.
    params : mapping
        As :func:`automl_jupyter.engine.linear.fit_linear`.
    """
    X: Any = work.X
    n, p = X.shape
    texts = np.arange(p) >= p - p // (WORDS + PIECES) * (WORDS + PIECES)
    rows = np.bincount(X.indices, minlength=p)
    scale = np.where(texts, np.where(rows >= _FEWEST_ROWS, np.log(n / np.maximum(rows, 1)) + 1, 0), 1.0)
    scale = scale.astype(np.float32)
    strengths = params["strengths"]
    found = solve(
        _scaled(X, scale),
        work,
        strengths,
        params.get("stages", tuple(range(len(strengths)))),
        int(params["steps"]),
        None if work.X_held is None else _scaled(work.X_held, scale),
    )
    stages: list[int] = []
    models: list[Model] = []
    for solution in found:
        coefficients = (solution.coefficients * scale[:, None]).astype(np.float32)
        stages.append(solution.stage)
        models.append(WordsModel(coefficients, solution.intercept, work.task != "regression"))
    return Path(tuple(stages), tuple(models))


def _scaled(X: Any, scale: F32) -> Any:
    """Multiply the columns of a sparse matrix."""
    return sparse.csr_array((X.data * scale[X.indices], X.indices, X.indptr), shape=X.shape)
