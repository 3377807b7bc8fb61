"""Records as the contract shows them, with sentences in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from automl_jupyter import messages, schemas
from automl_jupyter.backends.tracking import registered_name

if TYPE_CHECKING:
    from automl_jupyter.backends.records import (
        DatasetRecord,
        EventRecord,
        JobRecord,
        ModelRecord,
        TrialRecord,
        UploadRecord,
        VersionRecord,
    )
    from automl_jupyter.engine.advice import Budgets
    from automl_jupyter.services.predictions import Answered


def notice(item: Mapping[str, Any], language: str) -> schemas.Notice:
    """A guess or a repair."""
    return schemas.Notice(
        code=item["code"],
        message=messages.render(item["code"], item.get("params"), language),
        column=item.get("column"),
        action=item.get("action"),
    )


def dataset(record: DatasetRecord, language: str) -> schemas.Dataset:
    """A data set."""
    return schemas.Dataset(
        id=record.id,
        name=record.name,
        parent=record.parent,
        created=record.created,
        bytes=record.bytes,
        rows=record.rows,
        columns=[schemas.Column.model_validate(column) for column in record.columns],
        dialect=record.dialect,
        warnings=[notice(item, language) for item in record.warnings],
    )


def findings(
    found: Iterable[Mapping[str, Any]], target: str | None, language: str, advice: Budgets | None = None
) -> schemas.Findings:
    """What should be known before training, and how much time to give it."""
    items = [
        schemas.Finding.model_validate(
            {**finding, "message": messages.render(finding["code"], finding["params"], language)}
        )
        for finding in found
    ]
    advised = None if advice is None else schemas.Budgets(**asdict(advice))
    return schemas.Findings(target=target, items=items, time_budget=advised)


def upload(record: UploadRecord, max_piece_bytes: int) -> schemas.Upload:
    """An upload under way."""
    return schemas.Upload(
        id=record.id,
        filename=record.filename,
        offset=record.offset,
        size=record.size,
        max_piece_bytes=max_piece_bytes,
    )


def problem(error: Mapping[str, Any], language: str) -> schemas.Problem:
    """Why a job ended without a model."""
    params = error.get("params") or {}
    return schemas.Problem(
        code=error["code"], message=messages.render(error["code"], params, language), params=params
    )


def trial(record: TrialRecord, best: float, language: str) -> schemas.Trial:
    """A line of the leaderboard.

    While a job runs, a tie was judged against what was best then; against what is best now, it needs at least
    an interval that reaches there.
    """
    return schemas.Trial(
        name=record.name,
        family=record.family,
        score=record.score,
        interval=None if record.low is None else (record.low, record.high),
        tied_with_best=record.tied_with_best and record.high is not None and record.high >= best,
        baseline=record.baseline,
        fit_seconds=record.fit_seconds or 0.0,
        predict_seconds=record.predict_seconds,
        state=cast("schemas.TrialState", record.state),
        reason=reason(record.reason, language),
    )


def reason(value: str | Mapping[str, Any] | None, language: str) -> str | None:
    """Why a trial came to nothing, as a sentence."""
    if isinstance(value, Mapping):
        return messages.render(value["code"], value.get("params"), language)
    return value


def _best_first(trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    return sorted(trials, key=lambda t: (t.score is None, -(t.score or 0.0), t.number))


def job(
    record: JobRecord, trials: Sequence[TrialRecord], model: tuple[str, int] | None, language: str
) -> schemas.Job:
    """A job with its leaderboard, best first."""
    now = datetime.now(UTC)
    best = max((t.score for t in trials if t.score is not None), default=0.0)
    started = record.started or record.ended or now
    return schemas.Job(
        id=record.id,
        dataset_id=record.dataset_id,
        target=record.target,
        task=cast("schemas.TaskName", record.task),
        metric=record.metric,
        options=record.options,
        state=cast("schemas.JobState", record.state),
        created=record.created,
        queued_seconds=max(0.0, (started - (record.resumed or record.created)).total_seconds()),
        elapsed=record.spent + max(0.0, ((record.ended or now) - started).total_seconds()),
        attempt=record.attempt,
        time_budget=record.time_budget,
        progress=record.progress,
        outlook=None if record.outlook is None else schemas.Outlook(**record.outlook),
        leaderboard=[trial(item, best, language) for item in _best_first(trials)],
        model=None if model is None else schemas.ModelRef(name=model[0], version=model[1]),
        mlflow_run_id=record.mlflow_run_id,
        error=None if record.error is None else problem(record.error, language),
    )


def event(record: EventRecord) -> schemas.Event:
    """An entry of a job's log."""
    return schemas.Event(
        id=record.number, kind=cast("schemas.EventKind", record.kind), at=record.at, data=record.data
    )


def _version(
    model: ModelRecord, record: VersionRecord, aliases: Sequence[schemas.Alias]
) -> schemas.ModelVersion:
    registered = None if record.mlflow_version is None else str(record.mlflow_version)
    return schemas.ModelVersion(
        version=record.version,
        created=record.created,
        job_id=record.job_id,
        dataset_id=record.dataset_id,
        metric=record.metric,
        score=record.score,
        interval=None if record.low is None else (record.low, record.high),
        baseline_score=record.baseline_score,
        aliases=list(aliases),
        columns=[schemas.ModelColumn.model_validate(column) for column in record.contract],
        mlflow_run_id=record.mlflow_run_id,
        mlflow_model_uri=record.mlflow_model_uri,
        mlflow_version=registered,
        mlflow_name=None if registered is None else registered_name(model.owner, model.name),
    )


def model(record: ModelRecord, versions: Sequence[VersionRecord]) -> schemas.Model:
    """A model with its versions, newest first; the newest that is not in service challenges the champion."""
    newest = versions[0].version if versions else None
    named: dict[int | None, schemas.Alias] = {newest: "challenger", record.champion: "champion"}
    return schemas.Model(
        name=record.name,
        task=cast("schemas.TaskName", record.task),
        target=record.target,
        dataset_id=record.dataset_id,
        created=record.created,
        champion=record.champion,
        versions=[_version(record, v, [named[v.version]] if v.version in named else []) for v in versions],
    )


def predictions(found: Answered, language: str) -> schemas.Predictions:
    """The answers to some rows."""
    return schemas.Predictions(
        model=found.model,
        version=found.version,
        answered_by=cast("schemas.Answering", found.answered_by),
        predictions=[
            schemas.Prediction(
                id=answer["id"],
                value=answer["value"],
                probabilities=answer["probabilities"],
                interval=answer["interval"],
                warnings=[row_warning(item, language) for item in answer["warnings"]],
            )
            for answer in found.predictions
        ],
        notes=[notice(note, language) for note in found.notes],
    )


def row_warning(item: Mapping[str, Any], language: str) -> schemas.RowWarning:
    """Something in a row that the model has not learned to deal with."""
    params = {"column": item["column"], "value": messages.cell(item["value"])}
    return schemas.RowWarning(
        code=item["code"], column=item["column"], message=messages.render(item["code"], params, language)
    )
