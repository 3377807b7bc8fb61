"""The pages for people: plain, made on the server, usable without scripts; and the contract itself."""

from __future__ import annotations

import secrets
from base64 import b64encode
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jupyter_server.auth.decorator import authorized
from markupsafe import Markup
from tornado import web

from automl_jupyter import messages, schemas
from automl_jupyter.errors import AutoMLError
from automl_jupyter.server import application, present
from automl_jupyter.server.base import AutoMLHandler, error_body
from automl_jupyter.server.identity import RESOURCE

TEMPLATES = Path(__file__).parent.parent / "templates"
RECENT = 20
NONCE_BYTES = 18
POLICY = (
    "default-src 'none'; style-src '{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)


@cache
def _style() -> tuple[str, str]:
    """The style sheet, and its hash as a content security policy wants it."""
    text = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    return text, "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


class PageHandler(AutoMLHandler):
    """A page: HTML out, also for its errors."""

    @property
    def content_security_policy(self) -> str:
        """No scripts at all, nothing from elsewhere; the one style sheet is known by its hash."""
        return POLICY.format(style=_style()[1])

    def get_login_url(self) -> str:
        """Lead a person who is not logged in to Jupyter's login page."""
        return str(self.settings["login_url"])

    def text(self, code: str, **params: Any) -> str:
        """A sentence of the page in the reader's language."""
        return messages.render(code, params, self.language)

    def show(self, template: str, status: int = 200, **values: Any) -> None:
        """Answer with a page."""
        self.set_status(status)
        page = (
            _environment()
            .get_template(template)
            .render(
                t=self.text,
                language=self.language,
                base=f"{self.base_url}automl/",
                number=self.number,
                style=Markup(_style()[0]),  # noqa: S704 - a file of ours
                **values,
            )
        )
        self.finish(page, set_content_type="text/html; charset=utf-8")

    def number(self, value: float | None, digits: int = 4) -> str:
        """A number as the reader writes it."""
        if value is None:
            return "–"
        whole = value == int(value) and digits == 0
        return messages.written(value, ",.0f" if whole else f",.{digits}g", self.language)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A page that says what is wrong and what to do."""
        found = kwargs.get("exc_info", (None, None, None))[1]
        error = found if isinstance(found, AutoMLError) else self._from_http(status_code, found)
        status = error.status if isinstance(found, AutoMLError) else status_code
        if status == 405:
            self.set_header("Allow", ", ".join(self.allowed_methods()))
        self.show("error.html", status, error=error_body(error, self.language), refresh=None)


class HomeHandler(PageHandler):
    """The home page: the application; without scripts, what there is, and how trainings are going."""

    _track_activity = False

    @property
    def content_security_policy(self) -> str:
        """Scripts of the application alone; else as any page."""
        if not application.is_built():
            return super().content_security_policy
        return application.policy(self._nonce)

    @cached_property
    def _nonce(self) -> str:
        """What the policy and the page's own scripts have in common; another one in each answer."""
        return secrets.token_urlsafe(NONCE_BYTES)

    def _application(self) -> dict[str, str] | None:
        if not application.is_built():
            return None
        prefix = self.app.static_url_prefix
        found = {name: f"{prefix}{file}" for name, file in application.files().items()}
        # To ask for it sets the cookie that the application's own requests need.
        _ = self.xsrf_token
        return {**found, "nonce": self._nonce, "base_url": self.base_url}

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """Show the caller's models and jobs; renews itself while a job runs."""
        services = await self.services()
        jobs, _ = await services.training.page(self.owner, RECENT, 0)
        shown = [present.job(job, *(await services.training.describe(job)), self.language) for job in jobs]
        found, total = await services.models.page(self.owner, RECENT, 0)
        _, datasets = await services.datasets.page(self.owner, 1, 0)
        under_way = any(job.state not in schemas.FINAL_STATES for job in shown)
        self.show(
            "home.html",
            jobs=shown,
            models=[present.model(model, versions) for model, versions in found],
            total=total,
            datasets=datasets,
            refresh=3 if under_way else None,
            app=self._application(),
        )


class OpenApiHandler(AutoMLHandler):
    """``api/openapi.json``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """Give the contract as an OpenAPI document."""
        from automl_jupyter.server.openapi import document

        self.finish(document(f"{self.base_url}automl"))


class DocsHandler(PageHandler):
    """``api/docs/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """Show the contract as a page."""
        from automl_jupyter.server.openapi import document

        self.show("docs.html", contract=document(f"{self.base_url}automl"), refresh=None)
