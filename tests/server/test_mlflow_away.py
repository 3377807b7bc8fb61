"""MLflow may be away or locked: no job waits for it, none is lost, and it is told of them when it is back."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning"),
]

ROW = {"age": 70, "city": "Paris", "since": "2024-05-01"}


@pytest.fixture
def start(start_server, tmp_path) -> Iterator[Callable[..., object]]:
    started = []

    def begin(*options: str):
        started.append(start_server(tmp_path, "--IdentityProvider.token=secret", *options))
        return started[-1]

    yield begin
    for server in started:
        server.stop(signal.SIGKILL)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def mlflow_server(tmp_path, port, wait_for) -> Iterator[Callable[[], None]]:
    """Start MLflow's own server on a port that was silent until then."""
    started = []

    def begin() -> None:
        folder = tmp_path / "mlflow"
        folder.mkdir()
        environment = {
            **os.environ,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
             "--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'store.sqlite'}",
             "--artifacts-destination", str(folder / "artifacts")],
            env=environment, cwd=folder, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        started.append(process)

        def answers() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers, 90)

    yield begin
    for process in started:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def version(client: httpx.Client, name: str) -> dict:
    return client.get(f"/automl/api/models/{name}/").json()["versions"][0]


def test_a_store_that_is_locked_holds_no_job_up(start, table, verbs, wait_for):
    server = start()
    with server.client("secret") as client:
        dataset = verbs.upload(client, table)
        body = verbs.model(client, dataset, target="bought", name="first")
        assert body["mlflow_run_id"], body

        lock = sqlite3.connect(server.data_dir / "mlflow.sqlite", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        second = verbs.train(client, dataset, target="bought", time_budget=30, name="second", **verbs.effort)
        body = verbs.ended(client, second)
        assert (body["state"], body["model"]["name"]) == ("done", "second"), body
        assert body["elapsed"] < 30 + 20 + 5
        assert version(client, "second")["mlflow_model_uri"] is None
        answer = client.post("/automl/api/predict/second/", json={"rows": [ROW]})
        assert answer.status_code == 200
        lock.rollback()
        lock.close()

        # Whatever is told to MLflow next, this is told with it.
        assert verbs.model(client, dataset, target="bought", name="third")["mlflow_run_id"]
        wait_for(lambda: version(client, "second")["mlflow_model_uri"], 60)
        assert client.get(f"/automl/api/jobs/{second}/").json()["mlflow_run_id"]

    mlflow = pytest.importorskip("mlflow")
    store = mlflow.MlflowClient(f"sqlite:///{server.data_dir / 'mlflow.sqlite'}")
    names = {model.name.partition(".")[2] for model in store.search_registered_models()}
    assert names == {"first", "second", "third"}
    of_second = [
        run
        for experiment in store.search_experiments()
        for run in store.search_runs([experiment.experiment_id], f"tags.`automl.job` = '{second}'")
    ]
    assert [run.info.status for run in of_second] == ["FINISHED"]
    # What was kept for it has gone; a job that was stopped keeps its files, to be taken up again.
    assert not list((server.data_dir / "files" / "jobs" / second).rglob("*.png"))


def test_a_server_that_is_away_is_told_when_it_is_back(start, mlflow_server, port, table, verbs, wait_for):
    address = f"--AutoML.tracking_uri=http://127.0.0.1:{port}"
    first = start(address)
    with first.client("secret") as client:
        dataset = verbs.upload(client, table)
        job = verbs.train(client, dataset, target="bought", time_budget=60, name="kept", **verbs.effort)
        body = verbs.ended(client, job)
        assert (body["state"], body["mlflow_run_id"]) == ("done", None), body
        assert client.post("/automl/api/predict/kept/", json={"rows": [ROW]}).status_code == 200
        # A model that is deleted meanwhile is never written down.
        verbs.cut_short(client, verbs.train(client, dataset, target="bought", time_budget=60, name="gone"))
        assert client.delete("/automl/api/models/gone/").status_code == 204
    # The server that was to tell it does not live to do so.
    first.stop(signal.SIGKILL)
    mlflow_server()
    second = start(address)
    with second.client("secret") as client:
        # Making ready for a job is the occasion.
        verbs.upload(client, table, "again.csv")
        wait_for(lambda: version(client, "kept")["mlflow_model_uri"], 90)
        run_id = client.get(f"/automl/api/jobs/{job}/").json()["mlflow_run_id"]

    mlflow = pytest.importorskip("mlflow")
    store = mlflow.MlflowClient(f"http://127.0.0.1:{port}")
    assert store.get_run(run_id).info.status == "FINISHED"
    assert [model.name.partition(".")[2] for model in store.search_registered_models()] == ["kept"]
    champion = wait_for(lambda: store.get_registered_model("local.kept").aliases.get("champion"))
    assert str(champion) == "1"


def test_killed_while_the_model_is_written_into_mlflow(start, table, verbs, wait_for):
    first = start()
    with first.client("secret") as client:
        dataset = verbs.upload(client, table)
        verbs.model(client, dataset, target="bought")
        # The store is held so that the write certainly takes a while; the model is ready by then.
        lock = sqlite3.connect(first.data_dir / "mlflow.sqlite", isolation_level=None)
        job = verbs.train(client, dataset, target="bought", time_budget=15, name="written")
        wait_for(lambda: client.get(f"/automl/api/jobs/{job}/").json()["mlflow_run_id"], 60)
        lock.execute("BEGIN EXCLUSIVE")
        model = first.data_dir / "files" / "models" / job / "1.bin"
        wait_for(model.exists, 60)
        assert client.get(f"/automl/api/jobs/{job}/").json()["state"] == "running"
    first.stop(signal.SIGKILL)
    lock.rollback()
    lock.close()

    second = start()
    with second.client("secret") as client:
        assert verbs.ended(client, job)["state"] == "interrupted"
        # A model that became no version is no use to anybody.
        wait_for(lambda: not model.exists())
        assert client.get("/automl/api/models/written/").status_code == 404
        answer = client.post(f"/automl/api/jobs/{job}/resume/", json={"time_budget": 10})
        assert answer.status_code == 202, answer.text
        body = verbs.ended(client, job)
        assert (body["state"], body["model"]) == ("done", {"name": "written", "version": 1})
        assert client.post("/automl/api/predict/written/", json={"rows": [ROW]}).status_code == 200
        wait_for(lambda: version(client, "written")["mlflow_model_uri"], 60)

    mlflow = pytest.importorskip("mlflow")
    store = mlflow.MlflowClient(f"sqlite:///{second.data_dir / 'mlflow.sqlite'}")

    def statuses() -> list[str]:
        ids = [experiment.experiment_id for experiment in store.search_experiments()]
        return [run.info.status for run in store.search_runs(ids, f"tags.`automl.job` = '{job}'")]

    # The run of the killed attempt has gone, that of the second is whole.
    assert wait_for(lambda: statuses() == ["FINISHED"])
