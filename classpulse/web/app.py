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
from classpulse.services.upload_queue import Analyses
from classpulse.services.uploads import Uploads, uploads_folder
from classpulse.web.context import Site, language_of, render, wants_page, words
from classpulse.web.login_sessions import Logins
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
from classpulse.web.security_headers import Headers
from classpulse.web.still_store import Stills
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
"""Each has its ``ROUTES``."""


def build_app(config: Config, engine: Engine) -> Starlette:
    """The application over a configuration and its open database. Where there is no administrator yet,
    ``app.state.site.code`` is the one-time code that the first start must show."""
    serve = config.settings.serve
    logins = Logins(engine, hours=serve.session_hours, secure=serve.secure)
    code = None if count_administrators(engine) else "-".join(secrets.token_hex(2) for _ in range(4))
    routes: list[BaseRoute] = [one for page in PAGES for one in page.ROUTES]
    routes.append(Mount("/static", Static(directory=STATIC), name="static"))
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Headers, insist=serve.alone),
            # Another name that leads here would let a page from elsewhere speak as us (DNS rebinding).
            Middleware(TrustedHostMiddleware, allowed_hosts=[*_hosts(config)], www_redirect=False),
        ],
        exception_handlers={HTTPException: _refused, 500: _failed},  # type: ignore[dict-item]
    )
    app.state.site = Site(config, engine, logins, code)
    app.state.uploads = Uploads(uploads_folder(config))
    app.state.stills = Stills()
    app.state.analyses = Analyses(config, app.state.uploads)
    return app


class Static(StaticFiles):
    """Our files; a path that no file can have is not found, and no fault."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """As Starlette asks: where the file is, and what it is."""
        try:
            return super().lookup_path(path)
        except ValueError:  # a NUL, or half a character
            return "", None


def _hosts(config: Config) -> tuple[str, ...]:
    serve = config.settings.serve
    # Itself always, for what looks whether it still answers; no other computer's page has these names.
    own = ("localhost", "127.0.0.1", "[::1]")
    return (*own, *(() if serve.local else (serve.host,)), *serve.names)


def _refused(request: Request, error: HTTPException) -> Response:
    detail = error.detail and words(language_of(request))(error.detail)
    if not hasattr(request.state, "account"):  # no route, so no guard has looked
        request.state.account = request.app.state.site.logins.account(request)
    if not wants_page(request):
        return JSONResponse({"error": detail}, error.status_code, error.headers)
    answer = render(request, "refused.html.j2", error.status_code, status=error.status_code, detail=detail)
    answer.headers.update(error.headers or {})
    return answer


def _failed(request: Request, error: Exception) -> Response:
    log.error("a page failed: %s", request.url.path, exc_info=error)
    return render(request, "refused.html.j2", 500, status=500, detail="")
