"""The route table, the handlers and the OpenAPI document say the same."""

from __future__ import annotations

import json

import pytest
from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider, User
from tornado.web import RequestHandler

from automl_jupyter.server import identity
from automl_jupyter.server.handlers.users import UnknownHandler
from automl_jupyter.server.openapi import document
from automl_jupyter.server.routes import ROUTES, tornado_rules

VERBS = ("get", "head", "post", "put", "patch", "delete")


def own_verbs(handler: type[RequestHandler]) -> set[str]:
    return {verb for verb in VERBS if getattr(handler, verb) is not RequestHandler._unimplemented_method}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_the_table_has_every_verb_of_a_handler(route):
    assert own_verbs(route.handler) == set(route.operations)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_no_handler_inherits_a_verb(route):
    for verb in route.operations:
        assert verb in vars(route.handler), "a decorated verb is never inherited"


def test_every_verb_is_guarded():
    handlers = [route.handler for route in ROUTES] + [UnknownHandler]
    for handler in handlers:
        for verb in own_verbs(handler):
            method = getattr(handler, verb)
            public = getattr(method, "__allow_unauthenticated", False)
            assert public or method.__code__.co_qualname.startswith("authenticated"), (handler, verb)


def test_paths_may_lack_their_last_slash():
    patterns = [pattern for pattern, _, _ in tornado_rules("/base/")]
    assert all(pattern.startswith("/base/automl") for pattern in patterns)
    assert all(pattern.endswith("/?") for pattern in patterns[:-1])


@pytest.fixture(scope="module", name="contract")
def openapi_document() -> dict:
    return document("/automl")


class TestDocument:
    def test_every_reference_resolves(self, contract):
        def references(node):
            if isinstance(node, dict):
                yield from ([node["$ref"]] if "$ref" in node else [])
                node = list(node.values())
            if isinstance(node, list):
                for item in node:
                    yield from references(item)

        parts = contract["components"]
        known = {f"#/components/{kind}/{name}" for kind in ("schemas", "links") for name in parts[kind]}
        assert set(references(contract)) <= known

    def test_every_operation_is_described_and_named_once(self, contract):
        names = []
        for path in contract["paths"].values():
            for operation in path.values():
                assert operation["summary"].endswith(".")
                assert {"400", "403"} <= operation["responses"].keys()
                names.append(operation["operationId"])
        assert len(names) == len(set(names))

    def test_it_is_plain_json(self, contract):
        assert json.loads(json.dumps(contract, allow_nan=False)) == contract


class Named(IdentityProvider):
    def get_user(self, handler):
        return User("ada")


class Renamed(PasswordIdentityProvider):
    """Changes nothing about who is who."""


@pytest.mark.parametrize(
    ("provider", "owner"),
    [(IdentityProvider, "local"), (PasswordIdentityProvider, "local"), (Renamed, "local"), (Named, "ada")],
)
def test_the_owner_is_decided_by_the_provider(provider, owner):
    assert identity.owner_of(provider(), User("ada")) == owner
