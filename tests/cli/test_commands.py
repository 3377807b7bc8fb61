"""The commands against a real server, as a person and as a script use them."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from automl_jupyter.client import Client

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


def test_the_user_is_shown_with_the_servers_limits(run: Run, connected: dict[str, str]) -> None:
    asked = run("user")
    assert asked.returncode == 0, asked.stderr
    assert connected["JUPYTER_SERVER_URL"] in asked.stdout


@pytest.mark.parametrize("command", ["user", "models", "jobs", "datasets"])
def test_json_is_one_document_and_nothing_else(run: Run, command: str) -> None:
    asked = run(command, "--json")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert isinstance(json.loads(asked.stdout), dict)
    assert json.loads(run("--json", command).stdout).keys() == json.loads(asked.stdout).keys()


def test_a_file_is_uploaded_and_shown(run: Run, flights: Path) -> None:
    asked = run("upload", flights)
    assert asked.returncode == 0, asked.stderr
    for word in ("flights", "400 rows", "hour", "carrier", "late"):
        assert word in asked.stdout
    named = json.loads(run("upload", flights, "--name", "other.csv", "--json").stdout)
    assert named["name"] == "other"
    assert named["id"] in run("datasets").stdout
    assert "carrier" in run("datasets", named["id"]).stdout


@pytest.mark.usefixtures("stopped_when_ready")
def test_a_file_is_read_again(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "shops.csv"
    file.write_text("zip;price;since\n1000;1,234;01/02/2024\n2000;2,345;03/04/2024\n")
    first = json.loads(run("upload", str(file), "--json").stdout)
    given = ["--delimiter", ";", "--decimal", ",", "--type", "zip=string", "--column-first", "since=month"]
    asked = run("reread", first["id"], *given, "--json")
    assert asked.returncode == 0, asked.stderr
    body = json.loads(asked.stdout)
    assert body["parent"] == first["id"]
    assert body["dialect"]["overrides"] == {
        "separator": ";",
        "decimal": ",",
        "column_types": {"zip": "string"},
        "columns": {"since": {"day_first": False}},
    }
    shown = run("reread", body["id"], "--delimiter", "auto", "--header", "none", "--missing", "1000,none")
    assert shown.returncode == 0, shown.stderr
    assert "column_1" in shown.stdout
    refused = run("reread", body["id"], "--type", "zap=string")
    assert (refused.returncode, "zip" in refused.stderr) == (1, True)


def test_training_is_told_line_by_line_where_there_is_no_terminal(run: Run, flights: Path) -> None:
    few = ("--time", "300", "--max-trials", "3")
    asked = run("train", flights, "--target", "late", *few, "--name", "from-the-shell")
    assert asked.returncode == 0, asked.stderr
    assert re.search(r"^\d:\d\d +0\.\d+ +baseline$", asked.stderr, re.MULTILINE), asked.stderr
    assert "baseline" in asked.stdout
    assert "from-the-shell:1" in asked.stdout
    assert "\x1b" not in asked.stdout + asked.stderr


@pytest.mark.usefixtures("stopped_when_ready")
def test_training_for_a_script_ends_with_the_job(run: Run, flights: Path) -> None:
    asked = run("train", flights, "--target", "late", "--time", "100s", "--columns", "hour", "--json")
    assert asked.returncode == 0, asked.stderr
    job = json.loads(asked.stdout)
    assert (job["state"], job["target"], job["time_budget"]) == ("stopped", "late", 100)
    shown = run("jobs", job["id"])
    assert "baseline" in shown.stdout
    assert job["id"] in run("jobs").stdout


def test_a_detached_training_can_be_watched_again_and_stopped(run: Run, flights: Path) -> None:
    started = run("train", flights, "--target", "late", "--time", "200", "--detach", "--json")
    job = json.loads(started.stdout)["id"]
    assert f"jobs {job} --watch" in started.stderr
    until = time.monotonic() + 60
    while not json.loads(run("jobs", job, "--json").stdout)["leaderboard"] and time.monotonic() < until:
        pass
    assert run("jobs", job, "--stop").returncode == 0
    watched = run("jobs", job, "--watch")
    assert watched.returncode == 0, watched.stderr
    assert "stopped, best kept" in watched.stdout


def test_a_cancelled_training_ends_with_1(run: Run, flights: Path) -> None:
    job = json.loads(run("train", flights, "--target", "late", "--time", "200", "--detach", "--json").stdout)[
        "id"
    ]
    assert run("jobs", job, "--cancel").returncode == 0
    assert run("jobs", job, "--watch").returncode == 1


def test_ctrl_c_leaves_the_training_running_and_says_how_to_return(
    connected: dict[str, str], flights: Path
) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "automl_jupyter.cli",
            "train",
            str(flights),
            "--target",
            "late",
            "--time",
            "200",
        ],
        env=connected,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stderr is not None
    while "running" not in (line := process.stderr.readline()) and line:
        pass
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    job = told.partition("jobs ")[2].split()[0]
    with Client(connected["JUPYTER_SERVER_URL"], connected["JUPYTER_TOKEN"]) as client:
        assert client.job(job).state in ("queued", "running")
        client.cancel(job)
        client.wait(job, timeout=60)


@pytest.mark.usefixtures("stopped_when_ready")
def test_in_a_terminal_the_leaderboard_changes_in_place(connected: dict[str, str], flights: Path) -> None:
    near, far = pty.openpty()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "automl_jupyter.cli",
            "train",
            str(flights),
            "--target",
            "late",
            "--time",
            "6",
        ],
        env={**connected, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"},
        stdin=far,
        stdout=far,
        stderr=far,
    )
    os.close(far)
    shown = b""
    until = time.monotonic() + 90
    while time.monotonic() < until and (process.poll() is None or select.select([near], [], [], 0)[0]):
        if select.select([near], [], [], 0.2)[0]:
            try:
                shown += os.read(near, 65536)
            except OSError:
                break
    os.close(near)
    assert process.wait(10) == 0
    text = shown.decode("utf-8", "replace")
    assert "Ctrl-C leaves the training running" in text
    assert "\x1b[2K" in text
    assert "flights-late" in text


def test_a_file_is_predicted_to_a_file_to_a_pipe_and_as_json(run: Run, model: str, tmp_path: Path) -> None:
    source, target = tmp_path / "rows.csv", tmp_path / "out.csv"
    source.write_text("hour\n6\n22\n")
    written = run("predict", model, source, "-o", target)
    assert (written.returncode, written.stdout) == (0, ""), written.stderr
    piped = run("predict", model, source)
    for text in (target.read_text(), piped.stdout):
        assert [row["prediction"] for row in csv.DictReader(StringIO(text))] == ["no", "yes"]
    document = json.loads(run("predict", model, source, "--json").stdout)
    assert [prediction["value"] for prediction in document["predictions"]] == ["no", "yes"]


def test_a_few_candidates_are_tried_and_the_quick_model_answers(
    run: Run, flights: Path, tmp_path: Path
) -> None:
    given = [
        "--target",
        "late",
        "--time",
        "100",
        "--name",
        "few",
        "--max-trials",
        "4",
        "--max-ms",
        "0.000001",
    ]
    asked = run("train", flights, *given, "--json")
    assert asked.returncode == 0, asked.stderr
    job = json.loads(asked.stdout)
    assert (job["state"], job["options"]) == ("done", {"max_trials": 4, "max_predict_ms": 1e-6})
    assert "--max-trials 4 --max-ms 1e-06" in run("jobs", job["id"]).stdout
    source = tmp_path / "rows.csv"
    source.write_text("hour,carrier\n6,UA\n22,AA\n")
    shares = {}
    for options, model in (([], "fast"), (["--max-ms", "100000"], "ensemble")):
        document = json.loads(run("predict", "few", source, *options, "--json").stdout)
        assert document["answered_by"] == model
        shares[model] = [one["probabilities"]["yes"] for one in document["predictions"]]
        piped = csv.DictReader(StringIO(run("predict", "few", source, *options).stdout))
        assert [float(row["probability_yes"]) for row in piped] == pytest.approx(shares[model], abs=1e-6)
    assert shares["fast"] != shares["ensemble"]


def test_a_model_is_shown_and_put_into_service(run: Run, model: str) -> None:
    name, _, version = model.partition(":")
    assert name in run("models").stdout
    assert "in service" in run("models", name, "--promote", version).stdout
    assert json.loads(run("models", name, "--json").stdout)["champion"] == int(version)


def test_a_refusal_is_one_sentence_and_1(run: Run) -> None:
    for language in ("C", "fr_FR.UTF-8"):
        asked = run("models", "nothing-of-the-kind", LC_ALL=language, PYTHONIOENCODING="utf-8")
        assert (asked.returncode, asked.stdout) == (1, "")
        assert "nothing-of-the-kind" in asked.stderr
        assert "Traceback" not in asked.stderr


def test_an_action_without_its_object_is_wrong_usage(run: Run) -> None:
    assert run("jobs", "--stop").returncode == 2
    assert run("models", "--rollback").returncode == 2


def test_a_reader_that_has_enough_is_no_error(connected: dict[str, str]) -> None:
    asked = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m automl_jupyter.cli jobs --json | head -c 1"],
        check=False,
        env=connected,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (asked.returncode, asked.stderr) == (0, "")
