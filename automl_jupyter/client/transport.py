"""Requests to the extension over HTTP: who asks, in which language, and what an error answer means."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from automl_jupyter import messages
from automl_jupyter.client.discovery import Server, is_loopback
from automl_jupyter.errors import (
    BY_STATUS,
    AutoMLError,
    Conflict,
    FieldError,
    Forbidden,
    NotFound,
    Param,
    Unavailable,
)

if TYPE_CHECKING:
    import httpx
    from pydantic import BaseModel

    from automl_jupyter.schemas import ErrorBody

    Answer = TypeVar("Answer", bound=BaseModel)
else:
    Answer = TypeVar("Answer")

RESERVED = ("self", "code", "errors")
"""Names that an error's own constructor uses, and its parameters therefore cannot."""


class Told:
    """An error whose sentence is settled: told by the server, or in the language of the caller."""

    sentence: str

    def __str__(self) -> str:
        return self.sentence

    def __reduce__(self) -> tuple[object, ...]:
        error = cast("AutoMLError", self)
        return (_again, (error.status, error.code, error.params, error.errors, self.sentence))


class ServerFault(AutoMLError):
    """The server failed in a way that is nobody's request's fault."""

    status = 500


class TookTooLong(Unavailable, TimeoutError):
    """What was waited for did not happen in the time allowed; it may still happen."""

    status: ClassVar[int] = 504


_KINDS: Mapping[int, type[AutoMLError]] = {
    **BY_STATUS,
    401: Forbidden,
    500: ServerFault,
    504: TookTooLong,
}


@cache
def _told_kind(status: int) -> type[AutoMLError]:
    kind = _KINDS.get(status, ServerFault)
    return type(kind.__name__, (Told, kind), {"__module__": kind.__module__, "__doc__": kind.__doc__})


def _again(
    status: int, code: str, params: Mapping[str, Param], errors: tuple[FieldError, ...], sentence: str
) -> AutoMLError:
    usable = {key: value for key, value in params.items() if key not in RESERVED}
    error = _told_kind(status)(code, errors=errors, **usable)
    cast("Told", error).sentence = sentence
    return error


def told(error: AutoMLError, language: str) -> AutoMLError:
    """The same error with its sentence in one of :data:`automl_jupyter.messages.LANGUAGES`."""
    return _again(error.status, error.code, error.params, error.errors, error.message(language))


class Transport:
    """The connection to one server.

    Parameters
    ----------
    server : Server
        Which server, and the token that it takes.
    language : str
        The language to be answered in, as a tag such as ``fr-FR``.
    timeout : float
        Seconds to wait for a connection, or for the next bytes of an answer.
    """

    def __init__(self, server: Server, language: str, timeout: float) -> None:
        # Importing httpx takes a third of a second: paid by who connects, not by who imports the client.
        import httpx

        self.server = server
        self.language = messages.negotiate(language)
        self.timeout = timeout
        headers = {"Accept-Language": language}
        if server.token:
            headers["Authorization"] = f"token {server.token}"
        base = httpx.URL(server.url)
        self._http = httpx.Client(
            base_url=base.join("automl/"),
            headers=headers,
            timeout=timeout,
            # A connection that was kept may be closed by the server just when a request is sent on it, and
            # whether the request was heard is then unknown: each gets its own.
            transport=httpx.HTTPTransport(
                uds=server.socket, limits=httpx.Limits(max_keepalive_connections=0)
            ),
            # A proxy for the outside world must not be asked for what runs on this machine.
            trust_env=not is_loopback(base.host),
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def error(self, kind: type[AutoMLError], code: str, **params: Param) -> AutoMLError:
        """An error of the client's own, in the language of the caller."""
        return told(kind(code, errors=(), **params), self.language)

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | Iterator[bytes] | None = None,
        json: object = None,
        params: Mapping[str, str | int | float] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> httpx.Response:
        """Send a request and read the whole answer.

        Parameters
        ----------
        method, path : str
            The verb, and the path below ``automl/``.
        content : bytes or iterator of bytes, optional
            The body as it is.
        json : object, optional
            The body as JSON.
        params, headers : mapping, optional
            The query, and more headers.
        patience : float, optional
            Seconds to wait for the answer, where it takes longer than usual.

        Raises
        ------
        AutoMLError
            The child class for the status, if the server refuses; `Unavailable` if it does not answer.
        """
        import httpx

        timeout = httpx.Timeout(self.timeout, read=max(self.timeout, patience or 0.0))
        with self.failures():
            answer = self._http.request(
                method, path, content=content, json=json, params=params, headers=headers, timeout=timeout
            )
        self.check(answer)
        return answer

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        content: Iterator[bytes] | None = None,
        params: Mapping[str, str | int | float] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Iterator[httpx.Response]:
        """Send a request and hand out the answer as it arrives; parameters as in :meth:`request`."""
        import httpx

        timeout = httpx.Timeout(self.timeout, read=self.timeout if patience is None else patience)
        with (
            self.failures(),
            self._http.stream(
                method, path, content=content, params=params, headers=headers, timeout=timeout
            ) as answer,
        ):
            if answer.status_code != 200:
                answer.read()
                self.check(answer)
            yield answer

    def ask(
        self,
        kind: type[Answer],
        method: str,
        path: str,
        *,
        json: object = None,
        params: Mapping[str, str | int | float] | None = None,
        patience: float | None = None,
    ) -> Answer:
        """Send a request and read its answer as `kind`; the other parameters are those of :meth:`request`."""
        return self.read(kind, self.request(method, path, json=json, params=params, patience=patience))

    def read(self, kind: type[Answer], answer: httpx.Response) -> Answer:
        """The body of an answer as one of the models of :mod:`automl_jupyter.schemas`."""
        from pydantic import ValidationError

        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as problem:
            raise self.error(ServerFault, "client.unknown_answer", url=str(answer.url)) from problem

    def check(self, answer: httpx.Response) -> None:
        """Raise what an error answer means; return if it is none.

        Raises
        ------
        AutoMLError
            With the server's code, parameters and sentence.
        """
        if answer.status_code < 300:
            return
        body = _error_body(answer)
        if body is not None:
            more = [f"  {e.field}: {e.message}" for e in body.errors if e.message != body.message]
            sentence = "\n".join([body.message, *more])
            fields = tuple(FieldError(e.field, e.code) for e in body.errors)
            params = cast("Mapping[str, Param]", body.params)
            raise _again(answer.status_code, body.code, params, fields, sentence)
        raise self._unspoken(answer)

    def _unspoken(self, answer: httpx.Response) -> AutoMLError:
        url, status = self.server.url, answer.status_code
        if answer.has_redirect_location:
            # To log in, here or at a hub; else Jupyter takes the slash off a path that it does not know.
            place = answer.headers["Location"]
            status = 401 if "login" in place or "/hub/" in place else 404
        if status in (401, 403):
            return self.error(
                Forbidden, "client.refused" if self.server.token else "client.no_token", url=url
            )
        if status == 404 and self.server.others:
            return self.error(
                NotFound, "client.no_extension_others", url=url, others=list(self.server.others)
            )
        if status == 404:
            return self.error(NotFound, "client.no_extension", url=url)
        return self.error(_KINDS.get(status, ServerFault), "client.failed", url=url, status=status)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn what can go wrong on the way into errors that say what to do."""
        import httpx

        url = self.server.url
        try:
            yield
        except httpx.TimeoutException:
            raise self.error(TookTooLong, "client.timeout", url=url) from None
        except httpx.UnsupportedProtocol as problem:
            raise self.error(Unavailable, "client.unreachable", url=url, why=str(problem)) from None
        except httpx.ConnectError as problem:
            code = "client.certificate" if "CERTIFICATE" in str(problem).upper() else "client.unreachable"
            why = os.strerror(errno) if (errno := _errno(problem)) else str(problem)
            raise self.error(Unavailable, code, url=url, why=why) from None
        except httpx.TransportError:
            raise self.error(Unavailable, "client.cut", url=url) from None
        except RuntimeError:
            # Also by another thread, while this one waits for an answer.
            if not self._http.is_closed:
                raise
            raise self.error(Conflict, "client.closed") from None


def _errno(problem: BaseException) -> int | None:
    inner: BaseException | None = problem
    while inner is not None:
        if isinstance(inner, OSError) and inner.errno and inner.errno > 0:
            return inner.errno
        inner = inner.__cause__ or inner.__context__
    return None


def _error_body(answer: httpx.Response) -> ErrorBody | None:
    from pydantic import ValidationError

    from automl_jupyter.schemas import ErrorBody

    try:
        return ErrorBody.model_validate_json(answer.content)
    except ValidationError:
        return None
