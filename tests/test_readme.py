"""The README's snippets do what they say: each runs in a folder with ``flights.csv``, against a real server.

The section ``## Five lines each`` has one fenced block of Python and two of shell: curl and the command
line. Each runs by itself, with ``JUPYTER_URL`` (no slash at its end) and ``JUPYTER_TOKEN`` set.
A training time written as the number 60 is shortened here.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl_jupyter.client import Server
from automl_jupyter.demo import running_server

README = Path(__file__).parents[1] / "README.md"
SECTION = "## Five lines each"
SHORT = "20"


def _snippets() -> list[tuple[str, str]]:
    if not README.exists():
        return []
    section = README.read_text("utf-8").partition(f"\n{SECTION}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```(python|sh)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture
def environ(server: Server, tmp_path: Path) -> dict[str, str]:
    """A shell in which `python` is this one, and `jupyter automl` is there even if it is not installed."""
    commands = tmp_path / "commands"
    commands.mkdir()
    command = commands / "jupyter-automl"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m automl_jupyter.cli "$@"\n')
    command.chmod(0o755)
    path = os.pathsep.join([str(Path(sys.executable).parent), str(commands), os.environ["PATH"]])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_"))}
    return {**kept, "PATH": path, "JUPYTER_URL": server.url.rstrip("/"), "JUPYTER_TOKEN": str(server.token)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with ``flights.csv``: carrier, origin, dest, month, hour, distance, late."""
    dice = random.Random(0)
    lines = ["carrier,origin,dest,month,hour,distance,late"]
    for _ in range(400):
        hour = dice.randrange(5, 24)
        places = (
            f"{dice.choice(['UA', 'AA', 'B6'])},{dice.choice(['JFK', 'LGA'])},{dice.choice(['IAH', 'MIA'])}"
        )
        late = hour + dice.gauss(0, 4) > 15
        lines.append(
            f"{places},{dice.randrange(1, 13)},{hour},{dice.choice([733, 1089])},{'yes' if late else 'no'}"
        )
    work = tmp_path / "work"
    work.mkdir()
    (work / "flights.csv").write_text("\n".join(lines) + "\n")
    return work


@pytest.mark.skipif(not README.exists(), reason="this checkout has no README.md")
def test_the_section_has_python_curl_and_the_command_line() -> None:
    languages = [language for language, _ in _snippets()]
    texts = "".join(text for _, text in _snippets())
    assert sorted(languages) == ["python", "sh", "sh"]
    assert "curl" in texts
    assert "jupyter automl" in texts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "text"), _snippets(), ids=lambda value: value if len(value) < 10 else ""
)
def test_a_snippet_of_the_readme_runs(
    language: str, text: str, environ: dict[str, str], folder: Path
) -> None:
    shorter = re.sub(r"\b60\b", SHORT, text)
    command = (
        [sys.executable, "-c", shorter]
        if language == "python"
        else ["bash", "-euo", "pipefail", "-c", shorter]
    )
    done = subprocess.run(
        command,
        cwd=folder,
        check=False,
        env=environ,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
