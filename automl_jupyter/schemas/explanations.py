"""Explanations: what a model has learnt, how an answer comes about, where it is weak; versions compared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import FailFast, Field

from automl_jupyter.schemas.base import NUMBER, Answer, Answering, Milliseconds, Request, TaskName
from automl_jupyter.schemas.datasets import Notice
from automl_jupyter.schemas.predictions import Cell, Row, RowWarning

EXPLAINED_ROWS = 20
"""The most rows of one request for their explanation."""

Scale = Literal["log_odds", "centred_log_probability", "target"]
Interval = tuple[float | None, float | None]


class Worth(Answer):
    """How much the score falls when the cells of some columns are shuffled."""

    columns: list[str] = Field(description="Shuffled together, where several say the same.")
    drop: float | None = Field(description="By the metric; near zero, or below, for what is of no use.")
    interval: Interval = Field(description="90 %, over rows and shuffles.")


class Importance(Answer):
    """What the columns are worth, the most important first."""

    metric: str
    score: float | None = Field(description="Of the models that were asked, on the rows that were asked.")
    rows: int
    repeats: int
    share: float = Field(
        description="How much of the ensemble's weight was asked, each row by models that had not seen it; 0 "
        "where what is served was asked itself, about rows that it has learnt from."
    )
    groups: list[Worth]


class Size(Answer):
    """How much a column adds or takes away, on average."""

    column: str
    mean_size: list[float] = Field(description="One for each of `outputs`.")


class Overview(Answer):
    """SHAP values of some rows: what each column adds to the prediction, compared to usual rows."""

    scale: Scale = Field(
        description="What is added up: the log-odds of the second class; the log-probability of each class "
        "less their mean; or the quantity."
    )
    outputs: list[Cell] = Field(description="The classes that values are about; null for a quantity.")
    base: list[float] = Field(description="What is predicted of usual rows, on average, on that scale.")
    columns: list[Size] = Field(description="The most important first.")
    rows: list[int] = Field(description="Where the rows stand in the table, from 0.")
    values: list[list[list[float]]] = Field(description="By row, column and output.")
    ranks: list[list[float | None] | None] = Field(
        description="By column, where the cell of each row stands in the column, from 0 to 1; null for words."
    )


class Partner(Answer):
    """Another column that decides how a prediction depends on the first one."""

    column: str
    share: float = Field(description="How much of how the curves differ it explains.")


class Dependence(Answer):
    """How predictions depend on one column: on average, and for single rows."""

    column: str
    kind: str
    values: list[Cell] = Field(description="Where it was asked about; moments in seconds since 1970.")
    outputs: list[Cell] = Field(description="The classes, or null for a quantity.")
    mean: list[list[float]] = Field(description="By value and output: probability, or quantity.")
    curves: list[list[float]] = Field(description="By row and value, for one output.")
    output: int = Field(description="Which of `outputs` the curves are of.")
    differs: float = Field(description="How much the curves differ in shape: far above 0 for interactions.")
    together_with: list[Partner]


class Condition(Answer):
    """What holds in a segment."""

    column: str
    low: float | None = Field(None, description="At least so much.")
    high: float | None = Field(None, description="Less than so much.")
    category: str | None = None
    missing: bool = Field(False, description="Whether nothing is known there.")
    message: str


class Segment(Answer):
    """Rows that the model predicts clearly worse than others."""

    message: str
    conditions: list[Condition]
    rows: int
    inside: float
    outside: float
    interval: Interval = Field(description="95 % of what it is worse by.")
    p: float = Field(description="Corrected for the number of segments that were looked at.")


class Segments(Answer):
    """Where the model is clearly weaker than elsewhere, the worst first."""

    loss: Literal["log_loss", "absolute_error"]
    rows: int
    judged: int = Field(description="How many segments were judged, on rows that did not find them.")
    mean: float | None
    items: list[Segment]


class Explanation(Answer):
    """What a version of a model has learnt, and where it is weak."""

    model: str
    version: int
    task: TaskName
    target: str
    classes: list[Cell]
    notes: list[Notice] = Field(description="What to bear in mind.")
    importance: Importance
    contributions: Overview
    dependences: list[Dependence] = Field(
        description="Of the most important columns; `dependence/` tells of any other one."
    )
    segments: Segments


class ExplainRequest(Request):
    """Rows to explain: one object each, from column name to value, columns in any order."""

    rows: Annotated[list[Row], FailFast()] = Field(
        min_length=1, max_length=EXPLAINED_ROWS, json_schema_extra={"maxItems": EXPLAINED_ROWS}
    )
    max_predict_ms: Milliseconds | None = Field(
        None, description="As in a PredictRequest: which model is asked.", examples=[5]
    )
    counterexamples: Annotated[int, Field(ge=0, le=10, strict=False), NUMBER] = Field(
        3, description="How many rows to show that are much like it and were predicted otherwise."
    )
    what_if: dict[str, Annotated[list[Cell], Field(min_length=1, max_length=50)] | None] = Field(
        {},
        max_length=10,
        description="By column, other values to ask about; null for usual ones.",
        examples=[{"age": [30, 40, 50], "city": None}],
    )


class Contribution(Answer):
    """What a column adds to a prediction."""

    column: str
    cell: Cell = Field(description="As the model has read it.")
    adds: list[float] = Field(description="One for each of `outputs`.")
    errors: list[float] = Field(description="Standard errors; 0 where it is exact.")


class Counterexample(Answer):
    """A row of the table that is much like the one in question, but was predicted otherwise."""

    row: int = Field(description="Where it stands in the table, from 0.")
    distance: float = Field(description="From 0 (alike) to 1.")
    predicted: Cell = Field(description="By models that had not seen it.")
    truth: Cell
    differences: list[str] = Field(description="Columns, the largest difference first.")
    cells: dict[str, Cell]


class WhatIfAnswer(Answer):
    """What would be predicted."""

    value: Cell
    probabilities: dict[str, float] | None = None


class WhatIf(Answer):
    """What would be predicted with other values in one column, all others as they are."""

    column: str
    kind: str
    values: list[Cell]
    answers: list[WhatIfAnswer]


class RowExplanation(Answer):
    """How the prediction of one row comes about: `base` and all contributions add up to `said`."""

    value: Cell
    probabilities: dict[str, float] | None = None
    warnings: list[RowWarning]
    base: list[float]
    said: list[float]
    contributions: list[Contribution]
    counterexamples: list[Counterexample]
    what_if: list[WhatIf]


class RowExplanations(Answer):
    """The explanations, in the order of the rows."""

    model: str
    version: int
    answered_by: Answering
    scale: Scale
    outputs: list[Cell]
    rows: list[RowExplanation]
    notes: list[Notice] = Field([])


class Comparison(Answer):
    """Two versions on the same rows, which neither had learnt from when it predicted them."""

    model: str
    versions: tuple[int, int]
    metric: str
    rows: int
    same_table: bool = Field(description="Or else the rows that are new in the table of the second one.")
    scores: tuple[float | None, float | None]
    intervals: tuple[Interval, Interval]
    difference: float | None = Field(description="How much better the second one is.")
    interval: Interval = Field(description="90 %, by the same resamples for both.")
    agreement: float | None = Field(
        description="Part of the rows of which both say the same, or correlation of the quantities."
    )
    message: str
