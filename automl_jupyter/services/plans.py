"""What a request to train means: whether it can be done, the job that it becomes, what a worker is told."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

from automl_jupyter.backends.database import new_id
from automl_jupyter.backends.records import DatasetRecord, JobRecord
from automl_jupyter.engine.admission import (
    SUPERVISED,
    USELESS_ROLES,
    Admission,
    ColumnSummary,
    admit,
    guess_task,
)
from automl_jupyter.engine.advice import Budgets, budgets
from automl_jupyter.engine.options import Options
from automl_jupyter.errors import FieldError, Unprocessable
from automl_jupyter.schemas import TrainRequest
from automl_jupyter.services.datasets import TABLE, dataset_key
from automl_jupyter.services.settings import Settings

LEAST_RESUMED_SECONDS = 10.0
"""What a job that is taken up again gets at least, unless asked otherwise."""


def model_key(job_id: str, attempt: int) -> str:
    """Where the model of a job's attempt stands in the storage."""
    return f"models/{job_id}/{attempt}.bin"


def default_model_name(dataset: str, target: str | None) -> str:
    """A name made of what was learnt from: ``<file>-<target>``, with ``-`` for what is not allowed."""
    text = f"{dataset}-{target or 'clusters'}"
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:80] or "model"


def admission_of(dataset: DatasetRecord, request: TrainRequest) -> Admission:
    """Decide on a request from what is known of its data set; no table is needed.

    Raises
    ------
    Unprocessable
        If nothing can be learnt so.
    """
    columns = [summary(column) for column in dataset.columns]
    options = Options(request.groups, request.time_column, request.drop_duplicates, request.missing_values)
    admission = admit(
        columns,
        dataset.rows,
        request.target,
        request.task,
        request.columns,
        request.metric,
        options.apart,
    )
    options.check(columns, admission.task, request.target)
    return admission


def options_of(request: TrainRequest) -> dict[str, Any]:
    """What a request asks for beyond what each job has, by its own fields."""
    asked = ("max_trials", "max_predict_ms", "groups", "time_column", "drop_duplicates", "missing_values")
    return {name: value for name in asked if (value := getattr(request, name))}


def new_job(
    dataset: DatasetRecord, request: TrainRequest, admission: Admission, settings: Settings, server_id: str
) -> JobRecord:
    """The job that a request means.

    Raises
    ------
    Unprocessable
        If it asks for more time than the server allows.
    """
    budget = _allowed(request.time_budget or settings.default_time_budget, settings)
    return JobRecord(
        id=new_id(),
        owner=dataset.owner,
        dataset_id=dataset.id,
        target=request.target,
        task=admission.task,
        metric=admission.metric,
        name=request.name or default_model_name(dataset.name, request.target),
        state="queued",
        created=datetime.now(UTC),
        started=None,
        ended=None,
        time_budget=budget,
        planned_budget=budget,
        seed=request.seed,
        columns=list(admission.features),
        options=options_of(request),
        progress=0.0,
        attempt=1,
        server_id=server_id,
        error=None,
        model_version_id=None,
        mlflow_run_id=None,
    )


def _allowed(seconds: float, settings: Settings) -> float:
    most = settings.max_time_budget
    if seconds > most:
        problem = FieldError("time_budget", "services.budget_too_long", {"most": most})
        raise Unprocessable("services.budget_too_long", most=most, errors=[problem])
    return seconds


def request_of(job: JobRecord) -> TrainRequest:
    """The request that a job came of."""
    return TrainRequest.model_validate(
        {
            "target": job.target,
            "task": job.task,
            "metric": job.metric,
            "columns": job.columns,
            "name": job.name,
            "seed": job.seed,
            **job.options,
        }
    )


def seconds_run(job: JobRecord) -> float:
    """How long a job has run, all its attempts together."""
    if job.started is None:
        return job.spent
    return job.spent + ((job.ended or datetime.now(UTC)) - job.started).total_seconds()


def resumed(job: JobRecord, seconds: float | None, settings: Settings, server_id: str) -> dict[str, Any]:
    """What changes of a job that is taken up again, for ``seconds`` or for what is left of its time.

    Raises
    ------
    Unprocessable
        If it asks for more time than the server allows.
    """
    spent = seconds_run(job)
    left = max(LEAST_RESUMED_SECONDS, job.time_budget - spent)
    return {
        "state": "queued",
        "attempt": job.attempt + 1,
        "spent": spent,
        "time_budget": spent + _allowed(left if seconds is None else seconds, settings),
        "resumed": datetime.now(UTC),
        "started": None,
        "ended": None,
        "progress": 0.0,
        "error": None,
        "mlflow_run_id": None,
        "server_id": server_id,
    }


def payload(job: JobRecord, dataset: DatasetRecord, admission: Admission, *, threads: int) -> dict[str, Any]:
    """What a worker must know of a job, besides where things are; plain JSON."""
    return {
        "job_id": job.id,
        "attempt": job.attempt,
        "table_key": dataset_key(dataset.id, TABLE),
        "table_digest": dataset.table_digest,
        "dataset_name": dataset.name,
        "job_key": f"jobs/{job.id}",
        "trials_key": f"jobs/{job.id}/trials",
        "model_key": model_key(job.id, job.attempt),
        "features": list(admission.features),
        "kinds": kinds(dataset.columns, admission.features, job.options.get("missing_values", {})),
        "options": job.options,
        "target": job.target,
        "task": job.task,
        "metric": job.metric,
        "time_budget": job.time_budget - job.spent,
        "planned_budget": job.planned_budget,
        "seed": job.seed,
        "threads": threads,
        "owner": job.owner,
        "model_name": job.name,
        "experiment": f"{job.owner}/{dataset.name}/{job.target or 'clusters'}",
        "tags": {
            "automl.owner": job.owner,
            "automl.job": job.id,
            "automl.dataset": dataset.id,
            "automl.attempt": str(job.attempt),
        },
        "params": {
            "task": job.task,
            "metric": job.metric,
            "time_budget": job.time_budget,
            "seed": job.seed,
            "rows": dataset.rows,
            "features": len(admission.features),
            **job.options,
        },
    }


def advised(dataset: DatasetRecord, target: str, settings: Settings) -> Budgets:
    """Say how much time a training on a data set deserves, as far as the server allows it."""
    columns = {column["name"]: summary(column) for column in dataset.columns}
    told = columns[target]
    task = guess_task(told.type, told.distinct, role=told.role, lowest=told.lowest, highest=told.highest)
    learnt = sum(c.role not in USELESS_ROLES for name, c in columns.items() if name != target)
    classes = told.distinct if task in SUPERVISED and task != "regression" else 1
    found = budgets(dataset.rows, learnt, classes, settings.threads)
    return Budgets(*(min(seconds, settings.max_time_budget) for seconds in astuple(found)))


def summary(column: Mapping[str, Any]) -> ColumnSummary:
    """What deciding on a job needs to know of a column."""
    return ColumnSummary(
        name=column["name"],
        type=column["type"],
        role=column["role"],
        missing=column["missing"],
        distinct=column["distinct"],
        lowest=column.get("lowest"),
        highest=column.get("highest"),
    )


def kinds(
    columns: Sequence[Mapping[str, Any]], features: Sequence[str], marked: Collection[str] = ()
) -> dict[str, str]:
    """The kinds of those columns that were read as text: what looks like numbers in them is codes.

    Not so where words that stand for a missing value made text of numbers: without the words the column is
    looked at again.
    """
    learnt = frozenset(features)
    return {
        column["name"]: column["role"]
        for column in columns
        if column["name"] in learnt
        and column["type"] == "string"
        and column["role"] in (("text",) if column["name"] in marked else ("category", "text"))
    }
