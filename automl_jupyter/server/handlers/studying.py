"""What handlers share that answer with something computed of a model version, or say how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from automl_jupyter import schemas
from automl_jupyter.server.base import LARGEST_VERSION, AutoMLHandler

if TYPE_CHECKING:
    from automl_jupyter.services.studies import Kept
    from automl_jupyter.services.study_kinds import Kind


class StudyHandler(AutoMLHandler):
    """Asks for studies; a child decides on its verbs and on what is answered with what is kept."""

    def wanted_version(self) -> int | None:
        """The ``version`` of the query; None means the one in service, or else the newest.

        Raises
        ------
        Malformed
            If it is no whole number from 1.
        """
        if self.get_query_argument("version", None) is None:
            return None
        return self.whole_of("version", 1, 1, LARGEST_VERSION)

    async def study(
        self,
        name: str,
        version: int | None,
        kind: Kind,
        options: Mapping[str, Any] | None = None,
        beside: Sequence[int] = (),
    ) -> Kept | None:
        """What is kept; None where it is not there yet, and the answer (202) has said so.

        Raises
        ------
        AutoMLError
            What it failed with, if it has just failed.
        """
        from automl_jupyter.services.studies import Kept

        found = await (await self.services()).studies.get(self.owner, name, version, kind, options, beside)
        if isinstance(found, Kept):
            return found
        if found.error is not None:
            raise found.error
        self.set_header("Retry-After", "1")
        told = schemas.Study.model_validate(
            {"model": name, "version": found.version.version, "state": found.state, "progress": found.done}
        )
        self.answer(told, 202)
        return None
