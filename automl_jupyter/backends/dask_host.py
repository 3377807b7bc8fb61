"""The helper process that owns the Dask client and, unless a scheduler is given, the cluster.

Tasks wait here, not in Dask, until a worker has a free thread: a task that Dask has already given to a
worker is lost with that worker even if it never began, and cannot be withdrawn for certain.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from automl_jupyter import errors
from automl_jupyter.backends import dask_task
from automl_jupyter.backends.process_main import emit, end_at_once, serve

Result = TypeVar("Result")

_CONNECT_SECONDS = 20
_RETRY_SECONDS = 0.3
_CLOSE_SECONDS = 2.0
_LAST_EVENT_SECONDS = 10.0
_RESTART_SECONDS = 10.0

CONFIG = {
    # A task whose worker died is not run again behind our back: resuming is the person's decision.
    "distributed.scheduler.allowed-failures": 0,
    # Workers start the search as a child process.
    "distributed.worker.daemon": False,
    # Dask sets OMP_NUM_THREADS=1 and the like here, which the search would inherit.
    "distributed.nanny.pre-spawn-environ": {"MALLOC_TRIM_THRESHOLD_": 65536},
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.profile.enabled": False,
    # Watching themselves 50 times a second costs an idle laptop 4 % of a core; nobody looks at the records.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.scheduler.work-stealing": False,
    # Dask serves what it knows of tasks and workers over HTTP to everybody on the machine, dashboard or not.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


@dataclass(frozen=True)
class _Task:
    key: str
    entry: str
    payload: dict[str, Any]


@dataclass
class _Run:
    """A task that Dask has: whether it has begun, whether its outcome was told."""

    future: Any
    begun: bool = False
    told: asyncio.Event = field(default_factory=asyncio.Event)


class _Host:
    """The client, the cluster, what waits and what runs. All but the verbs belongs to one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._topic = f"automl-{secrets.token_hex(8)}"
        self._cluster: Any = None
        self._client: Any = None
        self._waiting: deque[_Task] = deque()
        self._running: dict[str, _Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        threading.Thread(target=self._loop.run_forever, name="dask-loop", daemon=True).start()

    # The verbs, called from the threads of the helper

    def setup(self, arguments: dict[str, Any]) -> None:
        """Connect, and start the cluster where there is none to connect to."""
        Path(arguments["scratch"]).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._wait_for(self._connect(arguments))

    def submit(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Take a task in."""
        self._wait_for(self._add(_Task(payload["key"], payload["entry"], payload["payload"])))
        return {}

    def withdraw(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Take a task back that has not begun."""
        return {"withdrawn": self._wait_for(self._remove(payload["key"]))}

    def abandon(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Give a task up, whatever its worker does."""
        self._wait_for(self._give_up(payload["key"]))
        return {}

    def close(self, _: dict[str, Any]) -> dict[str, Any]:
        """End the workers in good order."""
        self._wait_for(self._disconnect())
        return {}

    def _wait_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # In the event loop

    async def _connect(self, arguments: dict[str, Any]) -> None:
        import dask
        from distributed import Client, LocalCluster

        dask.config.set(CONFIG)
        address = arguments["scheduler_address"]
        if address is None:
            self._cluster = await LocalCluster(
                n_workers=arguments["workers"],
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                security=True,
                asynchronous=True,
                memory_limit=arguments["memory_limit"],
                local_directory=arguments["scratch"],
            )
            self._cluster.scheduler.http_server.stop()
            self._client = await Client(self._cluster, asynchronous=True)
        else:
            self._client = await _remote_client(address, arguments)
        self._client.subscribe_topic(self._topic, self._heard)
        self._spawn(self._dispatch())

    async def _disconnect(self) -> None:
        for task in self._tasks:
            task.cancel()
        # Workers in the middle of a task take long to close; the end of this process ends them anyway.
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._client.close()
                if self._cluster is not None:
                    await self._cluster.close()

    async def _add(self, task: _Task) -> None:
        self._waiting.append(task)
        self._changed.set()

    async def _remove(self, key: str) -> bool:
        found = next((task for task in self._waiting if task.key == key), None)
        if found is not None:
            self._waiting.remove(found)
        return found is not None

    async def _give_up(self, key: str) -> None:
        run = None if await self._remove(key) else self._running.get(key)
        if run is None:
            return
        run.told.set()
        if self._cluster is not None:
            processing = await self._client.processing()
            held = [worker for worker, keys in processing.items() if run.future.key in keys]
            await self._client.restart_workers(held, timeout=_RESTART_SECONDS, raise_for_error=False)
        await run.future.cancel(force=True)

    async def _dispatch(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._waiting:
                threads = await self._threads()
                if self._waiting and len(self._running) < threads:
                    self._start(self._waiting.popleft())
                    continue
                # Either something ends, which sets the event, or workers come, of which nobody tells us.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_RETRY_SECONDS):
                        await self._changed.wait()
                        self._changed.clear()

    async def _threads(self) -> int:
        if self._client.status == "closed":
            # The scheduler is gone for good. The server is told, and the next job begins with a new process.
            for key in [*self._running, *(task.key for task in self._waiting)]:
                self._fail(key, errors.Unavailable("backends.scheduler_lost"))
            end_at_once(1)
        try:
            return sum((await self._client.nthreads()).values())
        except OSError:
            return 0

    def _start(self, task: _Task) -> None:
        name = f"automl-{secrets.token_hex(8)}"
        arguments = (name, self._topic, task.key, task.entry, task.payload)
        future = self._client.submit(dask_task.run, *arguments, key=name, pure=False, retries=0)
        self._running[task.key] = run = _Run(future)
        self._spawn(self._follow(task.key, run))

    async def _follow(self, key: str, run: _Run) -> None:
        failure = await run.future.exception()
        if run.future.status == "finished":
            # The outcome was sent before the task ended, on the same way.
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_EVENT_SECONDS):
                    await run.told.wait()
        if not run.told.is_set():
            self._fail(key, _reason(run.future.status, failure))
        run.future.release()
        del self._running[key]
        self._changed.set()

    def _heard(self, event: tuple[float, dict[str, Any]]) -> None:
        message = event[1]
        key, kind = message["key"], message["kind"]
        run = self._running.get(key)
        if run is None or run.told.is_set():
            return
        if kind == dask_task.STARTED and run.begun:
            # Its worker died and the scheduler, set up otherwise than ours, runs it again.
            run.told.set()
            self._fail(key, errors.Unavailable("backends.worker_died"))
            self._spawn(run.future.cancel())
            return
        if kind == dask_task.STARTED:
            run.begun = True
        if kind in (dask_task.ENDED, dask_task.FAILED):
            run.told.set()
        emit(message)

    def _fail(self, key: str, error: errors.AutoMLError) -> None:
        emit({"key": key, "kind": dask_task.FAILED, "payload": errors.to_wire(error)})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _remote_client(address: str, arguments: dict[str, Any]) -> Any:
    from distributed import Client, Security

    security = None
    if address.startswith("tls://"):
        security = Security(
            tls_ca_file=arguments["tls_ca"],
            tls_client_cert=arguments["tls_cert"],
            tls_client_key=arguments["tls_key"],
            require_encryption=True,
        )
    try:
        return await Client(address, security=security, asynchronous=True, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise errors.Unavailable("backends.scheduler_unreachable", address=address) from error


def _reason(status: str, failure: BaseException | None) -> errors.AutoMLError:
    from distributed.scheduler import KilledWorker

    if isinstance(failure, KilledWorker):
        return errors.Unavailable("backends.worker_died")
    if status in ("cancelled", "lost"):
        return errors.Unavailable("backends.scheduler_lost")
    return errors.AutoMLError("backends.task_failed")


def main() -> None:
    """Serve until the server closes our input."""
    host = _Host()
    verbs = {"submit": host.submit, "withdraw": host.withdraw, "abandon": host.abandon, "close": host.close}
    serve(verbs, setup=host.setup, threads=2)


if __name__ == "__main__":
    main()
