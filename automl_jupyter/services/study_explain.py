"""What is computed of a model version to explain it, and to compare it; runs in the process that studies."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from automl_jupyter.data.table import load_table
from automl_jupyter.engine.explain import comparison
from automl_jupyter.engine.explain.dependence import Dependence, dependence
from automl_jupyter.engine.explain.ground import Ground, ground_of
from automl_jupyter.engine.explain.importance import Importance, importance
from automl_jupyter.engine.explain.segments import segments
from automl_jupyter.engine.explain.shapley import Overview, overview
from automl_jupyter.errors import Unprocessable
from automl_jupyter.services.explaining import outputs_of, supervised
from automl_jupyter.services.studying import Subject, Tell, as_json
from automl_jupyter.services.table_process import check, digest_of

IMPORTANCE_SECONDS, OVERVIEW_SECONDS = 3.5, 3.0
DEPENDENCES = 5
"""Of so many columns, the most important ones, it is computed what a prediction does with them."""


def ground(subject: Subject) -> Ground:
    """The model and the rows that it can be asked about."""
    return ground_of(supervised(subject.model), subject.features, subject.target)


def explain(subject: Subject, tell: Tell) -> bytes:
    """Importance, contributions, dependence and weak segments, all of the whole model."""
    found = ground(subject)
    tell(0.05)
    worth = importance(found, IMPORTANCE_SECONDS, lambda done: tell(0.05 + 0.35 * done))
    shown = overview(found, OVERVIEW_SECONDS, lambda done: tell(0.4 + 0.3 * done))
    places = {column.name: column for column in found.columns}
    wanted = [name for group in worth.groups for name in group.columns][:DEPENDENCES]
    curves = []
    for i, name in enumerate(wanted):
        curve = dependence(found, places[name])
        curves += [] if curve is None else [curve]
        tell(0.7 + 0.25 * (i + 1) / len(wanted))
    weak = asdict(segments(found))
    return as_json(
        {
            "task": found.model.task_,
            "target": found.model.contract_.target,
            "classes": list(found.model.contract_.classes),
            "importance": _importance(worth),
            "contributions": _overview(found, shown),
            "dependences": [_dependence(found, curve) for curve in curves],
            "segments": weak,
        }
    )


def depend(subject: Subject, tell: Tell) -> bytes:
    """How predictions depend on one column.

    Raises
    ------
    Unprocessable
        ``services.no_such_column_of_model`` if the model does not read it, or its values are texts.
    """
    found, name = ground(subject), subject.options["column"]
    column = next((column for column in found.columns if column.name == name), None)
    curve = None if column is None else dependence(found, column)
    if curve is None:
        raise Unprocessable("services.no_such_column_of_model", column=name)
    return as_json(_dependence(found, curve))


def compare(subject: Subject, tell: Tell) -> bytes:
    """Two versions on the same rows: the one beside it, and this one."""
    second, first = supervised(subject.model), supervised(subject.others[0])
    other = subject.beside[0]
    if other["table_digest"] == subject.job["table_digest"]:
        found = comparison.on_same_table(first, second)
    else:
        path = other["table_path"]
        check(digest_of(Path(path)), other["table_digest"], other["dataset_name"])
        names = [*subject.job["features"], subject.job["target"]]
        before = load_table(Path(path))
        found = comparison.on_new_rows(first, second, before, subject.table[names])
    return as_json({**asdict(found), "same_table": other["table_digest"] == subject.job["table_digest"]})


def _importance(found: Importance) -> dict[str, Any]:
    return asdict(found)


def _overview(ground: Ground, found: Overview) -> dict[str, Any]:
    size = found.mean_size
    order = sorted(range(len(size)), key=lambda j: -float(size[j].mean()))
    values = found.found.values[:, order]
    return {
        "scale": found.found.scale,
        "outputs": outputs_of(ground.model.target_),
        "base": found.found.base[0],
        "columns": [{"column": ground.columns[j].name, "mean_size": size[j]} for j in order],
        "rows": ground.rows[found.rows],
        "values": values.round(6),
        "ranks": _ranks(ground, found, order),
    }


def _ranks(ground: Ground, found: Overview, order: list[int]) -> list[list[float | None] | None]:
    """Where the cell of each row stands among those of its column, from 0 to 1; no rank for words."""
    ranks: list[list[float | None] | None] = []
    for j in order:
        column = ground.columns[j]
        if column.kind in ("category", "text"):
            ranks.append(None)
            continue
        series = pd.Series(column.values(ground.cells)).rank(pct=True)
        ranks.append([None if pd.isna(r) else round(float(r), 3) for r in series.iloc[found.rows]])
    return ranks


def _dependence(ground: Ground, found: Dependence) -> dict[str, Any]:
    told = asdict(found)
    told["mean"], told["curves"] = found.mean.round(6), found.curves.round(6)
    told["outputs"] = [None] if ground.model.target_.classes is None else ground.model.target_.classes
    told["together_with"] = [{"column": name, "share": share} for name, share in found.together_with]
    return told
