"""Parts of the paths that the client asks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from automl_jupyter.schemas import Dataset, Job


def part(id_: str) -> str:
    """One part of a path, whatever stands in it."""
    return quote(id_, safe="")


def id_of(thing: Dataset | Job | str) -> str:
    """The id of a thing, or the id itself."""
    return thing if isinstance(thing, str) else thing.id
