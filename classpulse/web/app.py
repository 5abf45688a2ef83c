"""The dashboard as an ASGI application."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from classpulse.config.settings import Config
from classpulse.services.upload_queue import UploadQueue
from classpulse.services.uploads import UploadStore, uploads_folder
from classpulse.web.context import AppContext, accepts_html, get_translator, render_page, request_language
from classpulse.web.login_sessions import LoginSessions
from classpulse.web.pages import (
    accounts,
    audit,
    checkins,
    classes,
    comparison,
    corrections,
    health,
    home,
    join,
    lesson,
    lessons,
    live,
    login,
    recording,
    roster,
    seats,
    student,
    term,
    upload,
)
from classpulse.web.pages import erasure as erasing
from classpulse.web.pages import online_lessons as online
from classpulse.web.pages import own_account as account
from classpulse.web.security_headers import SecurityHeaders
from classpulse.web.still_store import StillStore
from db.accounts import count_administrators

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"

PAGES = (
    account,
    accounts,
    audit,
    checkins,
    classes,
    comparison,
    corrections,
    erasing,
    health,
    home,
    join,
    lesson,
    lessons,
    live,
    login,
    online,
    recording,
    student,
    term,
    roster,
    seats,
    upload,
)
"""Modules with ``ROUTES``."""


def build_app(config: Config, engine: Engine) -> Starlette:
    """Create the ASGI application on an open database. Without an administrator,
    ``app.state.context.setup_code`` is the one-time code for creating one."""
    serve = config.settings.serve
    logins = LoginSessions(engine, hours=serve.session_hours, secure=serve.is_secure)
    setup_code = None if count_administrators(engine) else "-".join(secrets.token_hex(2) for _ in range(4))
    routes: list[BaseRoute] = [page_route for page in PAGES for page_route in page.ROUTES]
    routes.append(Mount("/static", SafeStaticFiles(directory=STATIC), name="static"))
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(SecurityHeaders, hsts=serve.owns_host_name),
            # Prevents DNS rebinding: a foreign host name that resolves to this address is rejected.
            Middleware(TrustedHostMiddleware, allowed_hosts=[*_allowed_hosts(config)], www_redirect=False),
        ],
        exception_handlers={HTTPException: _http_error, 500: _server_error},  # type: ignore[dict-item]
    )
    app.state.context = AppContext(config, engine, logins, setup_code)
    app.state.upload_store = UploadStore(uploads_folder(config))
    app.state.still_store = StillStore()
    app.state.upload_queue = UploadQueue(config, app.state.upload_store)
    return app


class SafeStaticFiles(StaticFiles):
    """Static files; answers 404 instead of 500 for a path that no file can have."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """The path and status of a file, ("", None) if there is none."""
        try:
            return super().lookup_path(path)
        except ValueError:  # a NUL or a lone surrogate
            return "", None


def _allowed_hosts(config: Config) -> tuple[str, ...]:
    serve = config.settings.serve
    # For health checks on this computer; no page of another computer has these names.
    always_allowed = ("localhost", "127.0.0.1", "[::1]")
    return (*always_allowed, *(() if serve.is_local else (serve.host,)), *serve.host_names)


def _http_error(request: Request, error: HTTPException) -> Response:
    detail = error.detail and get_translator(request_language(request))(error.detail)
    if not hasattr(request.state, "account"):  # no route matched, so the account was not looked up
        request.state.account = request.app.state.context.login_sessions.current_account(request)
    if not accepts_html(request):
        return JSONResponse({"error": detail}, error.status_code, error.headers)
    answer = render_page(
        request, "refused.html.j2", error.status_code, status=error.status_code, detail=detail
    )
    answer.headers.update(error.headers or {})
    return answer


def _server_error(request: Request, error: Exception) -> Response:
    log.error("request failed: %s", request.url.path, exc_info=error)
    return render_page(request, "refused.html.j2", 500, status=500, detail="")
