"""A model as MLflow is told of it: what it takes and gives, and what it needs where it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl_jupyter.backends.tracking import TrackedColumn, TrackedModel
from automl_jupyter.engine import requirements, synthetic_example
from automl_jupyter.engine.contract import ColumnContract, Contract

LOADER = "automl_jupyter.engine.pyfunc"
PACKAGE = Path(__file__).parents[1]
PORTABLE = ("__init__.py", "errors.py", "messages.py", "engine", "data", "locale")
"""What a model needs of this package where it is loaded without it."""


def described(contract: Contract) -> dict[str, Any]:
    """Plain data from which :func:`tracked_model` is made, maybe elsewhere."""
    return {
        "example": synthetic_example(contract),
        "inputs": [_input(column) for column in contract.used],
        "outputs": _outputs(contract),
        "requirements": requirements(),
    }


def tracked_model(owner: str, name: str, file: Path, described: Mapping[str, Any]) -> TrackedModel:
    """A model to be written down, of a file of the engine's and of what :func:`described` said of it."""
    return TrackedModel(
        owner=owner,
        name=name,
        file=file,
        loader_module=LOADER,
        package=PACKAGE,
        parts=PORTABLE,
        requirements=described["requirements"],
        inputs=[TrackedColumn(**column) for column in described["inputs"]],
        outputs=[TrackedColumn(**column) for column in described["outputs"]],
        example=described["example"],
    )


def _input(column: ColumnContract) -> dict[str, Any]:
    """A column as MLflow's signature has it: of any type, and any of its cells may be missing.

    A type there would make MLflow refuse what the contract reads and reports row by row: whole numbers in a
    column of numbers, dates as they are written, a column of which nothing is known in these rows.
    """
    return {"name": column.name, "type": "any", "required": False}


def _outputs(contract: Contract) -> list[dict[str, Any]]:
    """What the model answers with, as MLflow's signature has it."""
    kinds: dict[type, str] = {bool: "boolean", int: "long", float: "double"}
    answer = {"regression": "double", "clustering": "long"}.get(contract.task)
    if answer is None:
        answer = kinds.get(type(contract.classes[0]), "string")
    shares = [{"name": f"probability_{label}", "type": "double"} for label in contract.classes]
    return [{"name": "prediction", "type": answer}, *shares]
