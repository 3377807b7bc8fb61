"""Whether a training makes sense, judged from summaries of the columns: no table is needed.

The server answers before any job starts and may not import numpy or pandas, so this module is built on the
standard library alone. :mod:`automl_jupyter.engine.task` applies the same rules to a table.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from automl_jupyter.errors import FieldError, Param, Unprocessable

MIN_ROWS = 10
"""Fewer rows than this with a known target cannot be divided into parts to learn from and to test on."""

MAX_CLASSES = 200
"""More classes than this are taken for names or free text."""

FEW_VALUES = 10
"""Whole numbers with at most so many distinct values are taken for classes unless a wider range says no."""

SUPERVISED = ("binary", "multiclass", "regression")
TASKS = (*SUPERVISED, "clustering")

METRICS: Mapping[str, tuple[str, ...]] = {
    "binary": (
        "roc_auc",
        "neg_log_loss",
        "average_precision",
        "neg_brier_score",
        "accuracy",
        "balanced_accuracy",
        "f1",
        "matthews_corrcoef",
    ),
    "multiclass": (
        "neg_log_loss",
        "accuracy",
        "balanced_accuracy",
        "f1_macro",
        "f1_weighted",
        "matthews_corrcoef",
    ),
    "regression": (
        "neg_root_mean_squared_error",
        "neg_mean_absolute_error",
        "neg_mean_absolute_percentage_error",
        "r2",
    ),
    "clustering": ("silhouette",),
}
"""The metrics that fit each task, by scikit-learn's scorer names; the first is the default."""

USELESS_ROLES = frozenset({"id", "constant", "empty"})


@dataclass(frozen=True)
class ColumnSummary:
    """What is known of a column without its cells.

    Attributes
    ----------
    name : str
        The column's name.
    type : str
        ``integer``, ``number``, ``boolean``, ``datetime`` or ``string``.
    role : str
        ``numeric``, ``category``, ``boolean``, ``datetime``, ``text``, ``id``, ``constant`` or ``empty``.
    missing, distinct : int
        Number of missing cells, and of distinct values among the others.
    lowest, highest : float, optional
        The range of a column of numbers: it tells classes that are counted from 0 or 1 from quantities.
    """

    name: str
    type: str
    role: str
    missing: int
    distinct: int
    lowest: float | None = None
    highest: float | None = None


@dataclass(frozen=True)
class Admission:
    """A training that makes sense: the task and metric decided, the columns to learn from."""

    task: str
    metric: str
    features: tuple[str, ...]


def default_metric(task: str) -> str:
    """Give the metric that is used unless another is asked for."""
    return METRICS[task][0]


def guess_task(
    kind: str, distinct: int, *, role: str = "", lowest: float | None = None, highest: float | None = None
) -> str:
    """Guess the task that a target of this kind most likely means.

    Parameters
    ----------
    kind : str
        A column type as in :class:`ColumnSummary`; numbers that are all whole are ``integer``.
    distinct : int
        Number of distinct values.
    role : str
        A role as in :class:`ColumnSummary`; ``category`` settles the matter for whole numbers.
    lowest, highest : float, optional
        The range: few whole numbers are classes if they count from 0 or 1 without gaps.

    Returns
    -------
    str
        One of :data:`SUPERVISED`.
    """
    if distinct == 2:
        return "binary"
    if kind in ("boolean", "string"):
        return "multiclass"
    if kind == "integer" and (role == "category" or _looks_like_classes(distinct, lowest, highest)):
        return "multiclass"
    return "regression"


def _looks_like_classes(distinct: int, lowest: float | None, highest: float | None) -> bool:
    if distinct > FEW_VALUES:
        return False
    if lowest is None or highest is None:
        return True
    return lowest in (0, 1) and highest - lowest + 1 == distinct


def fitting_tasks(kind: str, distinct: int) -> tuple[str, ...]:
    """List the supervised tasks that can be done at all with a target of this kind, ``()`` for dates."""
    if kind == "datetime":
        return ()
    if kind == "number" and distinct > FEW_VALUES:
        return ("regression",)
    classes = ("binary",) if distinct == 2 else ("multiclass",)
    return classes if kind == "string" else (*classes, "regression")


def admit(
    columns: Sequence[ColumnSummary],
    rows: int,
    target: str | None,
    task: str | None,
    features: Sequence[str] | None,
    metric: str | None,
    apart: Collection[str] = (),
) -> Admission:
    """Decide what a request to train means, or say why it cannot be done.

    Parameters
    ----------
    columns : sequence of ColumnSummary
        The table's columns, in order.
    rows : int
        Number of rows of the table.
    target : str or None
        The column to predict; None asks for clustering.
    task, metric : str or None
        What was asked for; None or ``"auto"`` lets the engine decide.
    features : sequence of str or None
        The columns to learn from; None means all that can help.
    apart : collection of str
        Columns that are not learnt from, whether named or not.

    Raises
    ------
    Unprocessable
        With a code ``engine.…`` and the request's field (``target``, ``task``, ``columns``, ``metric``).
    """
    wanted = None if task in (None, "auto") else task
    if wanted is not None and wanted not in TASKS:
        raise refuse("task", "engine.unknown_task", task=wanted, known=list(TASKS))
    if target is None and wanted not in (None, "clustering"):
        raise refuse("target", "engine.target_required", task=str(wanted))
    if target is not None and wanted == "clustering":
        raise refuse("target", "engine.target_unwanted", target=target)
    decided = "clustering"
    if target is not None:
        decided = check_target(_find(columns, target), rows, wanted)
    elif rows < MIN_ROWS:
        raise refuse("target", "engine.too_few_rows_to_cluster", n=rows, needed=MIN_ROWS)
    chosen = _features(columns, target, features, apart)
    return Admission(decided, check_metric(metric, decided), chosen)


def check_metric(metric: str | None, task: str) -> str:
    """Give the metric's name (None, ``"auto"``: the default); raise Unprocessable if it does not fit."""
    if metric in (None, "auto"):
        return default_metric(task)
    if metric not in METRICS[task]:
        raise refuse(
            "metric", "engine.unknown_metric", metric=str(metric), task=task, known=list(METRICS[task])
        )
    return str(metric)


def check_target(summary: ColumnSummary, rows: int, task: str | None) -> str:
    """Decide the task for a target, after all that can be wrong with the target itself.

    Parameters
    ----------
    summary : ColumnSummary
        The target.
    rows : int
        Number of rows of the table.
    task : str or None
        The task asked for, one of :data:`SUPERVISED`; None lets the target decide.

    Raises
    ------
    Unprocessable
        ``engine.target_all_missing``, ``datetime_target``, ``too_few_rows``, ``constant_target``,
        ``task_mismatch`` or ``too_many_classes``.
    """
    target, known = summary.name, rows - summary.missing
    if known <= 0:
        raise refuse("target", "engine.target_all_missing", target=target)
    if summary.type == "datetime":
        raise refuse("target", "engine.datetime_target", target=target)
    if known < MIN_ROWS:
        raise refuse("target", "engine.too_few_rows", target=target, n=known, needed=MIN_ROWS)
    if summary.distinct < 2:
        raise refuse("target", "engine.constant_target", target=target)
    fitting = fitting_tasks(summary.type, summary.distinct)
    if task is not None and task not in fitting:
        raise refuse(
            "task", "engine.task_mismatch", target=target, task=task, fits=list(fitting), n=summary.distinct
        )
    decided = task or guess_task(
        summary.type, summary.distinct, role=summary.role, lowest=summary.lowest, highest=summary.highest
    )
    if decided == "multiclass" and summary.distinct > MAX_CLASSES:
        raise refuse(
            "target", "engine.too_many_classes", target=target, n=summary.distinct, limit=MAX_CLASSES
        )
    return decided


def refuse(field: str, code: str, **params: Param) -> Unprocessable:
    """Make the error for one field of the request."""
    return Unprocessable(code, errors=[FieldError(field, code, params)], **params)


def _find(columns: Sequence[ColumnSummary], target: str) -> ColumnSummary:
    for column in columns:
        if column.name == target:
            return column
    raise refuse("target", "engine.unknown_target", target=target, nearest=nearest(target, columns))


def no_features(target: str | None) -> Unprocessable:
    """Make the error for columns none of which can help."""
    if target is None:
        return refuse("columns", "engine.nothing_to_cluster")
    return refuse("columns", "engine.no_features", target=target)


def nearest(name: str, columns: Sequence[ColumnSummary]) -> list[str]:
    """List the names of up to three columns that resemble a name, else the first three."""
    return nearest_names(name, [column.name for column in columns])


def nearest_names(name: str, names: Sequence[str]) -> list[str]:
    """Do the same for mere names."""
    folded = {known.casefold(): known for known in reversed(names)}
    close = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)
    return [folded[key] for key in close] or list(names[:3])


def _features(
    columns: Sequence[ColumnSummary],
    target: str | None,
    features: Sequence[str] | None,
    apart: Collection[str],
) -> tuple[str, ...]:
    by_name = {column.name: column for column in columns}
    if features is None:
        chosen = tuple(c.name for c in columns if c.name != target and c.role not in USELESS_ROLES)
    else:
        _check_names(features, by_name, target)
        chosen = tuple(name for name in by_name if name in set(features))
    chosen = tuple(name for name in chosen if name not in apart)
    if all(by_name[name].role in ("constant", "empty") for name in chosen):
        raise no_features(target)
    return chosen


def _check_names(features: Sequence[str], by_name: Mapping[str, ColumnSummary], target: str | None) -> None:
    problems = [
        FieldError(
            f"columns.{i}",
            "engine.unknown_column",
            {"column": name, "nearest": nearest(name, list(by_name.values()))},
        )
        for i, name in enumerate(features)
        if name not in by_name
    ]
    if problems:
        raise Unprocessable("engine.unknown_column", errors=problems, **problems[0].params)
    if target is not None and target in features:
        raise refuse("columns", "engine.target_among_features", target=target)
