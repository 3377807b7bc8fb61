"""What can go wrong, in terms of the person who asked: an HTTP status, a code and its parameters.

The sentence for a code stands in the catalogues of :mod:`automl_jupyter.messages`; an error carries no
prose of its own, so that it can be told in the reader's language wherever it surfaces.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from automl_jupyter import messages

Param = str | int | float | bool | None | list[str]
"""A value that a sentence may mention."""


@dataclass(frozen=True)
class FieldError:
    """One field of a request that cannot be used.

    Attributes
    ----------
    field : str
        Where it stands, as a dotted path such as ``rows.3.age``.
    code : str
        The code of the sentence that says what is wrong.
    params : Mapping
        The values that the sentence mentions.
    """

    field: str
    code: str
    params: Mapping[str, Param] = dataclasses.field(default_factory=dict)


class AutoMLError(Exception):
    """The root of every error that is told to a person.

    Parameters
    ----------
    code : str
        ``<domain>.<what>``, a key of the message catalogues, for example ``data.empty_file``.
    errors : sequence of FieldError
        The fields at fault, where the request has several.
    **params
        The values that the sentence mentions.
    """

    status: ClassVar[int] = 500

    def __init__(self, code: str, *, errors: Sequence[FieldError] = (), **params: Param) -> None:
        super().__init__(code)
        self.code = code
        self.params: dict[str, Param] = params
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return self.message("en")

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.code, self.errors, self.params))

    def message(self, language: str = "en") -> str:
        """The sentence in one of :data:`automl_jupyter.messages.LANGUAGES`."""
        return messages.render(self.code, self.params, language)


def _rebuild(
    cls: type[AutoMLError], code: str, errors: tuple[FieldError, ...], params: dict[str, Param]
) -> AutoMLError:
    return cls(code, errors=errors, **params)


class Malformed(AutoMLError):
    """The request cannot be read."""

    status = 400


class Forbidden(AutoMLError):
    """The caller may not do this."""

    status = 403


class NotFound(AutoMLError):
    """There is no such thing, or it belongs to somebody else."""

    status = 404


class Conflict(AutoMLError):
    """The thing is in a state in which this cannot be done."""

    status = 409


class TooLarge(AutoMLError):
    """More bytes or rows than allowed."""

    status = 413


class UnsupportedType(AutoMLError):
    """The content is not of a kind that can be read."""

    status = 415


class Unprocessable(AutoMLError, ValueError):
    """The request is well formed but makes no sense for this data."""

    status = 422


class TooMany(AutoMLError):
    """More at once than allowed."""

    status = 429


class Unavailable(AutoMLError):
    """A part that is needed is down."""

    status = 503


class NoSpace(AutoMLError):
    """There is no room left to keep what was sent or made."""

    status = 507


BY_STATUS: Mapping[int, type[AutoMLError]] = {
    kind.status: kind
    for kind in (
        Malformed,
        Forbidden,
        NotFound,
        Conflict,
        TooLarge,
        UnsupportedType,
        Unprocessable,
        TooMany,
        Unavailable,
        NoSpace,
    )
}
"""The error class that stands for an HTTP status: how an error crosses a process boundary and comes back."""


def to_wire(error: AutoMLError) -> dict[str, object]:
    """What must cross a process boundary for :func:`from_wire` to rebuild the error."""
    return {
        "status": error.status,
        "code": error.code,
        "params": error.params,
        "errors": [{"field": e.field, "code": e.code, "params": dict(e.params)} for e in error.errors],
    }


def from_wire(body: Mapping[str, object]) -> AutoMLError:
    """Rebuild the error that :func:`to_wire` described."""
    status, code, params, errors = (body.get(key) for key in ("status", "code", "params", "errors"))
    kind = BY_STATUS.get(status, AutoMLError) if isinstance(status, int) else AutoMLError
    fields = tuple(FieldError(**e) for e in errors) if isinstance(errors, list) else ()
    return kind(str(code), errors=fields, **(params if isinstance(params, dict) else {}))
