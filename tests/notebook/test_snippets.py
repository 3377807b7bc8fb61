"""What the panel copies runs: as a magic in a kernel, as Python in a process, as curl in a shell."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl_jupyter.cli import rereading
from automl_jupyter.client import Client
from automl_jupyter.engine import admission
from automl_jupyter.notebook.arguments import parser
from automl_jupyter.notebook.panel import snippets
from automl_jupyter.notebook.panel.train import METRICS
from automl_jupyter.schemas import FINAL_STATES, Dataset

Shell = Callable[[str], str]
ROW = {"hour": 22, "carrier": 'it\'s, "UA"'}


@pytest.fixture
def shell(connected: dict[str, str], tmp_path: Path) -> Shell:
    """Run something in a shell that knows where the server is."""
    place = {**connected, "JUPYTER_URL": connected["JUPYTER_SERVER_URL"].rstrip("/")}

    def run(*command: str) -> str:
        done = subprocess.run(
            command, check=False, cwd=tmp_path, env=place, capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    return lambda text: run("bash", "-euo", "pipefail", "-c", text)


@pytest.fixture
def python(connected: dict[str, str], tmp_path: Path) -> Shell:
    """Run a script, and return what its last line comes to."""

    def run(text: str) -> str:
        *lines, last = text.splitlines()
        name, sign, value = last.partition(" = ")
        shown = last if not sign or not name.isidentifier() else value
        script = "\n".join([*lines, f"print({shown})"])
        done = subprocess.run(
            [sys.executable, "-c", script],
            check=False,
            cwd=tmp_path,
            env=connected,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def dataset(client: Client, flights_csv: str) -> Dataset:
    odd = flights_csv.replace("hour,carrier", "hour,{hour} $hour", 1)
    return client.upload(odd.encode(), name="odd.csv")


@pytest.mark.slow
def test_a_file_is_taken_in(
    notebook: Any, shell: Shell, python: Shell, flights_csv: str, tmp_path: Path
) -> None:
    file = tmp_path / "my flights.csv"
    file.write_text(flights_csv, encoding="utf-8")
    made = snippets.upload(str(file), is_variable=False)
    cell = notebook.run(f"{made['magic']}\nprint(dataset.rows)")
    assert cell.printed == "400\n", cell.error
    assert "rows=400" in python(made["Python"])
    assert json.loads(shell(made["curl"]))["rows"] == 400
    held = snippets.upload("flights", is_variable=True)
    assert notebook.run(f"{held['magic']}\nprint(dataset.rows)").printed == "400\n"
    assert notebook.run(f"{held['Python']}\nprint(dataset.rows)").printed == "400\n"


def test_a_table_is_read_again_as_it_was_decided(
    notebook: Any, shell: Shell, python: Shell, dataset: Dataset
) -> None:
    words = ["--type", "hour=string", "--column-missing", "{hour} $hour=UA"]
    arguments = parser("reread", "en").parse_args([dataset.id, *words])
    made = snippets.reread(dataset.id, words, rereading.decisions(arguments))
    cell = notebook.run(f"{made['magic']}\nprint(dataset.columns[0].type, dataset.columns[1].missing > 0)")
    assert cell.printed == "string True\n", cell.error
    assert "type='string'" in python(made["Python"])
    read = json.loads(shell(made["curl"]))
    assert (read["columns"][0]["type"], read["parent"]) == ("string", dataset.id)
    assert read["columns"][1]["missing"] > 0


@pytest.mark.slow
def test_a_training_starts_as_it_was_asked_for(
    notebook: Any, shell: Shell, python: Shell, client: Client, dataset: Dataset
) -> None:
    request = {
        "target": "late",
        "time_budget": 60,
        "max_trials": 1,
        "columns": ["hour"],
        "drop_duplicates": True,
        "missing_values": {"hour": [-1]},
        "name": "copied",
        "seed": 3,
    }
    made = snippets.train(dataset, request)
    assert notebook.run(f"{made['magic']}\nprint(job.state)").printed.endswith("done\n")
    assert "state='done'" in python(made["Python"])
    begun = json.loads(shell(made["curl"]))
    # On a command line every value is text; -1 and "-1" mean the same to the server.
    asked = [job.options for job in client.jobs(limit=3).items]
    assert [str(options).replace("'-1'", "-1") for options in asked] == [str(begun["options"])] * 3
    assert [column.name for column in client.model("copied").versions[0].columns] == ["hour"]
    ended = json.loads(shell(snippets.job(begun["id"], "cancel")["curl"]))
    assert ended["id"] == begun["id"]
    assert client.wait(begun["id"], timeout=60).state in FINAL_STATES


@pytest.mark.slow
def test_predictions_are_the_same_everywhere(
    notebook: Any, shell: Shell, python: Shell, client: Client, model: str, tmp_path: Path, flights_csv: str
) -> None:
    version = client.model(model).versions[-1]
    made = snippets.predict_row(model, version.version, version.dataset_id, ROW)
    cell = notebook.run(made["magic"])
    assert cell.status == "ok", cell.error
    value = json.loads(shell(made["curl"]))["predictions"][0]["value"]
    assert f"value='{value}'" in python(made["Python"])
    assert notebook.run("print(_.predictions[0].value)").printed == f"{value}\n"
    (tmp_path / "rows.csv").write_text(flights_csv, encoding="utf-8")
    answers = []
    for kind, run in (("Python", python), ("curl", shell)):
        output = f"{kind}.csv"
        run(snippets.predict_file(model, version.version, version.dataset_id, "rows.csv", output)[kind])
        lines = (tmp_path / output).read_text("utf-8").splitlines()
        answers.append([line.split(",")[0] for line in lines])
    assert answers[0] == answers[1]
    explained = snippets.explain_row(model, version.version, ROW)
    assert notebook.run(explained["magic"]).status == "ok"
    (row,) = json.loads(shell(explained["curl"]))["rows"]
    assert f"value='{row['value']}'" in python(explained["Python"])
    learnt = snippets.explain(model, version.version)
    assert notebook.run(learnt["magic"]).status == "ok"
    metric = json.loads(shell(learnt["curl"]))["importance"]["metric"]
    assert f"metric='{metric}'" in python(learnt["Python"])
    drawn = snippets.charts(model, version.version, "roc")
    assert notebook.run(drawn["magic"]).status == "ok"
    assert [chart["name"] for chart in json.loads(shell(drawn["curl"]))["items"]] == ["roc"]
    assert "name='roc'" in python(drawn["Python"])
    promoted = snippets.promote(model, version.version)
    assert notebook.run(promoted["magic"]).status == "ok"
    assert json.loads(shell(promoted["curl"]))["champion"] == version.version


@pytest.mark.slow
def test_two_versions_are_compared_everywhere(
    notebook: Any, shell: Shell, python: Shell, client: Client, flights_csv: str
) -> None:
    table = client.upload(flights_csv.encode(), name="twice.csv")
    for seed in (1, 2):
        job = client.train(table, "late", time_budget=100, max_trials=1, seed=seed, name="twice")
        assert client.wait(job, timeout=100).model is not None
    made = snippets.compare("twice", 1, 2)

    cell = notebook.run(made["magic"])

    assert cell.status == "ok", cell.error
    message = client.compare("twice", 1, 2).message
    assert "<caption>Two versions of twice on the same rows</caption>" in cell.html
    assert message in cell.html
    assert message in re.sub(r"\s+", " ", cell.text)
    assert notebook.run("print(_.to_frame().version.tolist())").printed == "[1, 2]\n"
    assert json.loads(shell(made["curl"]))["message"] == message
    assert message in python(made["Python"])


def test_the_metrics_that_are_proposed_are_those_that_there_are() -> None:
    assert set(METRICS) == {name for task in admission.TASKS for name in admission.METRICS[task]}
