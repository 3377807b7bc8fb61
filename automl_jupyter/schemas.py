"""What crosses a boundary: one definition for validation, for the answers and for the published contract.

Every object is the body itself, not wrapped. Times are UTC in ISO 8601, names are ``snake_case`` and a number
that is not finite is ``null``. Sentences (``message``) are in the reader's language; a program reads ``code``
and ``params``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    GetCoreSchemaHandler,
    JsonValue,
)
from pydantic_core import CoreSchema, PydanticCustomError

TaskName = Literal["binary", "multiclass", "regression", "clustering"]
ColumnType = Literal["integer", "number", "boolean", "datetime", "string"]
DateOrder = Literal["iso", "ymd", "dmy", "mdy", "named"]
Thousands = Literal["", ",", ".", "'", "’", " ", "\u00a0", "\u202f"]
ColumnRole = Literal["numeric", "category", "boolean", "datetime", "text", "id", "constant", "empty"]
JobState = Literal["queued", "running", "done", "failed", "stopped", "cancelled", "interrupted"]
TrialState = Literal["done", "failed", "skipped"]
Alias = Literal["champion", "challenger"]
EventKind = Literal["state", "progress", "trial", "leaderboard", "done"]
Answering = Literal["ensemble", "fast"]

FINAL_STATES: frozenset[str] = frozenset({"done", "failed", "stopped", "cancelled", "interrupted"})
"""The states that a job does not leave by itself."""

MODEL_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
LONGEST_TEXT = 10_000
"""The most characters of one text in a request."""

LARGEST_WHOLE = 2**31 - 1
PIECE_BYTES = 8 * 1024 * 1024
"""The largest piece of an upload in pieces."""

JSON_ROWS = 1000
"""The most rows of one prediction in JSON: what the server can write in one turn of its event loop."""

UNLEARNT_ROLES: frozenset[str] = frozenset({"id", "constant", "empty"})
"""Roles of columns that are not learnt from unless they are named."""

Params = dict[str, JsonValue]
Marks = Annotated[
    list[str | int | Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=1, max_length=1000)
]
Name = Annotated[str, Field(pattern=MODEL_NAME, examples=["flights-late"])]
Seconds = Annotated[float, Field(ge=0)]
Milliseconds = Annotated[float, Field(gt=0)]


def _no_text(value: object) -> object:
    if isinstance(value, str | bool):
        raise PydanticCustomError("int_type", "a text or a truth value is no number")
    return value


NUMBER = BeforeValidator(_no_text)
"""With ``strict=False``, a whole number of a request: 7 and 7.0, as in JSON Schema, but not "7", not true."""


class Answer(BaseModel):
    """The base of what is answered: fixed fields, non-finite numbers as ``null``."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null", extra="ignore", defer_build=True)


class Request(BaseModel):
    """The base of what is asked: an unknown field is an error, so that a misspelt one is not overlooked.

    Nothing is converted: a text that looks like a number is no number, ``true`` is not 1, and ``NaN`` and
    ``Infinity``, which are no JSON, are refused.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        str_max_length=LONGEST_TEXT,
        defer_build=True,
    )


class Page(Answer):
    """A part of a list, newest first; what it holds is in ``items``."""

    total: int = Field(ge=0)
    limit: int
    offset: int


# --- errors


class FieldProblem(Answer):
    """One field that cannot be used."""

    field: str
    code: str
    message: str


class ErrorBody(Answer):
    """Every answer of 400 and above: Jupyter's own shape (``message``, ``reason``) and more."""

    message: str
    reason: str | None = None
    code: str
    params: Params = {}
    errors: list[FieldProblem] = []


# --- people


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


# --- data sets


class Notice(Answer):
    """Something that the person should know of a data set: a guess, a repair."""

    code: str
    message: str
    column: str | None = None
    action: dict[str, JsonValue] | None = Field(None, description="The read option that undoes the guess.")


class ColumnRead(Answer):
    """How the values of a column were read; what does not apply to its type is null."""

    decimal: str | None = None
    thousands: str | None = Field(None, description="Empty for none.")
    unit: str | None = Field(None, description="The currency or percent sign that was taken off.")
    date_order: DateOrder | None = None
    zoned: bool | None = Field(None, description="Whether its times were brought to UTC.")
    missing_values: list[str] = Field(
        [], description="The words read as missing; a blank for cells of blanks."
    )
    text_because: str | None = Field(None, description="Why what looks like numbers or dates stays text.")
    asked: bool = Field(False, description="Whether a person decided on its type.")


class Column(Answer):
    """A column as it was read."""

    name: str
    type: ColumnType
    role: ColumnRole
    missing: int
    distinct: int = Field(description="Exact up to 100,000.")
    examples: list[str]
    read: ColumnRead = Field(default_factory=lambda: ColumnRead.model_validate({}))


class Dataset(Answer):
    """A table that was taken in. It does not change; reading it again makes another."""

    id: str
    name: str
    parent: str | None = Field(None, description="The data set of whose file this is another reading.")
    created: datetime
    bytes: int
    rows: int
    columns: list[Column]
    dialect: dict[str, JsonValue] = Field(
        description="How the file was read; what a person decided is in `overrides`."
    )
    warnings: list[Notice]


class Finding(Answer):
    """Something to know before training: what was seen, why it matters, what to do."""

    code: str
    severity: Literal["info", "warning", "serious"]
    message: str
    column: str | None
    columns: list[str]
    evidence: dict[str, JsonValue] = Field(description="The figures behind it.")
    action: dict[str, JsonValue] | None = Field(
        description="Fields of a request to train that act on it; null where a request cannot."
    )


class Findings(Answer):
    """What was found in a data set, the serious first."""

    target: str | None
    items: list[Finding]


class DatasetPage(Page):
    """Data sets."""

    items: list[Dataset]


class Preview(Answer):
    """The first rows of a data set; long cells are shortened."""

    columns: list[str]
    rows: list[list[JsonValue]]


class Profile(Answer):
    """The distribution of each column."""

    rows: int
    columns: list[dict[str, JsonValue]]


Mark = Annotated[str, Field(max_length=1)]


class ColumnReadOptions(Request):
    """How the values of one column are written; null leaves it to what holds for the file."""

    decimal: Literal[".", ","] | None = None
    thousands: Thousands | None = None
    day_first: bool | None = None
    missing_values: list[str] | None = None


class ReadOptions(Request):
    """How to read a file again.

    What is not mentioned stays as the data set was read; null leaves a field, or what was decided for a
    column, to be found out again.
    """

    encoding: str | None = Field(None, min_length=1, max_length=40, examples=["cp1252"])
    separator: str | None = Field(None, min_length=1, max_length=1, examples=[";"])
    quote: Mark | None = Field(None, description="Around cells; empty for none.")
    escape: Mark | None = Field(
        None, description="Before a quote within quotes; empty where quotes are doubled."
    )
    spaced: bool | None = Field(None, description="Whether blanks after a separator belong to it.")
    comment: Mark | None = Field(
        None, description="What starts lines to leave out; empty if no line is a comment."
    )
    keep_rows: bool | None = Field(
        None, description="Whether rows that look like notes, comments or repeated names are data."
    )
    skip: Annotated[int, Field(ge=0, le=LARGEST_WHOLE, strict=False), NUMBER] | None = Field(
        None, description="Lines before the names, or the data if there are none."
    )
    footer: Annotated[int, Field(ge=0, le=1000, strict=False), NUMBER] | None = Field(
        None, description="Rows at the end that are no data, such as totals."
    )
    header: Annotated[int, Field(ge=-1, le=LARGEST_WHOLE, strict=False), NUMBER] | None = Field(
        None, description="Index, from 0, of the line with the names; -1 if no line has them."
    )
    header_rows: Annotated[int, Field(ge=1, le=20, strict=False), NUMBER] | None = Field(
        None, description="Rows that the names take up; those of several are joined."
    )
    decimal: Literal[".", ","] | None = None
    thousands: Thousands | None = Field(None, description="Empty for none.")
    day_first: bool | None = Field(None, description="Whether 01/02/2024 is in February.")
    missing_values: list[str] | None = Field(
        None, description="The words that stand for a missing value; an empty cell always does."
    )
    column_types: dict[str, ColumnType | None] | None = Field(None, examples=[{"zip": "string"}])
    columns: dict[str, ColumnReadOptions | None] | None = Field(
        None, description="What holds for single columns.", examples=[{"since": {"day_first": False}}]
    )


class UploadFromPath(Request):
    """Take in a file that Jupyter already has."""

    path: str = Field(min_length=1, examples=["data/flights.csv"])


class UploadStart(Request):
    """Begin an upload in pieces."""

    filename: str = Field(min_length=1, max_length=255)
    size: Annotated[int, Field(ge=0, le=2**53 - 1, strict=False), NUMBER] | None = Field(
        None, description="The whole size in bytes, where it is known."
    )


class Upload(Answer):
    """An upload under way: the next piece starts at ``offset``."""

    id: str
    filename: str
    offset: int
    size: int | None
    max_piece_bytes: int


# --- training


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
    params: Params = {}


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


# --- models


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


# --- predictions


class _OneProblem:
    """Says of a value that is of none of its types so once, and not once for each type."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        once = {"custom_error_type": "cell_type", "custom_error_message": "no value of a table"}
        return cast("CoreSchema", {**handler(source), **once})


Cell = Annotated[str | int | float | bool, _OneProblem()] | None
Row = Annotated[dict[str, Cell], FailFast()]


class PredictRequest(Request):
    """Rows to predict: one object each, from column name to value, columns in any order."""

    # Only the first cell at fault is told: to list millions of problems takes minutes and gigabytes.
    rows: Annotated[list[Row], FailFast()] = Field(min_length=1, json_schema_extra={"maxItems": JSON_ROWS})
    max_predict_ms: Milliseconds | None = Field(
        None,
        description="Milliseconds that one row may take: where the ensemble takes longer, the quick model "
        "answers. What the model was trained with unless given.",
        examples=[5],
    )


class RowWarning(Answer):
    """Something in a row that the model has not learned to deal with."""

    code: str
    message: str
    column: str


class Prediction(Answer):
    """The answer for one row."""

    id: str
    value: Cell
    probabilities: dict[str, float] | None = None
    warnings: list[RowWarning] = []


class Predictions(Answer):
    """The answers, in the order of the rows."""

    model: str
    version: int
    answered_by: Answering = Field(
        description="`ensemble`, or `fast`: the quick model that has learnt from the ensemble."
    )
    predictions: list[Prediction]
    notes: list[Notice] = Field([], description="What concerns all rows, such as columns that were ignored.")


# --- monitoring


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
