"""Who the caller is, and the answer to whatever does not exist."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from automl_jupyter import __version__, schemas
from automl_jupyter.errors import NotFound
from automl_jupyter.server.base import AutoMLHandler
from automl_jupyter.server.identity import ACTIONS, RESOURCE


class UserHandler(AutoMLHandler):
    """``api/user/``."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """Say who the caller is, what they may do and what the limits are."""
        app = self.app
        allowed = [action for action in ACTIONS if await self.permitted(action)]
        self.answer(
            schemas.User(
                username=self.owner,
                display_name=self.current_user.display_name or self.owner,
                authenticated_by=type(self.identity_provider).__name__,
                roles=["user", "admin"] if self.administers else ["user"],
                permissions={RESOURCE: allowed},
                limits=schemas.Limits(
                    max_upload_bytes=app.max_upload_bytes,
                    max_piece_bytes=schemas.PIECE_BYTES,
                    max_predict_rows=app.max_predict_rows,
                    max_json_rows=schemas.JSON_ROWS,
                    max_time_budget=app.max_time_budget,
                    default_time_budget=app.default_time_budget,
                ),
                version=__version__,
                mlflow_ui_url=app.mlflow_ui_url or None,
            )
        )


class UnknownHandler(AutoMLHandler):
    """Whatever else is asked below our prefix: an answer in JSON, as everywhere."""

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def get(self) -> None:
        """Say that there is no such thing."""
        raise NotFound("server.not_found")

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def post(self) -> None:
        """Say that there is no such thing."""
        raise NotFound("server.not_found")

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def put(self) -> None:
        """Say that there is no such thing."""
        raise NotFound("server.not_found")

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def patch(self) -> None:
        """Say that there is no such thing."""
        raise NotFound("server.not_found")

    @web.authenticated
    @authorized("read", resource=RESOURCE)
    async def delete(self) -> None:
        """Say that there is no such thing."""
        raise NotFound("server.not_found")
