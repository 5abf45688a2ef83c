"""The liveness probe of the dashboard."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from classpulse.web.routing import PublicAccess, route


async def healthz(_: Request) -> Response:
    """Answers "ok"; the state of the recordings is not public (see ``classpulse health``)."""
    return PlainTextResponse("ok")


ROUTES = [route("/healthz", healthz, PublicAccess.ANYONE)]
