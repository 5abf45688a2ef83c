"""Online lessons for the teacher: open one, see who has joined, end it. ``docs/online.md`` tells how it
works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import UserError
from classpulse.online.lesson import Member, OnlineLesson, State, shown_code
from classpulse.web.class_access import class_names
from classpulse.web.context import account_of, language_of, render, require, site_of, words
from classpulse.web.permissions import Action, may
from classpulse.web.routing import route
from monitor.daemon.errors import ControlError
from monitor.sources.participant_grid import MOST_PLACES

USUAL_PLACES = 30


def online(request: Request) -> Response:
    """The lessons that are on, and a form for another."""
    return _page(request)


def open_lesson(request: Request) -> Response:
    """The form was sent."""
    site, form, _ = site_of(request), request.state.form, words(language_of(request))
    class_name = str(form.get("class", ""))
    if class_name not in class_names(request):
        raise HTTPException(404)
    require(request, Action.RECORD, class_name)
    try:
        places = int(str(form.get("places", "")))
    except ValueError:
        places = 0
    if not 1 <= places <= MOST_PLACES:
        return _page(request, _("Say for how many students, from 1 to %d.") % MOST_PLACES, 400)
    try:
        lesson = site.online.open(class_name, places)
    except (UserError, ControlError) as error:
        return _page(request, str(error), 409)
    site.audit(account_of(request), "start", f"online lesson of {class_name}", f"{places} places")
    return RedirectResponse(f"/online/{lesson.number}", 303)


def lesson(request: Request) -> Response:
    """One lesson: its code, and who has joined."""
    found = _lesson_for(request)
    site_of(request).audit(account_of(request), "look", f"online lesson of {found.class_name}")
    return render(request, "online_lesson.html.j2", **_standing(request, found))


def members(request: Request) -> Response:
    """The part of it that changes."""
    return render(request, "online_members.html.j2", **_standing(request, _lesson_for(request)))


def end_lesson(request: Request) -> Response:
    """The button was pressed."""
    found = _lesson_for(request)
    try:
        site_of(request).online.end(found)
    except ControlError as error:
        with site_of(request).online.held():
            found.problem = str(error)
    site_of(request).audit(account_of(request), "stop", f"online lesson of {found.class_name}")
    return RedirectResponse(f"/online/{found.number}", 303)


def send_out(request: Request) -> Response:
    """Somebody is to leave."""
    found = _lesson_for(request)
    try:
        tile = int(str(request.state.form.get("place", "")))
    except ValueError:
        raise HTTPException(400) from None
    with site_of(request).online.held():
        member = found.send_out(tile)
    if member is not None:
        subject = f"online lesson of {found.class_name}"
        site_of(request).audit(account_of(request), "send out", subject, f"place {tile + 1}")
    return RedirectResponse(f"/online/{found.number}", 303)


def _page(request: Request, error: str = "", code: int = 200) -> Response:
    site, account = site_of(request), account_of(request)
    mine = [one for one in site.online.lessons() if may(account, Action.RECORD, one.class_name)]
    return render(
        request,
        "online.html.j2",
        code,
        lessons=[one for one in mine if not one.ended],
        classes=[name for name in class_names(request) if may(account, Action.RECORD, name)],
        most=MOST_PLACES,
        usual=USUAL_PLACES,
        error=error,
    )


def _lesson_for(request: Request) -> OnlineLesson:
    found = site_of(request).online.by_number(int(request.path_params["lesson"]))
    if found is None:
        raise HTTPException(404)
    require(request, Action.RECORD, found.class_name)
    return found


def _standing(request: Request, found: OnlineLesson) -> dict[str, Any]:
    site, _ = site_of(request), words(language_of(request))
    with site.online.held() as now_s:
        members = [
            {
                "pseudonym": one.pseudonym,
                "tile": one.tile,
                "known": one.student_id is not None,
                "seen": found.is_seen(one, now_s),
                "here": one.state is State.HERE,
                "in_words": _in_words(found, one, now_s, _),
            }
            for one in found.members()
        ]
        watching, ended, problem = found.is_watching(now_s), found.ended, found.problem
    return {
        "lesson": found,
        "spelled": shown_code(found.code),
        "address": str(request.base_url.replace(path=f"/join/{found.code}", query="")),
        "local": site.config.settings.serve.local and not site.config.settings.serve.behind_proxy,
        "members": members,
        "seen": sum(bool(one["seen"]) for one in members),
        "watching": watching,
        "ended": ended,
        "problem": problem,
    }


def _in_words(found: OnlineLesson, one: Member, now_s: float, _: Callable[[str], str]) -> str:
    if one.state is State.ERASING:
        return _("withdrawn; what was recorded is being erased")
    if one.state is State.OUT:
        return _("sent out")
    if one.state is State.LEFT or found.ended:
        return _("left")
    if found.is_seen(one, now_s):
        return _("pictures come")
    return _("nothing is heard") if found.is_silent(one, now_s) else _("here, without a picture")


ROUTES = [
    route("/online", online, Action.RECORD),
    route("/online", open_lesson, Action.RECORD, methods=("POST",)),
    route("/online/{lesson:int}", lesson, Action.RECORD),
    route("/online/{lesson:int}/members", members, Action.RECORD),
    route("/online/{lesson:int}/end", end_lesson, Action.RECORD, methods=("POST",)),
    route("/online/{lesson:int}/out", send_out, Action.RECORD, methods=("POST",)),
]
