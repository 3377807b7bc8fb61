"""Results in a CSV file that grows by one row as soon as it is known, and what is in it already."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

Cell = str | int | float | None
Row = dict[str, str]
FAILED = "failed"


def read(path: Path) -> list[Row]:
    """The rows of a file; of one that is not there, none."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(value: Cell) -> str:
    """A cell: six digits of a number are more than any measurement has."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if not math.isnan(value) else ""
    return str(value)


class Journal:
    """A CSV file of results.

    Parameters
    ----------
    path : Path
        The file, which may exist: then it is gone on with.
    fields : sequence of str
        Its columns.
    key : sequence of str
        Those that tell one measurement from another.
    failed : bool
        Whether a row whose note says that it failed counts as missing; where several rows have the same key,
        the last one is meant.

    Raises
    ------
    SystemExit
        If the file has other columns.
    """

    def __init__(
        self, path: Path, fields: Sequence[str], key: Sequence[str], *, failed: bool = False
    ) -> None:
        self.path, self._fields, self._key = path, list(fields), list(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._mend()
        kept = {self._of(row): row.get("note", "") for row in read(path)}
        self._done = {key for key, note in kept.items() if not (failed and note.startswith(FAILED))}

    def _of(self, row: Mapping[str, Cell]) -> tuple[str, ...]:
        return tuple(written(row.get(name)) for name in self._key)

    def _mend(self) -> None:
        """Write the head of a new file; cut off a last line that was being written when the power went."""
        head = _line(self._fields)
        if not self.path.exists() or not self.path.stat().st_size:
            self.path.write_bytes(head)
            return
        held = self.path.read_bytes()
        if not held.replace(b"\r\n", b"\n").startswith(head):
            raise SystemExit(f"{self.path} has other columns; take another file")
        if not held.endswith(b"\n"):
            with self.path.open("r+b") as file:
                file.truncate(held.rfind(b"\n") + 1)

    def has(self, row: Mapping[str, Cell]) -> bool:
        """Whether there is a row with the same key."""
        return self._of(row) in self._done

    def add(self, row: Mapping[str, Cell]) -> None:
        """Append a row, in one piece, and have it on the disk before going on."""
        with self.path.open("ab") as file:
            file.write(_line([written(row.get(name)) for name in self._fields]))
            file.flush()
            os.fsync(file.fileno())
        self._done.add(self._of(row))


def _line(cells: Sequence[str]) -> bytes:
    # A line end within a cell would make half a row look like a whole one.
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([" ".join(cell.split()) for cell in cells])
    return buffer.getvalue().encode()
