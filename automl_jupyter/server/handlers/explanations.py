"""Explanations of models and rows; versions compared."""

from __future__ import annotations

import json
import re

from jupyter_server.auth.decorator import authorized
from tornado import web

from automl_jupyter import schemas
from automl_jupyter.errors import FieldError, Malformed
from automl_jupyter.server import present_explanations as present
from automl_jupyter.server.handlers.studying import StudyHandler
from automl_jupyter.server.identity import RESOURCE

_TWO_VERSIONS = r"([1-9][0-9]{0,8}),([1-9][0-9]{0,8})"


class ExplainHandler(StudyHandler):
    """``api/models/{name}/explain/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, name: str) -> None:
        """Tell what a version has learnt, and where it is weak.

        It is computed when it is first asked for: 202 says how far it is.
        """
        from automl_jupyter.services.study_kinds import EXPLAIN

        found = await self.study(name, self.wanted_version(), EXPLAIN)
        if found is not None:
            told = json.loads(found.content)
            self.answer(present.explanation(name, found.version.version, told, self.language))

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self, name: str) -> None:
        """Explain rows: what each column adds, rows like them that were predicted otherwise, what-if."""
        from automl_jupyter.services.explanations import Wishes

        request = self.body(schemas.ExplainRequest)
        wishes = Wishes(request.counterexamples, request.what_if, request.max_predict_ms)
        model, version, found = await (await self.services()).explanations.rows(
            self.owner, name, self.wanted_version(), request.rows, wishes
        )
        self.answer(present.rows(model.name, version.version, found, self.language))


class DependenceHandler(StudyHandler):
    """``api/models/{name}/dependence/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, name: str) -> None:
        """Tell how predictions depend on one column.

        It is computed when it is first asked for: 202 says how far it is.
        """
        from automl_jupyter.services.study_kinds import DEPEND

        column = self.get_query_argument("column", None, strip=False)
        if column is None:
            problem = FieldError("column", "server.field_missing", {"field": "column"})
            raise Malformed("server.field_missing", field="column", errors=[problem])
        found = await self.study(name, self.wanted_version(), DEPEND, {"column": column})
        if found is not None:
            self.answer(schemas.Dependence.model_validate_json(found.content))


class CompareHandler(StudyHandler):
    """``api/models/{name}/compare/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, name: str) -> None:
        """Compare two versions on the same rows: `versions=1,2` tells how much better 2 is than 1.

        It is computed when it is first asked for: 202 says how far it is.
        """
        from automl_jupyter.services.study_kinds import COMPARE

        asked = re.fullmatch(_TWO_VERSIONS, self.get_query_argument("versions", ""))
        if asked is None:
            problem = FieldError("versions", "server.bad_versions", {})
            raise Malformed("server.bad_versions", errors=[problem])
        first, second = int(asked[1]), int(asked[2])
        found = await self.study(name, second, COMPARE, None, [first])
        if found is not None:
            told = json.loads(found.content)
            self.answer(present.comparison(name, (first, second), told, self.language))
