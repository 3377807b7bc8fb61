"""Data sets: list, describe, read again, delete."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from automl_jupyter import schemas
from automl_jupyter.server import present
from automl_jupyter.server.base import AutoMLHandler
from automl_jupyter.server.identity import RESOURCE


class DatasetsHandler(AutoMLHandler):
    """``api/datasets/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """List the caller's data sets, newest first."""
        limit, offset = self.paging()
        records, total = await (await self.services()).datasets.page(self.owner, limit, offset)
        items = [present.dataset(record, self.language) for record in records]
        self.answer(schemas.DatasetPage(items=items, total=total, limit=limit, offset=offset))


class DatasetHandler(AutoMLHandler):
    """``api/datasets/{dataset_id}/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, dataset_id: str) -> None:
        """Look at a data set: its columns, how it was read, what to know of it."""
        record = await (await self.services()).datasets.get(self.owner, dataset_id)
        self.answer(present.dataset(record, self.language))

    @web.authenticated
    @authorized("write", resource=RESOURCE)
    async def delete(self, dataset_id: str) -> None:
        """Delete a data set; with `cascade=true` also its models, files and traces in MLflow."""
        cascade = self.flag("cascade")
        await (await self.services()).models.delete_dataset(self.owner, dataset_id, cascade=cascade)
        self.nothing()


class RereadHandler(AutoMLHandler):
    """``api/datasets/{dataset_id}/reread/``."""

    @web.authenticated
    @authorized("write", resource=RESOURCE)
    async def post(self, dataset_id: str) -> None:
        """Read the file again with other options, into a new data set whose `parent` is this one."""
        asked = self.body(schemas.ReadOptions).model_dump(exclude_unset=True)
        record = await (await self.services()).datasets.reread(self.owner, dataset_id, asked)
        self.set_header("Location", f"{self.base_url}automl/api/datasets/{record.id}/")
        self.answer(present.dataset(record, self.language), 201)


class PreviewHandler(AutoMLHandler):
    """``api/datasets/{dataset_id}/preview/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, dataset_id: str) -> None:
        """Look at the first rows."""
        rows = await (await self.services()).datasets.preview(self.owner, dataset_id)
        self.answer(schemas.Preview.model_validate(rows))


class FindingsHandler(AutoMLHandler):
    """``api/datasets/{dataset_id}/findings/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, dataset_id: str) -> None:
        """Look for leakage, repeated rows, groups, time order and odd values, before training."""
        target = self.get_query_argument("target", "") or None
        services = await self.services()
        found = await services.datasets.findings(self.owner, dataset_id, target)
        advice = None if target is None else await services.training.advice(self.owner, dataset_id, target)
        self.answer(present.findings(found, target, self.language, advice))


class ProfileHandler(AutoMLHandler):
    """``api/datasets/{dataset_id}/profile/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self, dataset_id: str) -> None:
        """Look at the distribution of each column."""
        profile = await (await self.services()).datasets.profile(self.owner, dataset_id)
        self.answer(schemas.Profile.model_validate(profile))
