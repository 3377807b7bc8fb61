"""What the values of a table look like: counts, spread, histogram, most frequent values; no pandas."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from automl_jupyter.data import arrow
from automl_jupyter.data.columns import Distinct
from automl_jupyter.data.model import Cell

_BINS = 20
_TOP = 10
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_MIN_KEPT = 2_000
_COUNTED = 20_000
_TEXT_LENGTH = 200
_EXACT = 2**53
_THREADS = min(4, os.cpu_count() or 1)
_MICROSECOND = 1e-6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Entry = dict[str, object]


def profile(parquet: Path, *, sample: int = 8_000_000) -> dict[str, object]:
    """Describe every column of a converted file.

    Parameters
    ----------
    parquet : Path
        What :func:`automl_jupyter.data.read.convert` wrote. It is read row group by row group.
    sample : int
        How many numbers to keep in memory. Quantiles and histograms of longer tables come from every k-th row
        (at least 2,000 rows), and then ``sampled`` says so; all else is exact.

    Returns
    -------
    dict
        ``rows`` and ``columns``, a list of dicts with ``name``, ``type``, ``count`` (values that are not
        missing), ``missing``, ``distinct``, ``distinct_capped`` and ``top`` (the most frequent values with
        their counts; ``None`` where there are too many to count). Numbers and times have ``min``, ``max``,
        ``mean``, ``std`` (with n - 1; of times in seconds), ``quantiles`` (by probability), ``histogram``
        (``edges`` and ``counts``, or ``None``), ``sampled`` and ``infinite``; texts have ``min_length``,
        ``max_length`` and ``mean_length`` in characters. All of it is JSON: times are ISO 8601, integers
        beyond 2**53 are texts, what cannot be computed is ``None``.
    """
    with pq.ParquetFile(parquet) as file, ThreadPoolExecutor(_THREADS, "profile") as pool:
        rows, schema = file.metadata.num_rows, file.schema_arrow
        stride = max(1, math.ceil(rows / max(_MIN_KEPT, sample // max(len(schema), 1))))
        counts = [_Counts() for _ in schema]
        details: list[_Numbers | _Lengths | None] = [_details(field.type, stride) for field in schema]
        for index in range(file.num_row_groups):
            list(pool.map(_add, counts, details, file.read_row_group(index).columns))
    columns = []
    for field, count, detail in zip(schema, counts, details, strict=True):
        entry: Entry = {"name": field.name, "type": _type_name(field.type), **count.entry()}
        columns.append(entry if detail is None else entry | detail.entry())
    return {"rows": rows, "columns": columns}


def _add(count: _Counts, detail: _Numbers | _Lengths | None, column: pa.ChunkedArray) -> None:
    for values in column.chunks:
        count.add(values)
        if detail is not None:
            detail.add(values)


def _details(type_: pa.DataType, stride: int) -> _Numbers | _Lengths | None:
    if pa.types.is_string(type_):
        return _Lengths()
    return None if pa.types.is_boolean(type_) else _Numbers(type_, stride)


class _Counts:
    """How many values there are, how many of them differ, and which are the most frequent."""

    def __init__(self) -> None:
        self._seen = self._missing = 0
        self._distinct = Distinct()
        self._frequency: npt.NDArray[np.int64] | None = np.zeros(0, np.int64)

    def add(self, values: pa.Array) -> None:
        self._seen += len(values)
        self._missing += values.null_count
        if self._frequency is None:
            self._distinct.add(values)
            return
        table = values.drop_null().value_counts()
        found, counts = table.field(0), table.field(1)
        self._distinct.add(found)
        if self._distinct.count > _COUNTED:
            self._frequency = None
        elif len(found):
            # A value keeps its place among those that were seen.
            more = np.zeros(self._distinct.count - len(self._frequency), np.int64)
            self._frequency = np.concatenate([self._frequency, more])
            self._frequency[arrow.positions(found, self._distinct.seen)] += arrow.integers(counts)

    def entry(self) -> Entry:
        top = None
        if self._frequency is not None:
            values = [] if self._distinct.seen is None else self._distinct.seen.to_pylist()
            ordered = sorted(
                zip(values, self._frequency.tolist(), strict=True), key=lambda item: (-item[1], str(item[0]))
            )
            top = [{"value": _json(value), "count": n} for value, n in ordered[:_TOP]]
        return {
            "count": self._seen - self._missing,
            "missing": self._missing,
            "distinct": self._distinct.count,
            "distinct_capped": self._distinct.capped,
            "top": top,
        }


class _Lengths:
    """How long the texts are, in characters."""

    def __init__(self) -> None:
        self._low: int | None = None
        self._high = self._total = self._count = 0

    def add(self, values: pa.Array) -> None:
        lengths = pc.utf8_length(values)
        bounds = pc.min_max(lengths)
        low, high = bounds["min"].as_py(), bounds["max"].as_py()
        if low is None:
            return
        self._low = low if self._low is None else min(self._low, low)
        self._high = max(self._high, high)
        self._total += pc.sum(lengths).as_py()
        self._count += len(values) - values.null_count

    def entry(self) -> Entry:
        none = self._low is None
        return {
            "min_length": self._low,
            "max_length": None if none else self._high,
            "mean_length": None if none else self._total / self._count,
        }


class _Numbers:
    """How numbers, or times in microseconds since 1970, are spread; infinite ones are left out."""

    def __init__(self, type_: pa.DataType, stride: int) -> None:
        self._time, self._floating = pa.types.is_timestamp(type_), pa.types.is_floating(type_)
        self._zone = type_.tz if self._time else None
        self._stride = stride
        self._seen = self._infinite = self._count = 0
        self._mean = self._squares = 0.0
        self._low: int | float | None = None
        self._high: int | float | None = None
        self._kept: list[npt.NDArray[np.float64]] = []

    def add(self, values: pa.Array) -> None:
        first = -self._seen % self._stride
        self._seen += len(values)
        numbers = values.cast(pa.int64()) if self._time else values
        if self._floating:
            self._infinite += pc.sum(pc.is_inf(numbers)).as_py() or 0
            numbers = pc.if_else(pc.is_finite(numbers), numbers, pa.NULL)
        bounds = pc.min_max(numbers)
        low, high = bounds["min"].as_py(), bounds["max"].as_py()
        if low is None:
            return
        self._low = low if self._low is None else min(self._low, low)
        self._high = high if self._high is None else max(self._high, high)
        floats = arrow.floats(numbers)
        present = floats[~np.isnan(floats)]
        self._merge(present)
        kept = floats[first :: self._stride]
        self._kept.append(present if self._stride == 1 else kept[~np.isnan(kept)])

    def _merge(self, part: npt.NDArray[np.float64]) -> None:
        """Merge mean and squared deviations as Chan, Golub and LeVeque (1983) do."""
        with np.errstate(over="ignore", invalid="ignore"):
            mean, squares = float(part.mean()), float(part.var()) * len(part)
        total = self._count + len(part)
        delta = mean - self._mean
        self._squares += squares + delta * delta * self._count * len(part) / total
        self._mean += delta * len(part) / total
        self._count = total

    def entry(self) -> Entry:
        show: Callable[[object], Cell] = self._moment if self._time else _json
        spread = math.sqrt(self._squares / (self._count - 1)) if self._count > 1 else None
        if self._time and spread is not None:
            spread *= _MICROSECOND
        kept = np.concatenate(self._kept) if self._kept else np.empty(0)
        with np.errstate(over="ignore", invalid="ignore"):
            quantiles = np.quantile(kept, _QUANTILES).tolist() if len(kept) else []
        return {
            "min": show(self._low),
            "max": show(self._high),
            "mean": show(self._mean if self._count else None),
            "std": _json(spread),
            "quantiles": {str(q): show(v) for q, v in zip(_QUANTILES, quantiles, strict=False)},
            "histogram": self._histogram(kept, show),
            "sampled": self._stride > 1,
            "infinite": self._infinite,
        }

    def _histogram(self, kept: npt.NDArray[np.float64], show: Callable[[object], Cell]) -> Entry | None:
        if not len(kept) or not math.isfinite(float(kept.max()) - float(kept.min())):
            return None
        # Whole numbers of a narrow range get a bin each, so that no bin is empty by arithmetic alone.
        low, high = float(kept.min()), float(kept.max())
        whole = not self._floating and not self._time and high - low < _BINS
        bins: int | npt.NDArray[np.float64] = np.arange(low - 0.5, high + 1.0) if whole else _BINS
        try:
            counts, found = np.histogram(kept, bins)
        except ValueError:
            return None  # the range is too narrow to be divided in floating point
        return {"edges": [show(float(edge)) for edge in found], "counts": counts.tolist()}

    def _moment(self, value: object) -> Cell:
        if not isinstance(value, int | float):
            return None
        try:
            moment = _EPOCH + timedelta(microseconds=round(value))
        except OverflowError:
            return None
        return (moment if self._zone else moment.replace(tzinfo=None)).isoformat()


def _type_name(type_: pa.DataType) -> str:
    if pa.types.is_string(type_):
        return "string"
    if pa.types.is_boolean(type_):
        return "boolean"
    if pa.types.is_timestamp(type_):
        return "datetime"
    return "integer" if pa.types.is_integer(type_) else "number"


def _json(value: object) -> Cell:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)[:_TEXT_LENGTH]
