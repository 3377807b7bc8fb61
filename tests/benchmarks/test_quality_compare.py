"""What is said of results whose answer is known."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.quality import compare

Made = Callable[..., Path]


def runs(system: str, errors: dict[str, object], **more: object) -> list[dict[str, object]]:
    return [{"dataset": name, "system": system, "error": error, **more} for name, error in errors.items()]


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    compare.main([str(a) for a in arguments])
    return capsys.readouterr().out


def row(report: str, begins: str, after: str = "") -> list[str]:
    """The cells of the first line that begins so, after the one that begins otherwise."""
    found = re.search(rf"^\| {re.escape(begins)} .*$", report[report.index(after) :], re.MULTILINE)
    assert found, report
    return [cell.strip() for cell in found[0].strip("|").split("|")]


def test_ratio_interval_wins_and_ranks(results: Made, capsys: pytest.CaptureFixture[str]) -> None:
    file = results("r", [*runs("ours", {"a": 0.1, "b": 0.4}), *runs("peer", {"a": 0.2, "b": 0.4})])
    report = said(capsys, file)
    # Twice as good counts as exp(-0.3), and half of it is exp(-0.15); 6.3138 is the 95 % quantile of t(1).
    half = 6.313752 * 0.15
    interval = f"{math.exp(-0.15 - half):.3f} … {math.exp(-0.15 + half):.3f}"
    assert row(report, "peer", "ours against") == ["peer", "2", "0.861", interval, "1", "1", "0", "0"]
    assert row(report, "ours", "medians")[1] == "1.25"
    assert row(report, "peer", "medians")[1] == "1.75"


def test_failures(results: Made, capsys: pytest.CaptureFixture[str]) -> None:
    file = results(
        "r", [*runs("ours", {"a": "", "b": 0.4, "c": 1}), *runs("peer", {"a": 0.2, "b": "", "c": 1})]
    )
    report = said(capsys, file)
    assert row(report, "a", "error") == ["a", "failed", "0.2"]
    cells = row(report, "peer", "ours against")
    assert cells[1:3] == ["2", f"{math.exp(0.15):.3f}"]
    assert cells[4:] == ["0", "1", "1", "1"]


def test_what_a_quick_model_loses(results: Made, capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        *runs("lightgbm", {"a": 1.0, "b": 1.0, "c": 1.0}),
        *runs("ours", {"a": 0.8, "b": 0.8, "c": 0.8}),
        *runs("ours-fast", {"a": 0.8, "b": 1.0}),
    ]
    report = said(capsys, results("r", found))
    assert row(report, "gain over one model that ours-fast loses")[1] == "0.50"


def test_seeds_are_averaged_where_both_have_them(results: Made, capsys: pytest.CaptureFixture[str]) -> None:
    ours = [row for seed, e in ((0, 1.0), (1, 1.1), (2, 9.0)) for row in runs("ours", {"a": e}, seed=seed)]
    peer = [row for seed, e in ((0, 1.1), (1, 1.1)) for row in runs("peer", {"a": e}, seed=seed)]
    cells = row(said(capsys, results("r", ours + peer)), "peer", "ours against")
    assert cells[2] == f"{1.1**-0.5:.3f}"


def test_a_block_at_another_speed_is_left_out(results: Made, capsys: pytest.CaptureFixture[str]) -> None:
    rows = runs("lightgbm", {"a": 0.5, "b": 0.5}, fit_s=2)
    rows += runs("lightgbm", {"a": 0.5, "b": 0.5}, fit_s=2.3, block="slow")
    rows += runs("lightgbm", {"a": 0.5, "b": 0.5}, fit_s=2.1, block="alike")
    rows += runs("ours", {"a": 0.1}, block="slow") + runs("ours", {"b": 0.1}, block="alike")
    report = said(capsys, results("r", rows))
    assert row(report, "r slow")[2:] == ["1.15", "no"]
    assert row(report, "r alike")[2:] == ["1.05", "yes"]
    assert row(report, "a", "error") == ["a", "–", "0.5"]
    assert row(report, "b", "error") == ["b", "0.1", "0.5"]
    assert row(said(capsys, results("r", rows), "--tolerance", 0.2), "a", "error")[1] == "0.1"


def test_worse_than_a_single_model_beyond_noise(results: Made, capsys: pytest.CaptureFixture[str]) -> None:
    rows = []
    for seed, noise in enumerate((0.99, 1.0, 1.01, 1.0)):
        rows += runs("lightgbm", {"a": 1.0, "b": 1.0, "c": 1.0}, seed=seed)
        rows += runs("tuned", {"a": 0.98, "b": 1.5, "c": 1.5}, seed=seed)
        rows += runs("ours", {"a": 1.1 * noise, "b": noise, "c": 0.9 * noise}, seed=seed)
    report = said(capsys, results("r", rows), "--single", "lightgbm,tuned")
    after = "ours against one model"
    assert row(report, "a", after)[1:3] == ["tuned", "4"]
    assert row(report, "a", after)[-1] == "yes"
    assert row(report, "b", after)[1] == "lightgbm"
    assert [row(report, name, after)[-1] for name in "bc"] == ["no", "no"]
    assert row(report, "tables worse than one model")[1] == "1.00 tables"


def test_one_seed_proves_nothing(results: Made, capsys: pytest.CaptureFixture[str]) -> None:
    report = said(capsys, results("r", runs("ours", {"a": 2}) + runs("lightgbm", {"a": 1})))
    assert row(report, "a", "ours against one model")[-1] == "too few seeds"
    assert "tables worse than one model" not in report


def test_two_versions_side_by_side(results: Made, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = results("before", runs("ours", {"a": 0.2})), results("after", runs("ours", {"a": 0.18}))
    report = said(capsys, before, after, "--rename", "before/ours=earlier")
    assert row(report, "earlier", "ours against")[2] == "0.900"


def test_medians_and_the_budget(results: Made, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        *runs("ours", {"a": 1, "b": 1}, fit_s=58, rss_mb=100),
        *runs("ours", {"c": 1}, fit_s=61.5, rss_mb=300),
    ]
    report = said(capsys, results("r", rows))
    cells = row(report, "ours", "medians")
    assert cells[3] == "58.00"
    assert cells[-2:] == ["100.00", "1.50"]
    assert row(report, "most over budget")[-1] == "no"


def test_times_are_of_the_tables_that_all_were_tried_on(
    results: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        *runs("ours", {"a": 1}, fit_s=5),
        *runs("ours", {"b": 1, "c": 1}, fit_s=50),
        *runs("peer", {"a": 2}),
    ]
    cells = row(said(capsys, results("r", rows)), "ours", "medians, 1 tables")
    assert cells[1:4] == ["1.00", "0", "5.00"]


def test_budgets_are_not_mixed(results: Made, capsys: pytest.CaptureFixture[str]) -> None:
    file = results("r", runs("ours", {"a": 1}) + runs("ours", {"b": 1}, budget=10))
    with pytest.raises(SystemExit, match="10, 60"):
        compare.main([str(file)])
    report = said(capsys, file, "--budget", 60)
    assert row(report, "a", "error") == ["a", "1"]
    assert not re.search(r"^\| b ", report, re.MULTILINE)


def test_the_report_is_kept(results: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = results("r", runs("ours", {"a": 2}) + runs("peer", {"a": 1}))
    printed = said(capsys, file, "--save", "--results", tmp_path / "kept")
    (kept,) = (tmp_path / "kept").glob("*-quality.md")
    assert kept.read_text(encoding="utf-8").strip() in printed
    assert str(tmp_path) not in kept.read_text(encoding="utf-8")
    assert compare.main([str(file), "--strict"]) == 1
