"""The OpenAPI document, generated from the route table, the pydantic models and the handlers' docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from automl_jupyter import __version__, schemas
from automl_jupyter.server.routes import CSV, FORM, ROUTES, Operation, Route

REFERENCE = "#/components/schemas/{model}"
ALWAYS = (400, 403)
"""Refusals that every operation may answer with."""

_WHOLE = {"type": "integer", "minimum": 0}
PARAMETERS: Mapping[str, dict[str, Any]] = {
    "limit": {
        "in": "query",
        "description": "How many at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 50},
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
    "after": {
        "in": "query",
        "description": "The last event that is known already.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999, "default": 0},
    },
    "Last-Event-ID": {
        "in": "header",
        "description": "As `after`; browsers send it by themselves.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999},
    },
    "Upload-Offset": {
        "in": "header",
        "required": True,
        "description": "Where the piece starts, in bytes.",
        "schema": _WHOLE,
    },
    "Upload-Complete": {
        "in": "header",
        "description": "`?1` with the last piece, where the size was not told.",
        "schema": {"type": "string", "enum": ["?0", "?1"]},
    },
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
        schema = {"type": "object"} if answer == "application/json" else {"type": "string"}
        return {answer: {"schema": schema}}
    return {"application/json": {"schema": _reference(references, answer)}}


def _request_body(references: Mapping[Any, Any], operation: Operation) -> dict[str, Any] | None:
    content: dict[str, Any] = {}
    if operation.body is not None:
        content["application/json"] = {"schema": _reference(references, operation.body)}
    for media in operation.media:
        schema: dict[str, Any] = {"type": "string"}
        if media == FORM:
            schema = {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            }
        elif media == "application/x-www-form-urlencoded":
            schema = {"type": "object"}
        content[media] = {"schema": schema}
    return {"required": True, "content": content} if content else None


def _responses(references: Mapping[Any, Any], operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for status, answer in operation.answers.items():
        response: dict[str, Any] = {"description": HTTPStatus(status).phrase}
        if answer is not None:
            response["content"] = _content(references, answer)
            if answer is schemas.Predictions:
                response["content"][CSV] = {"schema": {"type": "string"}}
        told[str(status)] = response
    for status in sorted({*ALWAYS, *operation.refusals}):
        told[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": _content(references, schemas.ErrorBody),
        }
    return told


def _parameters(route: Route, operation: Operation) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    for name in (*operation.query, *operation.headers):
        yield {"name": name, **PARAMETERS[name]}


def _operation(
    references: Mapping[Any, Any], route: Route, verb: str, operation: Operation
) -> dict[str, Any]:
    summary = (getattr(route.handler, verb).__doc__ or "").strip().partition("\n")[0]
    name = re.sub(r"\W+", "_", route.path).strip("_") or "home"
    told: dict[str, Any] = {
        "operationId": f"{verb}_{name}",
        "summary": summary,
        "responses": _responses(references, operation),
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
