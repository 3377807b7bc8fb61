"""Parts of the paths that the client asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

if TYPE_CHECKING:
    from automl_jupyter.schemas import Dataset, Job, Model, ModelRef

    AnyModel: TypeAlias = str | Model | ModelRef


def part(id_: str) -> str:
    """One part of a path, whatever stands in it."""
    return quote(id_, safe="")


def id_of(thing: Dataset | Job | str) -> str:
    """The id of a thing, or the id itself."""
    return thing if isinstance(thing, str) else thing.id


def named(model: AnyModel) -> tuple[str, dict[str, str | int]]:
    """The name of a model, and its version as a parameter where one is meant."""
    from automl_jupyter.schemas import ModelRef

    if isinstance(model, ModelRef):
        return model.name, {"version": model.version}
    if not isinstance(model, str):
        return model.name, {}
    name, _, version = model.partition(":")
    return name, {"version": version} if version else {}


def path_of(name: str, what: str) -> str:
    """The path of something about a model."""
    return f"api/models/{part(name)}/{what}/"
