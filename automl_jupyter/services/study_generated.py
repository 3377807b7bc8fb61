"""Code that makes the best single pipeline of a model version again; runs in the process that studies."""

from __future__ import annotations

from automl_jupyter.engine.rebuilt.recipe import recipe_of
from automl_jupyter.engine.rebuilt.written import archive
from automl_jupyter.services.explaining import supervised
from automl_jupyter.services.studying import Subject, Tell


def notebook(subject: Subject, tell: Tell) -> bytes:
    """A zip of a notebook and the rows that it reads."""
    return _archive(subject, tell, "notebook")


def python(subject: Subject, tell: Tell) -> bytes:
    """A zip of a script and the rows that it reads."""
    return _archive(subject, tell, "python")


def _archive(subject: Subject, tell: Tell, format_: str) -> bytes:
    model, options, table = supervised(subject.model), subject.job["options"], subject.table
    groups, moments = options.get("groups"), options.get("time_column")
    marks = {name: values for name, values in options.get("missing_values", {}).items() if name in table}
    tell(0.2)
    recipe = recipe_of(
        model,
        subject.features,
        subject.target,
        groups=None if groups is None else table[groups],
        time=None if moments is None else table[moments],
        missing_values=marks,
        drop_duplicates=options.get("drop_duplicates", False),
    )
    tell(0.7)
    title = f"{subject.job['model_name']}-{subject.version['version']}"
    return archive(recipe, title, format_, subject.options["language"])
