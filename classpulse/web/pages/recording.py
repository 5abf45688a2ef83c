"""Starting, stopping, pausing and marking: the orders that the command line gives, from forms."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from classpulse.web.class_access import selectable_class_names
from classpulse.web.context import (
    accepts_html,
    context_of,
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
from monitor.daemon.errors import ControlError, DaemonNotRunning

MAX_MINUTES = 24 * 60
"""As for ``classpulse start --minutes``."""

_COMMAND_HINTS = re.compile(r"; [^;]*'classpulse [^;]*$")

SESSION_COMMANDS: tuple[control.Verb, ...] = ("stop", "pause", "resume", "mark")


def start_recording(request: Request) -> Response:
    """The form of the start page: a class, a room, and for how long."""
    context, form, _ = context_of(request), request.state.form, get_translator(request_language(request))
    class_name, room = str(form.get("class", "")), str(form.get("room", "")) or None
    require_permission(request, Permission.RECORD, class_name)
    # Of whoever sees all classes: a name that was made up would make a class.
    if class_name not in selectable_class_names(request):
        return home.render_home(request, 400, _("There is no such class."))
    if room is not None and room not in [one.name for one in context.config.settings.rooms]:
        return home.render_home(request, 400, _("There is no such room."))
    minutes = _parse_minutes(str(form.get("minutes", "")))
    if minutes is not None and not 0 < minutes <= MAX_MINUTES:
        return home.render_home(request, 400, _("Minutes are a number from 1 to 1440, or left out."))
    until = None if minutes is None else (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    try:
        context.daemon.send(control.Request("start", room, class_name, until=until))
    except ControlError as error:
        return home.render_home(request, 409, _error_text(request, error))
    context.audit(request_account(request), "start", f"class {class_name}")
    return RedirectResponse(home.start_result_url(class_name), 303)


def cancel_recording(request: Request) -> Response:
    """Stop a recording that has no session yet."""
    return _control_unstarted(request, "stop")


def resume_recording(request: Request) -> Response:
    """Let a recording begin anew that broke off while it was paused; until then it has no session."""
    return _control_unstarted(request, "resume")


def _control_unstarted(request: Request, verb: control.Verb) -> Response:
    context, form = context_of(request), request.state.form
    class_name, room = str(form.get("class", "")), str(form.get("room", "")) or None
    require_permission(request, Permission.RECORD, class_name)
    try:
        context.daemon.send(control.Request(verb, room, class_name))
    except ControlError as error:
        return home.render_home(request, 409, _error_text(request, error))
    context.audit(request_account(request), verb, f"class {class_name}")
    return RedirectResponse("/" if verb == "stop" else home.start_result_url(class_name), 303)


def _command_handler(verb: control.Verb) -> PageHandler:
    def order(request: Request) -> Response:
        return _send_command(request, verb)

    order.__name__ = verb
    return order


def _send_command(request: Request, verb: control.Verb) -> Response:
    """A button of a session that is running."""
    context, session, form = (
        context_of(request),
        requested_session(request, Permission.RECORD),
        request.state.form,
    )
    text = str(form.get("text", "")) if verb == "mark" else None
    at_home = form.get("back") == "home"
    try:
        answer = context.daemon.send(control.Request(verb, text=text, session_id=session.id))
    except ControlError as error:
        if not accepts_html(request):
            return JSONResponse({"error": _error_text(request, error)}, 409)
        if at_home or session.status is not SessionStatus.RUNNING:
            return home.render_home(request, 409, _error_text(request, error))
        return render_live(request, context, session, 409, _error_text(request, error))
    if verb != "mark":
        context.audit(request_account(request), verb, f"session {session.id}")
    if not accepts_html(request):
        return JSONResponse({"session": session.id, "done": verb, "at_s": answer.get("media_s")})
    return RedirectResponse("/" if at_home else f"/live/{session.id}", 303)


def _error_text(request: Request, error: ControlError) -> str:
    """Why an order was not carried out, without the commands that somebody at a terminal would type."""
    _ = get_translator(request_language(request))
    if isinstance(error, DaemonNotRunning):
        return _("The program that records is not running at the moment. Try again in a few seconds.")
    return _COMMAND_HINTS.sub("", str(error))


def _parse_minutes(text: str) -> float | None:
    """None where the field is empty, NaN where it is no number."""
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
