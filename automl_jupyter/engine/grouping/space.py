"""The space in which rows are near or far: every column of the table counts about once.

Numbers are standardised, those with a long tail by their logarithm. Parts of one moment or of one text share
the weight of one number. A category becomes one column for each level, scaled so that it adds half of what a
number adds to squared distances: with more, the gaps between levels would be found again as groups (Hennig
and Liao, 2013, "How to find an appropriate clustering for mixed-type variables", section 4.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automl_jupyter.engine.preprocess import Preprocessor, Views

F64 = npt.NDArray[np.float64]

CATEGORY_WEIGHT = 0.5
LONG_TAIL = 2.0
"""Numbers whose skewness is beyond it are seen by their logarithm."""

_PARTS_OF_MOMENT, _COUNTS_OF_TEXT = 7, 3


@dataclass(frozen=True)
class Space:
    """What turns views into points; made by :func:`learn`.

    Attributes
    ----------
    bend : ndarray of shape (numbers,)
        1 for a long tail of large values, -1 of small ones, else 0.
    low, middle : ndarray of shape (numbers,)
        The least value and the median of each number, where it is bent.
    mean, scale : ndarray of shape (numbers,)
        Subtracted, then multiplied with.
    blocks : tuple of (int, int)
        First and last (exclusive) column of each category in the points.
    first_hot : int
        The first column of categories in the linear view.
    hot_scale : ndarray of shape (hot columns,)
        What stands for a level that is there.
    """

    bend: npt.NDArray[np.int8]
    low: F64
    middle: F64
    mean: F64
    scale: F64
    blocks: tuple[tuple[int, int], ...]
    first_hot: int
    hot_scale: F64

    @property
    def numbers(self) -> int:
        """Number of columns of numbers at the start of the points; categories follow."""
        return len(self.mean)

    def points(self, views: Views) -> F64:
        """Give the points of some rows, shape (n, p)."""
        linear = views["linear"].astype(np.float64)
        numbers = _bent(linear[:, : self.numbers], self.bend, self.low, self.middle)
        hot = linear[:, self.first_hot :] * self.hot_scale
        return np.hstack([(numbers - self.mean) * self.scale, hot])


def learn(of: Preprocessor, views: Views) -> Space:
    """Learn the space of a training table."""
    linear = views["linear"].astype(np.float64)
    p = of.numeric_width
    numbers = linear[:, :p]
    low, middle = numbers.min(axis=0, initial=0.0), np.median(numbers, axis=0) if p else np.zeros(0)
    bend = _tails(numbers)
    low = np.where(bend < 0, -numbers.max(axis=0, initial=0.0), low)
    middle = np.where(bend < 0, -middle, middle)
    bent = _bent(numbers, bend, low, middle)
    mean, spread = bent.mean(axis=0), bent.std(axis=0)
    first = linear.shape[1] - of.hot_width
    blocks, scales = _blocks(of, linear[:, first:], p)
    return Space(bend, low, middle, mean, _weights(of) / np.maximum(spread, 1e-9), blocks, first, scales)


def _tails(numbers: F64) -> npt.NDArray[np.int8]:
    centred = numbers - numbers.mean(axis=0) if len(numbers) else numbers
    skewness = (centred**3).mean(axis=0) / np.maximum((centred**2).mean(axis=0), 1e-12) ** 1.5
    return np.asarray(np.sign(skewness) * (np.abs(skewness) > LONG_TAIL), dtype=np.int8)


def _bent(numbers: F64, bend: npt.NDArray[np.int8], low: F64, middle: F64) -> F64:
    """Take logarithms of what has a long tail; 1 is where the least value lies, 2 the median."""
    if not bend.any():
        return numbers
    # A median at the least value (a column of mostly zeros) leaves no unit; a standard deviation serves.
    unit = np.where(middle - low > 1e-3, middle - low, 1.0)
    above = np.maximum(np.where(bend < 0, -numbers, numbers) - low, 0.0)
    return np.where(bend == 0, numbers, bend * np.log1p(above / unit))


def _weights(of: Preprocessor) -> F64:
    """The weight of each number: parts of one column share the weight of one."""
    plain = len(of.plan.numbers) - len(of.moments)
    sizes = [1] * plain + [_PARTS_OF_MOMENT] * len(of.moments)
    sizes += [_COUNTS_OF_TEXT + len(text.components) for text in of.texts]
    column = np.repeat(np.arange(len(sizes)), sizes)[of.keep]
    return 1.0 / np.sqrt(np.bincount(column, minlength=len(sizes)).astype(np.float64))[column]


def _blocks(of: Preprocessor, hot: F64, start: int) -> tuple[tuple[tuple[int, int], ...], F64]:
    blocks, scales = [], np.zeros(hot.shape[1])
    for columns in of.hot:
        places = np.sort(columns[columns >= 0])
        if len(places):
            varies = float(hot[:, places].var(axis=0).sum())
            scales[places] = np.sqrt(CATEGORY_WEIGHT / varies) if varies > 1e-9 else 0.0
            blocks.append((start + int(places[0]), start + int(places[-1]) + 1))
    return tuple(blocks), scales
