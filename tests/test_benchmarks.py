"""The benchmarks run, with settings so small that their figures mean nothing."""

from __future__ import annotations

import csv
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def bench(*arguments: object, folder: Path) -> str:
    """Run one as people do; returns the report that it kept."""
    # Measuring coverage as well would measure that.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "AUTOML_TEST_DATA" and not name.startswith("COVERAGE_")
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *map(str, arguments), "--save", "--results", str(folder)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=360,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (kept,) = folder.glob("*.md")
    report = kept.read_text(encoding="utf-8")
    assert report.strip() in done.stdout
    assert "- Machine: " in report
    assert "- Versions: automl_jupyter " in report
    return report


def row(report: str, begins: str) -> list[str]:
    """The cells of the first line of a table that begins so."""
    found = re.search(rf"^\| {re.escape(begins)}.*$", report, re.MULTILINE)
    assert found, report
    return [cell.strip() for cell in found[0].strip("|").split("|")]


def column(report: str, title: str) -> int:
    """The place of the column of a table whose title begins so."""
    heads = re.findall(r"^\|.*\|\n\|[-: |]+\|$", report, re.MULTILINE)
    for head in heads:
        cells = [cell.strip() for cell in head.partition("\n")[0].strip("|").split("|")]
        for place, cell in enumerate(cells):
            if cell.startswith(title):
                return place
    raise AssertionError(report)


def number(cell: str) -> float:
    return float(cell.replace(",", ""))


def test_start_and_first_requests(tmp_path: Path) -> None:
    report = bench("startup", "--n", 1, "--fresh", 1, folder=tmp_path)
    assert all(number(cell) > 0 for cell in row(report, "exec to first answer, s")[1:4])
    assert number(row(report, "resident memory, MiB")[1]) > 10
    assert row(report, "first upload of 100 kB")[3] in ("yes", "no")


def test_responsiveness(tmp_path: Path) -> None:
    report = bench(
        "responsiveness", "--megabytes", 2, "--uploads", 1, "--budget", 5, "--idle", 1, "--stacks",
        folder=tmp_path,
    )  # fmt: skip
    for phase in ("idle", "upload", "training", "predicting"):
        assert number(row(report, f"{phase}: GET automl/api/user/")[1]) > 0
        assert number(row(report, f"{phase} ")[2]) > 0
        assert f"held up during {phase}" in report


def test_predictions(tmp_path: Path) -> None:
    report = bench("predict", "--n", 5, "--rows", 200, "--files", 1, "--budget", 5, folder=tmp_path)
    assert number(row(report, "over REST")[2]) > number(row(report, "GET api/status")[2])
    assert "CSV of 200 rows" in report


def test_lists(tmp_path: Path) -> None:
    report = bench("listing", "--datasets", 150, "--n", 3, folder=tmp_path)
    assert number(row(report, "last page")[1]) > 0


def test_taking_in(tmp_path: Path) -> None:
    report = bench("intake", "--megabytes", 3, "--n", 1, folder=tmp_path)
    assert len(re.findall(r"^\| Arrow alone", report, re.MULTILINE)) == 2
    for way in ("path", "body", "pieces"):
        assert number(row(report, f"{way} ")[2]) > 0
    assert number(row(report, "5,000 columns")[5]) > 0
    assert row(report, "memory that the server takes more")[3] in ("yes", "no")


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A folder of two tables with a manifest."""
    folder, dice = tmp_path / "tables", random.Random(0)
    folder.mkdir()
    lines = [(dice.choice("abc"), dice.randint(0, 99), dice.choice(["yes", "no"])) for _ in range(200)]
    for name in ("flags", "groups"):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("kind", "size", "flag"), *lines])
    (folder / "manifest.csv").write_text(
        "name,file,target,task\nflags,flags.csv,flag,binary\ngroups,groups.csv,flag,clustering\n"
    )
    return folder


def test_trainings(tmp_path: Path, tables: Path) -> None:
    report = bench("jobs", "--data", tables, "--tables", "all", "--budget", 5, folder=tmp_path / "results")
    assert row(report, "flags")[1] == "done"
    assert row(report, "groups")[2] == "silhouette"
    assert str(tables) not in report


@pytest.mark.alone
def test_three_real_tables_end_in_time_with_a_model(tmp_path: Path) -> None:
    """The promise itself: a job of 30 seconds is over, and ready to predict, within three more."""
    data = os.environ.get("AUTOML_TEST_DATA")
    if data is None:
        pytest.skip("AUTOML_TEST_DATA names no folder of real tables")
    names = ["telco_churn", "california_housing", "car_evaluation"]
    report = bench(
        "jobs", "--data", Path(data) / "tables", "--tables", ",".join(names), "--budget", 30, folder=tmp_path
    )
    for name in names:
        assert row(report, name)[1] == "done"
        assert number(row(report, name)[column(report, "elapsed")]) <= 33, report
        assert row(report, name)[column(report, "score")] != row(report, name)[column(report, "baseline")]


def test_trainings_need_tables(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "jobs"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "AUTOML_TEST_DATA"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "AUTOML_TEST_DATA" in done.stderr


def test_an_unknown_name_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "startup" in done.stderr
