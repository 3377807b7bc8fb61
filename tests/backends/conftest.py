"""What the tests of several backends need."""

import os
import time
from pathlib import Path

import pytest


@pytest.fixture
def module_folder(tmp_path, monkeypatch):
    """A folder of modules that helper processes and workers can import; call it to add one."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))

    def add(name: str, text: str) -> str:
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        return name

    return add


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


@pytest.fixture(scope="session")
def eventually():
    """Poll a condition until it holds, at most ``seconds``; returns whether it did."""

    def poll(condition, seconds: float = 30.0) -> bool:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    return poll


@pytest.fixture(scope="session")
def is_running():
    """Whether a process exists and is no zombie."""
    return lambda pid: _state(pid) not in ("gone", "Z", "X")
