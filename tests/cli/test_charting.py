"""Charts are listed and written, and so is the card of a model."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from automl_jupyter.client import Client

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


def test_charts_are_listed_with_what_they_say(run: Run, model: str) -> None:
    shown = run("charts", model)
    assert shown.returncode == 0, shown.stderr
    found = json.loads(run("charts", model, "--json").stdout)
    assert {"roc", "leaderboard", "histogram"} <= {chart["name"] for chart in found}
    assert all(chart["name"] in shown.stdout for chart in found)
    roc = next(chart["sentence"] for chart in found if chart["name"] == "roc")
    assert roc.split()[-1] in shown.stdout


def test_charts_are_written_as_vega_lite_and_as_pictures(run: Run, model: str, tmp_path: Path) -> None:
    done = run("charts", model, "-o", "seen", "--theme", "dark")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    files = {file.name for file in (tmp_path / "seen").iterdir()}
    assert {"roc.vl.json", "roc.png", "histogram-hour.vl.json", "histogram-hour.png"} <= files
    spec = json.loads((tmp_path / "seen" / "roc.vl.json").read_text("utf-8"))
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/v5")
    assert (tmp_path / "seen" / "roc.png").read_bytes()[:4] == b"\x89PNG"
    assert f"{len(files) // 2} charts" in done.stderr


def test_a_row_and_a_data_set_are_drawn(run: Run, model: str, client: Client) -> None:
    (row,) = json.loads(run("charts", model, "--row", "hour=20", "--json").stdout)
    assert row["name"] == "contributions"
    assert row["table"]["rows"][0][0] == "hour = 20"
    dataset = client.model(model.partition(":")[0]).versions[0].dataset_id
    shown = run("charts", "--dataset", dataset, "--chart", "histogram")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("histogram") == 2
    assert run("charts", model, "--dataset", dataset).returncode == 2
    assert run("charts").returncode == 2


def test_the_card_is_written_in_the_language_that_is_asked_for(run: Run, model: str, tmp_path: Path) -> None:
    done = run("report", model, "-o", "card.md", "--language", "fr")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "card.md").read_text("utf-8").startswith("# Fiche du modèle")
    assert "card.md" in done.stderr
    assert run("report", model, "-o", "card.html", "--language", "de").returncode == 2
