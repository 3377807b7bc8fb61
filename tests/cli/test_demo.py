"""The demonstration runs to its end and leaves nothing behind but its folder."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from automl_jupyter.demo import area, flights

MARK = "AUTOML_DEMO_TEST"


def _demo(environ: dict[str, str], folder: Path, *more: str) -> list[str]:
    environ[MARK] = str(folder)
    return [sys.executable, "-m", "automl_jupyter.demo", "--rows", "1500", "--folder", str(folder), *more]


def _left(folder: Path) -> list[psutil.Process]:
    """The processes that were started for this demonstration, by the mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_flights_carry_only_what_is_known_at_the_desk() -> None:
    table = flights()
    assert not {"dep_delay", "dep_time", "arr_delay", "arr_time", "air_time"} & set(table.columns)
    assert set(table["late"]) == {"yes", "no"}
    assert len(table) > 80_000


@pytest.mark.parametrize(
    ("score", "expected"),
    [([1, 2, 3, 4], 1.0), ([4, 3, 2, 1], 0.0), ([1, 1, 1, 1], 0.5), ([1, 3, 2, 4], 0.75)],
)
def test_the_area_counts_pairs_in_order(score: list[float], expected: float) -> None:
    assert area([False, False, True, True], score) == expected


@pytest.mark.slow
def test_the_demonstration_ends_with_a_score_and_the_way_on(environ: dict[str, str], tmp_path: Path) -> None:
    environ = dict(environ)
    command = _demo(environ, tmp_path, "--seconds", "40")
    shown = subprocess.run(
        command, check=False, env=environ, capture_output=True, text=True, encoding="utf-8", timeout=100
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for word in ("baseline", "riskiest", "MLflow", "jupyter lab --config"):
        assert word in shown.stdout
    assert (tmp_path / "predictions.csv").exists()
    assert _left(tmp_path) == []


@pytest.mark.slow
def test_ctrl_c_ends_everything_that_was_started(environ: dict[str, str], tmp_path: Path) -> None:
    environ = dict(environ)
    command = _demo(environ, tmp_path, "--seconds", "100")
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stderr is not None
        while "running" not in (line := process.stderr.readline()) and line:
            pass
        assert len(_left(tmp_path)) > 1
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert _left(tmp_path) == []
