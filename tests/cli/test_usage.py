"""What the command line says without a server: help, wrong usage, no server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from automl_jupyter.cli.parser import seconds


@pytest.fixture
def lonely(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {**environ, "JUPYTER_RUNTIME_DIR": str(tmp_path)}


def automl(lonely: dict[str, str], *arguments: str, language: str = "C") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "automl_jupyter.cli", *arguments],
        check=False,
        env={**lonely, "LC_ALL": language, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
    )


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("C", ("usage:", "upload a table", "Exit codes")),
        ("fr_FR.UTF-8", ("utilisation", "envoyez un tableau", "Codes de sortie")),
    ],
)
def test_help_is_in_the_readers_language(
    lonely: dict[str, str], language: str, words: tuple[str, ...]
) -> None:
    asked = automl(lonely, "--help", language=language)
    assert asked.returncode == 0
    for word in words:
        assert word in asked.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("upload",),
        ("upload", "missing.csv"),
        ("train", "missing.csv", "--target", "y"),
        ("train", "id", "--time", "soon"),
        ("train", "id", "--time", "-5"),
        ("jobs", "id", "--stop", "--cancel"),
        ("train", "id", "--max-trials", "0"),
        ("train", "id", "--max-trials", "2.5"),
        ("train", "id", "--max-ms", "0"),
        ("train", "id", "--max-ms", "nan"),
        ("predict", "model", __file__, "--max-ms", "soon"),
        ("resume",),
        ("resume", "id", "--time", "never"),
        ("reread", "id", "--type", "zip"),
        ("reread", "id", "--type", "zip=money"),
        ("reread", "id", "--header", "0"),
        ("reread", "id", "--first", "year"),
        ("explain", "model", "--row", "flights.csv"),
        ("charts", "model", "--costs", "1"),
        ("charts", "model", "--costs", "1,0"),
        ("charts", "model", "--theme", "pink"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(lonely: dict[str, str], arguments: tuple[str, ...]) -> None:
    asked = automl(lonely, *arguments)
    assert asked.returncode == 2
    assert asked.stdout == ""
    assert "error" in asked.stderr


def test_wrong_usage_is_told_in_french(lonely: dict[str, str]) -> None:
    asked = automl(lonely, "train", "absent.csv", language="fr_FR.UTF-8")
    assert "le fichier absent.csv n’existe pas" in asked.stderr


def test_without_a_server_the_person_is_told_what_to_do(lonely: dict[str, str]) -> None:
    asked = automl(lonely, "--json", "user")
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "jupyter lab" in asked.stderr
    assert "Traceback" not in asked.stderr


@pytest.mark.parametrize(
    ("text", "value"), [("60", 60), ("90s", 90), ("5m", 300), ("1h", 3600), ("0.5m", 30)]
)
def test_times_have_units(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "m", "five"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        seconds(text)
