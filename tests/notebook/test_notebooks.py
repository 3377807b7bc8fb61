"""The notebooks of the project run from top to bottom; a training time written as 60 is shortened."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
SHORT = "5"


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs(
    path: Path, connected: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in connected.items():
        monkeypatch.setenv(name, value)
    command = tmp_path / "jupyter-automl"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m automl_jupyter.cli "$@"\n')
    command.chmod(0o755)
    folders = [str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(folders))
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        assert not cell.get("outputs"), "notebooks are kept without outputs"
        cell.source = re.sub(r"(time[ =_a-z]*)60\b", rf"\g<1>{SHORT}", cell.source)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = "\n".join(str(output) for cell in notebook.cells for output in cell.get("outputs", ()))
    assert "Traceback" not in shown


def test_there_is_one_for_each_surface_and_each_task() -> None:
    names = {path.stem for path in FOLDER.glob("*.ipynb")}
    assert {"quickstart", "magics", "panel", "python", "shell"} <= names
    assert {"binary", "multiclass", "regression", "clustering"} <= names
