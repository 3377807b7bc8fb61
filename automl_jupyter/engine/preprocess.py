"""From typed cells to the float32 views that learners read: the whole policy in one place.

Nothing here looks at the target, so one set of views serves all folds without leaking. All of it is numpy on
arrays of rows, and a single row takes the same path as a million.

- moments become days, year, month, day, weekday, day of the year and hour;
- texts become their lengths and a truncated singular value decomposition of TF-IDF;
- ``tree``: numbers (NaN kept), then codes of categories;
- ``linear``: standardised numbers with the median for what is missing, one column for each frequent
  category, one for each number that is often missing, and sine and cosine of what comes round again;
- ``words``: ``linear`` and what texts are made of, as a sparse matrix;
- ``normal``: the same, with numbers by their rank, as quantiles of a normal distribution: neither far values
  nor skewed columns rule distances.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import ndtri

from automl_jupyter.engine.columns import FIRST, OTHER, Cells, Layout
from automl_jupyter.engine.words import hashed

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

TEXT_TERMS, TEXT_ROWS, TEXT_CHARACTERS, TEXT_PARTS = 5000, 20_000, 2_000_000, 40
ONE_HOT_PER_COLUMN, ONE_HOT_IN_ALL = 50, 1000
MEDIAN_ROWS = 50_000
QUANTILES, FARTHEST = 101, 0.01
# Far enough from the end of float32 that a sum of such numbers does not overflow.
LARGEST = 1e30
_DAY = 86_400.0
_PARTS_OF_MOMENT = 7
_CYCLES = ((4, 7.0), (5, 365.25), (6, 24.0))
_MORE_PARTS, _ITERATIONS = 10, 4


@dataclass(frozen=True)
class TextModel:
    """TF-IDF (scikit-learn's vectoriser) and the right singular vectors that shorten it."""

    vectoriser: object
    components: F64

    def features(self, texts: list[str]) -> F64:
        """Numbers for texts: length, words, digits, then the parts; shape (n, 3 + parts)."""
        counts = np.array(
            [(len(t), t.count(" "), sum(c.isdigit() for c in t)) for t in texts], dtype=np.float64
        ).reshape(-1, 3)
        if not len(self.components):
            return counts
        if not texts:  # scikit-learn refuses to transform nothing
            return np.zeros((0, 3 + len(self.components)))
        parts = self.vectoriser.transform(texts) @ self.components.T  # type: ignore[attr-defined]
        return np.hstack([counts, parts])


def _fit_text(texts: list[str], seed: int) -> TextModel:
    from sklearn.feature_extraction.text import TfidfVectorizer

    characters = sum(map(len, texts))
    sample = texts[:: max(1, len(texts) // TEXT_ROWS, characters // TEXT_CHARACTERS)]
    vectoriser = TfidfVectorizer(sublinear_tf=True, min_df=3, max_features=TEXT_TERMS, ngram_range=(1, 2))
    try:
        matrix = vectoriser.fit_transform(sample)
    except ValueError:  # no term occurs three times
        return TextModel(None, np.zeros((0, 0)))
    parts = min(TEXT_PARTS, min(matrix.shape) - 1)
    if parts < 1:
        return TextModel(None, np.zeros((0, 0)))
    return TextModel(vectoriser, _components(matrix, parts, seed))


def _components(matrix: Any, parts: int, seed: int) -> F64:
    """Find the first right singular vectors, shape (parts, terms), by subspace iteration.

    Halko, Martinsson and Tropp (2011), "Finding structure with randomness", section 4.5.
    """
    width = min(parts + _MORE_PARTS, *matrix.shape)
    basis = np.random.default_rng(seed).standard_normal((matrix.shape[1], width))
    for _ in range(_ITERATIONS):
        basis, _ = np.linalg.qr(matrix.T @ (matrix @ basis))
    _, _, turned = np.linalg.svd(matrix @ basis, full_matrices=False)
    return np.ascontiguousarray((basis @ turned.T).T[:parts])


def _moments(seconds: F64) -> F64:
    """Parts of moments given in seconds since 1970; shape (n, 7)."""
    missing = np.isnan(seconds)
    # Years beyond what numpy's calendar of seconds holds would wrap round.
    safe = np.clip(np.where(missing, 0.0, seconds), -6e10, 2.5e11)
    at = safe.astype(np.int64).astype("datetime64[s]")
    day = at.astype("datetime64[D]")
    month, year = day.astype("datetime64[M]"), day.astype("datetime64[Y]")
    days = day.astype(np.int64)
    parts = np.column_stack(
        [
            safe / _DAY,
            year.astype(np.int64) + 1970,
            month.astype(np.int64) % 12 + 1,
            (day - month).astype(np.int64) + 1,
            (days + 3) % 7,
            (day - year).astype(np.int64) + 1,
            (safe % _DAY) / 3600,
        ]
    ).astype(np.float64)
    parts[missing] = np.nan
    return parts


@dataclass(frozen=True)
class Preprocessor:
    """What was learnt of the training table; made by :func:`fit`.

    Attributes
    ----------
    plan : Layout
        The columns that are read.
    texts : tuple of TextModel
        One for each text column.
    moments : ndarray of int
        Which of the numbers are moments.
    keep : ndarray of bool
        Which of the derived numbers vary.
    offset : ndarray
        Subtracted from numbers too large for float32 to tell apart.
    lowest, highest, median, mean, spread : ndarray
        Of each number that is kept; the range bounds what the linear view sees.
    often_missing : ndarray of int
        Numbers that get a column for being missing.
    hot : tuple of ndarray
        For each category column, the column of the linear view for each code, or -1.
    hot_width : int
        Number of those columns.
    places, quantiles : tuple of ndarray
        For each number, values in increasing order and the normal quantiles of their ranks.
    cycles : tuple of (int, float)
        Numbers that come round again, and after how much: weekdays, days of the year, hours.
    """

    plan: Layout
    texts: tuple[TextModel, ...]
    moments: npt.NDArray[np.intp]
    keep: npt.NDArray[np.bool_]
    offset: F64
    lowest: F64
    highest: F64
    median: F64
    mean: F64
    spread: F64
    often_missing: npt.NDArray[np.intp]
    hot: tuple[npt.NDArray[np.intp], ...]
    hot_width: int
    places: tuple[F64, ...] = ()
    quantiles: tuple[F64, ...] = ()
    cycles: tuple[tuple[int, float], ...] = ()

    @property
    def numeric_width(self) -> int:
        """Number of columns of numbers at the start of the tree view; codes of categories follow."""
        return len(self.median)

    @property
    def width(self) -> int:
        """Number of columns of the tree view."""
        return self.numeric_width + len(self.hot)

    @property
    def derived_from(self) -> npt.NDArray[np.intp]:
        """For each derived number, kept or not, which number, or after all numbers which text, it is of."""
        numbers = len(self.plan.numbers)
        plain = np.delete(np.arange(numbers), self.moments)
        widths = [3 + len(model.components) for model in self.texts]
        texts = np.repeat(numbers + np.arange(len(widths)), widths)
        return np.concatenate([plain, np.repeat(self.moments, _PARTS_OF_MOMENT), texts]).astype(np.intp)

    def views(self, cells: Cells) -> Views:
        """Prepare the views of some rows."""
        return Views(self, cells, _derive(cells, self.moments, self.texts)[:, self.keep])


@dataclass
class Views:
    """The views of some rows, each computed when first asked for."""

    of: Preprocessor
    cells: Cells
    numbers: F64
    _made: dict[str, F32] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    def with_votes(self, votes: F32) -> Views:
        """Give the same rows with what a first level predicts for them, for a second level."""
        made = dict(self._made)
        made["votes"] = votes
        made["stack"] = np.hstack([votes, self["tree"]])
        return Views(self.of, self.cells, self.numbers, made)

    def like(self, rows: npt.NDArray[np.intp], numbers: F64, codes: npt.NDArray[np.int32]) -> Views:
        """Give other numbers and codes beside the texts of some rows."""
        texts = tuple([column[i] for i in rows] for column in self.cells.texts)
        return Views(self.of, Cells(np.zeros((len(numbers), 0)), codes, texts), numbers)

    def numeric_width(self, name: str) -> int:
        """Number of columns of numbers at the start of a view; codes of categories follow."""
        votes = self._made["votes"].shape[1] if name in ("votes", "stack") else 0
        return votes if name == "votes" else votes + self.of.numeric_width

    def __getitem__(self, name: str) -> F32:
        if name not in self._made:
            make = {
                "tree": self._tree,
                "linear": self._linear,
                "normal": self._normal,
                "words": self._words,
            }[name]
            self._made[name] = make()
        return self._made[name]

    def _tree(self) -> F32:
        numbers = np.clip(self.numbers - self.of.offset, -LARGEST, LARGEST)
        return np.hstack([numbers.astype(np.float32), self.cells.codes.astype(np.float32)])

    def _linear(self) -> F32:
        of = self.of
        return self._beside(np.clip((self._filled() - of.mean) / of.spread, -8, 8))

    def _normal(self) -> F32:
        filled = self._filled()
        for j, (places, quantiles) in enumerate(zip(self.of.places, self.of.quantiles, strict=True)):
            filled[:, j] = np.interp(filled[:, j], places, quantiles)
        return self._beside(filled)

    def _words(self) -> Any:
        columns = sparse.csr_array(self["linear"])
        return sparse.csr_array(sparse.hstack([columns, *map(hashed, self.cells.texts)], format="csr"))

    def _filled(self) -> F64:
        of = self.of
        filled = np.where(np.isnan(self.numbers), of.median, self.numbers)
        return np.clip(filled, of.lowest, of.highest)

    def _beside(self, numbers: F64) -> F32:
        """Put beside numbers what is missing, and a column for each frequent category."""
        of, n = self.of, len(numbers)
        p, q = len(of.median), len(of.often_missing)
        c = 2 * len(of.cycles)
        view = np.zeros((n, p + q + c + of.hot_width), dtype=np.float32)
        view[:, :p] = numbers
        view[:, p : p + q] = np.isnan(self.numbers[:, of.often_missing])
        for i, (column, period) in enumerate(of.cycles):
            angle = 2 * np.pi / period * self.numbers[:, column]
            view[:, p + q + 2 * i] = np.nan_to_num(np.sin(angle))
            view[:, p + q + 2 * i + 1] = np.nan_to_num(np.cos(angle))
        q += c
        for j, columns in enumerate(of.hot):
            at = columns[np.minimum(self.cells.codes[:, j], len(columns) - 1)]
            rows = np.flatnonzero(at >= 0)
            view[rows, p + q + at[rows]] = 1
        return view


def fit(plan: Layout, cells: Cells, seed: int = 0) -> tuple[Preprocessor, Views]:
    """Learn from the training rows, and prepare their views.

    Parameters
    ----------
    plan : Layout
        The columns that are read.
    cells : Cells
        Their cells, n rows.
    seed : int
        Seed of the decomposition of texts.
    """
    moments = np.array([j for j, c in enumerate(plan.numbers) if c.kind == "datetime"], dtype=np.intp)
    texts = tuple(_fit_text(column, seed) for column in cells.texts)
    raw = _derive(cells, moments, texts)
    known = ~np.isnan(raw)
    some = known.any(axis=0)
    low = np.min(raw, axis=0, where=known, initial=np.inf)
    high = np.max(raw, axis=0, where=known, initial=-np.inf)
    keep = some & ((low < high) | ~known.all(axis=0))
    raw, known = raw[:, keep], known[:, keep]
    median = _medians(raw, low[keep])
    filled = np.where(known, raw, median)
    # In units of the largest: huge numbers would overflow when they are added up.
    unit = np.maximum(np.abs(filled).max(axis=0, initial=0.0), 1e-300)
    mean, spread = (filled / unit).mean(axis=0) * unit, (filled / unit).std(axis=0) * unit
    hot, width = _one_hot(cells.codes, len(raw))
    places, quantiles = _ranks(filled)
    preprocessor = Preprocessor(
        plan=plan,
        texts=texts,
        moments=moments,
        keep=keep,
        offset=np.where(unit > 2.0**24, median, 0.0),
        lowest=low[keep],
        highest=high[keep],
        median=median,
        mean=mean,
        spread=np.maximum(spread, np.maximum(1e-9 * unit, 1e-300)),
        places=places,
        quantiles=quantiles,
        cycles=_cycles(moments, cells.numbers.shape[1], keep),
        often_missing=np.flatnonzero((~known).mean(axis=0) > 0.005) if len(raw) else np.zeros(0, np.intp),
        hot=hot,
        hot_width=width,
    )
    return preprocessor, Views(preprocessor, cells, raw)


def _medians(raw: F64, default: F64) -> F64:
    """Medians of the known numbers of each column; of 50,000 rows where there are more."""
    sample = raw[:: max(1, len(raw) // MEDIAN_ROWS)]
    some = ~np.isnan(sample).all(axis=0)
    medians = default.copy()
    if some.any():
        medians[some] = np.nanmedian(sample[:, some], axis=0)
    return medians


def _cycles(
    moments: npt.NDArray[np.intp], columns: int, keep: npt.NDArray[np.bool_]
) -> tuple[tuple[int, float], ...]:
    """Find where the parts of moments that come round again are among the numbers that are kept."""
    first, place = columns - len(moments), np.cumsum(keep) - 1
    found = []
    for start in range(first, first + _PARTS_OF_MOMENT * len(moments), _PARTS_OF_MOMENT):
        found += [(int(place[start + i]), period) for i, period in _CYCLES if keep[start + i]]
    return tuple(found)


def _ranks(filled: F64) -> tuple[tuple[F64, ...], tuple[F64, ...]]:
    """For each column some of its values, and the normal quantiles of their ranks, scaled to spread one."""
    sample = filled[:: max(1, len(filled) // MEDIAN_ROWS)]
    shares = np.linspace(0, 1, QUANTILES)
    at_shares = np.quantile(sample, shares, axis=0) if len(sample) else np.zeros((QUANTILES, sample.shape[1]))
    places, quantiles = [], []
    for j in range(sample.shape[1]):
        # Of a value that fills several quantiles the middle one counts.
        values, at, count = np.unique(at_shares[:, j], return_inverse=True, return_counts=True)
        middle = np.bincount(at, shares) / count
        scores = ndtri(np.clip(middle, FARTHEST, 1 - FARTHEST))
        spread = float(np.sqrt(np.mean(np.interp(at_shares[:, j], values, scores) ** 2)))
        places.append(values)
        quantiles.append(scores / max(spread, 0.1))
    return tuple(places), tuple(quantiles)


def _derive(cells: Cells, moments: npt.NDArray[np.intp], texts: tuple[TextModel, ...]) -> F64:
    """All numbers: plain ones, parts of moments, parts of texts."""
    parts = [np.delete(cells.numbers, moments, axis=1) if len(moments) else cells.numbers]
    parts += [_moments(cells.numbers[:, j]) for j in moments]
    parts += [model.features(column) for model, column in zip(texts, cells.texts, strict=True)]
    return np.hstack(parts) if len(parts) > 1 else parts[0]


def _one_hot(codes: npt.NDArray[np.int32], n: int) -> tuple[tuple[npt.NDArray[np.intp], ...], int]:
    """Columns of the linear view for codes that are frequent enough, for each category column."""
    result, width = [], 0
    per_column = min(ONE_HOT_PER_COLUMN, max(2, ONE_HOT_IN_ALL // max(1, codes.shape[1])))
    for j in range(codes.shape[1]):
        counts = np.bincount(codes[:, j], minlength=FIRST)
        frequent = np.flatnonzero(counts >= max(2, n * 0.001))[: per_column + OTHER]
        # The last place is for codes beyond those that training met.
        columns = np.full(len(counts) + 1, -1, dtype=np.intp)
        columns[frequent] = width + np.arange(len(frequent))
        width += len(frequent)
        result.append(columns)
    return tuple(result), width
