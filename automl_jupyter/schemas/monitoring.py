"""How the caller's own work is going."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from automl_jupyter.schemas.base import Answer


class RouteStatistics(Answer):
    """Requests to one route since the server started."""

    route: str
    method: str
    requests: int
    errors: int
    mean_seconds: float


class ModelStatistics(Answer):
    """Predictions of one model since the server started."""

    model: str
    requests: int
    rows: int
    mean_seconds: float


class Monitoring(Answer):
    """How the caller's own work is going."""

    since: datetime
    datasets: int
    models: int
    jobs: dict[str, int] = Field(description="By state.")
    training_seconds: float
    predictions: list[ModelStatistics]
    requests: list[RouteStatistics]
