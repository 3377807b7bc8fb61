"""A model is written into a file for use elsewhere."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


def test_a_model_is_written_as_a_notebook(run: Run, model: str, tmp_path: Path) -> None:
    file = tmp_path / "made.zip"
    done = run("export", model, "--format", "notebook", "-o", str(file))
    assert done.returncode == 0, done.stderr
    assert str(file) in done.stderr
    with zipfile.ZipFile(file) as made:
        assert {Path(name).suffix for name in made.namelist()} == {".ipynb", ".parquet"}
    refused = run("export", model, "--format", "pickle", "-o", str(file))
    assert (refused.returncode, "notebook" in refused.stderr) == (1, True)
