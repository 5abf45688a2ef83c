"""The start page: what is being recorded, what comes next, the last lessons."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from classpulse.config.policy import require_policy
from classpulse.errors import UserError
from classpulse.web.class_access import report_settings_for, selectable_class_names, visible_flags
from classpulse.web.context import context_of, render_page, request_account
from classpulse.web.daemon_status import DaemonSnapshot
from classpulse.web.permissions import Permission, can_view_class, is_allowed
from classpulse.web.routing import route
from db import sessions as queries
from db.accounts import Account, Role
from db.history import session_counts
from db.records import SessionRecord
from monitor.daemon.status import NextLesson
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from reports.history.sessions import session_lines

LISTED_LESSONS = 8
"""Lessons that are shown here; all are under "Lessons"."""

TRANSIENT_STATES = frozenset({SessionState.STARTING, SessionState.ENDING})
"""States that pass by themselves, so that the page looks again soon."""


def home_page(request: Request) -> Response:
    """Everything at a glance, of the classes that this account sees."""
    return render_home(request)


def current_recordings(request: Request) -> Response:
    """What is being recorded now, for the script of the page: the same part of it again."""
    values = _current_status(request)
    states = [one.state for one in values["recordings"]]
    return JSONResponse(
        {
            "html": _body_text(render_page(request, "home_now.html.j2", **values)),
            "is_transient": any(state in TRANSIENT_STATES for state in states),
            "has_started": any(
                one.session_id is not None and one.class_name == values["followed"]
                for one in values["recordings"]
            ),
        }
    )


def render_home(request: Request, code: int = 200, error: str = "") -> Response:
    """The whole page, with why an order could not be carried out."""
    context, account, form = context_of(request), request_account(request), getattr(request.state, "form", {})
    last = _last_lessons(context.engine, account)
    lessons = session_lines(last, session_counts(context.engine), report_settings_for(request))
    return render_page(
        request,
        "home.html.j2",
        code,
        **_current_status(request),
        error=error,
        refused=_policy_problem(request),
        lessons=lessons,
        waiting=sum(one.flag.review == "open" for one in visible_flags(request)),
        classes=selectable_class_names(request),
        rooms=[room.name for room in context.config.settings.rooms],
        chosen={
            "class": str(form.get("class", lessons[0].class_name if lessons else "")),
            "room": str(form.get("room", "")),
            "minutes": str(form.get("minutes", "")),
        },
    )


def _last_lessons(engine: Engine, account: Account) -> list[SessionRecord]:
    """The newest of the classes that this account sees, however many others there were since."""
    if account.role is not Role.TEACHER:
        return queries.list_sessions(engine, limit=LISTED_LESSONS)
    found = [
        one for name in account.classes for one in queries.list_sessions(engine, name, limit=LISTED_LESSONS)
    ]
    return sorted(found, key=lambda one: (one.started_at, one.id), reverse=True)[:LISTED_LESSONS]


def start_result_url(class_name: str) -> str:
    """The address of the page after a start: it says what became of it."""
    return "/?" + urlencode({"started": class_name})


def _current_status(request: Request) -> dict[str, Any]:
    context, account = context_of(request), request_account(request)
    look = context.daemon.snapshot()
    recordings = [one for one in look.recordings if can_view_class(account, one.class_name)]
    followed = request.query_params.get("started", "")
    return {
        "look": look,
        "recordings": recordings,
        "next_lesson": _next_lesson(look, account),
        "problems": _problems(look, account),
        "followed": followed,
        "failed": _start_failure(look, account, recordings, followed),
    }


def _next_lesson(look: DaemonSnapshot, account: Account) -> NextLesson | None:
    lesson = None if look.daemon is None else look.daemon.next_lesson
    return lesson if lesson is not None and can_view_class(account, lesson.class_name) else None


def _problems(look: DaemonSnapshot, account: Account) -> tuple[str, ...]:
    """They may speak of any class, so they are for who sees all and can do something about it."""
    return (
        look.daemon.problems if look.daemon is not None and is_allowed(account, Permission.ADMINISTER) else ()
    )


def _start_failure(
    look: DaemonSnapshot, account: Account, recordings: list[RecordingStatus], class_name: str
) -> str:
    """The newest problem with the class that somebody has just started."""
    if not class_name or look.daemon is None or not is_allowed(account, Permission.RECORD, class_name):
        return ""
    tried = [one for one in recordings if one.class_name == class_name]
    if any(one.state is not SessionState.STARTING for one in tried):
        return ""
    mine = re.compile(rf"{re.escape(class_name)}( in .+?)?(:| was not recorded:)")
    return next((one for one in reversed(look.daemon.problems) if mine.match(one)), "")


def _policy_problem(request: Request) -> str:
    config = context_of(request).config
    try:
        require_policy(config.settings.policy, config.file_name)
    except UserError as error:
        return str(error)
    return ""


def _body_text(response: Response) -> str:
    return bytes(response.body).decode()


ROUTES = [route("/", home_page, Permission.VIEW), route("/recordings", current_recordings, Permission.VIEW)]
