"""Rows to learn from and rows to judge by, and the file of results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.quality import errors, honesty, tables
from benchmarks.quality.records import Journal, read
from benchmarks.quality.tables import Table


def table(folder: Path, frame: pd.DataFrame, task: str, target: str = "y") -> Table:
    frame.to_csv(folder / "t.csv", index=False)
    return Table("t", folder / "t.csv", target, task)


@pytest.fixture
def classes(tmp_path: Path) -> Table:
    labels = ["a"] * 600 + ["b"] * 200 + ["c"] * 8 + ["d"] * 7 + [None] * 5
    return table(tmp_path, pd.DataFrame({"x": range(len(labels)), "y": labels}), "multiclass")


def test_a_quarter_judges_in_proportion_to_the_classes(classes: Table) -> None:
    part = tables.split(classes, 0)
    assert (len(part.train), len(part.test), part.columns) == (606, 202, 1)
    assert part.test["y"].value_counts().to_dict() == {"a": 150, "b": 50, "c": 2}
    assert not set(part.train["x"]) & set(part.test["x"])


def test_a_split_depends_on_the_seed_alone(classes: Table) -> None:
    digests = [tables.split(classes, seed).digest for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]


def test_rows_to_learn_from_are_capped(classes: Table) -> None:
    whole, part = tables.split(classes, 0), tables.split(classes, 0, cap=100)
    assert len(part.train) == 100
    assert set(part.train["x"]) <= set(whole.train["x"])
    assert part.test.equals(whole.test)


def test_other_words_for_tasks(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": range(40), "y": [0, 1] * 20})
    assert tables.split(table(tmp_path, frame, "clustering"), 0).task == "binary"
    assert tables.split(table(tmp_path, frame, "reg"), 0).task == "regression"


def test_only_what_is_in_the_manifest(tables: Path) -> None:
    from benchmarks.quality.tables import manifest

    assert [t.name for t in manifest(tables)] == ["flags", "sizes"]
    with pytest.raises(SystemExit, match="nothing"):
        manifest(tables, ["nothing"])


# --- errors


def test_errors_by_hand() -> None:
    truth, answer = errors.of_run("multiclass", ["b", "a"], ["b", "a"], np.array([[0.5, 0.5], [0.75, 0.25]]))
    assert errors.error("multiclass", truth, answer) == pytest.approx(-np.log([0.5, 0.25]).mean())
    truth, answer = errors.of_run("regression", [1, 2], None, np.array([1.0, 4.0]))
    assert errors.error("regression", truth, answer) == pytest.approx(2**0.5)
    truth, answer = errors.of_run(
        "binary", ["n", "y", "n", "y"], ["y", "n"], np.array([[0.1, 0.9], [0.8, 0.2]] * 2)
    )
    assert errors.error("binary", truth, answer) == 0


def test_a_class_that_was_never_learnt_costs() -> None:
    truth, answer = errors.of_run("multiclass", ["a", "z"], ["a", "b"], np.array([[0.9, 0.1], [0.5, 0.5]]))
    assert errors.error("multiclass", truth, answer) > 10


# --- the file


def test_results_are_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    journal = Journal(path, ["a", "b", "note"], ["a"])
    journal.add({"a": 1.0, "b": "two\nlines, and a comma"})
    journal.add({"a": 2.0, "b": float("nan"), "note": "failed: out of memory"})
    with path.open("a") as file:
        file.write("3,ha")  # the power went here
    again = Journal(path, ["a", "b", "note"], ["a"])
    assert [again.has({"a": a}) for a in (1, 2.0, 3)] == [True, True, False]
    assert [r["b"] for r in read(path)] == ["two lines, and a comma", ""]
    assert not Journal(path, ["a", "b", "note"], ["a"], failed=True).has({"a": 2})
    again.add({"a": 3, "b": "whole"})
    assert [r["a"] for r in read(path)] == ["1", "2", "3"]


def test_a_file_of_something_else_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("x,y\n1,2\n")
    with pytest.raises(SystemExit, match="other columns"):
        Journal(path, ["a", "b"], ["a"])
    assert path.read_text() == "x,y\n1,2\n"


# --- parts of tables, and what their runs say


def test_five_times_as_many_rows_judge(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": range(3000), "y": ["a", "b", "c"] * 990 + ["rare"] * 30})
    made = table(tmp_path, frame, "multiclass")
    drawn = [honesty.draw(made, "multiclass", frame, number) for number in range(40)]
    parts = [asked.split() for asked in drawn if asked is not None]
    assert len(parts) == 40
    assert all(200 <= len(p.train) <= 500 and len(p.test) >= 5 * len(p.train) for p in parts)
    assert len({len(p.train) for p in parts}) > 20
    for part in parts:
        assert set(part.train["y"]) == set(part.test["y"])
        assert part.train["y"].value_counts().min() >= 4
    assert honesty.draw(made, "multiclass", frame.head(1100), 0) is None


def test_coverage_and_bias_of_known_runs() -> None:
    plain = {
        "dataset": "t",
        "task": "binary",
        "error_spread": "0.01",
        "naive_low": "0.08",
        "naive_high": "0.12",
    }
    ends = {"reported": "0.1", "reported_low": "0.07", "reported_high": "0.13"}
    found = honesty.find(
        [{**plain, **ends, "error": error} for error in ("0.1", "0.11", "0.125", "0.14", "0.05")]
    )
    assert (found.runs, found.above, found.below) == (5, 1, 1)
    assert found.covered.value == pytest.approx(0.6)
    assert found.naive.value == pytest.approx(0.4)
    assert found.widths == pytest.approx(1.5)
    assert found.bias.value == pytest.approx((0 + 1 + 2.5 + 4 - 5) / 5)
    assert found.relative.value == pytest.approx((0 + 1 + 2.5 + 4 - 5) / 5 / 10.5)
