"""The application against the rest of the package: the contract, the version, what is copied."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from automl_jupyter import __version__, messages
from automl_jupyter.notebook.panel import snippets
from automl_jupyter.schemas import Dataset

SOURCE = Path(__file__).parents[2] / "labextension"


def made_of_the_contract() -> str:
    place = SOURCE / "scripts" / "contract.py"
    spec = importlib.util.spec_from_file_location("contract", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.contract()


def test_the_application_is_compiled_against_todays_contract() -> None:
    written = (SOURCE / "src" / "core" / "contract.ts").read_text(encoding="utf-8")
    assert written == made_of_the_contract(), "run `python labextension/scripts/contract.py`"


def test_both_halves_have_one_version() -> None:
    assert json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))["version"] == __version__


def test_the_settings_say_what_the_catalogue_says() -> None:
    """JupyterLab shows the schema itself to whoever looks before the extension has loaded."""
    schema = json.loads((SOURCE / "schema" / "plugin.json").read_text(encoding="utf-8"))
    assert schema["description"] == messages.render("app.lab.settings")
    for name, told in schema["properties"].items():
        assert told["title"] == messages.render(f"app.lab.{name}")
        assert told["description"] == messages.render(f"app.lab.{name}_about")


DATASET: dict[str, Any] = {
    "id": "abc",
    "name": "odd",
    "created": "2026-01-01T00:00:00Z",
    "bytes": 1,
    "rows": 1,
    "dialect": {},
    "warnings": [],
    "columns": [
        {"name": name, "type": "number", "role": role, "missing": 0, "distinct": 1, "examples": []}
        for name, role in (
            ("id", "id"),
            ("{hour} $hour", "numeric"),
            ("it's", "category"),
            ("late", "boolean"),
        )
    ],
}
REQUESTS: list[dict[str, Any]] = [
    {"time_budget": 60},
    {"target": "late", "time_budget": 90, "metric": "r2", "name": "m", "seed": 3},
    {"target": "{hour} $hour", "columns": ["it's"], "groups": "it's", "max_trials": 2},
    {"target": "late", "drop_duplicates": True, "missing_values": {"it's": ["?", -999]}, "time_column": "id"},
]
ROW: dict[str, Any] = {"a": "été\n", "it's": 'x "y", z', "b": None, "c": 1.5, "d": -3}


@pytest.mark.skipif(
    shutil.which("node") is None or not (SOURCE / "node_modules").is_dir(), reason="the front end's tools"
)
def test_what_is_copied_is_what_the_panel_copies_and_its_tests_run() -> None:
    dataset = Dataset.model_validate(DATASET)
    calls: list[tuple[str, list[Any], dict[str, str]]] = [
        ("upload", ["my flights.csv"], snippets.upload("my flights.csv", is_variable=False)),
        *(("train", [DATASET, request], snippets.train(dataset, request)) for request in REQUESTS),
        *(("job", ["j1", verb], snippets.job("j1", verb)) for verb in ("stop", "cancel", "resume")),
        ("promote", ["m", 2], snippets.promote("m", 2)),
        ("explain", ["m", 2], snippets.explain("m", 2)),
        ("explainRow", ["m", 2, ROW], snippets.explain_row("m", 2, ROW)),
        ("charts", ["m", 2], snippets.charts("m", 2, None)),
        ("compare", ["m", 1, 2], snippets.compare("m", 1, 2)),
        ("predictRow", ["m", 2, "abc", ROW], snippets.predict_row("m", 2, "abc", ROW)),
        (
            "predictFile",
            ["m", 2, "abc", "in it.csv", "out.csv"],
            snippets.predict_file("m", 2, "abc", "in it.csv", "out.csv"),
        ),
    ]
    asked = json.dumps([(name, given) for name, given, _ in calls])
    done = subprocess.run(
        ["node", str(SOURCE / "scripts" / "snippets.mjs")],
        input=asked,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert json.loads(done.stdout) == [expected for _, _, expected in calls]
