"""Online lessons for the teacher: open one, see who has joined, end it. ``docs/guides/online-lessons.md`` tells how it
works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import UserError
from classpulse.online.lesson import OnlineLesson, OnlineParticipant, ParticipantState, format_code
from classpulse.web.class_access import selectable_class_names
from classpulse.web.context import (
    context_of,
    get_translator,
    render_page,
    request_account,
    request_language,
    require_permission,
)
from classpulse.web.permissions import Permission, is_allowed
from classpulse.web.routing import route
from monitor.daemon.errors import ControlError
from monitor.sources.participant_grid import MAX_TILES

DEFAULT_CAPACITY = 30


def online_lessons_page(request: Request) -> Response:
    """The lessons that are on, and a form for another."""
    return _render(request)


def open_online_lesson(request: Request) -> Response:
    """The form was sent."""
    site, form, _ = context_of(request), request.state.form, get_translator(request_language(request))
    class_name = str(form.get("class", ""))
    if class_name not in selectable_class_names(request):
        raise HTTPException(404)
    require_permission(request, Permission.RECORD, class_name)
    try:
        places = int(str(form.get("places", "")))
    except ValueError:
        places = 0
    if not 1 <= places <= MAX_TILES:
        return _render(request, _("Say for how many students, from 1 to %d.") % MAX_TILES, 400)
    try:
        lesson = site.online_lessons.open(class_name, places)
    except (UserError, ControlError) as error:
        return _render(request, str(error), 409)
    site.audit(request_account(request), "start", f"online lesson of {class_name}", f"{places} places")
    return RedirectResponse(f"/online/{lesson.number}", 303)


def online_lesson_page(request: Request) -> Response:
    """One lesson: its code, and who has joined."""
    found = _requested_lesson(request)
    context_of(request).audit(request_account(request), "look", f"online lesson of {found.class_name}")
    return render_page(request, "online_lesson.html.j2", **_lesson_view(request, found))


def online_participants(request: Request) -> Response:
    """The part of it that changes."""
    return render_page(request, "online_members.html.j2", **_lesson_view(request, _requested_lesson(request)))


def end_online_lesson(request: Request) -> Response:
    """The button was pressed."""
    found = _requested_lesson(request)
    try:
        context_of(request).online_lessons.end(found)
    except ControlError as error:
        with context_of(request).online_lessons.locked():
            found.problem = str(error)
    context_of(request).audit(request_account(request), "stop", f"online lesson of {found.class_name}")
    return RedirectResponse(f"/online/{found.number}", 303)


def remove_online_participant(request: Request) -> Response:
    """Somebody is to leave."""
    found = _requested_lesson(request)
    try:
        tile = int(str(request.state.form.get("place", "")))
    except ValueError:
        raise HTTPException(400) from None
    with context_of(request).online_lessons.locked():
        member = found.remove_participant(tile)
    if member is not None:
        subject = f"online lesson of {found.class_name}"
        context_of(request).audit(request_account(request), "send out", subject, f"place {tile + 1}")
    return RedirectResponse(f"/online/{found.number}", 303)


def _render(request: Request, error: str = "", code: int = 200) -> Response:
    site, account = context_of(request), request_account(request)
    mine = [
        one for one in site.online_lessons.lessons() if is_allowed(account, Permission.RECORD, one.class_name)
    ]
    return render_page(
        request,
        "online.html.j2",
        code,
        lessons=[one for one in mine if not one.ended],
        classes=[
            name for name in selectable_class_names(request) if is_allowed(account, Permission.RECORD, name)
        ],
        most=MAX_TILES,
        usual=DEFAULT_CAPACITY,
        error=error,
    )


def _requested_lesson(request: Request) -> OnlineLesson:
    found = context_of(request).online_lessons.by_number(int(request.path_params["lesson"]))
    if found is None:
        raise HTTPException(404)
    require_permission(request, Permission.RECORD, found.class_name)
    return found


def _lesson_view(request: Request, found: OnlineLesson) -> dict[str, Any]:
    site, _ = context_of(request), get_translator(request_language(request))
    with site.online_lessons.locked() as now_s:
        members = [
            {
                "pseudonym": one.pseudonym,
                "tile": one.tile,
                "known": one.student_id is not None,
                "seen": found.is_visible(one, now_s),
                "here": one.state is ParticipantState.PRESENT,
                "in_words": _state_text(found, one, now_s, _),
            }
            for one in found.participants()
        ]
        watching, ended, problem = found.is_recorder_polling(now_s), found.ended, found.problem
    return {
        "lesson": found,
        "spelled": format_code(found.code),
        "address": str(request.base_url.replace(path=f"/join/{found.code}", query="")),
        "local": site.config.settings.serve.is_local and not site.config.settings.serve.behind_proxy,
        "members": members,
        "seen": sum(bool(one["seen"]) for one in members),
        "watching": watching,
        "ended": ended,
        "problem": problem,
    }


def _state_text(found: OnlineLesson, one: OnlineParticipant, now_s: float, _: Callable[[str], str]) -> str:
    if one.state is ParticipantState.ERASING:
        return _("withdrawn; what was recorded is being erased")
    if one.state is ParticipantState.REMOVED:
        return _("sent out")
    if one.state is ParticipantState.LEFT or found.ended:
        return _("left")
    if found.is_visible(one, now_s):
        return _("pictures come")
    return _("nothing is heard") if found.is_unresponsive(one, now_s) else _("here, without a picture")


ROUTES = [
    route("/online", online_lessons_page, Permission.RECORD),
    route("/online", open_online_lesson, Permission.RECORD, methods=("POST",)),
    route("/online/{lesson:int}", online_lesson_page, Permission.RECORD),
    route("/online/{lesson:int}/members", online_participants, Permission.RECORD),
    route("/online/{lesson:int}/end", end_online_lesson, Permission.RECORD, methods=("POST",)),
    route("/online/{lesson:int}/out", remove_online_participant, Permission.RECORD, methods=("POST",)),
]
