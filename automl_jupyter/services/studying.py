"""What a study is given: the model, its table, the job that made it. Runs in the process that studies."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from automl_jupyter.data.table import load_table
from automl_jupyter.services.shelf import Model, Shelf
from automl_jupyter.services.table_process import check, digest_of

Tell = Callable[[float], None]
"""Takes how far a study is, from 0 to 1."""

Maker = Callable[["Subject", Tell], bytes]


@dataclass(frozen=True)
class Subject:
    """A model version that is studied.

    Attributes
    ----------
    shelf : Shelf
        Models that are loaded.
    job : mapping
        What :func:`automl_jupyter.services.plans.payload` says of the job: ``features``, ``target``,
        ``task``, ``metric``, ``options``, ``kinds``, ``seed``, ``threads``, …
    dataset, version : mapping
        The fields of both records, as plain JSON.
    options : mapping
        What was asked for.
    files : sequence of mapping
        ``path`` and ``digest`` of the model, and of the models beside it that are compared to it.
    table_path : str
        Where the table of the data set is.
    scratch : Path
        A folder for files on their way; it is emptied afterwards.
    beside : sequence of mapping
        ``table_path``, ``table_digest`` and ``dataset_name`` of the models beside it.
    """

    shelf: Shelf
    job: Mapping[str, Any]
    dataset: Mapping[str, Any]
    version: Mapping[str, Any]
    options: Mapping[str, Any]
    files: Sequence[Mapping[str, str]]
    table_path: str
    scratch: Path
    beside: Sequence[Mapping[str, str]] = ()

    @property
    def model(self) -> Model:
        """The model, whose digest is checked before it is read."""
        return self.shelf.take(self.files[0]["path"], self.files[0]["digest"])

    @property
    def others(self) -> list[Model]:
        """The models beside it."""
        return [self.shelf.take(file["path"], file["digest"]) for file in self.files[1:]]

    @cached_property
    def table(self) -> pd.DataFrame:
        """All columns of the table that it was learnt from, in the order of its rows.

        Raises
        ------
        Conflict
            If the file in the storage is not the one that was taken in.
        """
        path = Path(self.table_path)
        check(digest_of(path), self.job["table_digest"], self.job["dataset_name"])
        return load_table(path)

    @property
    def features(self) -> pd.DataFrame:
        """The columns that it learnt from, as ``fit`` was given them."""
        return self.table[list(self.job["features"])]

    @property
    def target(self) -> pd.Series:
        """The column that it predicts."""
        found: pd.Series = self.table[self.job["target"]]
        return found


def as_json(found: object) -> bytes:
    """Plain data as JSON; numbers that are not finite become null, numpy's become plain."""
    return json.dumps(plain(found), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def plain(value: object) -> object:
    """Data as JSON has it."""
    match value:
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case np.ndarray():
            return plain(value.tolist())
        case np.generic():
            return plain(value.item())
    return _cell(value)


def _cell(value: object) -> object:
    if value is pd.NaT or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value
