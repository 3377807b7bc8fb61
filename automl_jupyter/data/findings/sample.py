"""A table in memory: a reproducible sample of its rows, and a fingerprint of every row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from automl_jupyter.data import arrow
from automl_jupyter.data.model import Column

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]

_ROWS = 50_000
_CELLS = 8_000_000
_HASHED_CELLS = 60_000_000
_LEFT_OUT = 4
_NEARLY_UNIQUE = 0.95
_MISSING = np.uint64(0x5BD1E9955BD1E995)
_ODD = 0x9E3779B97F4A7C15
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_ID_NAME = re.compile(
    r"(?:.*[\s_.-])?(?:id|ids|uuid|guid|patient|subject|person|user|customer|client|household|family|"
    r"group|session|device|account|member|student|employee|participant|respondent)",
    re.IGNORECASE,
)
_ID_CAMEL = re.compile(r".*[a-z](?:I[Dd]|Id)|[A-Z]*ID")


def named_like_id(name: str) -> bool:
    """Whether a name is one that identifiers and groups have."""
    return bool(_ID_NAME.fullmatch(name) or _ID_CAMEL.fullmatch(name))


@dataclass(frozen=True)
class Traits:
    """What is known of a column beforehand; see :class:`automl_jupyter.data.model.Column`."""

    name: str
    type: str
    role: str
    missing: int
    distinct: int

    @classmethod
    def of(cls, column: Column | Mapping[str, object]) -> Traits:
        """Take them from a column, or from a mapping with the same fields."""
        if isinstance(column, Column):
            return cls(column.name, column.type, column.role, column.missing, column.distinct)
        missing, distinct = column["missing"], column["distinct"]
        if not (isinstance(missing, int) and isinstance(distinct, int)):
            raise TypeError("missing and distinct are whole numbers")
        return cls(str(column["name"]), str(column["type"]), str(column["role"]), missing, distinct)


class Series:
    """The sampled values of one column."""

    def __init__(self, traits: Traits, values: pa.Array) -> None:
        self.traits, self._values = traits, values
        self.name, self.role, self.type = traits.name, traits.role, traits.type

    def __len__(self) -> int:
        return len(self._values)

    @property
    def numeric(self) -> bool:
        """Whether its values are integers or numbers."""
        return self.type in ("integer", "number")

    @cached_property
    def _encoded(self) -> pa.DictionaryArray:
        return self._values.dictionary_encode()

    @cached_property
    def codes(self) -> Codes:
        """The values as numbers from 0 in order of appearance, -1 where missing; shape (n,)."""
        return _codes(self._encoded)

    @cached_property
    def levels(self) -> list[object]:
        """The distinct values in order of appearance."""
        found: list[object] = self._encoded.dictionary.to_pylist()
        return found

    @cached_property
    def distinct(self) -> int:
        """Number of distinct values in the sample."""
        return len(self._encoded.dictionary)

    @cached_property
    def floats(self) -> Floats:
        """Numbers, dates in microseconds since 1970, truth values; NaN if missing or infinite; shape (n,)."""
        values = self._values.cast(pa.int64()) if pa.types.is_timestamp(self._values.type) else self._values
        found = arrow.floats(values)
        return np.where(np.isfinite(found), found, np.nan)

    @cached_property
    def ordered(self) -> Floats:
        """The numbers of ``floats`` that are there, ascending; shape (present,)."""
        return np.sort(self.floats[np.isfinite(self.floats)])

    def sorted(self) -> Series:
        """Return texts as their places in alphabetical order; numbers as they are."""
        if self.type != "string":
            return self
        place = np.empty(self.distinct + 1, np.float64)
        place[np.argsort(np.array(self.levels, dtype=np.str_))] = np.arange(self.distinct)
        place[-1] = np.nan
        numbers = Series(replace(self.traits, type="number"), self._values)
        numbers.floats = place[self.codes]
        return numbers

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which values are there; shape (n,)."""
        return self.codes >= 0


@dataclass(frozen=True)
class Fingerprints:
    """A hash of each row, and of each row without some columns.

    Attributes
    ----------
    whole : ndarray of shape (rows,), uint64
        Of all columns.
    without : mapping of tuple of str to ndarray
        Of all columns but these.
    """

    whole: Hashes
    without: Mapping[tuple[str, ...], Hashes] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """Some rows of a table in the order of the file.

    Attributes
    ----------
    rows : int
        Number of rows of the whole table.
    positions : ndarray of shape (n,)
        The rows taken, ascending.
    series : mapping of str to Series
        The columns by name.
    prints : Fingerprints
        Of all rows, or of the sampled ones if the table is very large.
    """

    rows: int
    positions: npt.NDArray[np.int64]
    series: Mapping[str, Series]
    prints: Fingerprints

    @property
    def whole(self) -> bool:
        """Whether every row was taken."""
        return len(self.positions) == self.rows

    def features(self, target: str | None) -> list[Series]:
        """Return all columns but the target."""
        return [series for name, series in self.series.items() if name != target]


def take(parquet: Path, columns: Sequence[Traits], target: str | None, seed: int) -> Sample:
    """Read a table row group by row group and keep a sample of at most 50,000 rows and 8 million cells.

    Parameters
    ----------
    parquet : Path
        What :func:`automl_jupyter.data.read.convert` wrote.
    columns : sequence of Traits
        The columns to look at.
    target : str, optional
        The column to predict, which identifies no row.
    seed : int
        Seed of the choice of rows.
    """
    names = [column.name for column in columns]
    with pq.ParquetFile(parquet) as file:
        rows = file.metadata.num_rows
        keep = min(rows, _ROWS, max(2_000, _CELLS // max(len(names), 1)))
        positions = np.sort(np.random.default_rng(seed).choice(rows, keep, replace=False, shuffle=False))
        apart = _left_out(columns, target, rows)
        every = rows * len(names) <= _HASHED_CELLS
        parts, hashed = [], []
        start = 0
        for index in range(file.num_row_groups):
            group = file.read_row_group(index, columns=names).select(names)
            chosen = positions[(positions >= start) & (positions < start + group.num_rows)] - start
            part = group if len(chosen) == group.num_rows else group.take(_indices(chosen))
            parts.append(part)
            hashed.append(_fingerprints(group if every else part, apart))
            start += group.num_rows
    table = pa.concat_tables(parts)
    series = {column.name: Series(column, _one(table.column(index))) for index, column in enumerate(columns)}
    whole = np.concatenate([part.whole for part in hashed])
    without = {key: np.concatenate([part.without[key] for part in hashed]) for key in apart}
    return Sample(rows, positions, series, Fingerprints(whole, without))


def quantiles(ordered: Floats, shares: npt.ArrayLike) -> Floats:
    """Return quantiles of ascending numbers, as :func:`numpy.quantile` does of unsorted ones.

    A table of thousands of columns needs some of each, and a look at where they stand takes a sixth of the
    time.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        Finite numbers, ascending, at least one.
    shares : array_like of shape (m,)
        From 0 to 1.
    """
    place = (len(ordered) - 1) * np.asarray(shares, np.float64)
    below = place.astype(np.intp)
    part = place - below
    low, high = ordered[below], ordered[np.minimum(below + 1, len(ordered) - 1)]
    return np.where(part < 0.5, low + (high - low) * part, high - (high - low) * (1 - part))


def _left_out(columns: Sequence[Traits], target: str | None, rows: int) -> list[tuple[str, ...]]:
    """List the columns, alone or together, that may be all that tells two copies of a row apart."""
    ids = tuple(column.name for column in columns if column.role == "id" and column.name != target)
    others = [c for c in columns if c.name != target and c.name not in ids and c.role != "text"]
    unique = [column for column in others if column.distinct >= _NEARLY_UNIQUE * rows]
    unique.sort(key=lambda column: -column.distinct)
    return [*([ids] if ids else []), *((column.name,) for column in unique[:_LEFT_OUT])]


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _indices(positions: npt.NDArray[np.int64]) -> pa.Array:
    buffer = pa.py_buffer(np.ascontiguousarray(positions))
    return pa.Array.from_buffers(pa.int64(), len(positions), [None, buffer])


def _codes(encoded: pa.DictionaryArray) -> Codes:
    filled = encoded.indices
    if filled.null_count:
        filled = pc.fill_null(filled, arrow.whole(-1, pa.int32()))
    return np.frombuffer(filled.buffers()[1], np.int32)[filled.offset : filled.offset + len(filled)]


def _fingerprints(table: pa.Table, apart: Sequence[tuple[str, ...]]) -> Fingerprints:
    total = np.zeros(table.num_rows, np.uint64)
    left = {key: np.zeros(table.num_rows, np.uint64) for key in apart}
    for index, (name, column) in enumerate(_columns(table)):
        salt = np.uint64((index + 1) * _ODD % 2**64)
        mixed = _mixed(_bits(column) ^ salt)
        total += mixed
        for key in apart:
            if name in key:
                left[key] += mixed
    return Fingerprints(total, {key: total - part for key, part in left.items()})


def _columns(table: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    for name, column in zip(table.column_names, table.columns, strict=True):
        yield name, _one(column)


def _bits(values: pa.Array) -> Hashes:
    """Return 64 bits for each value, the same for equal values."""
    if pa.types.is_string(values.type):
        encoded = values.dictionary_encode()
        known = [hash(text) & 0xFFFFFFFFFFFFFFFF for text in encoded.dictionary.to_pylist()]
        return np.array([*known, _MISSING], np.uint64)[_codes(encoded)]
    if pa.types.is_floating(values.type) or pa.types.is_boolean(values.type):
        return (arrow.floats(values) + 0.0).view(np.uint64)  # adding zero makes -0 equal to 0
    whole = pc.fill_null(values.cast(pa.int64()), arrow.whole(-(2**63) + 1))
    bits = np.frombuffer(whole.buffers()[1], np.uint64)
    return bits[whole.offset : whole.offset + len(whole)]


def _mixed(bits: Hashes) -> Hashes:
    """Scatter bits as SplitMix64 does (Steele, Lea and Flood, 2014)."""
    with np.errstate(over="ignore"):
        found = (bits ^ (bits >> np.uint64(30))) * _MIX[0]
        found = (found ^ (found >> np.uint64(27))) * _MIX[1]
    return found ^ (found >> np.uint64(31))
