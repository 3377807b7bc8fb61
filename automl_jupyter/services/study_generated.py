"""Code that makes the best single pipeline of a model version again; runs in the process that studies."""

from __future__ import annotations

from typing import TypedDict

import pandas as pd

from automl_jupyter.engine.rebuilt.recipe import recipe_of
from automl_jupyter.engine.rebuilt.written import archive
from automl_jupyter.engine.retrace import Retraced, retrace
from automl_jupyter.engine.rows import MissingValues
from automl_jupyter.services.explaining import supervised
from automl_jupyter.services.studying import Subject, Tell


class _Given(TypedDict):
    groups: pd.Series | None
    time: pd.Series | None
    missing_values: MissingValues
    drop_duplicates: bool


def notebook(subject: Subject, tell: Tell) -> bytes:
    """A zip of a notebook and the rows that it reads."""
    return _archive(subject, tell, "notebook")


def python(subject: Subject, tell: Tell) -> bytes:
    """A zip of a script and the rows that it reads."""
    return _archive(subject, tell, "python")


def retraced(subject: Subject) -> Retraced:
    """The rows that a version learnt from, and how they were divided."""
    return retrace(supervised(subject.model), subject.features, subject.target, **_given(subject))


def _given(subject: Subject) -> _Given:
    """What ``fit`` was given beside the columns and the target."""
    options, table = subject.job["options"], subject.table
    groups, moments = options.get("groups"), options.get("time_column")
    marks = {name: values for name, values in options.get("missing_values", {}).items() if name in table}
    return {
        "groups": None if groups is None else table[groups],
        "time": None if moments is None else table[moments],
        "missing_values": marks,
        "drop_duplicates": options.get("drop_duplicates", False),
    }


def _archive(subject: Subject, tell: Tell, format_: str) -> bytes:
    model = supervised(subject.model)
    tell(0.2)
    recipe = recipe_of(model, subject.features, subject.target, **_given(subject))
    tell(0.7)
    title = f"{subject.job['model_name']}-{subject.version['version']}"
    return archive(recipe, title, format_, subject.options["language"])
