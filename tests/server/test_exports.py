"""Models as files for use elsewhere, over REST."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zipfile

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


def test_what_is_not_known_is_refused(alice, world):
    answer = alice.get(f"/automl/api/models/{world.model}/export/", params={"format": "pickle"})
    assert (answer.status_code, answer.json()["code"]) == (400, "server.not_one_of")
    assert there(alice, "nobody").status_code == 404
