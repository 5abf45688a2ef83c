"""Who did and looked at what, for administrators."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from classpulse.web.context import render, site_of
from classpulse.web.permissions import Action
from classpulse.web.routing import route
from db import sessions as queries

PAGE = 50
"""Lines of a page."""

MOST_PAGES = 100_000


def audit(request: Request) -> Response:
    """A page of it, of one action or with a text in it."""
    engine, asked = site_of(request).engine, request.query_params
    action, text = asked.get("action", "")[:100], asked.get("text", "").strip()[:100]
    page = _page(asked.get("page", ""))
    # One more than is shown tells whether there is another page.
    found = queries.audit_trail(engine, PAGE + 1, action=action, text=text, skip=(page - 1) * PAGE)
    return render(
        request,
        "audit.html.j2",
        entries=found[:PAGE],
        more=len(found) > PAGE,
        page=page,
        action=action,
        text=text,
        actions=queries.audit_actions(engine),
    )


def _page(asked: str) -> int:
    return (
        min(int(asked), MOST_PAGES)
        if asked.isascii() and asked.isdigit() and 0 < len(asked) < 9 and int(asked)
        else 1
    )


ROUTES = [route("/audit", audit, Action.ADMINISTER)]
