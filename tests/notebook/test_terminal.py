"""``%automl`` in an IPython in a terminal, and where its output goes to a file."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automl_jupyter.client import Client

CELLS = """\
%automl models
%automl predict {model} rows.csv
%automl leaderboard {job}
%automl train nothing
"""


def _ipython(*more: str) -> list[str]:
    return [sys.executable, "-m", "IPython", "--no-banner", "--colors=nocolor", "--ext=automl_jupyter", *more]


@pytest.mark.slow
def test_everything_is_text(
    connected: dict[str, str], client: Client, model: str, flights_csv: str, tmp_path: Path
) -> None:
    job = client.model(model).versions[0].job_id
    (tmp_path / "rows.csv").write_text(flights_csv, encoding="utf-8")
    done = subprocess.run(
        _ipython("--simple-prompt", "--no-confirm-exit"),
        cwd=tmp_path,
        check=False,
        input=CELLS.format(model=model, job=job),
        env={**connected, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=100,
    )
    assert f" {model}" in done.stdout
    assert "two classes" in done.stdout
    assert "prediction" in done.stdout
    assert "baseline" in done.stdout
    assert "“nothing” is no variable" in done.stdout
    assert "Traceback" not in done.stdout
    assert "<td>" not in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("model", "stopped_when_ready")
def test_a_training_is_watched_on_a_terminal(connected: dict[str, str]) -> None:
    near, far = pty.openpty()
    train = "train known --target late --time 100 --name terminal"
    command = _ipython("-c", f"get_ipython().run_line_magic('automl', '{train}')")
    process = subprocess.Popen(
        command, stdin=far, stdout=far, stderr=far, env={**connected, "TERM": "xterm", "COLUMNS": "120"}
    )
    os.close(far)
    seen, until = b"", time.monotonic() + 100
    while time.monotonic() < until:
        if select.select([near], [], [], 0.2)[0]:
            try:
                seen += os.read(near, 65536)
            except OSError:
                break
    os.close(near)
    assert process.wait(20) == 0
    text = seen.decode(errors="replace")
    assert "baseline" in text
    # A line is written over, not written again: the cursor goes up.
    assert "\x1b[1A" in text
