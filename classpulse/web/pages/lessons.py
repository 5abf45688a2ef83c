"""Past lessons, narrowed down."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from classpulse.services.history import Wanted, past_lessons
from classpulse.web.class_access import day, seen_groups, settings_for
from classpulse.web.context import account_of, render, site_of
from classpulse.web.permissions import Action, sees_class
from classpulse.web.routing import route
from db.records import SessionStatus
from db.roster import room_names

PAGE = 50


def lessons(request: Request) -> Response:
    """A page of the lessons of the classes that this account sees, the newest first."""
    site, account, asked = site_of(request), account_of(request), request.query_params
    groups = seen_groups(request)
    group = next((one for one in groups if str(one.id) == asked.get("class")), None)
    rooms = room_names(site.engine, [one.name for one in groups])
    wanted = Wanted(
        class_name=group.name if group else None,
        room=asked.get("room") if asked.get("room") in rooms else None,
        since=day(asked.get("since", "")),
        until=day(asked.get("until", "")),
        status=SessionStatus.INTERRUPTED if asked.get("interrupted") else None,
        flagged=bool(asked.get("flagged")),
    )
    found = past_lessons(site.engine, wanted, settings_for(request), lambda name: sees_class(account, name))
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(_number(asked.get("page")), 1), pages)
    kept = {name: value for name, value in asked.items() if name in _FILTERS and value}
    return render(
        request,
        "lessons.html.j2",
        lessons=found[(page - 1) * PAGE : page * PAGE],
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


_FILTERS = ("class", "room", "since", "until", "flagged", "interrupted")


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 9 else 1


ROUTES = [route("/lessons", lessons, Action.LOOK)]
