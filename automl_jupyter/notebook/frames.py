"""Each thing as a pandas DataFrame, for whoever goes on with it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import pandas as pd

from automl_jupyter.notebook.gallery import Gallery
from automl_jupyter.notebook.results import Written
from automl_jupyter.schemas import (
    Comparison,
    Dataset,
    DatasetPage,
    Explanation,
    Findings,
    Job,
    JobPage,
    Model,
    ModelPage,
    Predictions,
    RowExplanations,
)

if TYPE_CHECKING:
    from pydantic import BaseModel


@singledispatch
def frame(content: object) -> pd.DataFrame:
    """The rows of a thing: of a job its leaderboard, of a data set its columns, of a model its versions."""
    raise NotImplementedError(type(content))


@frame.register
def _dataset(dataset: Dataset) -> pd.DataFrame:
    return _rows(dataset.columns, without=("read",))


@frame.register
def _datasets(page: DatasetPage) -> pd.DataFrame:
    listed = _rows(page.items, without=("columns", "dialect", "warnings"))
    listed["columns"] = [len(dataset.columns) for dataset in page.items]
    return listed


@frame.register
def _job(job: Job) -> pd.DataFrame:
    board = _rows(job.leaderboard, without=("interval",))
    for place, name in enumerate(("low", "high")):
        board[name] = [trial.interval[place] if trial.interval else None for trial in job.leaderboard]
    return board


@frame.register
def _jobs(page: JobPage) -> pd.DataFrame:
    listed = _rows(page.items, without=("leaderboard", "options", "error", "model"))
    listed["model"] = [f"{job.model.name}:{job.model.version}" if job.model else None for job in page.items]
    return listed


@frame.register
def _model(model: Model) -> pd.DataFrame:
    return _rows(model.versions, without=("columns",))


@frame.register
def _models(page: ModelPage) -> pd.DataFrame:
    listed = _rows(page.items, without=("versions",))
    listed["versions"] = [len(model.versions) for model in page.items]
    return listed


@frame.register
def _predictions(answer: Predictions) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "prediction": one.value,
                **{f"probability_{label}": p for label, p in (one.probabilities or {}).items()},
                "prediction_id": one.id,
                "warnings": "; ".join(warning.message for warning in one.warnings),
            }
            for one in answer.predictions
        ]
    )


@frame.register
def _findings(findings: Findings) -> pd.DataFrame:
    return _rows(findings.items)


@frame.register
def _explanation(found: Explanation) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"columns": ", ".join(group.columns), "drop": group.drop, "low": low, "high": high}
            for group in found.importance.groups
            for low, high in (group.interval,)
        ]
    )


@frame.register
def _explained_rows(found: RowExplanations) -> pd.DataFrame:
    told = [
        {
            "row": number,
            "column": one.column,
            "cell": one.cell,
            # A quantity has no label; what is added up is one figure then.
            **{
                "adds" if label is None else f"adds_{label}": added
                for label, added in zip(found.outputs, one.adds, strict=True)
            },
        }
        for number, row in enumerate(found.rows)
        for one in row.contributions
    ]
    return pd.DataFrame(told)


@frame.register
def _comparison(found: Comparison) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"version": version, found.metric: score, "low": low, "high": high}
            for version, score, (low, high) in zip(found.versions, found.scores, found.intervals, strict=True)
        ]
    )


@frame.register
def _gallery(charts: Gallery) -> pd.DataFrame:
    if len(charts.items) == 1:
        (chart,) = charts.items
        return pd.DataFrame(chart.table.rows, columns=pd.Index(chart.table.columns))
    return pd.DataFrame(
        [{"chart": chart.name, "about": chart.about, "sentence": chart.sentence} for chart in charts.items]
    )


@frame.register
def _written(file: Written) -> pd.DataFrame:
    return pd.DataFrame([{"path": str(file.path), "kind": file.kind, "bytes": file.bytes}])


def _rows(items: Iterable[BaseModel], without: tuple[str, ...] = ()) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [item.model_dump(exclude=set(without)) for item in items]
    return pd.DataFrame(rows)
