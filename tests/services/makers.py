"""What the tests have computed of a model, in the process that studies."""

from __future__ import annotations

import os
import time

from automl_jupyter.errors import Unprocessable
from automl_jupyter.services.studying import Subject, Tell, as_json


def look(subject: Subject, tell: Tell) -> bytes:
    tell(0.5)
    return as_json(
        {
            "task": subject.model.task_,
            "others": len(subject.others),
            "rows": len(subject.features),
            "target": float(subject.target.mean()),
            "options": subject.options,
            "name": subject.dataset["name"],
            "process": os.getpid(),
            "nothing": float("nan"),
        }
    )


def patient(subject: Subject, tell: Tell) -> bytes:
    """Tell how far it is until somebody lets it end."""
    done = 0.0
    while not os.path.exists(subject.options["until"]):  # noqa: PTH110
        done = min(0.9, done + 0.01)
        tell(done)
        time.sleep(0.05)
    return b"{}"


def refuse(subject: Subject, tell: Tell) -> bytes:
    raise Unprocessable("engine.one_class", target="y")


def die(subject: Subject, tell: Tell) -> bytes:
    os.abort()
