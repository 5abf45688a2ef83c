"""The list of past lessons with filters."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from classpulse.services.history import SessionFilter, find_past_sessions
from classpulse.web.class_access import parse_day, report_settings_for, visible_classes
from classpulse.web.context import context_of, render_page, request_account
from classpulse.web.permissions import Permission, can_view_class
from classpulse.web.routing import route
from db.records import SessionStatus
from db.roster import list_rooms

PAGE_SIZE = 50


def lessons_page(request: Request) -> Response:
    """One page of the lessons that the account may view, newest first."""
    context, account, query = context_of(request), request_account(request), request.query_params
    groups = visible_classes(request)
    group = next((one for one in groups if str(one.id) == query.get("class")), None)
    rooms = list_rooms(context.engine, [one.name for one in groups])
    session_filter = SessionFilter(
        class_name=group.name if group else None,
        room=query.get("room") if query.get("room") in rooms else None,
        since=parse_day(query.get("since", "")),
        until=parse_day(query.get("until", "")),
        status=SessionStatus.INTERRUPTED if query.get("interrupted") else None,
        flagged=bool(query.get("flagged")),
    )
    past_sessions = find_past_sessions(
        context.engine,
        session_filter,
        report_settings_for(request),
        lambda name: can_view_class(account, name),
    )
    pages = max(1, -(-len(past_sessions) // PAGE_SIZE))
    page = min(max(_page_number(query.get("page")), 1), pages)
    active_filters = {name: value for name, value in query.items() if name in _FILTER_PARAMETERS and value}
    return render_page(
        request,
        "lessons.html.j2",
        lessons=past_sessions[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        total=len(past_sessions),
        page=page,
        pages=pages,
        page_url=lambda number: "/lessons?" + urlencode({**active_filters, "page": number}),
        groups=groups,
        group=group,
        rooms=rooms,
        session_filter=session_filter,
        interrupted=bool(session_filter.status),
        is_filtered=bool(active_filters),
    )


_FILTER_PARAMETERS = ("class", "room", "since", "until", "flagged", "interrupted")


def _page_number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 9 else 1


ROUTES = [route("/lessons", lessons_page, Permission.VIEW)]
