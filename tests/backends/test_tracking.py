"""One suite that every tracking passes: MLflow on a database file, and on a server."""

import contextlib
import json
import math
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request

import pytest

from automl_jupyter import errors
from automl_jupyter.backends.mlflow_tracking import MlflowTracking
from automl_jupyter.backends.process import environment
from automl_jupyter.backends.tracking import TrackedColumn, TrackedData, TrackedModel, registered_name

# MLflow takes seconds to import, and it and what it imports warn of things that are theirs to mend.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

LOADER = '''
"""Loads a model that says how often each word was seen."""

import json
from pathlib import Path

import pandas as pd

from tracked_package.words import SHARE


class Model:
    def __init__(self, share):
        self.share = share

    def predict(self, table):
        n = len(table)
        return pd.DataFrame({"prediction": ["a"] * n, "probability_a": [self.share * SHARE] * n})


def _load_pyfunc(path):
    return Model(json.loads(Path(path).read_text())["share"])
'''


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url):
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=1) as reply:
            return reply.status == 200
    except OSError:
        return False


@contextlib.contextmanager
def mlflow_server(folder, eventually):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = ["server", "--host=127.0.0.1", f"--port={port}", "--workers=1"]
    command += [
        f"--backend-store-uri=sqlite:///{folder}/server.sqlite",
        f"--artifacts-destination={folder}/served",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *command],
        env={
            **environment(),
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=folder,
    )
    try:
        assert eventually(lambda: answers(url), 60)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A database made once, as making it takes two seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    MlflowTracking(f"sqlite:///{folder}/mlflow.sqlite", artifact_root=str(folder / "files")).warm()
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory, eventually):
    folder = tmp_path_factory.mktemp("server")
    with mlflow_server(folder, eventually) as url:
        yield url, folder


@pytest.fixture(params=["file", "server"])
def place(request, made, tmp_path, monkeypatch):
    """A tracking and the folder below which its files stand."""
    monkeypatch.chdir(tmp_path)
    if request.param == "file":
        yield MlflowTracking(f"sqlite:///{made}/mlflow.sqlite", artifact_root=str(made / "files")), made
    else:
        url, folder = request.getfixturevalue("served")
        yield MlflowTracking(url), folder
    assert not any((tmp_path / name).exists() for name in ("mlflow.db", "mlruns", "mlartifacts"))


@pytest.fixture
def tracking(place):
    return place[0]


@pytest.fixture
def client(tracking):
    tracking.warm()
    return tracking._client


@pytest.fixture
def model(tmp_path):
    package = tmp_path / "tracked_package"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "deep" / "__init__.py").write_text("")
    (package / "deep" / "loader.py").write_text(LOADER)
    (package / "words.py").write_text("SHARE = 0.5\n")
    (package / "secret.py").write_text("")
    (tmp_path / "model.bin").write_text(json.dumps({"share": 0.5, "padding": "x" * 5_000_000}))
    (tmp_path / "roc.png").write_bytes(b"\x89PNG")
    return TrackedModel(
        owner="ann@x",
        name="wine-quality",
        file=tmp_path / "model.bin",
        loader_module="tracked_package.deep.loader",
        package=package,
        parts=["deep", "words.py"],
        requirements=["pandas"],
        inputs=[
            TrackedColumn(name="é", type="double"),
            TrackedColumn(name="b", type="string", required=False),
        ],
        outputs=[
            TrackedColumn(name="prediction", type="string"),
            TrackedColumn(name="probability_a", type="double"),
        ],
        example=[{"é": 1.5, "b": "x"}, {"é": 2.5, "b": None}],
        leaderboard=[{"name": "LightGBM", "score": math.nan}],
        plots=[tmp_path / "roc.png"],
        tags={"task": "classification"},
    )


DATA = TrackedData(name="wine.csv", digest="ab" * 32)


def begin(tracking):
    return tracking.begin(
        "wine / quality", "job 1", {"owner": "ann"}, {"seed": 0, "columns": ["é"]}, data=DATA
    )


def test_a_run_with_its_trials(tracking, client):
    run_id = begin(tracking)
    again = begin(tracking)
    trial = {"name": "LightGBM", "family": "boosting", "state": "done", "score": 0.25, "low": math.nan}
    child_id = tracking.log_trial(
        run_id, {**trial, "fit_seconds": 2.0, "params": {"depth": 3}}, metric="log_loss"
    )
    tracking.finish(run_id, "FINISHED", {"log_loss": 0.25, "high": math.inf, "low": None})
    run, child = client.get_run(run_id), client.get_run(child_id)
    assert run.info.status == "FINISHED"
    assert run.info.experiment_id == client.get_run(again).info.experiment_id
    assert run.data.params == {"seed": "0", "columns": '["\\u00e9"]'}
    assert run.data.metrics == {"log_loss": 0.25}
    assert run.data.tags["automl.data_digest"] == DATA.digest
    assert run.inputs.dataset_inputs[0].dataset.name == "wine.csv"
    assert child.data.tags["mlflow.parentRunId"] == run_id
    assert child.info.run_name == "LightGBM"
    assert child.data.metrics == {"log_loss": 0.25, "fit_seconds": 2.0}
    assert child.data.params == {"depth": "3"}
    assert child.info.end_time - child.info.start_time == pytest.approx(2000, abs=2)


def test_more_params_and_metrics_than_fit_one_request(tracking, client):
    params = {f"p{n}": "x" * 7000 if n == 0 else n for n in range(250)}
    run_id = tracking.begin("many", "job", {"a:b": "y" * 9000}, params)
    tracking.finish(run_id, "FAILED", {f"m:{n}": float(n) for n in range(250)})
    run = client.get_run(run_id)
    assert len(run.data.params) == 250
    assert len(run.data.metrics) == 250
    assert run.data.metrics["m_7"] == 7.0


def test_a_model_is_registered_with_all_that_belongs_to_it(tracking, client, model):
    run_id = begin(tracking)
    first, second = tracking.log_model(run_id, model), tracking.log_model(run_id, model)
    assert int(second.version) == int(first.version) + 1
    name = registered_name("ann@x", "wine-quality")
    version = client.get_model_version(name, first.version)
    assert version.run_id == run_id
    assert version.tags == {"task": "classification"}
    tracking.set_alias("ann@x", "wine-quality", "champion", first.version)
    assert str(client.get_model_version_by_alias(name, "champion").version) == first.version
    tracking.delete_alias("ann@x", "wine-quality", "champion")
    tracking.delete_alias("ann@x", "wine-quality", "champion")
    assert {file.path for file in client.list_artifacts(run_id)} == {"leaderboard.json", "plots"}
    tracking.erase("ann@x", [run_id], [("wine-quality", first.version), ("wine-quality", second.version)])
    assert client.search_registered_models(f"name='{name}'") == []


def test_what_is_erased_is_gone_with_its_files(place, client, model):
    tracking, folder = place
    run_id, other = begin(tracking), begin(tracking)
    child = tracking.log_trial(run_id, {"name": "t", "score": 1.0})
    version = tracking.log_model(run_id, model).version
    kept = tracking.log_model(other, model).version

    def files():
        return list(folder.rglob("model.bin"))

    assert len(files()) == 2
    for _ in range(2):
        tracking.erase("ann@x", [run_id, "0" * 32], [("wine-quality", version), ("no such", "1")])
    assert len(files()) == 1
    assert [p for p in folder.rglob(f"*{run_id}*") if any(p.rglob("*.json"))] == []
    runs = client.search_runs([client.get_run(other).info.experiment_id], "")
    assert {run.info.run_id for run in runs} & {run_id, child, other} == {other}
    name = registered_name("ann@x", "wine-quality")
    assert [str(v.version) for v in client.search_model_versions(f"name='{name}'")] == [kept]
    tracking.erase("ann@x", [other], [("wine-quality", kept)])


def test_a_model_is_loaded_elsewhere_with_its_own_code(tracking, client, model):
    run_id = begin(tracking)
    version = tracking.log_model(run_id, model).version
    code = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
print(model.predict(pd.DataFrame({"é": [1.0, 2.0], "b": ["x", None]})).to_json())
print(model.metadata.signature.inputs.input_names(), len(model.input_example), model.metadata.run_id)
import tracked_package
from pathlib import Path
print(sorted(p.name for p in Path(tracked_package.__file__).parent.iterdir() if p.suffix == ".py"))
"""
    name = registered_name("ann@x", "wine-quality")
    done = subprocess.run(
        [sys.executable, "-c", code, f"models:/{name}/{version}"],
        env={
            **environment(),
            "MLFLOW_TRACKING_URI": tracking._tracking_uri,
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stderr
    assert json.loads(lines[0]) == {
        "prediction": {"0": "a", "1": "a"},
        "probability_a": {"0": 0.25, "1": 0.25},
    }
    assert lines[1] == f"['é', 'b'] 2 {run_id}"
    assert lines[2] == "['__init__.py', 'words.py']"
    tracking.erase("ann@x", [run_id], [("wine-quality", version)])


@pytest.mark.alone
def test_a_model_of_five_megabytes_takes_less_than_a_second(made, model, capfd):
    tracking = MlflowTracking(f"sqlite:///{made}/mlflow.sqlite", artifact_root=str(made / "files"))
    run_id = begin(tracking)
    capfd.readouterr()
    seconds, versions = [], []
    for _ in range(3):
        begun = time.perf_counter()
        versions.append(tracking.log_model(run_id, model).version)
        seconds.append(time.perf_counter() - begun)
    tracking.finish(run_id, "FINISHED", {})
    assert min(seconds) < 1.0
    assert capfd.readouterr() == ("", "")
    tracking.erase("ann@x", [run_id], [("wine-quality", version) for version in versions])


def test_only_the_owner_can_read_it(made):
    assert stat.S_IMODE((made / "mlflow.sqlite").stat().st_mode) == 0o600
    assert stat.S_IMODE((made / "files").stat().st_mode) == 0o700


BEGINS = (
    "import sys; from automl_jupyter.backends.mlflow_tracking import MlflowTracking as M\n"
    "print(M(sys.argv[1], artifact_root=sys.argv[2]).begin('e', 'r', {}, {}))"
)


def beginning(folder):
    """A process that makes a database in a folder and begins a run."""
    arguments = (f"sqlite:///{folder}/m.sqlite", str(folder / "files"))
    command = [sys.executable, "-W", "ignore", "-c", BEGINS, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_workers_may_begin_at_the_same_moment(tmp_path):
    both = [beginning(tmp_path) for _ in range(2)]
    ids = [process.communicate(timeout=60)[0].strip() for process in both]
    assert [len(i) for i in ids] == [32, 32]


def test_half_a_database_of_a_worker_that_was_killed_is_made_anew(tmp_path, eventually):
    making = tmp_path / "m.sqlite.making"
    with beginning(tmp_path) as first:
        assert eventually(lambda: making.exists() and making.stat().st_size > 0, 60)
        first.kill()
    assert not (tmp_path / "m.sqlite").exists()
    second = beginning(tmp_path)
    assert len(second.communicate(timeout=60)[0].strip()) == 32
    assert not making.exists()


def test_a_server_that_is_down_is_told_soon():
    tracking = MlflowTracking(f"http://127.0.0.1:{free_port()}")
    begun = time.monotonic()
    with pytest.raises(errors.Unavailable) as caught:
        begin(tracking)
    assert caught.value.code == "backends.tracking_unavailable"
    assert time.monotonic() - begun < 20


def test_code_that_is_not_there_is_told(made, model, tmp_path):
    tracking = MlflowTracking(f"sqlite:///{made}/mlflow.sqlite", artifact_root=str(made / "files"))
    (tmp_path / "tracked_package" / "words.py").unlink()
    with pytest.raises(errors.Unavailable) as caught:
        tracking.log_model(begin(tracking), model)
    assert caught.value.code == "backends.model_code_missing"
