"""The start page: running recordings, the next lesson, the last lessons."""

from __future__ import annotations

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
from model.errors import ProblemError
from monitor.daemon.status import NextLesson, Problem
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from reports.history.sessions import session_lines

LISTED_LESSONS = 8
"""Lessons listed on this page."""

TRANSIENT_STATES = frozenset({SessionState.STARTING, SessionState.ENDING})
"""States that end without an action, so that the script of the page polls more often."""


def home_page(request: Request) -> Response:
    """The start page for the classes that the account may view."""
    return render_home(request)


def current_recordings(request: Request) -> Response:
    """The part of the page with the running recordings, for its script."""
    status = _current_status(request)
    recordings: list[RecordingStatus] = status["recordings"]
    return JSONResponse(
        {
            "html": bytes(render_page(request, "home_now.html.j2", **status).body).decode(),
            "is_transient": any(recording.state in TRANSIENT_STATES for recording in recordings),
            "has_started": any(
                recording.session_id is not None and recording.class_name == status["followed"]
                for recording in recordings
            ),
        }
    )


def render_home(request: Request, code: int = 200, error: ProblemError | str = "") -> Response:
    """The start page, with the error of a command."""
    context, account = context_of(request), request_account(request)
    form = getattr(request.state, "form", {})
    sessions = _last_sessions(context.engine, account)
    lessons = session_lines(sessions, session_counts(context.engine), report_settings_for(request))
    return render_page(
        request,
        "home.html.j2",
        code,
        **_current_status(request),
        error=error,
        policy_error=_policy_error(request),
        lessons=lessons,
        unreviewed=sum(flagged.flag.review == "open" for flagged in visible_flags(request)),
        classes=selectable_class_names(request),
        rooms=[room.name for room in context.config.settings.rooms],
        chosen={
            "class": str(form.get("class", lessons[0].class_name if lessons else "")),
            "room": str(form.get("room", "")),
            "minutes": str(form.get("minutes", "")),
        },
    )


def start_result_url(class_name: str) -> str:
    """The address of the start page after a start; it shows whether the recording has started."""
    return "/?" + urlencode({"started": class_name})


def _last_sessions(engine: Engine, account: Account) -> list[SessionRecord]:
    """The newest sessions of the classes that the account may view."""
    if account.role is not Role.TEACHER:
        return queries.list_sessions(engine, limit=LISTED_LESSONS)
    sessions = [
        session
        for name in account.classes
        for session in queries.list_sessions(engine, name, limit=LISTED_LESSONS)
    ]
    newest_first = sorted(sessions, key=lambda session: (session.started_at, session.id), reverse=True)
    return newest_first[:LISTED_LESSONS]


def _current_status(request: Request) -> dict[str, Any]:
    context, account = context_of(request), request_account(request)
    daemon = context.daemon.snapshot()
    recordings = [
        recording for recording in daemon.recordings if can_view_class(account, recording.class_name)
    ]
    followed = request.query_params.get("started", "")
    return {
        "daemon_error": daemon.error,
        "recordings": recordings,
        "next_lesson": _next_lesson(daemon, account),
        "problems": _visible_problems(daemon, account),
        "followed": followed,
        "start_failure": _start_failure(daemon, account, recordings, followed),
    }


def _next_lesson(daemon: DaemonSnapshot, account: Account) -> NextLesson | None:
    lesson = None if daemon.daemon is None else daemon.daemon.next_lesson
    return lesson if lesson is not None and can_view_class(account, lesson.class_name) else None


def _visible_problems(daemon: DaemonSnapshot, account: Account) -> tuple[Problem, ...]:
    """The daemon's problems, for administrators only: they can concern any class."""
    if daemon.daemon is None or not is_allowed(account, Permission.ADMINISTER):
        return ()
    return daemon.daemon.problems


def _start_failure(
    daemon: DaemonSnapshot, account: Account, recordings: list[RecordingStatus], class_name: str
) -> Problem | None:
    """The newest problem of a class whose recording the user has started, if it is not running."""
    if not class_name or daemon.daemon is None or not is_allowed(account, Permission.RECORD, class_name):
        return None
    states = {recording.state for recording in recordings if recording.class_name == class_name}
    if states - {SessionState.STARTING}:
        return None
    problems = reversed(daemon.daemon.problems)
    return next((problem for problem in problems if problem.class_name == class_name), None)


def _policy_error(request: Request) -> UserError | None:
    config = context_of(request).config
    try:
        require_policy(config.settings.policy, config.file_name)
    except UserError as error:
        return error
    return None


ROUTES = [
    route("/", home_page, Permission.VIEW),
    route("/recordings", current_recordings, Permission.VIEW),
]
