"""Starting, stopping, pausing and marking: the orders that the command line gives, from forms."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from classpulse.web.class_access import class_names
from classpulse.web.context import account_of, language_of, require, session_for, site_of, wants_page, words
from classpulse.web.pages import home
from classpulse.web.pages.live import show
from classpulse.web.permissions import Action
from classpulse.web.routing import Page, route
from db.records import SessionStatus
from monitor.daemon import control
from monitor.daemon.errors import ControlError, NobodyThere

LONGEST_MIN = 24 * 60
"""As for ``classpulse start --minutes``."""

_COMMANDS = re.compile(r"; [^;]*'classpulse [^;]*$")

VERBS: tuple[control.Verb, ...] = ("stop", "pause", "resume", "mark")


def start(request: Request) -> Response:
    """The form of the start page: a class, a room, and for how long."""
    site, form, _ = site_of(request), request.state.form, words(language_of(request))
    class_name, room = str(form.get("class", "")), str(form.get("room", "")) or None
    require(request, Action.RECORD, class_name)
    # Of whoever sees all classes: a name that was made up would make a class.
    if class_name not in class_names(request):
        return home.page(request, 400, _("There is no such class."))
    if room is not None and room not in [one.name for one in site.config.settings.rooms]:
        return home.page(request, 400, _("There is no such room."))
    minutes = _minutes(str(form.get("minutes", "")))
    if minutes is not None and not 0 < minutes <= LONGEST_MIN:
        return home.page(request, 400, _("Minutes are a number from 1 to 1440, or left out."))
    until = None if minutes is None else (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    try:
        site.daemon.order(control.Request("start", room, class_name, until=until))
    except ControlError as error:
        return home.page(request, 409, _said(request, error))
    site.audit(account_of(request), "start", f"class {class_name}")
    return RedirectResponse(home.following(class_name), 303)


def call_off(request: Request) -> Response:
    """Stop a recording that has no session yet."""
    return _unbegun(request, "stop")


def go_on(request: Request) -> Response:
    """Let a recording begin anew that broke off while it was paused; until then it has no session."""
    return _unbegun(request, "resume")


def _unbegun(request: Request, verb: control.Verb) -> Response:
    site, form = site_of(request), request.state.form
    class_name, room = str(form.get("class", "")), str(form.get("room", "")) or None
    require(request, Action.RECORD, class_name)
    try:
        site.daemon.order(control.Request(verb, room, class_name))
    except ControlError as error:
        return home.page(request, 409, _said(request, error))
    site.audit(account_of(request), verb, f"class {class_name}")
    return RedirectResponse("/" if verb == "stop" else home.following(class_name), 303)


def _order(verb: control.Verb) -> Page:
    def order(request: Request) -> Response:
        return _carry_out(request, verb)

    order.__name__ = verb
    return order


def _carry_out(request: Request, verb: control.Verb) -> Response:
    """A button of a session that is running."""
    site, session, form = site_of(request), session_for(request, Action.RECORD), request.state.form
    text = str(form.get("text", "")) if verb == "mark" else None
    at_home = form.get("back") == "home"
    try:
        answer = site.daemon.order(control.Request(verb, text=text, session=session.id))
    except ControlError as error:
        if not wants_page(request):
            return JSONResponse({"error": _said(request, error)}, 409)
        if at_home or session.status is not SessionStatus.RUNNING:
            return home.page(request, 409, _said(request, error))
        return show(request, site, session, 409, _said(request, error))
    if verb != "mark":
        site.audit(account_of(request), verb, f"session {session.id}")
    if not wants_page(request):
        return JSONResponse({"session": session.id, "done": verb, "at_s": answer.get("media_s")})
    return RedirectResponse("/" if at_home else f"/live/{session.id}", 303)


def _said(request: Request, error: ControlError) -> str:
    """Why an order was not carried out, without the commands that somebody at a terminal would type."""
    _ = words(language_of(request))
    if isinstance(error, NobodyThere):
        return _("The program that records is not running at the moment. Try again in a few seconds.")
    return _COMMANDS.sub("", str(error))


def _minutes(text: str) -> float | None:
    """None where the field is empty, NaN where it is no number."""
    if not text.strip():
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan


ROUTES = [
    route("/start", start, Action.RECORD, methods=("POST",)),
    route("/call-off", call_off, Action.RECORD, methods=("POST",)),
    route("/go-on", go_on, Action.RECORD, methods=("POST",)),
    *(
        route(f"/live/{{session:int}}/{verb}", _order(verb), Action.RECORD, methods=("POST",))
        for verb in VERBS
    ),
]
