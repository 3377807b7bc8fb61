"""Arrow values made from Python's own without pandas.

``pa.array`` and ``pa.scalar`` ask pandas whether they know their argument, and so import it: half a second
that the first upload cannot spare. Builders and casts do not.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa


def texts(values: Iterable[str]) -> pa.Array:
    """An array of texts."""
    builder = pa.lib.StringBuilder()
    builder.append_values(list(values))
    return builder.finish()


def text(value: str) -> pa.Scalar:
    """A text."""
    return texts([value])[0]


def whole(value: int, to: pa.DataType | None = None) -> pa.Scalar:
    """A whole number within 64 bits, or what Arrow makes of it in another type."""
    number = texts([str(value)]).cast(pa.int64())
    return (number if to is None else number.cast(to))[0]
