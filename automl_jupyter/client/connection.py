"""A connection to the extension in a Jupyter server, and who the caller is there."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from automl_jupyter import messages
from automl_jupyter.client.discovery import find_server, language_of
from automl_jupyter.client.transport import Transport, told
from automl_jupyter.errors import AutoMLError

if TYPE_CHECKING:
    from automl_jupyter.schemas import Monitoring, User


class Connection:
    """What all that is asked of a server goes through; see :class:`automl_jupyter.client.Client`."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        language: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        language = language or language_of()
        try:
            server = find_server(url, token)
        except AutoMLError as problem:
            raise told(problem, messages.negotiate(language)) from None
        self._transport = Transport(server, language, timeout)

    @property
    def url(self) -> str:
        """The base URL of the Jupyter server."""
        return self._transport.server.url

    @property
    def language(self) -> str:
        """The language of the sentences, one of :data:`automl_jupyter.messages.LANGUAGES`."""
        return self._transport.language

    def close(self) -> None:
        """Close the connection; what runs on the server goes on."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    # --- people

    def user(self) -> User:
        """Who the caller is, what they may do and what the server allows."""
        from automl_jupyter.schemas import User

        return self._transport.ask(User, "GET", "api/user/")

    def monitoring(self) -> Monitoring:
        """How the caller's own work is going: jobs, models, requests."""
        from automl_jupyter.schemas import Monitoring

        return self._transport.ask(Monitoring, "GET", "api/monitoring/")
