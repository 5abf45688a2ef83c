"""Whether the dashboard answers, for what watches it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from classpulse.web.routing import PublicAccess, route


async def healthz(_: Request) -> Response:
    """It does; how the recordings are, ``classpulse health`` tells to who may know."""
    return PlainTextResponse("ok")


ROUTES = [route("/healthz", healthz, PublicAccess.ANYONE)]
