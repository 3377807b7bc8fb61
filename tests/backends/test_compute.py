"""One suite that every compute passes, on workers of its own and on a cluster elsewhere."""

import asyncio
import contextlib
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automl_jupyter import errors
from automl_jupyter.backends.compute import DaskCompute, DaskOptions
from automl_jupyter.backends.process import environment

TASKS = """
import os, subprocess, sys, time
from pathlib import Path
from automl_jupyter import errors
from automl_jupyter.backends.child import Limits, run_child

def add(payload, report):
    for n in range(3):
        report("progress", {"n": n, "at": time.time()})
    return {"sum": sum(payload["values"]), "nan": float("nan"), "threads": os.environ.get("OMP_NUM_THREADS")}

def wait(payload, report):
    with Path(payload["log"]).open("a") as file:
        file.write(payload["name"] + "\\n")
    report("waiting", {"pid": os.getpid()})
    while not Path(payload["until"]).exists():
        time.sleep(0.02)
        report("still", {})
    return {"name": payload["name"]}

def refuse(payload, report):
    raise errors.Unprocessable("backends.no_such_file", key="k")

def crash(payload, report):
    raise KeyError("insides")

def parent(payload, report):
    outcome = run_child(payload["child"], {"do": "sleep"}, poll=lambda: None,
                        on_line=lambda line: report("child", {**line, "worker": os.getpid()}),
                        limits=Limits(time.monotonic() + 60, 1))
    return {"exit": outcome.exit}
"""

CHILD = """
import os, time
from automl_jupyter.backends.process_main import emit, watch_parent

if __name__ == "__main__":
    watch_parent()
    while True:
        emit({"pid": os.getpid()})
        time.sleep(0.2)
"""


@pytest.fixture
def tasks(module_folder):
    module_folder("automl_test_compute_child", CHILD)
    return module_folder("automl_test_tasks", TASKS)


class Session:
    """A compute and what was heard from it."""

    def __init__(self, options, tasks):
        self.events = []
        self.compute = DaskCompute(options, self.hear)
        self._tasks = tasks
        self._news = asyncio.Event()

    def hear(self, key, kind, payload):
        self.events.append((key, kind, payload, time.time()))
        self._news.set()

    async def submit(self, key, function, **payload):
        await self.compute.submit(key, f"{self._tasks}:{function}", payload)

    def of(self, key):
        return [(kind, payload) for of, kind, payload, _ in self.events if of == key and kind != "still"]

    async def until(self, key, kind, seconds=60):
        async with asyncio.timeout(seconds):
            while True:
                found = [payload for k, payload in self.of(key) if k == kind]
                if found:
                    return found[0]
                self._news.clear()
                await self._news.wait()


def drive(options, tasks, work):
    async def main():
        session = Session(options, tasks)
        try:
            return await work(session)
        finally:
            await session.compute.close()

    return asyncio.run(main())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def cluster_elsewhere(folder, certificates, eventually):
    """A scheduler and two workers as somebody would start them on machines of theirs, with TLS."""
    port = free_port()
    address = f"tls://127.0.0.1:{port}"
    variables = {**environment(), "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    commands = [["scheduler", "--no-dashboard", f"--port={port}", "--host=127.0.0.1", "--protocol=tls"]]
    commands += [
        [
            "worker",
            address,
            "--nthreads=1",
            "--no-dashboard",
            f"--local-directory={folder}",
            "--host=127.0.0.1",
        ]
    ] * 2
    with contextlib.ExitStack() as stack:
        for command in commands:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command, *certificates.options],
                env=variables,
                stderr=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            stack.callback(process.wait)
            stack.callback(os.killpg, process.pid, signal.SIGKILL)
            if command[0] == "scheduler":
                assert eventually(lambda: certificates.answers(port), 60)
        yield DaskOptions(
            scratch=str(folder),
            scheduler_address=address,
            tls_ca=str(certificates.ca),
            tls_cert=str(certificates.cert),
            tls_key=str(certificates.key),
        )


@pytest.fixture(params=["own", pytest.param("elsewhere", marks=pytest.mark.slow)])
def options(request, tmp_path, tasks, certificates, eventually):
    if request.param == "own":
        yield DaskOptions(scratch=str(tmp_path / "scratch"), workers=2)
    else:
        with cluster_elsewhere(tmp_path, certificates, eventually) as found:
            yield found


@pytest.fixture
def own(tmp_path):
    return DaskOptions(scratch=str(tmp_path / "scratch"), workers=2)


@pytest.mark.alone
def test_results_reports_and_errors_come_in_order_and_soon(options, tasks):
    async def work(session):
        await session.submit("a", "add", values=[1, 2, 3])
        await session.submit("b", "refuse")
        await session.submit("c", "crash")
        await session.submit("d", "no_such_function")
        for key, kind in (("a", "ended"), ("b", "failed"), ("c", "failed"), ("d", "failed")):
            await session.until(key, kind)
        # What comes first loads modules on every side.
        for key in map(str, range(5)):
            await session.submit(key, "add", values=[])
            await session.until(key, "ended")
        return session

    session = drive(options, tasks, work)
    assert [kind for kind, _ in session.of("a")] == ["started", "progress", "progress", "progress", "ended"]
    assert session.of("a")[-1][1]["sum"] == 6
    assert session.of("a")[-1][1]["nan"] is None
    delays = [
        heard - payload["at"]
        for key, kind, payload, heard in session.events
        if key.isdigit() and kind == "progress"
    ]
    assert len(delays) == 5 * 3
    assert statistics.median(delays) < 0.2
    assert isinstance(errors.from_wire(session.of("b")[-1][1]), errors.Unprocessable)
    for key in ("c", "d"):
        assert session.of(key)[-1][1]["code"] == "backends.task_failed"
        assert "insides" not in str(session.of(key))


@pytest.mark.slow
def test_what_waits_begins_in_order_and_can_be_withdrawn(options, tasks, tmp_path):
    log, until = tmp_path / "log", tmp_path / "until"

    async def work(session):
        for name in ("a", "b", "c", "d", "e"):
            await session.submit(name, "wait", name=name, log=str(log), until=str(until))
            if name in "ab":
                await session.until(name, "waiting")
        assert await session.compute.withdraw("d")
        assert not await session.compute.withdraw("d")
        assert not await session.compute.withdraw("a")
        assert not await session.compute.withdraw("never heard of")
        until.touch()
        for name in ("a", "b", "c", "e"):
            await session.until(name, "ended")
        return session

    session = drive(options, tasks, work)
    assert sorted(log.read_text().split()) == ["a", "b", "c", "e"]
    assert log.read_text().split()[:2] == ["a", "b"]
    assert session.of("d") == []


@pytest.mark.slow
def test_a_killed_worker_fails_its_task_once_and_is_replaced(options, tasks, tmp_path, eventually):
    log, until = tmp_path / "log", tmp_path / "until"

    async def work(session):
        for name in ("a", "b", "c"):
            await session.submit(name, "wait", name=name, log=str(log), until=str(until))
        pid = (await session.until("a", "waiting"))["pid"]
        await session.until("b", "waiting")
        os.kill(pid, signal.SIGKILL)
        failed = await session.until("a", "failed")
        assert failed["code"] == "backends.worker_died"
        await session.until("c", "waiting")
        until.touch()
        await session.until("b", "ended")
        await session.until("c", "ended")
        assert [kind for kind, _ in session.of("a")] == ["started", "waiting", "failed"]
        return session

    drive(options, tasks, work)


@pytest.mark.slow
def test_the_end_of_the_server_ends_what_runs(options, tasks, eventually, is_running):
    async def work(session):
        await session.submit("p", "parent", child="automl_test_compute_child")
        return await session.until("p", "child"), session

    line, session = drive(options, tasks, work)
    assert session.of("p")[-1][0] == "child"
    assert eventually(lambda: not is_running(line["pid"]))
    if options.scheduler_address is None:
        assert eventually(lambda: not is_running(line["worker"]))
    else:
        assert is_running(line["worker"])


@pytest.mark.slow
def test_a_worker_that_stands_still_is_replaced(own, tasks, eventually, is_running):
    """A task on a stopped process neither ends nor fails; giving it up frees the place for the next one."""

    async def work(session):
        await session.submit("p", "parent", child="automl_test_compute_child")
        line = await session.until("p", "child")
        os.kill(line["worker"], signal.SIGSTOP)
        await session.compute.abandon("p")
        await session.submit("q", "add", values=[1, 2])
        assert (await session.until("q", "ended"))["sum"] == 3
        assert eventually(lambda: not is_running(line["worker"]) and not is_running(line["pid"]))
        assert "failed" not in [kind for kind, _ in session.of("p")]

    drive(DaskOptions(scratch=own.scratch, workers=1), tasks, work)


@pytest.mark.slow
def test_threads_are_left_to_the_search(own, tasks, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    async def work(session):
        await session.submit("a", "add", values=[1])
        return await session.until("a", "ended")

    assert drive(own, tasks, work)["threads"] is None


@pytest.mark.slow
def test_a_killed_host_takes_everything_along_and_is_replaced(own, tasks, eventually, is_running):
    async def work(session):
        await session.submit("p", "parent", child="automl_test_compute_child")
        for key in ("q", "r", "s"):
            await session.submit(key, "parent", child="automl_test_compute_child")
        lines = [await session.until(key, "child") for key in ("p", "q")]
        pids = [line[who] for line in lines for who in ("pid", "worker")]
        os.kill(session.compute.pid, signal.SIGKILL)
        for key in ("p", "q", "r", "s"):
            assert (await session.until(key, "failed"))["code"] == "backends.compute_died"
        assert eventually(lambda: not any(map(is_running, pids)))
        await session.submit("p2", "add", values=[4])
        assert (await session.until("p2", "ended"))["sum"] == 4

    drive(own, tasks, work)


@pytest.mark.slow
def test_nothing_is_left_when_the_server_is_killed(own, tasks, module_folder, eventually, is_running):
    server = module_folder(
        "automl_test_compute_server",
        f"""
import asyncio
from automl_jupyter.backends.compute import DaskCompute, DaskOptions

def heard(key, kind, payload):
    if kind == "child":
        print(compute.pid, payload["pid"], payload["worker"], flush=True)

async def main():
    global compute
    compute = DaskCompute(DaskOptions(scratch={own.scratch!r}), heard)
    await compute.submit("p", "{tasks}:parent", {{"child": "automl_test_compute_child"}})
    await asyncio.sleep(60)

asyncio.run(main())
""",
    )
    with subprocess.Popen(
        [sys.executable, "-m", server], stdout=subprocess.PIPE, env=environment(), text=True
    ) as p:
        pids = [int(pid) for pid in p.stdout.readline().split()]
        assert len(pids) == 3
        p.send_signal(signal.SIGKILL)
    assert eventually(lambda: not any(map(is_running, pids)))


def test_a_scheduler_that_anybody_may_use_is_refused(own, tasks):
    address = "tcp://127.0.0.1:9"

    async def work(session):
        with pytest.raises(errors.Unprocessable) as caught:
            await session.submit("a", "add", values=[])
        assert caught.value.code == "backends.scheduler_insecure"
        assert session.compute.pid is None

    drive(DaskOptions(scratch=own.scratch, scheduler_address=address), tasks, work)


@pytest.mark.slow
def test_its_ports_tell_nothing_to_others(own, tasks, certificates):
    """They are on this machine alone; those that speak ask for a certificate of the cluster itself."""

    async def work(session):
        await session.submit("p", "parent", child="automl_test_compute_child")
        worker = (await session.until("p", "child"))["worker"]
        listening = [*listens(session.compute.pid), *listens(worker)]
        assert {address for address, _ in listening} == {"127.0.0.1"}
        assert not any(certificates.answers(port) for _, port in listening)
        pages = ("/", "/health", "/metrics", "/sysmon", "/info/main/workers.html", "/json/counts.json")
        assert not [
            page for _, port in listening for page in pages if http_status(port, page) not in (None, 404)
        ]
        assert 8787 not in {port for _, port in listening}

    drive(own, tasks, work)


def http_status(port, page):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", page)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def listens(pid):
    """The addresses and ports on which a process listens."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    own = {link[8:-1] for link in links if link.startswith("socket:[")}
    found = []
    for version in ("tcp", "tcp6"):
        rows = [row.split() for row in Path(f"/proc/{pid}/net/{version}").read_text().splitlines()[1:]]
        for row in rows:
            if row[3] == "0A" and row[9] in own:
                address, _, port = row[1].partition(":")
                host = ".".join(str(byte) for byte in reversed(bytes.fromhex(address)))
                found.append((host, int(port, 16)))
    return found
