"""Who is asking, and what the server allows."""

from __future__ import annotations

from pydantic import Field

from automl_jupyter.schemas.base import Answer


class Limits(Answer):
    """What the server allows."""

    max_upload_bytes: int
    max_piece_bytes: int
    max_predict_rows: int = Field(description="As CSV.")
    max_json_rows: int = Field(description="As JSON.")
    max_time_budget: float
    default_time_budget: float


class User(Answer):
    """Who the caller is and what they may do."""

    username: str
    display_name: str
    authenticated_by: str = Field(description="The identity provider's class name.")
    roles: list[str]
    permissions: dict[str, list[str]] = Field(description="Actions allowed, by resource.")
    limits: Limits
    version: str
    mlflow_ui_url: str | None = Field(
        None, description="MLflow's own pages, with a slash at the end; null where that is not configured."
    )
