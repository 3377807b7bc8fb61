"""Intervals of a small fit are counted, and what is in a file is reported."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.quality import coverage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a table of a quantity, and one of classes that is passed over."""
    dice = np.random.default_rng(0)
    x = dice.normal(size=900)
    pd.DataFrame({"x": x, "y": 2 * x + dice.normal(0, 1, 900)}).to_csv(tmp_path / "line.csv", index=False)
    pd.DataFrame({"x": x, "y": x > 0}).to_csv(tmp_path / "sign.csv", index=False)
    lines = "name,file,target,task\nline,line.csv,y,regression\nsign,sign.csv,y,binary\n"
    (tmp_path / "manifest.csv").write_text(lines)
    return tmp_path


def test_what_is_stated_is_inside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "coverage.csv"
    asked = ["--tables", str(folder), "--out", str(out), "--budget", "30", "--trials", "1", "--threads", "1"]
    coverage.main(asked)
    with out.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["dataset"], row["n_train"], row["n_test"]) == ("line", "675", "225")
    for stated in coverage.STATED:
        assert float(row[f"inside_{stated:g}"]) == pytest.approx(stated, abs=0.12)
    # A noise of 1 beside a slope of 2: the model tells where in half of the range the quantity is.
    assert 0.3 < float(row["width"]) < 0.7
    assert "Stated 90 %" in capsys.readouterr().out
    # What is in the file is not measured again.
    coverage.main(asked)
    assert len(out.read_text().splitlines()) == 2
