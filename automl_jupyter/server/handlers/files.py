"""The page of the caller's CSV files: bring one in, see how it was read, read it again, train on it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from automl_jupyter import schemas
from automl_jupyter.errors import AutoMLError
from automl_jupyter.server import present, reading
from automl_jupyter.server.base import error_body
from automl_jupyter.server.handlers.pages import PageHandler
from automl_jupyter.server.identity import RESOURCE

MOST_CHOSEN = 50


class DatasetPage(PageHandler):
    """What the pages that show a data set share."""

    async def values(self, dataset_id: str, target: str | None = None) -> dict[str, Any]:
        """All that the page of a data set shows; without findings where no target was chosen."""
        datasets = (await self.services()).datasets
        record, preview = await asyncio.gather(
            datasets.get(self.owner, dataset_id), datasets.preview(self.owner, dataset_id)
        )
        dataset = present.dataset(record, self.language)
        findings: list[schemas.Finding] | None = None
        if target is not None:
            found = await datasets.findings(self.owner, dataset_id, target or None)
            findings = present.findings(found, target or None, self.language).items
        chosen = [int(text) for text in self.get_query_arguments("use") if text.isdecimal()][:MOST_CHOSEN]
        acted = reading.acted_on(findings or [], chosen)
        return {
            "dataset": dataset,
            "preview": preview,
            "sentences": reading.sentences(dataset),
            "of_column": reading.of_column,
            "listed": reading.LISTED,
            "target": target,
            "findings": findings,
            "chosen": [index for index in chosen if index < len(findings or [])],
            "acted": acted,
            "left_out": _left_out(dataset, target, acted),
            "budget": self.app.default_time_budget,
            "longest": self.app.max_time_budget,
            "xsrf": self.xsrf_token.decode(),
            "form": {},
            "wrong": {},
            "problem": None,
            "refresh": None,
        }


def _left_out(dataset: schemas.Dataset, target: str | None, acted: dict[str, Any]) -> list[str]:
    if "columns" not in acted:
        return []
    kept = {*acted["columns"], target}
    return [column.name for column in dataset.columns if column.name not in kept]


class FilesHandler(DatasetPage):
    """``csv/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """List the caller's files; look at one; forms to bring one in and to start a training."""
        chosen = self.get_query_argument("dataset", "")
        if chosen:
            self.show("dataset.html", **await self.values(chosen, self.get_query_argument("target", None)))
            return
        limit, offset = self.paging()
        records, total = await (await self.services()).datasets.page(self.owner, limit, offset)
        self.show(
            "files.html",
            files=[present.dataset(record, self.language) for record in records],
            total=total,
            limit=limit,
            offset=offset,
            xsrf=self.xsrf_token.decode(),
            refresh=None,
        )

    @web.authenticated
    @authorized("execute", resource=RESOURCE)
    async def post(self) -> None:
        """Start the training that the form describes, then lead to the home page."""
        fields = {name: self.get_body_argument(name, "") for name in ("target", "task", "time_budget")}
        given: dict[str, Any] = {name: value for name, value in fields.items() if value}
        # A form knows texts only; what is no number is for the contract to refuse.
        with suppress(ValueError):
            given["time_budget"] = float(fields["time_budget"])
        options = self.parsed(schemas.TrainRequest, self.get_body_argument("options", "").encode())
        given |= options.model_dump(exclude_unset=True)
        request = self.parsed(schemas.TrainRequest, json.dumps(given).encode())
        services = await self.services()
        await services.training.start(self.owner, self.get_body_argument("dataset", ""), request)
        self.redirect(f"{self.base_url}automl/", status=303)


class RereadFormHandler(DatasetPage):
    """``csv/{dataset_id}/reread/``: the form that has a file read again, posted from its page."""

    _shown: dict[str, Any] | None = None

    @web.authenticated
    @authorized("write", resource=RESOURCE)
    async def post(self, dataset_id: str) -> None:
        """Read the file again as the form says, then lead to the new data set."""
        self._shown = await self.values(dataset_id)
        form = {name: self.get_body_argument(name) for name in self.request.body_arguments}
        self._shown["form"] = form
        body = reading.asked(form, self._shown["dataset"])
        asked = self.parsed(schemas.ReadOptions, body).model_dump(exclude_unset=True)
        record = await (await self.services()).datasets.reread(self.owner, dataset_id, asked)
        self.redirect(f"{self.base_url}automl/csv/?dataset={record.id}", status=303)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Show the form again, with what is wrong at each field."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if self._shown is None or not isinstance(error, AutoMLError):
            super().write_error(status_code, **kwargs)
            return
        body = error_body(error, self.language)
        wrong = reading.problems(body.errors, self._shown["dataset"])
        self.show("dataset.html", error.status, **{**self._shown, "problem": body.message, "wrong": wrong})
