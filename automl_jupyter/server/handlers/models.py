"""Models: list, look at, put into service, take back, delete."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from automl_jupyter import schemas
from automl_jupyter.server import present
from automl_jupyter.server.base import AutoMLHandler
from automl_jupyter.server.identity import RESOURCE


class ModelsHandler(AutoMLHandler):
    """``api/models/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """List the caller's models with their versions."""
        limit, offset = self.paging()
        found, total = await (await self.services()).models.page(self.owner, limit, offset)
        items = [present.model(model, versions) for model, versions in found]
        self.answer(schemas.ModelPage(items=items, total=total, limit=limit, offset=offset))


class ModelHandler(AutoMLHandler):
    """``api/models/{name}/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, name: str) -> None:
        """Look at a model: its versions, their scores, what columns they expect."""
        self.answer(present.model(*(await (await self.services()).models.get(self.owner, name))))

    @web.authenticated
    @authorized("write", resource=RESOURCE)
    async def delete(self, name: str) -> None:
        """Delete a model with its versions, files and traces in MLflow."""
        await (await self.services()).models.delete(self.owner, name)
        self.nothing()


class PromoteHandler(AutoMLHandler):
    """``api/models/{name}/promote/``."""

    @web.authenticated
    @authorized("write", resource=RESOURCE)
    async def post(self, name: str) -> None:
        """Put a version into service."""
        request = self.body(schemas.PromoteRequest)
        self.answer(
            present.model(*(await (await self.services()).models.promote(self.owner, name, request.version)))
        )


class RollbackHandler(AutoMLHandler):
    """``api/models/{name}/rollback/``."""

    @web.authenticated
    @authorized("write", resource=RESOURCE)
    async def post(self, name: str) -> None:
        """Put the version that was in service before back into service."""
        self.answer(present.model(*(await (await self.services()).models.rollback(self.owner, name))))
