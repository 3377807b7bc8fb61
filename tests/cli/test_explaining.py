"""A model is explained, in tables for people and as JSON for scripts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


def test_what_a_model_has_learnt_is_shown(run: Run, model: str) -> None:
    shown = run("explain", model)
    assert shown.returncode == 0, shown.stderr
    assert "█" in shown.stdout
    found = json.loads(run("explain", model, "--json").stdout)
    assert all(column in shown.stdout for column in found["importance"]["groups"][0]["columns"])
    assert all(note["message"] in shown.stdout for note in found["notes"])


def test_one_row_is_explained_with_what_if(run: Run, model: str) -> None:
    found = json.loads(run("explain", model, "--json").stdout)
    column = found["importance"]["groups"][0]["columns"][0]
    value = next(c for c in found["dependences"] if c["column"] == column)["values"][0]
    asked = ("explain", model, "--row", f"{column}={value}", "--what-if", column)
    shown = run(*asked)
    assert shown.returncode == 0, shown.stderr
    assert column in shown.stdout
    (row,) = json.loads(run(*asked, "--json").stdout)["rows"]
    adds = sum(c["adds"][0] for c in row["contributions"])
    assert row["base"][0] + adds == pytest.approx(row["said"][0], abs=1e-5)
    assert row["what_if"][0]["column"] == column
    sampled = any(c["errors"][0] for c in row["contributions"])
    assert ("±" in shown.stdout) == sampled
    told = "Estimated from samples" if sampled else "These figures are exact."
    assert told in " ".join(shown.stdout.split())


def test_a_version_is_compared(run: Run, model: str) -> None:
    name = model.partition(":")[0]
    shown = run("compare", name, "1", "1")
    assert shown.returncode == 0, shown.stderr
    assert "cannot be told apart" in shown.stdout
    assert run("compare", name, "1", "77").returncode == 1
    assert run("explain", model, "--row", "nonsense").returncode == 2
