"""The services, put together over their backends: made once by the server, on the first request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from automl_jupyter.backends.compute import Compute, DaskCompute, DaskOptions
from automl_jupyter.backends.database import Database, open_database
from automl_jupyter.backends.process import HelperProcess
from automl_jupyter.backends.records import JobRecord
from automl_jupyter.backends.storage import Storage, open_storage
from automl_jupyter.errors import AutoMLError
from automl_jupyter.services.datasets import Datasets
from automl_jupyter.services.explanations import Explanations
from automl_jupyter.services.models import Models
from automl_jupyter.services.outbox import Outbox
from automl_jupyter.services.predictions import Predictions
from automl_jupyter.services.reports import Heard, Reports
from automl_jupyter.services.settings import Settings
from automl_jupyter.services.staging import Staging, open_staging
from automl_jupyter.services.studies import Studies, UnderWay
from automl_jupyter.services.sweep import sweep
from automl_jupyter.services.threads import to_its_end
from automl_jupyter.services.training import Training
from automl_jupyter.services.uploads import Uploads

log = logging.getLogger(__name__)

TABLES_IDLE_SECONDS = 120.0
PREDICTOR_IDLE_SECONDS = 1800.0
STUDIES_IDLE_SECONDS = 300.0
STUCK_SECONDS = 60.0
"""A helper at work that shows no sign of life for so long is ended."""
SWEEP_SECONDS = 86_400.0


@dataclass(frozen=True)
class Hooks:
    """Whom the services tell what happened, for the measurements.

    Attributes
    ----------
    job_finished : callable
        Takes the job.
    predicted : callable
        Takes owner, model, rows and seconds.
    activity : callable
        Called whenever a job shows signs of life.
    """

    job_finished: Callable[[JobRecord], None]
    predicted: Callable[[str, str, int, float], None]
    activity: Callable[[], None]


@dataclass(frozen=True)
class Services:
    """Everything that a handler may ask for."""

    settings: Settings
    database: Database
    storage: Storage
    uploads: Uploads
    datasets: Datasets
    training: Training
    models: Models
    predictions: Predictions
    studies: Studies
    explanations: Explanations
    _opened: contextlib.AsyncExitStack

    async def close(self) -> None:
        """End every process that was started, and wait until it is gone."""
        await self._opened.aclose()


def make_compute(settings: Settings, heard: asyncio.Queue[Heard]) -> Compute:
    """Where jobs run; what their workers report goes into the queue."""
    scheduler = settings.scheduler
    options = DaskOptions(
        scratch=str(settings.spool),
        workers=scheduler.workers,
        scheduler_address=scheduler.address,
        allow_insecure=scheduler.allow_insecure,
        tls_ca=scheduler.ca_file,
        tls_cert=scheduler.certificate,
        tls_key=scheduler.key,
    )
    return DaskCompute(options, lambda key, kind, data: heard.put_nowait((key, kind, data)))


async def _sweep_daily(settings: Settings, database: Database, storage: Storage) -> None:
    while True:
        try:
            await to_its_end(sweep, database, storage, settings.spool)
        except AutoMLError as error:
            log.warning("not everything was cleared away: %s", error)
        await asyncio.sleep(SWEEP_SECONDS)


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _warm(helper: HelperProcess) -> None:
    # Where it cannot start, the call that needs it says so.
    with contextlib.suppress(AutoMLError):
        await helper.start()


async def open_services(settings: Settings, server_id: str, hooks: Hooks) -> Services:
    """Open the database and the storage, put the services together, and begin to sweep beside them.

    Raises
    ------
    NoSpace, Unavailable
        If the data folder or the database cannot be used; nothing is left open then.
    """
    async with contextlib.AsyncExitStack() as opened:
        return await _open(settings, server_id, hooks, opened)


async def _open(
    settings: Settings, server_id: str, hooks: Hooks, opened: contextlib.AsyncExitStack
) -> Services:
    staging = await asyncio.to_thread(open_staging, settings.spool, server_id)
    opened.push_async_callback(asyncio.to_thread, staging.close)
    tables, predictor = _helpers(settings, opened)
    # Whoever comes first most likely brings a file: the process that reads it starts meanwhile.
    await opened.enter_async_context(_beside(_warm(tables)))
    database = await asyncio.to_thread(open_database, settings.database_url)
    opened.push_async_callback(asyncio.to_thread, database.close)
    storage = await asyncio.to_thread(open_storage, settings.storage_url)
    heard: asyncio.Queue[Heard] = asyncio.Queue()
    compute = make_compute(settings, heard)
    models = Models(database, storage, Outbox(database, compute, settings, server_id), staging)
    predictions = Predictions(database, storage, predictor, settings, staging, hooks.predicted)
    reports = Reports(database, storage, models, predictions, hooks.job_finished, hooks.activity, heard)
    studies = _studies(database, storage, predictions, settings, staging, opened)
    training = Training(database, storage, compute, models, reports, settings, server_id)
    await training.open()
    opened.push_async_callback(training.close)
    await opened.enter_async_context(_beside(_sweep_daily(settings, database, storage)))
    return Services(
        settings=settings,
        database=database,
        storage=storage,
        uploads=Uploads(database, settings, staging),
        datasets=Datasets(database, storage, tables, staging),
        training=training,
        models=models,
        predictions=predictions,
        studies=studies,
        explanations=Explanations(database, predictor, predictions, studies, staging),
        _opened=opened.pop_all(),
    )


def _studies(
    database: Database,
    storage: Storage,
    predictions: Predictions,
    settings: Settings,
    staging: Staging,
    opened: contextlib.AsyncExitStack,
) -> Studies:
    under_way = UnderWay()
    helper = HelperProcess(
        "automl_jupyter.services.study_process",
        name="studies",
        memory_limit=settings.train_memory_bytes,
        on_event=under_way.heard,
        idle_seconds=STUDIES_IDLE_SECONDS,
        stuck_seconds=STUCK_SECONDS,
    )
    studies = Studies(database, storage, helper, predictions, settings, staging, under_way)
    opened.push_async_callback(helper.close)
    opened.push_async_callback(studies.close)
    return studies


def _helpers(settings: Settings, opened: contextlib.AsyncExitStack) -> tuple[HelperProcess, HelperProcess]:
    tables = HelperProcess(
        "automl_jupyter.services.table_process",
        name="tables",
        idle_seconds=TABLES_IDLE_SECONDS,
        stuck_seconds=STUCK_SECONDS,
    )
    predictor = HelperProcess(
        "automl_jupyter.services.prediction_process",
        name="predictions",
        memory_limit=settings.predict_memory_bytes,
        idle_seconds=PREDICTOR_IDLE_SECONDS,
        stuck_seconds=STUCK_SECONDS,
    )
    opened.push_async_callback(tables.close)
    opened.push_async_callback(predictor.close)
    return tables, predictor
