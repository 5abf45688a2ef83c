"""Commands for recordings from forms: start, stop, pause, resume, mark."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from classpulse.web.class_access import selectable_class_names
from classpulse.web.context import (
    accepts_html,
    context_of,
    error_json,
    get_translator,
    request_account,
    request_language,
    requested_session,
    require_permission,
)
from classpulse.web.pages import home
from classpulse.web.pages.live import render_live
from classpulse.web.permissions import Permission
from classpulse.web.routing import PageHandler, route
from db.records import SessionStatus
from monitor.daemon import control
from monitor.daemon.errors import (
    CommandRejected,
    ControlError,
    DaemonNotRunning,
    RecordingConflict,
    RecordingNotFound,
)

MAX_MINUTES = 24 * 60
"""As for ``classpulse start --minutes``."""

COMMAND_LINE_HINT_ERRORS = (RecordingNotFound, RecordingConflict, CommandRejected)
"""Their hints name commands of the command line, where the pages have buttons."""

SESSION_COMMANDS: tuple[control.Verb, ...] = ("stop", "pause", "resume", "mark")


def start_recording(request: Request) -> Response:
    """Start a recording of a class in a room, optionally with a duration."""
    context, form, _ = context_of(request), request.state.form, get_translator(request_language(request))
    class_name, room = str(form.get("class", "")), str(form.get("room", "")) or None
    require_permission(request, Permission.RECORD, class_name)
    # An account that may record every class must not create a new one with an invented name.
    if class_name not in selectable_class_names(request):
        return home.render_home(request, 400, _("There is no such class."))
    if room is not None and room not in [known.name for known in context.config.settings.rooms]:
        return home.render_home(request, 400, _("There is no such room."))
    minutes = _parse_minutes(str(form.get("minutes", "")))
    if minutes is not None and not 0 < minutes <= MAX_MINUTES:
        return home.render_home(request, 400, _("The minutes must be a number from 1 to 1440, or empty."))
    until = None if minutes is None else (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    try:
        context.daemon.send(control.Request("start", room, class_name, until=until))
    except ControlError as error:
        return home.render_home(request, 409, _page_error(request, error))
    context.audit(request_account(request), "start", f"class {class_name}")
    return RedirectResponse(home.start_result_url(class_name), 303)


def cancel_recording(request: Request) -> Response:
    """Cancel a recording that has no session yet."""
    return _control_unstarted(request, "stop")


def resume_recording(request: Request) -> Response:
    """Resume a recording that was interrupted while paused; it has no session until then."""
    return _control_unstarted(request, "resume")


def _control_unstarted(request: Request, verb: control.Verb) -> Response:
    context, form = context_of(request), request.state.form
    class_name, room = str(form.get("class", "")), str(form.get("room", "")) or None
    require_permission(request, Permission.RECORD, class_name)
    try:
        context.daemon.send(control.Request(verb, room, class_name))
    except ControlError as error:
        return home.render_home(request, 409, _page_error(request, error))
    context.audit(request_account(request), verb, f"class {class_name}")
    return RedirectResponse("/" if verb == "stop" else home.start_result_url(class_name), 303)


def _command_handler(verb: control.Verb) -> PageHandler:
    def handle_command(request: Request) -> Response:
        return _send_command(request, verb)

    handle_command.__name__ = verb
    return handle_command


def _send_command(request: Request, verb: control.Verb) -> Response:
    """Send a command for a running session."""
    context, form = context_of(request), request.state.form
    session = requested_session(request, Permission.RECORD)
    text = str(form.get("text", "")) if verb == "mark" else None
    from_home = form.get("back") == "home"
    try:
        answer = context.daemon.send(control.Request(verb, text=text, session_id=session.id))
    except ControlError as error:
        if not accepts_html(request):
            return JSONResponse(error_json(_page_error(request, error)), 409)
        if from_home or session.status is not SessionStatus.RUNNING:
            return home.render_home(request, 409, _page_error(request, error))
        return render_live(request, context, session, 409, _page_error(request, error))
    if verb != "mark":
        context.audit(request_account(request), verb, f"session {session.id}")
    if not accepts_html(request):
        return JSONResponse({"session": session.id, "done": verb, "at_s": answer.get("media_s")})
    return RedirectResponse("/" if from_home else f"/live/{session.id}", 303)


def _page_error(request: Request, error: ControlError) -> ControlError:
    """The error of a rejected command as the pages show it."""
    _ = get_translator(request_language(request))
    if isinstance(error, DaemonNotRunning):
        return DaemonNotRunning(
            _("The recording service is not running at the moment."), _("Try again in a few seconds.")
        )
    return ControlError(error.problem) if isinstance(error, COMMAND_LINE_HINT_ERRORS) else error


def _parse_minutes(text: str) -> float | None:
    """The minutes; None if the field is empty, NaN if it is not a number."""
    if not text.strip():
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan


ROUTES = [
    route("/start", start_recording, Permission.RECORD, methods=("POST",)),
    route("/cancel", cancel_recording, Permission.RECORD, methods=("POST",)),
    route("/resume", resume_recording, Permission.RECORD, methods=("POST",)),
    *(
        route(f"/live/{{session:int}}/{verb}", _command_handler(verb), Permission.RECORD, methods=("POST",))
        for verb in SESSION_COMMANDS
    ),
]
