"""What stands in MLflow after a job: for people who know MLflow and have never heard of us."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")]

LOAD = """
import json, sys
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
rows = pd.DataFrame(json.loads(sys.argv[3]))
rows["since"] = pd.to_datetime(rows["since"])
print(model.predict(rows).to_json(orient="records"))
"""


@pytest.fixture(scope="module", name="client")
def mlflow_client(server, world):
    mlflow = pytest.importorskip("mlflow")
    return mlflow.MlflowClient(f"sqlite:///{server.data_dir / 'mlflow.sqlite'}")


@pytest.fixture(scope="module", name="run")
def job_run(client, server, world):
    with server.client("alice-token") as alice:
        return client.get_run(alice.get(f"/automl/api/jobs/{world.job}/").json()["mlflow_run_id"])


def test_the_job_is_a_run_with_its_parameters(run, world, client):
    assert run.info.status == "FINISHED"
    assert run.data.params["task"] == "binary"
    assert run.data.params["metric"] == "roc_auc"
    assert run.data.metrics["roc_auc"] > 0.8
    experiment = client.get_experiment(run.info.experiment_id)
    assert experiment.name == "alice/customers/bought"
    assert run.inputs.dataset_inputs[0].dataset.name == "customers"


def test_each_trial_is_a_run_below_it(run, client, server, world):
    below = client.search_runs(
        [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'", max_results=100
    )
    with server.client("alice-token") as alice:
        board = alice.get(f"/automl/api/jobs/{world.job}/").json()["leaderboard"]
    assert {r.info.run_name for r in below} == {trial["name"] for trial in board}
    best = next(r for r in below if r.info.run_name == board[0]["name"])
    assert best.data.metrics["roc_auc"] == pytest.approx(board[0]["score"], abs=0.02)
    assert "fit_seconds" in best.data.metrics


def test_leaderboard_and_plots_are_kept(run, client):
    files = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert {"leaderboard.json", "plots"} <= files
    plots = {item.path for item in client.list_artifacts(run.info.run_id, "plots")}
    assert plots == {"plots/confusion_matrix.png", "plots/roc.png"}


def test_the_version_is_registered_with_its_alias(client, world, wait_for):
    def champion():
        model = client.get_registered_model("alice.customers")
        return model.aliases.get("champion")

    assert str(wait_for(champion, 20)) == "1"


def test_people_are_told_where_to_find_it(client, alice, world):
    assert alice.get("/automl/api/user/").json()["mlflow_ui_url"] == "https://mlflow.example.org/ui/"
    version = alice.get(f"/automl/api/models/{world.model}/").json()["versions"][0]
    registered = client.get_model_version(version["mlflow_name"], version["mlflow_version"])
    assert registered.run_id == version["mlflow_run_id"]


def test_plain_mlflow_loads_it_and_predicts_the_same(server, world, alice):
    version = alice.get("/automl/api/models/customers/").json()["versions"][0]
    rows = [
        {"age": 70.0, "city": "Paris", "since": "2024-05-01"},
        {"age": 20.0, "city": "Lyon", "since": "2024-05-01"},
    ]
    uri = f"sqlite:///{server.data_dir / 'mlflow.sqlite'}"
    loaded = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD, uri, version["mlflow_model_uri"], json.dumps(rows)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
    answers = json.loads(loaded.stdout.splitlines()[-1])
    served = alice.post("/automl/api/predict/customers/", json={"rows": rows}).json()["predictions"]
    for answer, prediction in zip(answers, served, strict=True):
        assert answer["prediction"] == prediction["value"]
        assert answer["probability_yes"] == pytest.approx(prediction["probabilities"]["yes"], abs=1e-6)


def test_nothing_of_the_data_stands_there(server, world, run, client):
    example = client.list_artifacts(run.info.run_id)
    text = json.dumps([item.path for item in example])
    assert "original" not in text
    assert "table.parquet" not in text
