"""The audit log, for administrators."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from classpulse.web.context import context_of, render_page
from classpulse.web.permissions import Permission
from classpulse.web.routing import route
from db import sessions as queries

PAGE_SIZE = 50
"""Entries per page."""

MAX_PAGES = 100_000


def audit_page(request: Request) -> Response:
    """One page of the audit log, filtered by action and text."""
    engine, query = context_of(request).engine, request.query_params
    action, text = query.get("action", "")[:100], query.get("text", "").strip()[:100]
    page = _page_number(query.get("page", ""))
    # One more than is shown, to see whether there is another page.
    entries = queries.list_audit_entries(
        engine, PAGE_SIZE + 1, action=action, text=text, skip=(page - 1) * PAGE_SIZE
    )
    return render_page(
        request,
        "audit.html.j2",
        entries=entries[:PAGE_SIZE],
        more=len(entries) > PAGE_SIZE,
        page=page,
        action=action,
        text=text,
        actions=queries.list_audit_actions(engine),
    )


def _page_number(text: str) -> int:
    return (
        min(int(text), MAX_PAGES)
        if text.isascii() and text.isdigit() and 0 < len(text) < 9 and int(text)
        else 1
    )


ROUTES = [route("/audit", audit_page, Permission.ADMINISTER)]
