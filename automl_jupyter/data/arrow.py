"""Arrow values made from Python's own without pandas.

``pa.array`` and ``pa.scalar`` ask pandas whether they know their argument, and so import it: half a second
that the first upload cannot spare. Builders and casts do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_KEPT = 64
"""Scalars that are kept, since each is made by a call that costs more than its use."""


def texts(values: Iterable[str]) -> pa.Array:
    """Return an array of texts."""
    builder = pa.lib.StringBuilder()
    builder.append_values(list(values))
    return builder.finish()


@lru_cache(_KEPT)
def text(value: str) -> pa.Scalar:
    """Return a text."""
    return texts([value])[0]


def floats(values: pa.Array) -> npt.NDArray[np.float64]:
    """Return the numbers of an array as floats, missing ones as NaN."""
    filled = pc.fill_null(values.cast(pa.float64(), safe=False), _nan())
    buffer = filled.buffers()[1]
    return np.frombuffer(buffer, np.float64)[filled.offset : filled.offset + len(filled)]


@cache
def _nan() -> pa.Scalar:
    return texts(["nan"]).cast(pa.float64())[0]


def may_contain(values: pa.Array, character: str) -> bool:
    """Whether an ASCII character stands somewhere in some texts, or just outside of a slice of them.

    A look at the bytes at once, ten times faster than one text by text.
    """
    buffer = values.buffers()[2]
    return buffer is not None and bool((np.frombuffer(buffer, np.uint8) == ord(character)).any())


def integers(values: pa.Array) -> npt.NDArray[np.int64]:
    """Return the numbers of an array of 64-bit integers, none of which is missing."""
    return np.frombuffer(values.buffers()[1], np.int64)[values.offset : values.offset + len(values)]


def positions(values: pa.Array, among: pa.Array) -> npt.NDArray[np.int64]:
    """Return where each value stands in an array that has all of them."""
    return integers(pc.index_in(values, value_set=among).cast(pa.int64()))


@lru_cache(_KEPT)
def whole(value: int, to: pa.DataType | None = None) -> pa.Scalar:
    """Return a whole number within 64 bits, or what Arrow makes of it in another type."""
    number = texts([str(value)]).cast(pa.int64())
    return (number if to is None else number.cast(to))[0]
