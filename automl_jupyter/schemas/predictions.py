"""Rows to predict, and the answers."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import FailFast, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from automl_jupyter.schemas.base import JSON_ROWS, Answer, Answering, Milliseconds, Request
from automl_jupyter.schemas.datasets import Notice


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
    interval: tuple[float, float] | None = Field(
        None,
        description="Of a quantity: 90 % of rows like those that were learnt from are inside. Only where the "
        "ensemble answers.",
    )
    warnings: list[RowWarning] = Field([])


class Predictions(Answer):
    """The answers, in the order of the rows."""

    model: str
    version: int
    answered_by: Answering = Field(
        description="`ensemble`, or `fast`: the quick model that has learnt from the ensemble."
    )
    predictions: list[Prediction]
    notes: list[Notice] = Field([], description="What concerns all rows, such as columns that were ignored.")
