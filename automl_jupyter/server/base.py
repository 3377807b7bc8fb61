"""What every handler shares: who asks, in which language, how answers and errors are written."""

from __future__ import annotations

import logging
import math
import re
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ensure_async
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from automl_jupyter import messages, schemas
from automl_jupyter.errors import AutoMLError, FieldError, Forbidden, Malformed, TooLarge, UnsupportedType
from automl_jupyter.server.identity import RESOURCE, knows_people, owner_of

if TYPE_CHECKING:
    from automl_jupyter.server.app import AutoML
    from automl_jupyter.services.container import Services

log = logging.getLogger(__name__)

Body = TypeVar("Body", bound=BaseModel)

LARGEST_VERSION = 999_999_999
LONGEST_PAGE = 500
MAX_BODY_BYTES = 1024 * 1024
"""The largest JSON of a request whose body is no data."""

MOST_FIELDS = 100
"""More fields than any object that is asked for has."""

LONGEST_FIELD = 100
"""Characters of the name of a field that is at fault: whoever invents a long one is not told it again."""

_NUMBER = r"[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?"

_STATUS_CODES = {
    400: "server.bad_request",
    401: "server.not_logged_in",
    403: "server.forbidden",
    404: "server.not_found",
    405: "server.method_not_allowed",
    411: "server.length_required",
    413: "server.too_large",
    415: "server.unsupported_type",
}


class AutoMLHandler(APIHandler):
    """The base of the handlers; each verb is decorated with ``authenticated`` and ``authorized``.

    Attributes
    ----------
    route : str
        The path's template, which stands for it in the measurements; set by the route table.
    """

    route: ClassVar[str] = ""

    @property
    def app(self) -> AutoML:
        """The extension."""
        app: AutoML = self.settings["automl"]
        return app

    async def services(self) -> Services:
        """The use cases."""
        return await self.app.services()

    @property
    def owner(self) -> str:
        """Whose things this request is about."""
        return owner_of(self.identity_provider, self.current_user)

    @property
    def administers(self) -> bool:
        """Whether the caller may see what concerns everybody."""
        return not knows_people(self.identity_provider) or self.current_user.username in self.app.admins

    @property
    def language(self) -> str:
        """The language of the sentences in the answer."""
        return messages.negotiate(self.request.headers.get("Accept-Language"))

    async def permitted(self, action: str, resource: str = RESOURCE) -> bool:
        """Ask Jupyter's authorizer."""
        allowed = self.authorizer.is_authorized(self, self.current_user, action, resource)
        return bool(await ensure_async(allowed))

    async def admit(self, action: str) -> None:
        """Check user and permission before a body is read; for handlers that take it as a stream.

        Raises
        ------
        Forbidden
            If the caller is unknown or may not.
        """
        if self.current_user is None or not await self.permitted(action):
            raise Forbidden("server.forbidden")

    # --- what was asked

    @property
    def content_type(self) -> str:
        """The media type of the body, without parameters, in lower case."""
        return str(self.request.headers.get("Content-Type", "")).partition(";")[0].strip().lower()

    def body(self, kind: type[Body]) -> Body:
        """Read the request's JSON.

        Raises
        ------
        UnsupportedType
            If the body is said to be something else.
        Malformed
            If it is not JSON, or not of that shape; each field at fault is named.
        TooLarge
            If it is longer than any such request is.
        """
        if self.content_type not in ("application/json", ""):
            raise UnsupportedType("server.json_expected", given=self.content_type)
        if len(self.request.body) > MAX_BODY_BYTES:
            raise TooLarge("services.too_large", megabytes=MAX_BODY_BYTES // 2**20)
        return self.parsed(kind, self.request.body)

    @staticmethod
    def parsed(kind: type[Body], data: bytes) -> Body:
        """Read an object of the contract from JSON; an empty body is an empty object.

        Raises
        ------
        Malformed
            If it is not JSON, or not of that shape.
        """
        try:
            if len(data) > MAX_BODY_BYTES:
                return kind.model_validate(_few_fields(data))
            return kind.model_validate_json(data or b"{}")
        except ValidationError as error:
            raise malformed(error) from None

    def paging(self) -> tuple[int, int]:
        """The ``limit`` and ``offset`` of a list.

        Raises
        ------
        Malformed
            If they are no whole numbers in their range.
        """
        return self.whole_of("limit", 50, 1, LONGEST_PAGE), self.whole_of("offset", 0, 0, 2**31)

    def flag(self, name: str) -> bool:
        """A yes or no in the query; absent is no.

        Raises
        ------
        Malformed
            If it is neither ``true`` nor ``false``.
        """
        text = self.get_query_argument(name, "false")
        if text not in ("true", "false"):
            raise Malformed(
                "server.bad_flag", name=name, errors=[FieldError(name, "server.bad_flag", {"name": name})]
            )
        return text == "true"

    def amount(self, name: str) -> float | None:
        """A number above 0 in the query; None where it is absent.

        Raises
        ------
        Malformed
            If it is something else.
        """
        text = self.get_query_argument(name, None)
        if text is None:
            return None
        value = float(text) if re.fullmatch(_NUMBER, text) else 0.0
        if not 0 < value < math.inf:
            problem = FieldError(name, "server.bad_amount", {"name": name})
            raise Malformed("server.bad_amount", name=name, errors=[problem])
        return value

    def whole_of(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number in the query.

        Raises
        ------
        Malformed
            If it is none in that range.
        """
        value = whole(self.get_query_argument(name, str(default)), 10)
        if value is None or not least <= value <= most:
            params: dict[str, Any] = {"name": name, "least": least, "most": most}
            raise Malformed(
                "server.bad_number", errors=[FieldError(name, "server.bad_number", params)], **params
            )
        return value

    def one_of(self, name: str, known: tuple[str, ...], default: str | None) -> str | None:
        """A word of the query.

        Raises
        ------
        Malformed
            If it is none of the known ones.
        """
        given = self.get_query_argument(name, default)
        if given is not None and given not in known:
            words = [*known]
            problem = FieldError(name, "server.not_one_of", {"field": name, "known": words})
            raise Malformed("server.not_one_of", errors=[problem], field=name, known=words)
        return given

    # --- what is answered

    def answer(self, body: BaseModel, status: int = 200) -> None:
        """Answer with an object of the contract."""
        self.set_status(status)
        self.finish(body.model_dump_json())

    def nothing(self) -> None:
        """Answer that it is done and there is nothing to say."""
        self.set_status(204)
        self.finish()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an error: its sentence in the reader's language, its code for programs."""
        found = kwargs.get("exc_info", (None, None, None))[1]
        error = found if isinstance(found, AutoMLError) else self._from_http(status_code, found)
        status = error.status if isinstance(found, AutoMLError) else status_code
        if status == 405:
            self.set_header("Allow", ", ".join(self.allowed_methods()))
        self.set_status(status)
        body = error_body(error, self.language)
        self.finish(body.model_dump_json())

    def _from_http(self, status: int, error: object) -> AutoMLError:
        told = str(error.log_message or "") if isinstance(error, HTTPError) else ""
        if "_xsrf" in told:
            return Forbidden("server.xsrf")
        return AutoMLError(
            _STATUS_CODES.get(status, "server.internal" if status >= 500 else "server.bad_request")
        )

    @classmethod
    def allowed_methods(cls) -> list[str]:
        """The HTTP methods that this handler has."""
        missing = RequestHandler._unimplemented_method
        return [name for name in cls.SUPPORTED_METHODS if getattr(cls, name.lower()) is not missing]

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """An error for people is no fault of ours unless a part is down; a client that left is no error."""
        if isinstance(error, AutoMLError) and error.status >= 500:
            log.error("%s %s: %s", self.request.method, self.route, error)
        elif isinstance(error, AutoMLError):
            log.info("%s %s: %s", self.request.method, self.route, error.code)
        elif isinstance(error, StreamClosedError):
            log.info("%s %s: the client went away", self.request.method, self.route)
        else:
            super().log_exception(kind, error, trace)

    def on_finish(self) -> None:
        """Measure the request."""
        user = getattr(self, "_jupyter_current_user", None)
        owner = owner_of(self.identity_provider, user) if user is not None else ""
        self.app.telemetry.requested(
            self.request.method or "", self.route, self.get_status(), owner, self.request.request_time()
        )


def whole(text: str, digits: int) -> int | None:
    """A whole number of at most so many digits; None where the text is something else.

    Plain digits only: ``str.isdigit`` also takes ``²``, of which ``int`` makes nothing.
    """
    return int(text) if re.fullmatch(rf"[0-9]{{1,{digits}}}", text) else None


def error_body(error: AutoMLError, language: str) -> schemas.ErrorBody:
    """An error as it is answered."""
    return schemas.ErrorBody(
        message=error.message(language),
        code=error.code,
        params=cast("schemas.Params", error.params),
        errors=[
            schemas.FieldProblem(
                field=e.field, code=e.code, message=messages.render(e.code, e.params, language)
            )
            for e in error.errors
        ],
    )


def _few_fields(data: bytes) -> object:
    """What a large body says, unless it is an object of so many fields that to list them takes minutes."""
    try:
        found = from_json(data)
    except ValueError:
        raise Malformed("server.bad_json") from None
    if isinstance(found, dict) and len(found) > MOST_FIELDS:
        raise Malformed("server.bad_body", fields=["body"])
    return found


_KINDS = {
    "cell": "string, number, boolean, null",
    "dict": "object",
    "finite": "number",
    "float": "number",
    "int": "integer",
    "list": "array",
    "model": "object",
}
"""What JSON calls the kinds that pydantic misses."""

_LIMIT_NAMES = ("ge", "gt", "le", "lt", "min_length", "max_length")


def _field_error(detail: Any) -> FieldError:
    field = ".".join(str(part) for part in detail["loc"])[:LONGEST_FIELD]
    kind, context = detail["type"], detail.get("ctx") or {}
    limit = next((context[name] for name in _LIMIT_NAMES if name in context), None)
    if kind == "missing":
        return FieldError(field, "server.field_missing", {"field": field})
    if kind == "extra_forbidden":
        return FieldError(field, "server.field_unknown", {"field": field})
    if kind == "literal_error":
        return FieldError(field, "server.field_choice", {"field": field, "expected": context["expected"]})
    if kind == "string_pattern_mismatch":
        return FieldError(field, "server.field_pattern", {"field": field})
    if limit is not None:
        code = (
            "server.field_too_small"
            if kind.startswith(("greater", "too_short", "string_too_short"))
            else "server.field_too_large"
        )
        return FieldError(field, code, {"field": field, "limit": limit})
    named = kind.partition("_")[0]
    return FieldError(field, "server.field_type", {"field": field, "expected": _KINDS.get(named, named)})


def malformed(error: ValidationError) -> Malformed:
    """What pydantic found, as an error for people."""
    details = error.errors(include_url=False, include_input=False)
    if any(detail["type"] == "json_invalid" for detail in details):
        return Malformed("server.bad_json")
    fields = [_field_error(detail) for detail in details[:20]]
    return Malformed("server.bad_body", errors=fields, fields=[field.field for field in fields] or ["body"])
