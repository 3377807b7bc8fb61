"""What MLflow is told: one thing at a time, and one that fails for good keeps nothing else waiting."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from automl_jupyter.services import outbox
from automl_jupyter.services.container import Hooks, open_services
from automl_jupyter.services.settings import local_settings

pytestmark = pytest.mark.slow

TASK = """
from pathlib import Path
from automl_jupyter.errors import Unavailable

def fail(payload, report):
    with Path(payload["log"]).open("a") as file:
        file.write("failed\\n")
    raise Unavailable("backends.tracking_unavailable")

def succeed(payload, report):
    with Path(payload["log"]).open("a") as file:
        file.write(payload["name"] + "\\n")
    return {}
"""


async def until(what: Callable[[], object], again: Callable[[], object], seconds: float = 100.0) -> None:
    """Poll, with an occasion to go on at each look."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "did not happen in time"
        await again()
        await asyncio.sleep(0.05)


def test_what_fails_for_good_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "automl_test_outbox.py").write_text(TASK, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr(outbox, "PAUSE_SECONDS", 0.1)
    hooks = Hooks(job_finished=lambda _: None, predicted=lambda *_: None, activity=lambda: None)
    log = tmp_path / "log"

    async def main() -> None:
        services = await open_services(local_settings(tmp_path / "data"), "server", hooks)
        try:
            box = services.models.outbox
            box.write("ann", "automl_test_outbox:fail", "poison", {"log": str(log)})
            for name in ("one", "two"):
                box.write("ann", "automl_test_outbox:succeed", name, {"log": str(log), "name": name})
            await until(lambda: log.exists() and "two" in log.read_text(), box.go_on)
            # It was the oldest and was tried first; the others did not wait for it, and it is not forgotten.
            assert log.read_text().split()[:3] == ["failed", "one", "two"]
            await until(lambda: log.read_text().count("failed") > 1, box.go_on)
            left = services.database.claim_outbox("server", 60)
            assert [record.subject for record in left] == ["poison"]
        finally:
            await services.close()

    asyncio.run(main())
