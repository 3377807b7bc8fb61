"""The contract in one table: each path, its handler, what goes in and what comes out.

Tornado's rules and the OpenAPI document are both made of it, so that neither can lack what the other has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from jupyter_server.utils import url_path_join
from pydantic import BaseModel

from automl_jupyter import schemas
from automl_jupyter.server import forms
from automl_jupyter.server.base import AutoMLHandler
from automl_jupyter.server.handlers import (
    charts,
    datasets,
    explanations,
    exports,
    files,
    jobs,
    models,
    monitoring,
    pages,
    predictions,
    reports,
    uploads,
    users,
)

CSV, EVENTS, TEXT, HTML, MARKDOWN, ZIP, BYTES, FORM, FIELDS, PIECE = (
    "text/csv",
    "text/event-stream",
    "text/plain",
    "text/html",
    "text/markdown",
    "application/zip",
    "application/octet-stream",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "application/offset+octet-stream",
)
PAGING = ("limit", "offset")


@dataclass(frozen=True)
class Operation:
    """One verb of one path.

    Attributes
    ----------
    answers : mapping
        What a status comes with: a model, a media type, or None for nothing.
    body : type or None
        The JSON that it takes.
    media : tuple of str
        Other media types that it takes.
    form : mapping or None
        The fields of a page's form that it takes; see ``forms``.
    query, headers : tuple of str
        Names of the parameters that it knows; see ``openapi.PARAMETERS``.
    formats : tuple of str
        What the parameter ``format`` may be; the first one unless given.
    charts : tuple of str
        What the parameter ``chart`` may be.
    also : mapping
        Other media types that a status comes with.
    told : mapping
        Names of the headers that a status comes with; see ``openapi.HEADERS``.
    refusals : tuple of int
        The statuses of its errors besides 400, 403 and 500.
    """

    answers: Mapping[int, type[BaseModel] | str | None]
    body: type[BaseModel] | None = None
    media: tuple[str, ...] = ()
    form: Mapping[str, Any] | None = None
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    also: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    told: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()


@dataclass(frozen=True)
class Route:
    """One path and the handler behind it."""

    path: str
    handler: type[AutoMLHandler]
    operations: Mapping[str, Operation] = field(default_factory=dict)

    @property
    def pattern(self) -> str:
        """The path as a regular expression; its last slash may be left out."""
        return re.sub(r"\{\w+\}", "([^/]+)", self.path.rstrip("/")) + "/?"


def _read(answer: type[BaseModel] | str, *refusals: int, query: tuple[str, ...] = ()) -> Operation:
    return Operation({200: answer}, refusals=refusals, query=query)


def _page(*refusals: int, query: tuple[str, ...] = ()) -> Operation:
    """A page; whoever is not logged in is led to Jupyter's login."""
    return Operation({200: HTML, 302: None}, refusals=refusals, query=query)


def _study(answer: type[BaseModel], *query: str, charts: tuple[str, ...] = ()) -> Operation:
    """What is computed of a model version; until it is there, how far that is."""
    return Operation(
        {200: answer, 202: schemas.Study},
        query=query,
        charts=charts,
        told={202: ("Retry-After",)},
        refusals=_STUDIED,
    )


def _file(media: str, other: str, formats: tuple[str, ...]) -> Operation:
    """A file that is made of a model version, of another media type in some formats."""
    return Operation(
        {200: media, 202: schemas.Study},
        query=("version", "format", "language"),
        formats=formats,
        also={200: (other,)},
        told={200: ("Content-Disposition",), 202: ("Retry-After",)},
        refusals=_STUDIED,
    )


_CSV_BODY = (CSV, FORM)
_BODY = (413, 415)
"""Refusals of a body: it is too large, or of another type."""

_WORKED = (404, 409, 422, 503, 507)
"""Refusals of what a helper process makes of something that is kept."""

_ASKED = (*_WORKED, *_BODY)
_STUDIED = (*_WORKED, 429)

ROUTES: tuple[Route, ...] = (
    Route("/", pages.HomeHandler, {"get": _page()}),
    Route(
        "/csv/",
        files.FilesHandler,
        {
            "get": _page(404, 409, 422, 503, query=("dataset", "target", "use", *PAGING)),
            "post": Operation(
                {303: None},
                media=(FIELDS,),
                form=forms.TRAIN,
                told={303: ("Location",)},
                refusals=(404, 409, 415, 422, 429),
            ),
        },
    ),
    Route(
        "/csv/{dataset_id}/reread/",
        files.RereadFormHandler,
        {
            "post": Operation(
                {303: None},
                media=(FIELDS,),
                form=forms.REREAD,
                told={303: ("Location",)},
                refusals=_ASKED,
            )
        },
    ),
    Route("/api/user/", users.UserHandler, {"get": _read(schemas.User)}),
    Route(
        "/api/upload/",
        uploads.UploadHandler,
        {
            "post": Operation(
                {201: schemas.Dataset, 303: None},
                body=schemas.UploadFromPath,
                media=_CSV_BODY,
                query=("filename",),
                told={201: ("Location",), 303: ("Location",)},
                refusals=(404, *_BODY, 422, 503, 507),
            )
        },
    ),
    Route(
        "/api/uploads/",
        uploads.UploadsHandler,
        {
            "post": Operation(
                {201: schemas.Upload},
                body=schemas.UploadStart,
                told={201: ("Location",)},
                refusals=(*_BODY, 503, 507),
            )
        },
    ),
    Route(
        "/api/uploads/{upload_id}/",
        uploads.PiecesHandler,
        {
            "patch": Operation(
                {200: schemas.Upload, 201: schemas.Dataset},
                media=(PIECE,),
                headers=("Upload-Offset", "Upload-Complete"),
                told={200: ("Upload-Offset",), 201: ("Location",)},
                refusals=_ASKED,
            ),
            "head": Operation({200: None}, told={200: ("Upload-Offset",)}, refusals=(404,)),
            "delete": Operation({204: None}, refusals=(404,)),
        },
    ),
    Route(
        "/api/datasets/",
        datasets.DatasetsHandler,
        {"get": _read(schemas.DatasetPage, query=PAGING)},
    ),
    Route(
        "/api/datasets/{dataset_id}/",
        datasets.DatasetHandler,
        {
            "get": _read(schemas.Dataset, 404),
            "delete": Operation({204: None}, query=("cascade",), refusals=(404, 409)),
        },
    ),
    Route(
        "/api/datasets/{dataset_id}/reread/",
        datasets.RereadHandler,
        {
            "post": Operation(
                {201: schemas.Dataset},
                body=schemas.ReadOptions,
                told={201: ("Location",)},
                refusals=_ASKED,
            )
        },
    ),
    Route(
        "/api/datasets/{dataset_id}/preview/", datasets.PreviewHandler, {"get": _read(schemas.Preview, 404)}
    ),
    Route(
        "/api/datasets/{dataset_id}/profile/", datasets.ProfileHandler, {"get": _read(schemas.Profile, 404)}
    ),
    Route(
        "/api/datasets/{dataset_id}/charts/",
        charts.DatasetChartsHandler,
        {
            "get": Operation(
                {200: schemas.DatasetCharts},
                query=("chart", "theme"),
                charts=get_args(schemas.DatasetChartName),
                refusals=(404, 409, 503, 507),
            )
        },
    ),
    Route(
        "/api/datasets/{dataset_id}/findings/",
        datasets.FindingsHandler,
        {"get": _read(schemas.Findings, 404, 409, 422, 503, query=("target",))},
    ),
    Route(
        "/api/train/{dataset_id}/",
        jobs.TrainHandler,
        {
            "post": Operation(
                {202: schemas.Job},
                body=schemas.TrainRequest,
                refusals=(*_ASKED, 429),
            )
        },
    ),
    Route("/api/jobs/", jobs.JobsHandler, {"get": _read(schemas.JobPage, query=PAGING)}),
    Route("/api/jobs/{job_id}/", jobs.JobHandler, {"get": _read(schemas.Job, 404)}),
    Route(
        "/api/jobs/{job_id}/stop/",
        jobs.StopHandler,
        {"post": Operation({202: schemas.Job}, refusals=(404, 409))},
    ),
    Route(
        "/api/jobs/{job_id}/cancel/",
        jobs.CancelHandler,
        {"post": Operation({202: schemas.Job}, refusals=(404, 409))},
    ),
    Route(
        "/api/jobs/{job_id}/resume/",
        jobs.ResumeHandler,
        {
            "post": Operation(
                {202: schemas.Job},
                body=schemas.ResumeRequest,
                refusals=(*_ASKED, 429),
            )
        },
    ),
    Route(
        "/api/jobs/{job_id}/events/",
        jobs.EventsHandler,
        {"get": Operation({200: EVENTS}, query=("after",), headers=("Last-Event-ID",), refusals=(404,))},
    ),
    Route("/api/models/", models.ModelsHandler, {"get": _read(schemas.ModelPage, query=PAGING)}),
    Route(
        "/api/models/{name}/",
        models.ModelHandler,
        {"get": _read(schemas.Model, 404), "delete": Operation({204: None}, refusals=(404, 409))},
    ),
    Route(
        "/api/models/{name}/explain/",
        explanations.ExplainHandler,
        {
            "get": _study(schemas.Explanation, "version"),
            "post": Operation(
                {200: schemas.RowExplanations},
                body=schemas.ExplainRequest,
                query=("version",),
                refusals=_ASKED,
            ),
        },
    ),
    Route(
        "/api/models/{name}/dependence/",
        explanations.DependenceHandler,
        {"get": _study(schemas.Dependence, "column", "version")},
    ),
    Route(
        "/api/models/{name}/compare/",
        explanations.CompareHandler,
        {"get": _study(schemas.Comparison, "versions")},
    ),
    Route(
        "/api/models/{name}/charts/",
        charts.ChartsHandler,
        {
            "get": _study(
                schemas.Charts, "version", "chart", "theme", *charts.COSTS, charts=charts.OF_VERSIONS
            ),
            "post": Operation(
                {200: schemas.Charts},
                body=schemas.DrawRequest,
                query=("version", "theme"),
                refusals=_ASKED,
            ),
        },
    ),
    Route(
        "/api/models/{name}/report/",
        reports.ReportHandler,
        {"get": _file(HTML, MARKDOWN, get_args(schemas.ReportFormat))},
    ),
    Route(
        "/api/models/{name}/export/",
        exports.ExportHandler,
        {"get": _file(ZIP, BYTES, get_args(schemas.ExportFormat))},
    ),
    Route(
        "/api/models/{name}/promote/",
        models.PromoteHandler,
        {"post": Operation({200: schemas.Model}, body=schemas.PromoteRequest, refusals=(404, *_BODY))},
    ),
    Route(
        "/api/models/{name}/rollback/",
        models.RollbackHandler,
        {"post": Operation({200: schemas.Model}, refusals=(404, 409))},
    ),
    Route(
        "/api/test-model/{dataset_id}/{model}/",
        predictions.TestModelHandler,
        {
            "post": Operation(
                {200: schemas.Predictions},
                body=schemas.PredictRequest,
                media=_CSV_BODY,
                query=("max_predict_ms",),
                told={200: (predictions.ANSWERED_BY,)},
                refusals=_ASKED,
            )
        },
    ),
    Route(
        "/api/predict/{name}/",
        predictions.PredictHandler,
        {
            "post": Operation(
                {200: schemas.Predictions},
                body=schemas.PredictRequest,
                media=_CSV_BODY,
                query=("max_predict_ms",),
                told={200: (predictions.ANSWERED_BY,)},
                refusals=_ASKED,
            )
        },
    ),
    Route("/api/monitoring/", monitoring.MonitoringHandler, {"get": _read(schemas.Monitoring)}),
    Route("/api/monitoring/metrics/", monitoring.MetricsHandler, {"get": _read(TEXT)}),
    Route("/api/openapi.json", pages.OpenApiHandler, {"get": _read("application/json")}),
    Route("/api/docs/", pages.DocsHandler, {"get": _page()}),
)


def tornado_rules(base_url: str) -> list[tuple[str, type[AutoMLHandler], dict[str, Any]]]:
    """The rules for the server's application; whatever else lies below our prefix is told so."""
    rules: list[tuple[str, type[AutoMLHandler], dict[str, Any]]] = []
    for route in ROUTES:
        route.handler.route = route.path
        rules.append((url_path_join(base_url, "automl", "").rstrip("/") + route.pattern, route.handler, {}))
    rules.append((url_path_join(base_url, "automl") + "/.*", users.UnknownHandler, {}))
    return rules
