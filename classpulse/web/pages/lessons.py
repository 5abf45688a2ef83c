"""Past lessons, narrowed down."""

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
    """A page of the lessons of the classes that this account sees, the newest first."""
    site, account, asked = context_of(request), request_account(request), request.query_params
    groups = visible_classes(request)
    group = next((one for one in groups if str(one.id) == asked.get("class")), None)
    rooms = list_rooms(site.engine, [one.name for one in groups])
    wanted = SessionFilter(
        class_name=group.name if group else None,
        room=asked.get("room") if asked.get("room") in rooms else None,
        since=parse_day(asked.get("since", "")),
        until=parse_day(asked.get("until", "")),
        status=SessionStatus.INTERRUPTED if asked.get("interrupted") else None,
        flagged=bool(asked.get("flagged")),
    )
    found = find_past_sessions(
        site.engine, wanted, report_settings_for(request), lambda name: can_view_class(account, name)
    )
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(_page_number(asked.get("page")), 1), pages)
    kept = {name: value for name, value in asked.items() if name in _FILTER_PARAMETERS and value}
    return render_page(
        request,
        "lessons.html.j2",
        lessons=found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        total=len(found),
        page=page,
        pages=pages,
        address=lambda number: "/lessons?" + urlencode({**kept, "page": number}),
        groups=groups,
        group=group,
        rooms=rooms,
        wanted=wanted,
        interrupted=bool(wanted.status),
        narrowed=bool(kept),
    )


_FILTER_PARAMETERS = ("class", "room", "since", "until", "flagged", "interrupted")


def _page_number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 9 else 1


ROUTES = [route("/lessons", lessons_page, Permission.VIEW)]
