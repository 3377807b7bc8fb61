"""The OpenAPI document, generated from the route table, the pydantic models and the handlers' docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from automl_jupyter import __version__, messages, schemas
from automl_jupyter.server.base import LARGEST_VERSION, LONGEST_PAGE
from automl_jupyter.server.handlers.pages import PageHandler
from automl_jupyter.server.handlers.predictions import ANSWERED_BY
from automl_jupyter.server.routes import (
    BYTES,
    CSV,
    EVENTS,
    FIELDS,
    FORM,
    HTML,
    PIECE,
    ROUTES,
    ZIP,
    Operation,
    Route,
)

REFERENCE = "#/components/schemas/{model}"
ALWAYS = (400, 403)
"""Refusals that every operation may answer with."""

_ID = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{21}$"}
PATH_PARAMETERS: Mapping[str, dict[str, Any]] = {
    "dataset_id": {"description": "The data set's `id`.", "schema": _ID},
    "job_id": {"description": "The job's `id`.", "schema": _ID},
    "upload_id": {"description": "The upload's `id`.", "schema": _ID},
    "name": {
        "description": "The model's `name`.",
        "schema": {"type": "string", "pattern": schemas.MODEL_NAME},
    },
    "model": {
        "description": "`name` (the latest on that data set), `name:version` or `name@alias`.",
        "schema": {
            "type": "string",
            "pattern": schemas.MODEL_NAME.removesuffix("$") + "(:[1-9][0-9]{0,8}|@(champion|challenger))?$",
        },
    },
}

# Headers are text, which is why their numbers are patterns.
_BYTES = {"type": "string", "pattern": "^[0-9]{1,16}$"}
PARAMETERS: Mapping[str, dict[str, Any]] = {
    "limit": {
        "in": "query",
        "description": "How many at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": 50},
    },
    "offset": {
        "in": "query",
        "description": "How many to leave out first.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 2**31, "default": 0},
    },
    "filename": {
        "in": "query",
        "description": "The file's name, where the body is the file.",
        "schema": {"type": "string"},
    },
    "dataset": {"in": "query", "description": "The data set to look at.", "schema": {"type": "string"}},
    "target": {"in": "query", "description": "The column to predict.", "schema": {"type": "string"}},
    "use": {
        "in": "query",
        "description": "Places of the findings to act on, from 0; may be repeated.",
        "schema": {"type": "array", "items": {"type": "integer", "minimum": 0}},
    },
    "cascade": {
        "in": "query",
        "description": "Delete the models that were learnt from it as well.",
        "schema": {"type": "boolean", "default": False},
    },
    "version": {
        "in": "query",
        "description": "The model's version; the one in service, or else the newest, unless given.",
        "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_VERSION},
    },
    "column": {
        "in": "query",
        "required": True,
        "description": "A column that the model reads, of numbers or categories.",
        "schema": {"type": "string"},
    },
    "chart": {
        "in": "query",
        "description": "The charts of this name alone; some take a while and come only when named.",
    },
    "theme": {
        "in": "query",
        "description": "The ground on which charts are shown.",
        "schema": {"type": "string", "enum": list(get_args(schemas.ChartTheme)), "default": "light"},
    },
    **{
        f"false_{kind}_cost": {
            "in": "query",
            "description": f"What a false {kind} costs, in any unit, for `threshold`; 1 unless given.",
            "schema": {"type": "number", "exclusiveMinimum": 0},
        }
        for kind in ("positive", "negative")
    },
    "format": {"in": "query", "description": "The kind of file."},
    "language": {
        "in": "query",
        "description": "That of the request, unless given.",
        "schema": {"type": "string", "enum": list(messages.LANGUAGES)},
    },
    "versions": {
        "in": "query",
        "required": True,
        "description": "Two versions, the one to compare with first.",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,8},[1-9][0-9]{0,8}$"},
        "example": "1,2",
    },
    "max_predict_ms": {
        "in": "query",
        "description": "As the field of a PredictRequest, which goes before it; for rows in CSV.",
        "schema": {"type": "number", "exclusiveMinimum": 0},
    },
    "after": {
        "in": "query",
        "description": "The last event that is known already.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999, "default": 0},
    },
    "Last-Event-ID": {
        "in": "header",
        "description": "As `after`; browsers send it by themselves.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,9}$"},
    },
    "Upload-Offset": {
        "in": "header",
        "required": True,
        "description": "Where the piece starts, in bytes.",
        "schema": _BYTES,
    },
    "Upload-Complete": {
        "in": "header",
        "description": "`?1` with the last piece, where the size was not told.",
        "schema": {"type": "string", "enum": ["?0", "?1"]},
    },
}
HEADERS: Mapping[str, dict[str, Any]] = {
    ANSWERED_BY: {
        "description": "As `answered_by` of Predictions.",
        "required": True,
        "schema": {"type": "string", "enum": list(get_args(schemas.Answering))},
    },
    "Content-Disposition": {
        "description": "A file to keep, and its name.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "In how many seconds to ask again.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]{1,3}$"},
    },
    "Location": {
        "description": "Where what was made is found.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Upload-Offset": {
        "description": "Where the next piece starts, in bytes.",
        "required": True,
        "schema": _BYTES,
    },
}

_FILE = {"type": "string", "format": "binary"}
_EVENT = {
    "type": "object",
    "description": "One server-sent event; `data` is an Event in JSON.",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]{1,9}$"},
        "event": {"type": "string", "enum": list(get_args(schemas.EventKind))},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_MEDIA: Mapping[str, dict[str, Any]] = {
    "application/json": {"type": "object"},
    CSV: _FILE,
    ZIP: _FILE,
    BYTES: _FILE,
    PIECE: _FILE,
    FORM: {"type": "object", "properties": {"file": _FILE}, "required": ["file"]},
    EVENTS: _EVENT,
}
"""What is known of a media type; of others, that they are text."""

# What an answer lets one ask for next: path parameters, by where they stand in it. Each such answer is linked
# to every operation that needs no other; only what an answer certainly holds is used.
SUPPLIES: Mapping[type[BaseModel], Mapping[str, str]] = {
    schemas.Dataset: {"dataset_id": "/id"},
    schemas.DatasetPage: {"dataset_id": "/items/0/id"},
    schemas.Upload: {"upload_id": "/id"},
    schemas.Job: {
        "job_id": "/id",
        "dataset_id": "/dataset_id",
        "name": "/model/name",
        "model": "/model/name",
    },
    schemas.JobPage: {"job_id": "/items/0/id"},
    schemas.Model: {"name": "/name", "dataset_id": "/dataset_id", "model": "/name"},
    schemas.ModelPage: {"name": "/items/0/name"},
}


def _models() -> list[type[BaseModel]]:
    found: dict[type[BaseModel], None] = {schemas.ErrorBody: None}
    for route in ROUTES:
        for operation in route.operations.values():
            answers = [a for a in operation.answers.values() if isinstance(a, type)]
            for model in [*answers, *([operation.body] if operation.body else [])]:
                found[model] = None
    return list(found)


def _mode(model: type[BaseModel]) -> str:
    return "validation" if issubclass(model, schemas.Request) else "serialization"


def _reference(references: Mapping[Any, Any], model: type[BaseModel]) -> dict[str, Any]:
    found: dict[str, Any] = references[(model, _mode(model))]
    return found


def _content(references: Mapping[Any, Any], answer: type[BaseModel] | str) -> dict[str, Any]:
    if isinstance(answer, str):
        return {answer: {"schema": _MEDIA.get(answer, {"type": "string"})}}
    return {"application/json": {"schema": _reference(references, answer)}}


def _request_body(references: Mapping[Any, Any], operation: Operation) -> dict[str, Any] | None:
    content: dict[str, Any] = {}
    if operation.body is not None:
        content.update(_content(references, operation.body))
    for media in operation.media:
        content.update(_content(references, media))
    if operation.form is not None:
        content[FIELDS] = {"schema": operation.form}
    return {"required": True, "content": content} if content else None


def _response(references: Mapping[Any, Any], operation: Operation, status: int) -> dict[str, Any]:
    response: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    headers = operation.told.get(status, ())
    if headers:
        response["headers"] = {name: HEADERS[name] for name in headers}
    answer = operation.answers[status]
    if answer is not None:
        response["content"] = _content(references, answer)
        if answer is schemas.Predictions:
            response["content"].update(_content(references, CSV))
        for media in operation.also.get(status, ()):
            response["content"].update(_content(references, media))
    if isinstance(answer, type) and answer in SUPPLIES:
        response["links"] = {name: {"$ref": f"#/components/links/{name}"} for name, _ in _links_from(answer)}
    return response


def _responses(references: Mapping[Any, Any], route: Route, operation: Operation) -> dict[str, Any]:
    told = {str(status): _response(references, operation, status) for status in operation.answers}
    refusal = HTML if issubclass(route.handler, PageHandler) else schemas.ErrorBody
    for status in sorted({*ALWAYS, *operation.refusals}):
        told[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": _content(references, refusal),
        }
    return told


def _path_parameters(route: Route) -> list[str]:
    return re.findall(r"\{(\w+)\}", route.path)


def _parameters(route: Route, operation: Operation) -> Iterable[dict[str, Any]]:
    for name in _path_parameters(route):
        yield {"name": name, "in": "path", "required": True, **PATH_PARAMETERS[name]}
    for name in (*operation.query, *operation.headers):
        told = {"name": name, **PARAMETERS[name]}
        if name == "format":
            known = list(operation.formats)
            told["schema"] = {"type": "string", "enum": known, "default": known[0]}
        if name == "chart":
            told["schema"] = {"type": "string", "enum": list(operation.charts)}
        yield told


def _operation_id(route: Route, verb: str) -> str:
    return f"{verb}_" + (re.sub(r"\W+", "_", route.path).strip("_") or "home")


def _links_from(answer: type[BaseModel]) -> Iterable[tuple[str, dict[str, Any]]]:
    """The operations that an answer leads to, by the name of the link."""
    supplied = SUPPLIES[answer]
    for route in ROUTES:
        needed = _path_parameters(route)
        if needed and supplied.keys() >= set(needed):
            for verb in route.operations:
                yield (
                    f"{answer.__name__}.{_operation_id(route, verb)}",
                    {
                        "operationId": _operation_id(route, verb),
                        "parameters": {name: f"$response.body#{supplied[name]}" for name in needed},
                    },
                )


def _operation(
    references: Mapping[Any, Any], route: Route, verb: str, operation: Operation
) -> dict[str, Any]:
    summary = (getattr(route.handler, verb).__doc__ or "").strip().partition("\n")[0]
    told: dict[str, Any] = {
        "operationId": _operation_id(route, verb),
        "summary": summary,
        "responses": _responses(references, route, operation),
    }
    parameters = list(_parameters(route, operation))
    if parameters:
        told["parameters"] = parameters
    body = _request_body(references, operation)
    if body:
        told["requestBody"] = body
    return told


def document(server_url: str) -> dict[str, Any]:
    """The whole contract, OpenAPI 3.1; ``server_url`` is where its paths begin."""
    references, definitions = models_json_schema(
        [(model, _mode(model)) for model in _models()],  # type: ignore[misc]
        ref_template=REFERENCE,
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "automl_jupyter",
            "version": __version__,
            "description": "AutoML inside Jupyter: upload a table, train, predict.",
        },
        "servers": [{"url": server_url}],
        "security": [{"token": []}, {"cookie": []}],
        "paths": {
            route.path: {
                verb: _operation(references, route, verb, operation)
                for verb, operation in route.operations.items()
            }
            for route in ROUTES
        },
        "components": {
            "schemas": definitions.get("$defs", {}),
            "links": {name: link for answer in SUPPLIES for name, link in _links_from(answer)},
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token <Jupyter's token>`",
                },
                "cookie": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-XSRFToken",
                    "description": "With Jupyter's login cookie: the value of the `_xsrf` cookie.",
                },
            },
        },
    }
