"""Models as files for use elsewhere, over REST."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow


def there(client, name, seconds=120, **params):
    """Ask until it is there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = client.get(f"/automl/api/models/{name}/export/", params=params)
        if answer.status_code != 202:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not there within {seconds} s")


def unpacked(answer, folder):
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(folder)
    return {path.suffix: path for path in folder.rglob("*.*") if path.is_file()}


def test_a_script_is_sent_that_proves_itself(alice, world, tmp_path):
    answer = there(alice, world.model, format="python")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    files = unpacked(answer, tmp_path)
    assert "automl_jupyter" not in files[".py"].read_text("utf-8")
    assert set(pd.read_parquet(files[".parquet"])) == {"age", "city", "since", "bought"}
    plain = [sys.executable, "-I", files[".py"]]
    done = subprocess.run(plain, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    score, board, _ = (float(figure) for figure in done.stdout.split())
    assert score == pytest.approx(board, abs=1e-6)


def test_the_notebook_is_in_the_readers_language(alice, world, tmp_path):
    answer = there(alice, world.model, language="fr")
    assert answer.status_code == 200, answer.text
    cells = json.loads(unpacked(answer, tmp_path)[".ipynb"].read_text("utf-8"))["cells"]
    assert "ligne du classement" in "".join(cells[0]["source"])


ROWS = [
    {"age": 70, "city": "Paris", "since": "2024-05-01"},
    {"age": 38, "city": "Nice", "since": None},
    {"age": None, "city": "Atlantis", "since": "2024-12-31"},
    {"age": 20, "city": None, "since": "2024-01-01"},
]


LOAD = """
import json, sys
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
print(model.predict(pd.DataFrame(json.loads(sys.argv[2]))).to_json(orient="records", double_precision=15))
import automl_jupyter
print(automl_jupyter.__file__)
"""


def test_mlflow_loads_the_folder_without_a_server(alice, world, tmp_path):
    answer = there(alice, world.model, format="mlflow")
    assert answer.status_code == 200, answer.text
    unpacked(answer, tmp_path)
    folder = tmp_path / "customers-1"
    assert "mlflow==" in (folder / "requirements.txt").read_text("utf-8")
    # Nothing in the environment says where an MLflow might be, and the code of the folder comes first.
    plain = [sys.executable, "-I", "-W", "ignore", "-c", LOAD, str(folder), json.dumps(ROWS)]
    done = subprocess.run(
        plain,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=tmp_path,
        env={"PATH": os.defpath, "MLFLOW_DISABLE_TELEMETRY": "true"},
    )
    assert done.returncode == 0, done.stderr
    answers, where = done.stdout.splitlines()[-2:]
    assert Path(where).is_relative_to(folder / "code")
    said = alice.post(f"/automl/api/predict/{world.model}/", json={"rows": ROWS}).json()["predictions"]
    for found, one in zip(json.loads(answers), said, strict=True):
        assert found["prediction"] == one["value"]
        assert found["probability_yes"] == pytest.approx(one["probabilities"]["yes"], abs=1e-6)
    assert {path.name for path in tmp_path.iterdir()} == {folder.name}


def test_what_is_not_known_is_refused(alice, world):
    answer = alice.get(f"/automl/api/models/{world.model}/export/", params={"format": "pickle"})
    assert (answer.status_code, answer.json()["code"]) == (400, "server.not_one_of")
    assert there(alice, "nobody").status_code == 404
