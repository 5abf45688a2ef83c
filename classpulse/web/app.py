"""The dashboard as an ASGI application."""

from __future__ import annotations

import logging
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

from classpulse.settings import Config
from classpulse.web.headers import Headers
from classpulse.web.logins import Logins
from classpulse.web.pages import home, join, login, online
from classpulse.web.site import Site, render, wants_page
from db.accounts import count_administrators

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"

PAGES = (login, home, online, join)
"""Each has its ``ROUTES``."""


def build_app(config: Config, engine: Engine) -> Starlette:
    """The application over a configuration and its open database. Where there is no administrator yet,
    ``app.state.site.code`` is the one-time code that the first start must show."""
    serve = config.settings.serve
    logins = Logins(engine, hours=serve.session_hours, secure=serve.tls or serve.behind_proxy)
    code = None if count_administrators(engine) else "-".join(secrets.token_hex(2) for _ in range(4))
    routes: list[BaseRoute] = [one for page in PAGES for one in page.ROUTES]
    routes.append(Mount("/static", StaticFiles(directory=STATIC), name="static"))
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Headers, tls=serve.tls or serve.behind_proxy),
            # Another name that leads here would let a page from elsewhere speak as us (DNS rebinding).
            Middleware(TrustedHostMiddleware, allowed_hosts=[*_hosts(config)], www_redirect=False),
        ],
        exception_handlers={HTTPException: _refused, 500: _failed},  # type: ignore[dict-item]
    )
    app.state.site = Site(config, engine, logins, code)
    return app


def _hosts(config: Config) -> tuple[str, ...]:
    serve = config.settings.serve
    own = ("localhost", "127.0.0.1", "[::1]", "testserver") if serve.local else (serve.host,)
    return (*own, *serve.names)


def _refused(request: Request, error: HTTPException) -> Response:
    if not wants_page(request):
        return JSONResponse({"error": error.detail}, error.status_code)
    return render(
        request, "refused.html.j2", error.status_code, status=error.status_code, detail=error.detail
    )


def _failed(request: Request, error: Exception) -> Response:
    log.error("a page failed: %s", request.url.path, exc_info=error)
    return render(request, "refused.html.j2", 500, status=500, detail="")
