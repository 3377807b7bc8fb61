"""Trials of an earlier attempt: what is what it was is used, what was changed is left out."""

from __future__ import annotations

import os
import pickle
import random
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from automl_jupyter.backends.child import Limits, run_child
from automl_jupyter.backends.storage import open_storage
from automl_jupyter.data.read import convert
from automl_jupyter.services.searching import stored_trials

pytestmark = pytest.mark.slow


class Harmful:
    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@dataclass
class Heard:
    """What a search told."""

    trials: list[str] = field(default_factory=list)
    board: dict[str, dict[str, object]] = field(default_factory=dict)

    def line(self, line):
        if line["kind"] == "trial":
            self.trials.append(line["trial"]["name"])
        elif line["kind"] == "model":
            self.board = {trial["name"]: trial for trial in line["leaderboard"]}
        elif line["kind"] == "error":
            raise AssertionError(line)


@pytest.fixture(name="payload")
def job_payload(tmp_path):
    """A job on a small table in a storage."""
    dice = random.Random(0)
    rows = [(dice.random(), dice.choice("ab")) for _ in range(120)]
    lines = [f"{size:.4f},{kind},{size + (kind == 'a') + dice.gauss(0, 0.1):.3f}" for size, kind in rows]
    (tmp_path / "x.csv").write_text("size,kind,value\n" + "\n".join(lines))
    convert(tmp_path / "x.csv", tmp_path / "x.parquet")
    storage = open_storage((tmp_path / "files").as_uri())
    storage.put_file(tmp_path / "x.parquet", "datasets/d/table.parquet")
    return {
        "storage_url": storage.url,
        "table_key": "datasets/d/table.parquet",
        "table_digest": storage.digest("datasets/d/table.parquet"),
        "dataset_name": "x",
        "job_key": "jobs/j",
        "trials_key": "jobs/j/trials",
        "model_key": "models/j/model.bin",
        "features": ["size", "kind"],
        "kinds": {"kind": "category"},
        "target": "value",
        "task": "regression",
        "metric": "neg_root_mean_squared_error",
        "seed": 0,
        "threads": 1,
        "planned_budget": 60.0,
        "options": {"max_trials": 3},
    }


def search(payload) -> Heard:
    heard = Heard()
    deadline = time.monotonic() + 60
    outcome = run_child(
        "automl_jupyter.services.search_process",
        {**payload, "deadline": deadline},
        on_line=heard.line,
        poll=lambda: None,
        limits=Limits(deadline + 30, 5),
    )
    assert outcome.exit == "ended", outcome
    return heard


def test_a_changed_trial_is_done_again_and_the_others_are_not(payload, tmp_path):
    first = search(payload)
    files = sorted((tmp_path / "files" / "jobs" / "j" / "trials").glob("*.trial"))
    assert len(files) == len(first.trials) > 2
    flipped, replaced, harm = files[1], files[2], tmp_path / "harm"
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(content)
    # Somebody who can write files can also give one the name that its content asks for.
    harmful = pickle.dumps(Harmful(harm))
    replaced.unlink()
    replaced.with_name(f"0003-{sha256(harmful).hexdigest()}.trial").write_bytes(harmful)
    storage = open_storage(payload["storage_url"])
    known = [kept.finished.trial.name for kept in stored_trials(storage, payload["trials_key"])]
    assert known == [name for place, name in enumerate(first.trials) if place not in (1, 2)]
    second = search(payload)
    assert not harm.exists()
    assert second.board.keys() == first.board.keys()
    again = {
        name
        for name, trial in second.board.items()
        if trial["fit_seconds"] != first.board[name]["fit_seconds"] and name != "ensemble"
    }
    assert again == {first.trials[1], first.trials[2]}
