"""What was told of more time, and what came of it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from automl_jupyter.engine.outlook import Point
from benchmarks.quality import outlook

CURVE = "1:0.4 2:0.35 4:0.31 8:0.28 16:0.26"


def row(budget: float, reported: float, error: float, curve: str = CURVE) -> dict[str, str]:
    told = {"budget": budget, "reported": reported, "error": error}
    return {
        "dataset": "a",
        "system": "ours",
        "seed": "0",
        "curve": curve,
        **{k: str(v) for k, v in told.items()},
    }


def test_a_curve_is_read_as_it_was_written() -> None:
    curve = [Point(1.25, 0.123456), Point(30.0, 0.1)]
    assert outlook.points(outlook.written(curve)) == curve


def test_a_run_is_set_beside_the_next_longer_one() -> None:
    rows = [row(60, 0.24, 0.25), row(20, 0.25, 0.26), row(300, 0.23, 0.24), row(20, 0.1, 0.1, curve="")]
    found = list(outlook.pairs(rows[:3], "ours"))
    assert [p.budgets for p in found] == [(20, 60), (60, 300)]
    assert found[0].reported == pytest.approx(4.0)
    assert found[1].judged == pytest.approx(4.0)
    assert 0 < found[0].low < found[0].told < found[0].high
    assert not list(outlook.pairs(rows[3:], "ours"))


def test_the_report_says_how_often_it_came_true(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row(20, 0.25, 0.26), row(60, 0.24, 0.25)]
    with (tmp_path / "r.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert outlook.main([str(tmp_path / "r.csv")]) == 0
    assert "1 pairs; within what was told: 100%" in capsys.readouterr().out
