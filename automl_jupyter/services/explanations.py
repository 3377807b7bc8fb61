"""Explanations of rows, by the process that predicts. What is of a whole model is a study instead."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automl_jupyter.backends.database import Database
from automl_jupyter.backends.process import HelperProcess
from automl_jupyter.backends.records import ModelRecord, VersionRecord
from automl_jupyter.services.predictions import Predictions
from automl_jupyter.services.staging import Staging
from automl_jupyter.services.studies import Studies

ROWS_SECONDS = 120.0


@dataclass(frozen=True)
class Wishes:
    """What is to be told of rows besides what each column adds.

    Attributes
    ----------
    counterexamples : int
        How many for each row.
    what_if : mapping
        By column, values to ask about; None for usual ones.
    max_predict_ms : float or None
        As in a prediction.
    """

    counterexamples: int
    what_if: Mapping[str, Sequence[object] | None]
    max_predict_ms: float | None


@dataclass(frozen=True)
class Explanations:
    """Explain rows."""

    database: Database
    helper: HelperProcess
    predictions: Predictions
    studies: Studies
    staging: Staging

    async def rows(
        self, owner: str, name: str, version: int | None, rows: Sequence[Mapping[str, Any]], wishes: Wishes
    ) -> tuple[ModelRecord, VersionRecord, dict[str, Any]]:
        """Explain rows.

        Raises
        ------
        NotFound
            If there is no such version.
        Unprocessable
            If the model groups rows, or a column or a value is not known.
        """
        asked = {"counterexamples": wishes.counterexamples, "what_if": dict(wishes.what_if)}
        return await self._ask("explain", owner, name, version, rows, wishes.max_predict_ms, asked)

    async def charts(
        self,
        owner: str,
        name: str,
        version: int | None,
        rows: Sequence[Mapping[str, Any]],
        max_predict_ms: float | None,
    ) -> tuple[ModelRecord, VersionRecord, list[dict[str, Any]]]:
        """Draw what each column adds to the predictions of rows, one chart each.

        Raises
        ------
        NotFound
            If there is no such version.
        Unprocessable
            If the model groups rows.
        """
        model, found, answer = await self._ask("draw", owner, name, version, rows, max_predict_ms, {})
        return model, found, answer["charts"]

    async def _ask(
        self,
        verb: str,
        owner: str,
        name: str,
        version: int | None,
        rows: Sequence[Mapping[str, Any]],
        max_predict_ms: float | None,
        more: Mapping[str, Any],
    ) -> tuple[ModelRecord, VersionRecord, dict[str, Any]]:
        model, found = await self.studies.version(owner, name, version)
        dataset = await asyncio.to_thread(self.database.get_dataset, owner, found.dataset_id)
        job = await asyncio.to_thread(self.database.get_job, owner, found.job_id)
        async with self.staging.scratch() as scratch:
            path = await asyncio.to_thread(self.studies.local_table, dataset, scratch)
            payload = {
                **await self.predictions.source(found),
                "table_path": str(path),
                "table_digest": dataset.table_digest,
                "dataset_name": dataset.name,
                "features": self.studies.features(dataset, job),
                "target": job.target,
                "rows": list(rows),
                "max_predict_ms": max_predict_ms,
                **more,
            }
            return model, found, await self.helper.call(verb, payload, timeout=ROWS_SECONDS)
