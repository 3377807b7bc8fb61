"""A model goes elsewhere: an environment made of nothing but what MLflow says that the model needs."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import math
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TASKS = {"flats-kind": "kind", "flats-price": "price", "flats": None}
HEADER = ("size", "rooms", "city", "lift", "built", "remark", "kind", "price")
WORDS = ("bright", "quiet", "old", "renewed", "central", "small", "garden", "view")

PREDICT = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas as pd
folders, rows, csv = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
models = {name: mlflow.pyfunc.load_model(folder) for name, folder in folders.items()}
frames = {"records": pd.DataFrame(rows), "csv": pd.read_csv(csv)}
answers = {
    how: {name: json.loads(model.predict(frame).to_json(orient="records", double_precision=15))
          for name, model in models.items()}
    for how, frame in frames.items()
}
import automl_jupyter
print(json.dumps({"answers": answers, "code": automl_jupyter.__file__, "path": sys.path}))
"""


def flats(rows: int) -> bytes:
    """A table with every kind of column, some of its cells missing."""
    dice = random.Random(0)
    lines = [",".join(HEADER)]
    for _ in range(rows):
        size, rooms, city = dice.uniform(20, 120), dice.randint(1, 5), dice.choice(("Paris", "Lyon", "Nice"))
        lift, year = dice.random() < 0.5, dice.randint(1950, 2020)
        price = 40 * size + 900 * (city == "Paris") + 200 * lift + dice.gauss(0, 100)
        kind = dice.choice(("house", "flat")) if dice.random() < 0.1 else ("house" if size > 70 else "flat")
        cells = [
            f"{size:.2f}",
            str(rooms),
            city,
            str(lift).lower(),
            f"{year}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}",
            " ".join(dice.choice(WORDS) for _ in range(9)),
        ]
        told = ["" if dice.random() < 0.05 else cell for cell in cells]
        lines.append(",".join([*told, kind, f"{price:.1f}"]))
    return "\n".join(lines).encode()


ROWS: list[dict[str, object]] = [
    {"size": 55.5, "rooms": 3, "city": "Lyon", "lift": True, "built": "1987-05-01", "remark": "quiet view"},
    {"size": 99, "rooms": None, "city": "Atlantis", "lift": False, "built": "2019-12-31", "remark": None},
    {"size": None, "rooms": 1, "city": None, "lift": None, "built": None, "remark": "never seen words"},
    {"size": 1e9, "rooms": 2, "city": "Nice", "lift": True, "built": "1850-01-01", "remark": "old, “bright”"},
]
"""As a person has them: whole numbers and others, missing cells, an unseen category, dates as written."""


@pytest.fixture(scope="module", name="made")
def models_made(server, verbs):
    """Three models of one table: their versions by name, and what the server answers."""
    with server.client("carol-token") as carol:
        dataset = verbs.upload(carol, flats(400), "flats.csv")
        for name, target in TASKS.items():
            verbs.model(carol, dataset, target=target, name=name)
        versions = {name: carol.get(f"/automl/api/models/{name}/").json()["versions"][0] for name in TASKS}
        answers = {}
        for name in TASKS:
            asked = carol.post(f"/automl/api/predict/{name}/", json={"rows": ROWS})
            answers[name] = asked.json()["predictions"]
    return versions, answers


@pytest.fixture(scope="module", name="folders")
def model_folders(server, made):
    """Where the files of each logged model are."""
    versions, _ = made
    places = {}
    for name, version in versions.items():
        model_id = version["mlflow_model_uri"].removeprefix("models:/")
        (places[name],) = (server.data_dir / "mlartifacts").glob(f"*/models/{model_id}/artifacts")
    return places


def installer(python: Path) -> list[str]:
    """The command that installs into an environment: uv's, where it is to be had, because it is faster."""
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    return [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]


def bare() -> dict[str, str]:
    """Our environment without what leads Python to our own code."""
    kept = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {k: v for k, v in os.environ.items() if k not in kept and not k.startswith("COVERAGE_")}


NO_INDEX = re.compile(
    r"dns error|connection refused|network is unreachable|name resolution|connecting to|timed out"
    r"|newconnectionerror|max retries",
    re.IGNORECASE,
)


@pytest.fixture(scope="module", name="python")
def fresh_python(folders, tmp_path_factory):
    """The interpreter of an environment that holds what the three models ask for."""
    folder = tmp_path_factory.mktemp("elsewhere")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    python = folder / "bin" / "python"
    asked = [argument for place in folders.values() for argument in ("-r", str(place / "requirements.txt"))]
    done = subprocess.run(
        [*installer(python), *asked],
        capture_output=True,
        text=True,
        env=bare(),
        cwd=folder,
        timeout=240,
        check=False,
    )
    if done.returncode and NO_INDEX.search(done.stderr):
        pytest.skip(f"no package index can be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return python


def test_each_requirement_names_one_release_and_none_is_ours(folders):
    lists = {(place / "requirements.txt").read_text(encoding="utf-8") for place in folders.values()}
    assert len(lists) == 1
    requirements = dict(line.split("==") for line in lists.pop().split())
    assert requirements.keys() == {"mlflow", "numpy", "scipy", "pandas", "scikit-learn", "lightgbm"}
    for name, version in requirements.items():
        assert version == importlib.metadata.version(name)
    for place in folders.values():
        conda = (place / "conda.yaml").read_text(encoding="utf-8")
        assert all(f"{name}=={version}" in conda for name, version in requirements.items())


@pytest.fixture(scope="module", name="elsewhere")
def predicted_elsewhere(python, folders, tmp_path_factory):
    """What plain MLflow answers there, for rows as records and as pandas reads them from a file."""
    folder = tmp_path_factory.mktemp("rows")
    pd.DataFrame(ROWS).to_csv(folder / "rows.csv", index=False)
    places = json.dumps({name: str(place) for name, place in folders.items()})
    done = subprocess.run(
        [str(python), "-I", "-c", PREDICT, places, json.dumps(ROWS), str(folder / "rows.csv")],
        capture_output=True,
        text=True,
        env={**bare(), "MLFLOW_DISABLE_TELEMETRY": "true"},
        cwd=folder,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_code_there_is_what_came_with_the_model(elsewhere, folders):
    assert any(Path(elsewhere["code"]).is_relative_to(place / "code") for place in folders.values())
    ours = Path(__file__).parents[2]
    assert not [place for place in elsewhere["path"] if place and Path(place) == ours]


@pytest.mark.parametrize("how", ["records", "csv"])
@pytest.mark.parametrize("name", list(TASKS))
def test_it_predicts_the_same(elsewhere, made, name, how):
    _, served = made
    answers = elsewhere["answers"][how][name]
    assert len(answers) == len(ROWS)
    for answer, prediction in zip(answers, served[name], strict=True):
        value = prediction["value"]
        if isinstance(value, float):
            assert math.isclose(answer["prediction"], value, rel_tol=1e-9)
        else:
            assert answer["prediction"] == value
        for label, share in (prediction["probabilities"] or {}).items():
            assert math.isclose(answer[f"probability_{label}"], share, abs_tol=1e-9)
