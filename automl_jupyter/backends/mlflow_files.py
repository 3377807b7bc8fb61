"""The folder of a model as MLflow keeps it, with all of our code that loading it needs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from automl_jupyter import errors
from automl_jupyter.backends.tracking import TrackedColumn, TrackedModel

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # A job must not wait minutes for a server that is down.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
_DTYPES = {
    "boolean": "bool",
    "long": "int64",
    "double": "float64",
    "string": "object",
    "datetime": "datetime64[ns]",
    "any": "object",
}


def prepare() -> None:
    """Ask MLflow, before it is imported, for quiet and for answers in time."""
    for variable, value in _ENVIRONMENT.items():
        os.environ.setdefault(variable, value)


def save(model: TrackedModel, folder: Path, entry: Any = None) -> Path:
    """Make the folder of a model as MLflow loads it, by itself and without a server.

    Parameters
    ----------
    model : TrackedModel
        The model.
    folder : Path
        An empty folder, for this one and for what goes into it.
    entry : mlflow.models.Model, optional
        What MLflow knows of the model, if it has written it down.

    Returns
    -------
    Path
        The folder, ``model`` in the one that was given.
    """
    prepare()
    import mlflow.pyfunc
    import pandas as pd
    from mlflow.models import ModelSignature

    made = folder / "model"
    # The rows are plain JSON; MLflow wants them in exactly the types that the signature says.
    dtypes = {column.name: _DTYPES[column.type] for column in model.inputs}
    mlflow.pyfunc.save_model(
        path=str(made),
        loader_module=model.loader_module,
        data_path=str(model.file),
        code_paths=[str(_copy_code(model, folder / "code"))],
        mlflow_model=entry,
        signature=ModelSignature(inputs=_schema(model.inputs), outputs=_schema(model.outputs)),
        input_example=pd.DataFrame(model.example, columns=list(dtypes)).astype(dtypes),
        pip_requirements=list(model.requirements),
    )
    return made


def _copy_code(model: TrackedModel, folder: Path) -> Path:
    target = folder / model.package.name
    for part in ("__init__.py", *model.parts):
        source = model.package / part
        if source.is_dir():
            shutil.copytree(source, target / part, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            (target / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / part)
        else:
            raise errors.Unavailable("backends.model_code_missing", module=part)
    return target


def _schema(columns: Iterable[TrackedColumn]) -> Any:
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType

    return Schema(
        [
            ColSpec(AnyType() if column.type == "any" else column.type, column.name, required=column.required)
            for column in columns
        ]
    )
