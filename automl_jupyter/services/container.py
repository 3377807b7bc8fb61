"""The services, put together over their backends: made once by the server, on the first request."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from automl_jupyter.backends.compute import Compute, DaskCompute, DaskOptions
from automl_jupyter.backends.database import Database, open_database
from automl_jupyter.backends.process import HelperProcess
from automl_jupyter.backends.records import JobRecord
from automl_jupyter.backends.storage import Storage, open_storage
from automl_jupyter.errors import AutoMLError
from automl_jupyter.services.datasets import Datasets
from automl_jupyter.services.models import Models
from automl_jupyter.services.outbox import Outbox
from automl_jupyter.services.predictions import Predictions
from automl_jupyter.services.reports import Heard, Reports
from automl_jupyter.services.settings import Settings
from automl_jupyter.services.training import Training
from automl_jupyter.services.uploads import Uploads

TABLES_IDLE_SECONDS = 120.0
PREDICTOR_IDLE_SECONDS = 1800.0


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
    _tables: HelperProcess
    _predictor: HelperProcess

    async def close(self) -> None:
        """End every process that was started, and wait until it is gone."""
        await asyncio.gather(self.training.close(), self._tables.close(), self._predictor.close())
        await asyncio.to_thread(self.database.close)


def _backends(settings: Settings) -> tuple[Database, Storage]:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.spool.mkdir(mode=0o700, exist_ok=True)
    return open_database(settings.database_url), open_storage(settings.storage_url)


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


async def _warm(helper: HelperProcess) -> None:
    # Where it cannot start, the call that needs it says so.
    with contextlib.suppress(AutoMLError):
        await helper.start()


async def open_services(settings: Settings, server_id: str, hooks: Hooks) -> Services:
    """Open the database and the storage, sweep what was left behind, and put the services together."""
    tables = HelperProcess(
        "automl_jupyter.services.table_process", name="tables", idle_seconds=TABLES_IDLE_SECONDS
    )
    # Whoever comes first most likely brings a file: the process that reads it starts meanwhile.
    (database, storage), _ = await asyncio.gather(asyncio.to_thread(_backends, settings), _warm(tables))
    predictor = HelperProcess(
        "automl_jupyter.services.prediction_process",
        name="predictions",
        memory_limit=settings.predict_memory_bytes,
        idle_seconds=PREDICTOR_IDLE_SECONDS,
    )
    heard: asyncio.Queue[Heard] = asyncio.Queue()
    compute = make_compute(settings, heard)
    models = Models(database, storage, Outbox(database, compute, settings, server_id))
    uploads = Uploads(database, settings)
    predictions = Predictions(database, storage, predictor, settings, hooks.predicted)
    reports = Reports(database, storage, models, predictions, hooks.job_finished, hooks.activity, heard)
    training = Training(database, storage, compute, models, reports, settings, server_id)
    await training.open()
    await asyncio.to_thread(uploads.sweep)
    return Services(
        settings=settings,
        database=database,
        storage=storage,
        uploads=uploads,
        datasets=Datasets(database, storage, tables, settings),
        training=training,
        models=models,
        predictions=predictions,
        _tables=tables,
        _predictor=predictor,
    )
