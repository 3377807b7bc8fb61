"""Jobs on a cluster elsewhere: a scheduler and workers as somebody starts them, and a server using them."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(300)]

WORKERS = 4


@dataclass
class Cluster:
    """A scheduler, and workers with one thread each."""

    folder: Path
    certificates: Any
    port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tls://127.0.0.1:{self.port}"

    @property
    def options(self) -> list[str]:
        return [
            f"--AutoML.scheduler_address={self.address}",
            f"--AutoML.scheduler_ca_file={self.certificates.ca}",
            f"--AutoML.scheduler_certificate={self.certificates.cert}",
            f"--AutoML.scheduler_key={self.certificates.key}",
        ]

    def start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "dask",
                        *command,
                        "--no-dashboard",
                        "--host=127.0.0.1",
                        *self.certificates.options,
                    ],
                    stdout=log,
                    stderr=log,
                    env={
                        **os.environ,
                        "DASK_DISTRIBUTED__LOGGING__AUTOML_JUPYTER": "info",
                        "PYTHONPATH": os.pathsep.join(
                            [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
                        ),
                    },
                    start_new_session=True,
                )
            )

    def worker(self, name: str) -> None:
        self.start(
            name, "worker", self.address, "--nthreads=1", "--no-nanny", f"--local-directory={self.folder}"
        )

    @property
    def workers(self) -> list[psutil.Process]:
        return [psutil.Process(p.pid) for p in self.processes[1:] if p.poll() is None]

    def log(self) -> str:
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("worker*.log")))

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, certificates, wait_for):
    folder = tmp_path_factory.mktemp("cluster")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = Cluster(folder, certificates, port)
    try:
        started.start("scheduler", "scheduler", f"--port={port}", "--protocol=tls")
        wait_for(lambda: certificates.answers(port), 60)
        for n in range(WORKERS):
            started.worker(f"worker{n}")
        wait_for(lambda: started.log().count("Registered to") >= WORKERS, 60)
        yield started
    finally:
        started.end()


@pytest.fixture(scope="module")
def client(cluster, start_server, tmp_path_factory):
    server = start_server(
        tmp_path_factory.mktemp("server"),
        "--IdentityProvider.token=secret",
        "--AutoML.threads=1",
        *cluster.options,
    )
    with server.client("secret") as client:
        client.data_dir = server.data_dir
        yield client
    server.stop()


@pytest.fixture(scope="module")
def larger(client, verbs):
    """A table whose fits take long enough to be seen."""
    dice = random.Random(0)
    lines = [",".join([*(f"n{i}" for i in range(12)), "bought"])]
    for _ in range(6000):
        row = [dice.gauss(0, 1) for _ in range(12)]
        lines.append(",".join([*(f"{x:.4f}" for x in row), "yes" if row[0] + row[1] * row[2] > 0 else "no"]))
    return verbs.upload(client, "\n".join(lines).encode(), "larger.csv")


def running(process: psutil.Process, module: str) -> list[psutil.Process]:
    """The children of a worker that run one of our modules."""
    try:
        return [p for p in process.children(recursive=True) if module in " ".join(p.cmdline())]
    except psutil.Error:
        return []


def fitting(cluster: Cluster) -> list[psutil.Process]:
    """The workers on which a unit's process runs."""
    return [worker for worker in cluster.workers if running(worker, "unit_process")]


def test_a_job_is_fitted_by_several_workers(cluster, client, larger, verbs):
    job = verbs.train(client, larger, target="bought", time_budget=60, name="spread")
    body = verbs.ended(client, job, 200)
    assert body["state"] == "done", body
    states = {trial["name"]: trial["state"] for trial in body["leaderboard"]}
    assert states["lightgbm_quick"] == states["ensemble"] == "done"
    assert "failed" not in states.values(), body
    assert body["mlflow_run_id"]
    found = re.findall(rf"job {job}: (\d+) units were fitted by (\S+) in process (\d+)", cluster.log())
    assert len({worker for _, worker, _ in found}) >= 2, cluster.log()[-3000:]
    row = {"rows": [{f"n{i}": 0.5 for i in range(12)}]}
    answer = client.post("/automl/api/predict/spread/", json=row)
    assert answer.status_code == 200, answer.text
    assert not (client.data_dir / "files" / "jobs" / job).exists()


def test_a_worker_that_is_killed_costs_nothing_but_its_time(cluster, client, larger, verbs, wait_for):
    job = verbs.train(client, larger, target="bought", time_budget=40)
    wait_for(lambda: fitting(cluster), 60)
    (coordinator,) = [worker for worker in cluster.workers if running(worker, "search_process")]
    victim = next(worker for worker in fitting(cluster) if worker.pid != coordinator.pid)
    left = running(victim, "unit_process")
    os.kill(victim.pid, signal.SIGKILL)
    assert not psutil.wait_procs(left, 30)[1]
    body = verbs.ended(client, job, 200)
    assert body["state"] == "done", body
    assert not [trial for trial in body["leaderboard"] if trial["state"] == "failed"], body
    cluster.worker("worker-new")


def test_cancel_frees_all_workers(cluster, client, larger, verbs, wait_for):
    job = verbs.train(client, larger, target="bought", time_budget=40)
    wait_for(lambda: len(fitting(cluster)) >= 2, 60)
    assert client.post(f"/automl/api/jobs/{job}/cancel/").status_code == 202
    busy = ("unit_process", "search_process")
    wait_for(lambda: not [w for w in cluster.workers for module in busy if running(w, module)], 3)
    assert verbs.ended(client, job, 20)["state"] == "cancelled"
    wait_for(lambda: not list((client.data_dir / "files" / "jobs" / job).glob("spread/*")), 10)


def test_a_scheduler_that_anybody_may_use_is_refused(start_server, tmp_path, table, verbs):
    server = start_server(
        tmp_path, "--IdentityProvider.token=secret", "--AutoML.scheduler_address=tcp://127.0.0.1:9"
    )
    try:
        with server.client("secret") as client:
            dataset = verbs.upload(client, table)
            job = verbs.train(client, dataset, target="bought")
            body = verbs.ended(client, job)
            assert (body["state"], body["error"]["code"]) == ("failed", "backends.scheduler_insecure")
            assert "tls://" in body["error"]["message"]
    finally:
        server.stop()
