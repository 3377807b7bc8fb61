"""Findings in a shell: what was found, and the command that acts on it."""

from __future__ import annotations

import json
import random
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


@pytest.fixture
def leaking(tmp_path: Path) -> Path:
    """Buyers with a column of after the fact, and incomes of -999."""
    dice = random.Random(0)
    lines = ["age,net income,called back,bought"]
    for _ in range(500):
        age, income = dice.randint(18, 80), dice.gauss(300, 80)
        bought = age / 20 + income / 150 + dice.gauss(0, 1) > 4.4
        shown = "-999" if dice.random() < 0.1 else f"{income:.2f}"
        lines.append(f"{age},{shown},{'x' if bought else ''},{'yes' if bought else 'no'}")
    file = tmp_path / "leaking.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def test_findings_are_told_with_the_command_that_acts_on_them(run: Run, leaking: Path) -> None:
    asked = run("findings", leaking, "--target", "bought")
    assert asked.returncode == 0, asked.stderr
    for word in ("serious", "called back", "--exclude 'called back'", "--missing 'net income=-999'"):
        assert word in asked.stdout
    command = next(line for line in asked.stderr.splitlines() if "jupyter automl train" in line)
    arguments = shlex.split(command[command.index("jupyter automl train") :])[2:]
    # What is told runs as it stands.
    started = run(*arguments, "--time", "60", "--name", "told-leaks", "--detach", "--json")
    assert started.returncode == 0, started.stderr
    job = json.loads(started.stdout)
    assert job["options"] == {"missing_values": {"net income": ["-999"]}}
    assert run("jobs", job["id"], "--cancel").returncode == 0


def test_findings_for_scripts_are_one_document(run: Run, leaking: Path) -> None:
    asked = run("findings", leaking, "--target", "bought", "--json")
    found = json.loads(asked.stdout)
    assert found["items"][0]["action"] == {"columns": ["age", "net income"]}


def test_a_column_that_is_not_there_cannot_be_left_out(run: Run, leaking: Path) -> None:
    asked = run("train", leaking, "--target", "bought", "--exclude", "caled back")
    assert asked.returncode == 2
    assert "caled back" in asked.stderr
    assert "called back" in asked.stderr
    wrong = run("train", leaking, "--missing", "net income")
    assert wrong.returncode == 2
    assert "COLUMN=VALUE" in wrong.stderr
