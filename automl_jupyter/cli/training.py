"""How the options of a training become a request, wherever they were typed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from automl_jupyter.cli import advice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from automl_jupyter.client import Client
    from automl_jupyter.schemas import Dataset, Job


class UnknownColumns(Exception):
    """Some columns that are to be left out do not exist.

    Attributes
    ----------
    names : list of str
        Theirs.
    known : list of str
        Those that there are.
    """

    def __init__(self, names: list[str], known: list[str]) -> None:
        super().__init__(names)
        self.names, self.known = names, known


def chosen(dataset: Dataset, arguments: argparse.Namespace) -> Sequence[str] | None:
    """The columns to learn from; None for all.

    Raises
    ------
    UnknownColumns
        If some are to be left out that do not exist.
    """
    if not arguments.exclude:
        columns: Sequence[str] | None = arguments.columns
        return columns
    unknown = advice.unknown(dataset, arguments.exclude)
    if unknown:
        raise UnknownColumns(unknown, [column.name for column in dataset.columns])
    return advice.remaining(dataset, arguments.target, arguments.exclude, arguments.columns)


def start(
    client: Client, dataset: Dataset | str, arguments: argparse.Namespace, columns: Sequence[str] | None
) -> Job:
    """Ask for a training."""
    return client.train(
        dataset,
        arguments.target,
        task=arguments.task,
        metric=arguments.metric,
        time_budget=arguments.time,
        name=arguments.name,
        columns=columns,
        seed=arguments.seed,
        max_trials=arguments.max_trials,
        max_predict_ms=arguments.max_ms,
        groups=arguments.groups,
        time_column=arguments.time_column,
        drop_duplicates=arguments.drop_duplicates,
        missing_values=advice.by_column(arguments.missing or ()),
    )
