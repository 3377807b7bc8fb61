"""Tables of a folder, and how each is divided into rows to learn from and rows to judge by.

Every system gets the same rows: three quarters to learn from, drawn with a seed, by class.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

TASKS = ("binary", "multiclass", "regression")
CAP = 50_000
TEST_CAP = 50_000
TEST_SHARE = 0.25
RARE = 8


@dataclass(frozen=True)
class Table:
    """A line of the manifest.

    Attributes
    ----------
    task : str
        As the manifest has it, which may be another word than :data:`TASKS`.
    """

    name: str
    file: Path
    target: str
    task: str


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to judge by, with the target among the columns.

    Attributes
    ----------
    task : str
        One of :data:`TASKS`.
    """

    task: str
    train: pd.DataFrame
    test: pd.DataFrame

    @property
    def columns(self) -> int:
        """The number of columns besides the target."""
        return self.train.shape[1] - 1

    @property
    def digest(self) -> str:
        """Ten letters that are the same where the same rows were drawn in the same order."""
        ids = [part.index.to_numpy(np.int64).tobytes() for part in (self.train, self.test)]
        return hashlib.sha256(b"|".join(ids)).hexdigest()[:10]


def manifest(folder: Path, names: Sequence[str] = ()) -> list[Table]:
    """The tables of a folder with a ``manifest.csv`` (name, file, target, task), or those named.

    Raises
    ------
    SystemExit
        If there is no manifest, or one that is named is not in it.
    """
    path = folder / "manifest.csv"
    if not path.is_file():
        raise SystemExit(f"no manifest.csv in {folder}")
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    found = {r["name"]: Table(r["name"], folder / r["file"], r["target"], r["task"].lower()) for r in lines}
    missing = [name for name in names if name not in found]
    if missing:
        raise SystemExit(f"not in the manifest: {', '.join(missing)}")
    return [found[name] for name in names] if names else list(found.values())


def read(table: Table) -> tuple[str, pd.DataFrame]:
    """The task and the rows that can be used: with a target, of classes that are not too rare to divide.

    A task that is none of :data:`TASKS` (the reference labels of a clustering, say) is told from the target:
    words that begin with ``reg`` are a regression, two values are two classes.
    """
    frame = pd.read_csv(table.file, low_memory=False)
    frame = frame[frame[table.target].notna()]
    task = table.task
    if task.startswith("reg"):
        return "regression", frame
    if task not in TASKS:
        task = "binary" if frame[table.target].nunique() == 2 else "multiclass"
    counts = frame[table.target].map(frame[table.target].value_counts())
    return task, frame[counts >= RARE]


def split(table: Table, seed: int, cap: int = CAP) -> Split:
    """Divide a table.

    Parameters
    ----------
    table : Table
        Which one.
    seed : int
        Another one draws other rows.
    cap : int
        At most so many rows to learn from; of those to judge by there are at most :data:`TEST_CAP`.
    """
    task, frame = read(table)
    classes = task != "regression"
    train, test = train_test_split(
        frame,
        test_size=TEST_SHARE,
        random_state=seed,
        stratify=frame[table.target] if classes else None,
    )
    if len(train) > cap:
        train, _ = train_test_split(
            train, train_size=cap, random_state=seed, stratify=train[table.target] if classes else None
        )
    return Split(task, train, test.iloc[:TEST_CAP])


def offer(made: argparse.ArgumentParser) -> None:
    """Add the options that say which tables."""
    given = os.environ.get("AUTOML_TEST_DATA")
    made.add_argument(
        "--tables",
        type=Path,
        default=Path(given) / "tables" if given else None,
        help="a folder with manifest.csv: name,file,target,task (default: $AUTOML_TEST_DATA/tables)",
    )
    made.add_argument("--only", default="", help="names of tables, with commas (default: all)")


def chosen(settings: argparse.Namespace) -> list[Table]:
    """The tables that were asked for.

    Raises
    ------
    SystemExit
        If there is no folder of tables.
    """
    if settings.tables is None:
        raise SystemExit("no tables; give --tables or set AUTOML_TEST_DATA")
    return manifest(settings.tables, [name for name in settings.only.split(",") if name])
