"""Models and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from automl_jupyter.schemas.base import LARGEST_WHOLE, NUMBER, Alias, Answer, Page, Request, TaskName


class ModelColumn(Answer):
    """What a model expects of one column."""

    name: str
    kind: str
    categories: list[str] | None = None
    minimum: float | None = None
    maximum: float | None = None


class ModelVersion(Answer):
    """One trained version of a model."""

    version: int
    created: datetime
    job_id: str
    dataset_id: str
    metric: str
    score: float | None
    interval: tuple[float | None, float | None] | None
    baseline_score: float | None
    aliases: list[Alias]
    columns: list[ModelColumn]
    mlflow_run_id: str | None
    mlflow_model_uri: str | None
    mlflow_version: str | None
    mlflow_name: str | None = Field(
        None, description="What MLflow's registry calls the model, where the version is registered."
    )


class Model(Answer):
    """A model with its versions, newest first; the champion is the one in service."""

    name: str
    task: TaskName
    target: str | None
    dataset_id: str
    created: datetime
    champion: int | None
    versions: list[ModelVersion]


class ModelPage(Page):
    """Models."""

    items: list[Model]


class PromoteRequest(Request):
    """Which version to put into service."""

    version: Annotated[int, Field(ge=1, le=LARGEST_WHOLE, strict=False), NUMBER]
