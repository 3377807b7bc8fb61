"""What becomes of a finding's proposal, and of a request that asks for more than a target."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automl_jupyter.backends.records import DatasetRecord
from automl_jupyter.engine import AutoMLClusterer
from automl_jupyter.errors import Unprocessable
from automl_jupyter.schemas import TrainRequest
from automl_jupyter.services import plans
from automl_jupyter.services.datasets import train_action
from automl_jupyter.services.searching import make_estimator
from automl_jupyter.services.settings import local_settings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

COLUMNS = [
    ("row", "integer", "id", 100),
    ("customer", "string", "category", 30),
    ("day", "datetime", "datetime", 90),
    ("amount", "number", "numeric", 80),
    ("count", "string", "category", 40),
    ("void", "string", "empty", 0),
    ("late", "boolean", "boolean", 2),
]


@pytest.fixture
def dataset() -> DatasetRecord:
    columns = [
        {"name": name, "type": type_, "role": role, "missing": 0, "distinct": distinct, "examples": []}
        for name, type_, role, distinct in COLUMNS
    ]
    return DatasetRecord(
        id="d",
        owner="alice",
        name="orders",
        filename="orders.csv",
        bytes=1,
        rows=100,
        created=datetime.now(UTC),
        digest="0",
        table_digest="0",
        state="ready",
        columns=columns,
        dialect={},
        warnings=[],
        parent=None,
    )


@pytest.mark.parametrize(
    ("proposed", "fields"),
    [
        ({"exclude": ["amount"]}, {"columns": ["customer", "day", "count"]}),
        ({"exclude": ["row"]}, {"columns": ["customer", "day", "amount", "count"]}),
        ({"groups": "customer"}, {"groups": "customer"}),
        ({"time_column": "day"}, {"time_column": "day"}),
        ({"drop_duplicates": True}, {"drop_duplicates": True}),
        (
            {"exclude": ["day"], "drop_duplicates": True},
            {"columns": ["customer", "amount", "count"], "drop_duplicates": True},
        ),
        ({"missing_values": {"amount": ["-999"]}}, {"missing_values": {"amount": ["-999"]}}),
        (
            {"column_types": {"count": "number"}, "missing_values": {"count": ["many"]}},
            {"missing_values": {"count": ["many"]}},
        ),
        ({"column_types": {"count": "number"}}, None),
        ({"exclude": ["customer", "day", "amount", "count"]}, None),
        (None, None),
    ],
)
def test_a_proposal_becomes_fields_of_a_request(
    dataset: DatasetRecord, proposed: dict[str, object] | None, fields: dict[str, object] | None
) -> None:
    assert train_action({"action": proposed}, dataset, "late") == fields
    if fields is not None:
        request = TrainRequest.model_validate({"target": "late", **fields})
        assert plans.admission_of(dataset, request).task == "binary"


@pytest.mark.parametrize(
    "asked",
    [
        {"groups": "customer", "drop_duplicates": True, "missing_values": {"amount": [-999, "n/a"]}},
        {"time_column": "day", "seed": 7, "metric": "roc_auc", "name": "mine"},
        {"columns": ["amount", "customer"]},
        {"max_trials": 4, "max_predict_ms": 2.5},
    ],
)
def test_a_job_that_is_taken_up_again_asks_for_the_same(
    dataset: DatasetRecord, asked: dict[str, object], tmp_path: Path
) -> None:
    """What the database keeps of a job, as JSON, is all that was asked for."""
    settings = local_settings(tmp_path)
    request = TrainRequest.model_validate({"target": "late", **asked})
    first = plans.admission_of(dataset, request)
    job = plans.new_job(dataset, request, first, settings, "server")
    kept = replace(job, options=json.loads(json.dumps(job.options)), columns=list(job.columns or []))
    again = plans.request_of(kept)
    assert plans.admission_of(dataset, again) == first
    assert plans.options_of(again) == plans.options_of(request)
    ended = replace(kept, state="interrupted", started=NOON, ended=NOON + timedelta(seconds=15))
    resumed = replace(ended, **plans.resumed(ended, None, settings, "other"))
    assert (resumed.attempt, resumed.spent, resumed.time_budget, resumed.server_id) == (2, 15, 60, "other")
    told = [plans.payload(one, dataset, first, threads=1) for one in (job, resumed)]
    changed = {name for name in told[0] if told[0][name] != told[1][name]}
    assert changed == {"attempt", "model_key", "tags", "time_budget"}
    assert (told[1]["time_budget"], told[1]["planned_budget"]) == (45, 60)
    late = replace(ended, ended=NOON + timedelta(seconds=58))
    assert plans.resumed(late, None, settings, "other")["time_budget"] == 58 + 10


@pytest.mark.parametrize("task", ["binary", "regression", "clustering"])
def test_the_estimator_is_told_what_it_knows_of(task: str) -> None:
    told = {"planned_budget": 60, "threads": 1, "seed": 3, "task": task, "metric": "auto"}
    for options in ({}, {"max_trials": 4, "max_predict_ms": 2.5}):
        model = make_estimator({**told, "options": options})
        assert model.max_trials == options.get("max_trials")
        if not isinstance(model, AutoMLClusterer):
            assert model.max_predict_ms == options.get("max_predict_ms")


def test_options_are_kept_under_the_names_of_the_request(dataset: DatasetRecord) -> None:
    asked = {"groups": "customer", "drop_duplicates": True, "missing_values": {"amount": [-999, "n/a"]}}
    request = TrainRequest.model_validate({"target": "late", **asked})
    assert plans.options_of(request) == asked
    assert plans.options_of(TrainRequest(target="late")) == {}
    assert "customer" not in plans.admission_of(dataset, request).features


def test_numbers_that_words_made_text_of_are_looked_at_again(dataset: DatasetRecord) -> None:
    features = ["customer", "amount", "count"]
    assert plans.kinds(dataset.columns, features) == {"customer": "category", "count": "category"}
    assert plans.kinds(dataset.columns, features, {"count": ["many"]}) == {"customer": "category"}


def test_what_makes_no_sense_is_refused_before_any_job(dataset: DatasetRecord) -> None:
    with pytest.raises(Unprocessable) as caught:
        plans.admission_of(dataset, TrainRequest(target="late", groups="custumer"))
    assert caught.value.errors[0].field == "groups"


def test_the_server_decides_without_tables() -> None:
    """Judging a request loads nothing that is slow to load."""
    code = "import sys, automl_jupyter.services.plans; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
