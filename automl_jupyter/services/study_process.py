"""The process that studies models: what is computed of a version and kept, one study at a time.

Run by the server as ``python -m automl_jupyter.services.study_process``, niced: whoever predicts comes first.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from automl_jupyter.backends.process_main import emit, serve
from automl_jupyter.services.shelf import Shelf
from automl_jupyter.services.studying import Maker, Subject

NICER = 5
TOLD_SECONDS = 0.1
WARM_MODELS = 2


class Students:
    """What the process can be asked for."""

    def __init__(self) -> None:
        self._shelf = Shelf(WARM_MODELS)

    def study(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Compute one thing into ``file`` of the folder ``scratch``; returns its name and its digest."""
        scratch = Path(payload["scratch"])
        subject = Subject(
            self._shelf,
            payload["job"],
            payload["dataset"],
            payload["version"],
            payload["options"],
            payload["files"],
            payload["table_path"],
            scratch,
            payload["beside"],
        )
        module, _, name = payload["maker"].partition(":")
        maker = cast("Maker", getattr(import_module(module), name))
        content = maker(subject, _teller(payload["task"]))
        path = scratch / "result"
        path.write_bytes(content)
        return {"file": path.name, "digest": hashlib.sha256(content).hexdigest()}


class _teller:  # noqa: N801 - a function with a memory
    """Tells how far a study is, not more often than anybody looks."""

    def __init__(self, task: str) -> None:
        self._task, self._told = task, 0.0

    def __call__(self, done: float) -> None:
        now = time.monotonic()
        if now - self._told >= TOLD_SECONDS:
            self._told = now
            emit({"task": self._task, "done": min(max(done, 0.0), 1.0)})


if __name__ == "__main__":
    os.nice(NICER)
    serve({"study": Students().study})
