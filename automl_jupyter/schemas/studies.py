"""What is computed of a model version and kept with it: how far it is, while it is not there yet."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from automl_jupyter.schemas.base import Answer

StudyState = Literal["queued", "running"]


class Study(Answer):
    """Something that is being computed of a model version: ask again for it.

    Where it fails, the answer is that error, for half a minute; whoever asks later has it tried again.
    """

    model: str
    version: int
    state: StudyState
    progress: float = Field(ge=0, le=1)
