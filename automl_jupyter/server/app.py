"""The extension: configuration, and what it does when the server starts and stops.

Nothing heavy is imported here. Handlers, schemas and services are loaded with the first request.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pydantic.functional_validators  # noqa: F401 - a third of what the first request imports
from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import PathMatches, Router, Rule
from tornado.web import Application
from traitlets import Bool, Float, Int, List, Set, TraitError, Unicode, default, validate

from automl_jupyter import __version__

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp
    from traitlets import Bunch

    from automl_jupyter.server.telemetry import Telemetry
    from automl_jupyter.services.container import Services
    from automl_jupyter.services.settings import Settings

GIBIBYTE = 1024**3
WARM_MODULES = ("pydantic.main", "automl_jupyter.schemas", "automl_jupyter.server.routes")
"""What the handlers import; in pieces, so that the event loop gets its turn in between."""


def keep_out_of_collections() -> None:
    """Take what lives as long as the server out of the garbage collector's sight.

    Else each full collection goes through the classes and modules of every library and holds the event loop
    up for a tenth of a second.
    """
    gc.freeze()


def pages_address(text: str) -> str:
    """Check the address of pages that people are sent to, and let it end in a slash.

    Raises
    ------
    TraitError
        If it is not ``http://`` or ``https://`` with a host, or holds what everybody would be shown (a user
        name, a password) or what a place within the pages cannot follow (``?``, ``#``, blanks).
    """
    try:
        parts = urlsplit(text)
        told = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        told = False
    if not told or any(sign in text for sign in "@?#\\") or not text.isprintable() or " " in text:
        # The address itself is not repeated: a password may stand in it, and this goes to a log.
        raise TraitError("mlflow_ui_url must be http://host/ or https://host/, without user, '?' or '#'")
    return f"{text.rstrip('/')}/"


class LazyRoutes(Router):
    """Registers the real routes when the first request for one of them arrives, then steps aside."""

    def __init__(self, application: Application, base_url: str) -> None:
        self._application = application
        self._base_url = base_url
        self._loaded = False

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """Never answers itself; the rules that it adds stand behind it and are tried next."""
        if not self._loaded:
            from automl_jupyter.server.routes import tornado_rules

            self._application.add_handlers(".*$", tornado_rules(self._base_url))
            self._loaded = True
            keep_out_of_collections()
        return None


class AutoML(ExtensionApp):
    """AutoML as an extension of Jupyter Server, under ``{base_url}automl/``."""

    name = "automl"
    extension_url = "/automl/"
    load_other_extensions = True
    description = "AutoML inside Jupyter"
    version = __version__

    # Jupyter Server hands out what is in there; nobody has to log in for it, so no data is.
    static_paths = List(Unicode(), default_value=[str(Path(__file__).parents[1] / "static")])

    data_dir = Unicode(help="The folder of everything that is kept (mode 0700).").tag(config=True)
    database_url = Unicode(help="SQLAlchemy URL; SQLite in data_dir unless given.").tag(config=True)
    storage_url = Unicode(help="fsspec URL of the files; a folder in data_dir unless given.").tag(config=True)
    tracking_uri = Unicode(help="MLflow tracking URI; SQLite in data_dir unless given.").tag(config=True)
    registry_uri = Unicode(help="MLflow registry URI; the tracking store unless given.").tag(config=True)
    artifact_root = Unicode(help="Where MLflow artefacts go; a folder in data_dir unless given.").tag(
        config=True
    )
    mlflow_ui_url = Unicode(
        help="Where people open MLflow's own pages, http:// or https://; no links to it unless given."
    ).tag(config=True)
    scheduler_address = Unicode(
        help="A running Dask scheduler, tls://host:port; a local cluster of our own unless given."
    ).tag(config=True)
    allow_insecure_scheduler = Bool(
        False, help="Accept a scheduler without TLS, which lets everybody who reaches it run code."
    ).tag(config=True)
    scheduler_ca_file = Unicode(help="PEM file with the authority of the scheduler's certificate.").tag(
        config=True
    )
    scheduler_certificate = Unicode(help="PEM file with our certificate for the scheduler.").tag(config=True)
    scheduler_key = Unicode(help="PEM file with the key of our certificate.").tag(config=True)
    workers = Int(min=1, help="Jobs at the same time on the local cluster.").tag(config=True)
    threads = Int(min=1, help="Threads of one search.").tag(config=True)
    max_upload_bytes = Int(4 * GIBIBYTE, min=1, help="The largest file that is taken in.").tag(config=True)
    max_predict_rows = Int(100_000, min=1, help="The most rows of one prediction.").tag(config=True)
    default_time_budget = Float(60.0, min=5.0, help="Seconds of a job unless asked otherwise.").tag(
        config=True
    )
    max_time_budget = Float(86_400.0, min=5.0, help="The most seconds of a job.").tag(config=True)
    max_active_jobs = Int(20, min=1, help="Jobs of one person that are queued or running.").tag(config=True)
    predict_memory_bytes = Int(
        4 * GIBIBYTE, min=0, help="Memory of the process that predicts; 0 is no limit."
    ).tag(config=True)
    dead_after_seconds = Float(
        60.0,
        min=3.0,
        help="Seconds without a sign of life after which servers on the same data take this one for dead.",
    ).tag(config=True)
    train_memory_bytes = Int(
        0, min=0, help="Memory of a process that fits; 0 is 80 % of what is free when it starts."
    ).tag(config=True)
    admins = Set(Unicode(), help="User names who may see the metrics of everybody.").tag(config=True)
    metrics_token = Unicode(help="A bearer token for Prometheus; none unless given.").tag(config=True)

    @default("data_dir")
    def _default_data_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "automl")

    @validate("mlflow_ui_url")
    def _checked_mlflow_ui_url(self, proposal: Bunch) -> str:
        return pages_address(proposal["value"]) if proposal["value"] else ""

    @default("workers")
    def _default_workers(self) -> int:
        return max(1, (os.cpu_count() or 1) // 4)

    @default("threads")
    def _default_threads(self) -> int:
        return max(1, (os.cpu_count() or 1) // self.workers)

    def initialize_settings(self) -> None:
        """Prepare what is opened with the first request."""
        self.server_id = secrets.token_urlsafe(16)
        self._services: Services | None = None
        self._opening = asyncio.Lock()
        self._telemetry: Telemetry | None = None

    def initialize_handlers(self) -> None:
        """Put one rule in front, which loads the handlers when they are first needed."""
        if self.serverapp is None:
            raise RuntimeError("the extension is not linked to a server")
        application = self.serverapp.web_app
        prefix = url_path_join(application.settings["base_url"], "automl")
        lazy = Rule(
            PathMatches(f"{prefix}(?:/.*)?"), LazyRoutes(application, application.settings["base_url"])
        )
        # Not the server's own add_handlers: that one expects a handler class behind each rule.
        Application.add_handlers(application, ".*$", [lazy])

    def services_settings(self) -> Settings:
        """What the services need to know of this configuration."""
        from dataclasses import replace

        from automl_jupyter.services.settings import SchedulerSettings, local_settings

        base = local_settings(Path(self.data_dir).expanduser().resolve())
        return replace(
            base,
            database_url=self.database_url or base.database_url,
            storage_url=self.storage_url or base.storage_url,
            tracking_uri=self.tracking_uri or base.tracking_uri,
            registry_uri=self.registry_uri or None,
            artifact_root=self.artifact_root or base.artifact_root,
            scheduler=SchedulerSettings(
                address=self.scheduler_address or None,
                allow_insecure=self.allow_insecure_scheduler,
                ca_file=self.scheduler_ca_file or None,
                certificate=self.scheduler_certificate or None,
                key=self.scheduler_key or None,
                workers=self.workers,
            ),
            threads=self.threads,
            max_upload_bytes=self.max_upload_bytes,
            max_predict_rows=self.max_predict_rows,
            default_time_budget=self.default_time_budget,
            max_time_budget=self.max_time_budget,
            max_active_jobs=self.max_active_jobs,
            predict_memory_bytes=self.predict_memory_bytes or None,
            dead_after_seconds=self.dead_after_seconds,
            train_memory_bytes=self.train_memory_bytes or None,
        )

    @property
    def telemetry(self) -> Telemetry:
        """What is measured, made when it is first needed."""
        if self._telemetry is None:
            from automl_jupyter.server.telemetry import Telemetry

            self._telemetry = Telemetry()
        return self._telemetry

    async def services(self) -> Services:
        """The services, opened by whoever needs them first."""
        if self._services is None:
            async with self._opening:
                if self._services is None:
                    self._services = await self._open_services()
        return self._services

    async def _open_services(self) -> Services:
        # In a thread: importing SQLAlchemy takes half a second, which the event loop does not have.
        await asyncio.to_thread(importlib.import_module, "automl_jupyter.services.container")
        from automl_jupyter.services.container import Hooks, open_services

        hooks = Hooks(
            job_finished=self.telemetry.job_finished,
            predicted=self.telemetry.predicted,
            activity=self.note_activity,
        )
        services = await open_services(self.services_settings(), self.server_id, hooks)
        keep_out_of_collections()
        return services

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Load what the first request needs, as soon as the server has started, beside its event loop."""
        keep_out_of_collections()
        for module in WARM_MODULES:
            await asyncio.to_thread(importlib.import_module, module)

    def note_activity(self) -> None:
        """Keep JupyterHub from culling a server whose job is running."""
        from jupyter_server._tz import utcnow

        if self.serverapp is not None:
            self.serverapp.web_app.settings["automl_last_activity"] = utcnow()

    async def stop_extension(self) -> None:
        """End every process that was started."""
        if self._services is not None:
            await self._services.close()
            self._services = None
