"""Training: what is asked for, the job that it becomes, its leaderboard and log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, JsonValue

from automl_jupyter.schemas.base import (
    LARGEST_WHOLE,
    NUMBER,
    Answer,
    EventKind,
    JobState,
    Marks,
    Milliseconds,
    Name,
    Page,
    Params,
    Request,
    Seconds,
    TaskName,
    TrialState,
)


class TrainRequest(Request):
    """What to learn. Without a target, rows are grouped (clustering)."""

    target: str | None = None
    task: TaskName | None = Field(None, description="Found from the target unless given.")
    metric: str | None = Field(
        None, description="A scikit-learn scorer name; the task's default unless given."
    )
    time_budget: float | None = Field(None, ge=5, description="Seconds, a hard limit from the job's start.")
    name: Name | None = Field(None, description="The model's name; `<file>-<target>` unless given.")
    columns: list[str] | None = Field(
        None, min_length=1, description="Columns to learn from; all unless given."
    )
    seed: Annotated[int, Field(ge=0, le=LARGEST_WHOLE, strict=False), NUMBER] = 0
    max_trials: Annotated[int, Field(ge=1, le=LARGEST_WHOLE, strict=False), NUMBER] | None = Field(
        None,
        description="Only so many candidates are tried, whatever time is left. The result then depends on "
        "the data and the seed alone, unless the time runs out before.",
        examples=[10],
    )
    max_predict_ms: Milliseconds | None = Field(
        None,
        description="Milliseconds that the prediction of one row may take, where a request to predict does "
        "not say. A model whose ensemble takes longer answers with its quick model.",
        examples=[5],
    )
    groups: str | None = Field(
        None,
        description="A column whose equal values stay together: each group is predicted by models that have "
        "seen no row of it, so that the scores hold for new groups. It is not learnt from. A row without a "
        "value is a group of its own. Not together with `time_column`, not without a target.",
        examples=["patient_id"],
    )
    time_column: str | None = Field(
        None,
        description="A column of dates or numbers: rows are predicted by models that have learnt from "
        "earlier ones alone, in blocks of a growing past; the model itself learns from all rows. It is "
        "learnt from as well, unless `columns` leaves it out. Not together with `groups`, not without a "
        "target.",
        examples=["date"],
    )
    drop_duplicates: bool = Field(
        False,
        description="Learn once from rows that are equal in all that is learnt from (with target, groups and "
        "time): from the first of them.",
    )
    missing_values: dict[str, Marks] = Field(
        {},
        max_length=1000,
        description="By column, the values that stand for a missing one, when learning and when predicting. "
        '`-999` and `"-999"` are the same.',
        examples=[{"weight": [-999], "city": ["unknown"]}],
    )


class ResumeRequest(Request):
    """Take a job up again that ended before it was done."""

    time_budget: float | None = Field(
        None, ge=5, description="Seconds of the new attempt; what is left, and 10 at least, unless given."
    )


class Trial(Answer):
    """One line of the leaderboard. Scores come from rows that took no part in any choice."""

    name: str
    family: str
    score: float | None = Field(description="By the job's metric; higher is better.")
    interval: tuple[float | None, float | None] | None = Field(description="90 %, by bootstrap.")
    tied_with_best: bool
    baseline: bool
    fit_seconds: float
    predict_seconds: float | None = Field(description="For 1,000 rows.")
    state: TrialState
    reason: str | None = None


class ModelRef(Answer):
    """A model and its version."""

    name: str
    version: int


class Problem(Answer):
    """Why a job ended without a model."""

    code: str
    message: str
    params: Params = Field({})


class Outlook(Answer):
    """What more time is expected to bring, told by the curve so far: a rough figure, no promise."""

    seconds: float = Field(description="So many more.")
    gain: float = Field(ge=0, le=1, description="What part of the error they would take off.")
    low: float = Field(ge=0, le=1, description="With `high`, a rough range of that.")
    high: float = Field(ge=0, le=1)


class Job(Answer):
    """A search for a model."""

    id: str
    dataset_id: str
    target: str | None
    task: TaskName
    metric: str
    options: dict[str, JsonValue] = Field(
        {}, description="What else was asked for, by the fields of the request to train."
    )
    state: JobState
    created: datetime
    queued_seconds: Seconds
    elapsed: Seconds = Field(description="Since it is running, in seconds; of all attempts together.")
    time_budget: float = Field(description="Seconds of all attempts together.")
    attempt: int = Field(1, description="How often it was started: more than once after a resume.")
    progress: float = Field(ge=0, le=1)
    outlook: Outlook | None = Field(
        None, description="What as much time again is expected to bring; none while little is known."
    )
    leaderboard: list[Trial]
    model: ModelRef | None
    mlflow_run_id: str | None
    error: Problem | None


class JobPage(Page):
    """Jobs."""

    items: list[Job]


class Event(Answer):
    """One entry of a job's log, as sent by ``events/``; ``id`` counts from 1 without gaps."""

    id: int
    kind: EventKind
    at: datetime
    data: dict[str, JsonValue]
