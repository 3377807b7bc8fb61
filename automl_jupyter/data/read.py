"""A CSV file into a typed Parquet file, in a stream, with what was guessed and mended told."""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from automl_jupyter.data import arrow, check, encoding, repair
from automl_jupyter.data import layout as layouts
from automl_jupyter.data.columns import ColumnReader
from automl_jupyter.data.dates import DateReading
from automl_jupyter.data.layout import Layout
from automl_jupyter.data.model import ColumnOptions, ColumnType, ReadOptions, ReadResult
from automl_jupyter.data.numbers import NumberReading
from automl_jupyter.data.report import Outcome, result
from automl_jupyter.data.types import MISSING_IN_TEXT, Hints
from automl_jupyter.errors import Unprocessable

_BLOCK = 1 << 22
_WIDE_BLOCK = 1 << 25
_MAX_BLOCK = 1 << 29
_PREVIEW = 100
_DECIDED_BY = 20_000
_MAX_PASSES = 12
_THREADS = min(4, os.cpu_count() or 1)
_AHEAD = 1 << 25
_PATIENCE = 0.1

Progress = Callable[[float], None]


def convert(
    source: Path,
    target: Path,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - frozen
    *,
    progress: Progress | None = None,
) -> ReadResult:
    """Read a CSV file and write it as Parquet.

    The types hold for the whole file: where a late value contradicts what the first ones looked like, the
    file is read again. The file itself is never changed. The Parquet file appears whole or not at all.

    Parameters
    ----------
    source : Path
        The CSV file.
    target : Path
        The Parquet file to write, in a folder that exists.
    options : ReadOptions
        What a person decided; the rest is found out.
    progress : callable, optional
        Called now and then with the share that is done, from 0 to 1.

    Returns
    -------
    ReadResult
        Rows, columns, how the file was read, what was guessed or mended, and the first rows.

    Raises
    ------
    UnsupportedType
        If the file is no text table, with a code for what it is.
    Unprocessable
        If there is no table in it, or a row or quote in it cannot be read for sure.
    """
    told = _Monotone(progress)
    check.marks(options)
    layout = layouts.detect(source, options)
    check.columns(options, layout.start.names)
    with _scratch(target) as (plain, parquet):
        try:
            result = _convert(source, plain, parquet, layout, options, told)
        except (UnicodeError, _NotUtf8) as error:
            if options.encoding is not None:
                raise encoding.wrong(options.encoding) from error
            layout = _reconsidered(source, options, layout)
            result = _convert(source, plain, parquet, layout, options, told)
        parquet.replace(target)
    told(1.0)
    return result


def names(source: Path, options: ReadOptions) -> tuple[str, ...]:
    """The columns that a file has when it is read so, found by its beginning.

    Raises
    ------
    UnsupportedType, Unprocessable
        As :func:`convert` does.
    """
    check.marks(options)
    return layouts.detect(source, options).start.names


class _Monotone:
    """Tells progress that never goes back, whatever is read again."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._done = -1.0

    def __call__(self, share: float) -> None:
        if self._progress is not None and share > self._done:
            self._done = share
            self._progress(share)


@contextmanager
def _scratch(target: Path) -> Iterator[tuple[Path, Path]]:
    """Two temporary files beside the target that are gone at the end."""
    paths = []
    for suffix in (".csv.tmp", ".parquet.tmp"):
        handle, name = tempfile.mkstemp(suffix, f".{target.name[:50]}-", target.parent)
        os.close(handle)
        paths.append(Path(name))
    try:
        yield paths[0], paths[1]
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


def _reconsidered(source: Path, options: ReadOptions, layout: Layout) -> Layout:
    """Return the layout in the encoding that the whole file, rather than its beginning, shows."""
    if layout.encoding.startswith(("utf-16", "utf-32")):
        return replace(layout, lenient=True)
    name = encoding.of_whole(source)
    layout = layouts.detect(source, options, name)
    return replace(layout, lenient=True, plain=False) if name == "utf-8" else layout


class _Irregular(Exception):
    """The rows are not as regular as the fast reader needs."""


class _NotUtf8(Exception):
    """There are bytes that are not UTF-8."""


class _Watch(io.RawIOBase):
    """The data of a file from an offset on, watched for what Arrow would not tell.

    Arrow reads up to 32 blocks ahead, which is a gigabyte where rows are long: here it has to wait until
    enough of them have become batches.

    Parameters
    ----------
    path : Path
        The file.
    offset : int
        Where the data start, in bytes.
    quote : str
        The quote character; empty for none.
    ahead : int
        How many blocks may be read ahead.
    """

    def __init__(self, path: Path, offset: int, quote: str, ahead: int) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._file.seek(offset)
        self._size = max(path.stat().st_size, 1)
        self._done = offset
        self._quote = quote.encode()
        self.quotes = 0
        self.zeros = False
        self._most, self._ahead = ahead, 0
        self._turn = threading.Condition()
        self._awaited, self._over = True, False

    def readable(self) -> bool:
        return True

    def batches(self, reader: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass batches on, and let as many further blocks be read."""
        try:
            for batch in reader:
                with self._turn:
                    self._ahead, self._awaited = self._ahead - 1, False
                    self._turn.notify()
                yield batch
                with self._turn:
                    self._awaited = True
        finally:
            # Arrow's reader waits for its reading thread when it is given up.
            self._give_up()

    def _give_up(self) -> None:
        with self._turn:
            self._over = True
            self._turn.notify()

    def _wait(self) -> None:
        """Wait for room; not for ever while a batch is awaited, since a block may make none."""
        with self._turn:
            while self._ahead >= self._most and not self._over:
                if not self._turn.wait(_PATIENCE) and self._awaited:
                    break
            self._ahead += 1

    def read(self, size: int = -1, /) -> bytes:
        self._wait()
        if self._over:
            return b""
        block = self._file.read(size)
        self._done += len(block)
        self.quotes += block.count(self._quote) if self._quote else 0
        self.zeros = self.zeros or b"\x00" in block
        return block

    @property
    def share(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return self._done / self._size

    def close(self) -> None:
        self._give_up()
        self._file.close()
        super().close()


def _convert(
    source: Path, plain: Path, parquet: Path, layout: Layout, options: ReadOptions, told: Progress
) -> ReadResult:
    """Read directly where the file is regular, else by way of a repaired copy."""
    if layout.plain:
        try:
            outcome = _Passes(source, parquet, layout, options, repaired=False).run(lambda s: told(0.9 * s))
            return result(outcome, layout, options, ())
        except _Irregular:
            pass
    size = max(source.stat().st_size, 1)
    mended = repair.rewrite(source, plain, layout, lambda done: told(0.4 * done / size))
    try:
        outcome = _Passes(plain, parquet, layout, options, repaired=True).run(lambda s: told(0.4 + 0.5 * s))
    except (_Irregular, _NotUtf8) as error:
        raise Unprocessable("data.unreadable") from error
    return result(outcome, layout, options, mended)


def _of_column(options: ReadOptions, name: str) -> ColumnOptions:
    """What a person decided for one column, or else on missing values for the file."""
    told = options.columns.get(name, ColumnOptions())
    return told if told.missing_values is not None else replace(told, missing_values=options.missing_values)


class _Passes:
    """Reads the rows, again where the types turn out to be others, until they hold for all of them.

    Parameters
    ----------
    path : Path
        The file, or its repaired copy.
    parquet : Path
        The file to write.
    layout : Layout
        How the file is laid out.
    options : ReadOptions
        What a person decided.
    repaired : bool
        Whether ``path`` is a repaired copy.
    """

    def __init__(
        self, path: Path, parquet: Path, layout: Layout, options: ReadOptions, *, repaired: bool
    ) -> None:
        self._path, self._parquet, self._layout, self._repaired = path, parquet, layout, repaired
        self._grammar = repair.PLAIN if repaired else layout.grammar
        self._readers = [
            ColumnReader(name, cast("ColumnType | None", options.column_types.get(name)), told)
            for name in layout.start.names
            for told in (_of_column(options, name),)
        ]
        self._hints = Hints(
            options.decimal,
            options.thousands,
            options.day_first,
            comma_likely=layout.grammar.separator == ";",
        )
        self._evidence: set[str] = set()
        self._decided = False
        self._block = max(_BLOCK, min(_WIDE_BLOCK, len(self._readers) * 4096))

    def run(self, told: Progress) -> Outcome:
        """Read until the types hold."""
        with ThreadPoolExecutor(_THREADS, "columns") as pool:
            for _ in range(_MAX_PASSES):
                for reader in self._readers:
                    reader.begin()
                try:
                    outcome = self._pass(told, pool)
                except pa.ArrowInvalid as error:
                    self._explain(error)
                    continue
                if outcome is not None:
                    return outcome
        raise Unprocessable("data.unreadable")

    def _explain(self, error: pa.ArrowInvalid) -> None:
        """Raise what Arrow's error means, or return if reading in larger blocks will do."""
        text = str(error)
        if "UTF8" in text:
            raise _NotUtf8 from error
        if "straddling" in text and self._block < _MAX_BLOCK:
            self._block *= 8
            return
        if "Empty CSV" in text:
            raise Unprocessable("data.header_only", line=self._layout.start.header + 1) from error
        raise _Irregular from error

    def _pass(self, told: Progress, pool: ThreadPoolExecutor) -> Outcome | None:
        """Read once and write; ``None`` if the types turned out to be others."""
        offset = 0 if self._repaired else self._layout.offset
        watch = _Watch(self._path, offset, self._grammar.quote, max(3, _AHEAD // self._block))
        rows, changed = 0, False
        preview: list[pa.RecordBatch] = []
        with _Writing(self._parquet) as writing:
            try:
                for batch in self._open(watch):
                    told(watch.share)
                    if not self._repaired:
                        self._suspect(batch, watch)
                    if not self._decided:
                        self._decide(batch)
                    found, contradicted = self._typed(batch, pool, first=rows == 0)
                    changed = changed or contradicted
                    rows += batch.num_rows
                    if changed:
                        continue
                    table = pa.RecordBatch.from_arrays(found, schema=self._schema())
                    if sum(part.num_rows for part in preview) < _PREVIEW:
                        preview.append(table.slice(0, _PREVIEW))
                    writing.write(table)
            finally:
                watch.close()
        if not self._repaired and (watch.zeros or watch.quotes % 2):
            raise _Irregular
        if changed:
            return None
        if not rows:
            raise Unprocessable("data.header_only", line=self._layout.start.header + 1)
        return Outcome(rows, tuple(self._readers), pa.Table.from_batches(preview).slice(0, _PREVIEW))

    def _open(self, watch: _Watch) -> Iterator[pa.RecordBatch]:
        names = [str(index) for index in range(len(self._readers))]
        reader = pyarrow.csv.open_csv(
            pa.PythonFile(watch, mode="r"),
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=self._block),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._grammar.separator,
                quote_char=self._grammar.quote or False,
                newlines_in_values=bool(self._grammar.quote),
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        yield from watch.batches(reader)

    def _schema(self) -> pa.Schema:
        return pa.schema([pa.field(reader.name, reader.arrow) for reader in self._readers])

    def _suspect(self, batch: pa.RecordBatch, watch: _Watch) -> None:
        """Stop the fast reading at a row that repeats the names, or a cell that may have swallowed rows."""
        names, start = [reader.name for reader in self._readers], self._layout.start
        if start.header >= 0:
            for index in pc.indices_nonzero(pc.equal(batch.column(0), arrow.text(names[0]))).to_pylist()[
                :1000
            ]:
                if [column[index].as_py() for column in batch.columns] == names:
                    raise _Irregular
        if not watch.quotes:
            return
        end, separator = self._layout.line_end[-1], self._grammar.separator
        for column in batch.columns:
            if not arrow.may_contain(column, end):
                continue
            spans = pc.match_substring(column, end)
            if pc.any(spans).as_py():
                several = pc.greater_equal(
                    pc.count_substring(column, separator), arrow.whole(max(len(names) - 1, 1))
                )
                if pc.any(pc.and_(spans, several)).as_py():
                    raise _Irregular

    def _decide(self, batch: pa.RecordBatch) -> None:
        """Decide on the types by the first rows, and once more with what they tell of the whole file."""
        first = batch.slice(0, _DECIDED_BY)
        for reader, values in zip(self._readers, first.columns, strict=True):
            reader.decide(values, self._hints)
        readings = [reader.finding.reading for reader in self._readers if reader.speaks_for_others]
        comma = any(isinstance(r, NumberReading) and r.decimal == "," for r in readings)
        grouped = any(isinstance(r, NumberReading) and r.thousands == "," for r in readings)
        orders = {r.order for r in readings if isinstance(r, DateReading)}
        hints = replace(
            self._hints,
            comma_likely=comma or (self._hints.comma_likely and not grouped),
            comma_seen=comma,
            day_first_likely="dmy" in orders or "mdy" not in orders,
        )
        if hints != self._hints:
            self._hints = hints
            for reader, values in zip(self._readers, first.columns, strict=True):
                if not reader.is_text:
                    reader.decide(values, hints)
        self._decided = True

    def _typed(
        self, batch: pa.RecordBatch, pool: ThreadPoolExecutor, *, first: bool
    ) -> tuple[list[pa.Array], bool]:
        """Return the values of a batch in the types of their columns, and whether a type or a word is new."""
        found: list[pa.Array] = [None] * batch.num_columns
        changed = False
        known = set(self._evidence)
        for text in (False, True):
            words = MISSING_IN_TEXT | self._evidence
            left = [i for i, r in enumerate(self._readers) if found[i] is None and (text or not r.is_text)]

            def read(index: int, words: frozenset[str] = words) -> tuple[pa.Array, bool]:
                return self._readers[index].read(batch.column(index), self._hints, words)

            for index, (values, anew) in zip(left, pool.map(read, left), strict=True):
                found[index] = values
                changed = changed or anew
                if not self._readers[index].is_text:
                    self._evidence |= self._readers[index].words_met
        return found, changed or (not first and not self._evidence - known <= MISSING_IN_TEXT)


class _Writing:
    """A Parquet file that is written beside the reading, one batch behind it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._pool = ThreadPoolExecutor(1, "parquet")
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Write a batch, once the one before is written."""
        self._wait()
        self._writer = self._writer or pq.ParquetWriter(self._path, batch.schema)
        self._last = self._pool.submit(self._writer.write_batch, batch)

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        if self._writer is not None:
            self._writer.close()
        if error is None:
            self._wait()
