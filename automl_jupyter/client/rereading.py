"""Has the file of a data set read again, as a person decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

from automl_jupyter.client import uploads
from automl_jupyter.client.paths import id_of, part
from automl_jupyter.client.transport import Transport

if TYPE_CHECKING:
    from automl_jupyter.schemas import ColumnType, Dataset


class ColumnDecisions(TypedDict, total=False):
    """How the values of one column are written; ``None`` leaves it to what holds for the file."""

    decimal: Literal[".", ","] | None
    thousands: str | None
    day_first: bool | None
    missing_values: Sequence[str] | None


class Decisions(TypedDict, total=False):
    """What a person decides about a reading: the fields of :class:`automl_jupyter.schemas.ReadOptions`.

    What is left out stays as it was read; ``None`` leaves it to be found out again.
    """

    encoding: str | None
    separator: str | None
    quote: str | None
    escape: str | None
    spaced: bool | None
    comment: str | None
    keep_rows: bool | None
    skip: int | None
    footer: int | None
    header: int | None
    header_rows: int | None
    decimal: Literal[".", ","] | None
    thousands: str | None
    day_first: bool | None
    missing_values: Sequence[str] | None
    column_types: Mapping[str, ColumnType | None] | None
    columns: Mapping[str, ColumnDecisions | None] | None


def reread(transport: Transport, dataset: Dataset | str, decisions: Decisions) -> Dataset:
    """Ask for another reading; see :meth:`automl_jupyter.client.Client.reread`."""
    from automl_jupyter.schemas import Dataset

    path = f"api/datasets/{part(id_of(dataset))}/reread/"
    return transport.ask(Dataset, "POST", path, json=decisions, patience=uploads.READING)
