"""Real fits, short ones, in processes of their own."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks import quality
from benchmarks.quality import scaling

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def _unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure no coverage in what is started, and use no tables of the machine."""
    for name in ("AUTOML_TEST_DATA", *(name for name in os.environ if name.startswith("COVERAGE_"))):
        monkeypatch.delenv(name, raising=False)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *arguments: object, code: int = 0) -> str:
    """Run a part in this process; what it starts has processes of its own. Returns what it prints."""
    capsys.readouterr()
    assert quality.main([str(word) for word in arguments]) == code
    return capsys.readouterr().out


def test_a_run_is_measured_once_and_gone_on_with(tables: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out" / "r.csv"
    asked = (
        "run",
        "--tables",
        tables,
        "--only",
        "flags",
        "--budget",
        2,
        "--systems",
        "lightgbm,ours",
        "--trials",
        2,
        "--out",
        out,
    )
    run(capsys, *asked)
    single, ours = rows(out)
    assert [single["system"], ours["system"]] == ["lightgbm", "ours"]
    for row in (single, ours):
        assert 0 <= float(row["error"]) < 0.2
        assert 0 < float(row["first_model_s"]) <= float(row["fit_s"]) + 0.5
        assert float(row["row_ms"]) > 0
        assert float(row["rss_mb"]) > 50
        assert "lightgbm 4" in row["versions"]
        assert row["n_train"] == "150"
    assert float(ours["fit_s"]) < 4
    assert float(ours["reported_low"]) <= float(ours["reported"]) <= float(ours["reported_high"])
    assert (tmp_path / "out" / "r.logs" / "flags.ours.2.0.log").read_text()

    held = out.read_bytes()
    assert run(capsys, *asked) == ""
    assert out.read_bytes() == held

    # The row of ours was being written when the power went.
    out.write_bytes(held[:-9])
    assert run(capsys, *asked).startswith("flags ours")
    assert [row["system"] for row in rows(out)] == ["lightgbm", "ours"]
    assert rows(out)[0] == single

    assert "| ours against" in run(capsys, "compare", out)


def test_the_quick_model_of_a_fit_has_a_row_of_its_own(tables: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "r.csv"
    asked = ("run", "--tables", tables, "--only", "sizes", "--budget", 100, "--trials", 6, "--out", out)
    run(capsys, *asked, "--systems", "ours")
    ensemble, fast = rows(out)
    assert [ensemble["system"], fast["system"]] == ["ours", "ours-fast"]
    assert ensemble["error"] != fast["error"]
    assert float(fast["row_ms"]) < float(ensemble["row_ms"])
    assert fast["fit_s"] == ensemble["fit_s"]
    assert fast["reported"] == ""


def test_a_system_that_fails_is_a_row_too(tables: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "r.csv"
    empty = tmp_path / "python"
    empty.write_text("#!/bin/sh\necho no such system here\nexit 3\n")
    empty.chmod(0o755)
    asked = ("run", "--tables", tables, "--only", "flags", "--systems", "flaml", "--out", out)
    run(capsys, *asked, "--python", f"flaml={empty}", code=1)
    (row,) = rows(out)
    assert row["note"] == "failed: exit code 3 no such system here"
    assert row["error"] == ""
    run(capsys, *asked, "--python", f"flaml={empty}")
    assert len(rows(out)) == 1
    run(capsys, *asked, "--python", f"flaml={empty}", "--retry", code=1)
    assert len(rows(out)) == 2
    with pytest.raises(SystemExit, match="flaml=PATH"):
        run(capsys, *asked)


def test_nothing_is_left_when_it_is_told_to_end(tables: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.csv"
    asked = ("run", "--tables", tables, "--only", "sizes", "--budget", 60, "--systems", "ours", "--out", out)
    log = tmp_path / "r.logs" / "sizes.ours.60.0.log"
    command = [sys.executable, "-m", "benchmarks", "quality", *map(str, asked)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        limit = time.monotonic() + 60
        workers: list[psutil.Process] = []
        while time.monotonic() < limit and not (workers and log.exists()):
            workers = psutil.Process(process.pid).children(recursive=True)
            time.sleep(0.1)
        assert workers
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    assert rows(out) == []


def test_splits_are_told(tables: Path, capsys: Capture) -> None:
    lines = run(capsys, "splits", "--tables", tables, "--seeds", "0,1").splitlines()
    assert [line.rpartition(",")[0] for line in lines[1:]] == [
        "flags,0,binary,150,50,3",
        "flags,1,binary,150,50,3",
        "sizes,0,regression,975,325,3",
        "sizes,1,regression,975,325,3",
    ]


def test_honesty(tables: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "h.csv"
    asked = ("honesty", "--tables", tables, "--budget", 2, "--out", out)
    run(capsys, *asked, "--runs", 1)
    first = rows(out)
    run(capsys, *asked, "--runs", 2, "--save", "--results", tmp_path / "kept")
    both = rows(out)
    assert both[:1] == first
    assert [row["dataset"] for row in both] == ["sizes", "sizes"]
    assert all(int(row["n_test"]) >= 5 * int(row["n_train"]) for row in both)
    assert all(float(row["naive_low"]) < float(row["naive_high"]) for row in both)
    (kept,) = (tmp_path / "kept").glob("*-honesty.md")
    assert "| all " in kept.read_text(encoding="utf-8")


def test_scaling(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "s.csv"
    asked = ("scaling", "--rows", "200,400", "--columns", "", "--systems", "lightgbm", "--out", out)
    said = run(capsys, *asked)
    assert [(row["along"], row["rows"], row["columns"]) for row in rows(out)] == [
        ("rows", "200", "20"),
        ("rows", "400", "20"),
    ]
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert "exponent" in said


def test_growth_is_of_the_upper_half() -> None:
    found = [{"rows": str(n), "fit_s": str(max(1.0, n / 1000))} for n in (10, 100, 1000, 10_000, 100_000)]
    assert scaling.growth(found, "rows", "fit_s") == pytest.approx(1)
