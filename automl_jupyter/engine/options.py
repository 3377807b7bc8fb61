"""What else a request to train may ask for, judged from summaries of the columns: no table is needed.

As :mod:`automl_jupyter.engine.admission`, this is built on the standard library alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from automl_jupyter.engine.admission import ColumnSummary, nearest
from automl_jupyter.errors import FieldError, Param, Unprocessable

TIME_TYPES = ("datetime", "integer", "number")
"""Types of columns whose values follow each other."""

LEAST_GROUPS = 2
LEAST_TIMES = 3


@dataclass(frozen=True)
class Options:
    """How rows are divided and which of them, and which cells, are not what they seem.

    Attributes
    ----------
    groups : str or None
        The column whose equal values stay together when rows are divided.
    time_column : str or None
        The column by which rows are divided into a past and what follows.
    drop_duplicates : bool
        Whether rows that repeat another one are left out.
    missing_values : mapping
        For some columns the values that stand for a missing one.
    """

    groups: str | None = None
    time_column: str | None = None
    drop_duplicates: bool = False
    missing_values: Mapping[str, Sequence[str | float]] = field(default_factory=dict)

    @property
    def apart(self) -> frozenset[str]:
        """Columns that are not learnt from: the name of a group says nothing of another group."""
        return frozenset() if self.groups is None else frozenset((self.groups,))

    def check(self, columns: Sequence[ColumnSummary], task: str, target: str | None) -> None:
        """Say why this cannot be done.

        Parameters
        ----------
        columns : sequence of ColumnSummary
            The table's columns.
        task : str
            The task, as it was decided.
        target : str or None
            The column to predict.

        Raises
        ------
        Unprocessable
            With a code ``engine.…``, and an error for each field of the request (``groups``,
            ``time_column``, ``missing_values.<column>``).
        """
        problems = [
            *self._division(task),
            *self._groups(columns, target),
            *self._time(columns, target),
            *self._missing(columns, target),
        ]
        if problems:
            raise Unprocessable(problems[0].code, errors=problems, **problems[0].params)

    def _division(self, task: str) -> Iterator[FieldError]:
        asked = {"groups": self.groups, "time_column": self.time_column}
        given = {name: column for name, column in asked.items() if column is not None}
        if task == "clustering":
            for name, column in given.items():
                yield _problem(name, "engine.division_of_clusters", column=column)
        elif len(given) == len(asked):
            for name in given:
                yield _problem(name, "engine.groups_and_time")

    def _groups(self, columns: Sequence[ColumnSummary], target: str | None) -> Iterator[FieldError]:
        if self.groups is None:
            return
        found = _find(columns, self.groups)
        if found is None:
            yield _unknown("groups", self.groups, columns)
        elif found.name == target:
            yield _problem("groups", "engine.groups_is_target", target=target)
        elif found.distinct + found.missing < LEAST_GROUPS:
            yield _problem("groups", "engine.one_group_in_column", column=found.name)

    def _time(self, columns: Sequence[ColumnSummary], target: str | None) -> Iterator[FieldError]:
        if self.time_column is None:
            return
        found = _find(columns, self.time_column)
        if found is None:
            yield _unknown("time_column", self.time_column, columns)
        elif found.name == target:
            yield _problem("time_column", "engine.time_is_target", target=target)
        elif found.type not in TIME_TYPES:
            times = [column.name for column in columns if column.type == "datetime"]
            code = "engine.not_a_time_but_others" if times else "engine.not_a_time"
            yield _problem("time_column", code, column=found.name, times=times)
        elif found.distinct < LEAST_TIMES:
            yield _problem("time_column", "engine.too_few_times", n=found.distinct, needed=LEAST_TIMES)

    def _missing(self, columns: Sequence[ColumnSummary], target: str | None) -> Iterator[FieldError]:
        for name in self.missing_values:
            if name == target:
                yield _problem(f"missing_values.{name}", "engine.missing_values_of_target", target=target)
            elif _find(columns, name) is None:
                yield _unknown(f"missing_values.{name}", name, columns)


def _find(columns: Sequence[ColumnSummary], name: str) -> ColumnSummary | None:
    return next((column for column in columns if column.name == name), None)


def _problem(field_: str, code: str, **params: Param) -> FieldError:
    return FieldError(field_, code, params)


def _unknown(field_: str, name: str, columns: Sequence[ColumnSummary]) -> FieldError:
    return _problem(field_, "engine.unknown_column", column=name, nearest=nearest(name, columns))
