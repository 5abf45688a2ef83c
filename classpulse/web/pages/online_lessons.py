"""The teacher's pages of online lessons: open, view participants, end (``docs/guides/online-lessons.md``)."""

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
from model.errors import ProblemError
from monitor.daemon.errors import ControlError
from monitor.sources.participant_grid import MAX_TILES

DEFAULT_CAPACITY = 30


def online_lessons_page(request: Request) -> Response:
    """The open lessons and the form for a new one."""
    return _render(request)


def open_online_lesson(request: Request) -> Response:
    """Open a lesson and start its recording."""
    context, form, _ = context_of(request), request.state.form, get_translator(request_language(request))
    class_name = str(form.get("class", ""))
    if class_name not in selectable_class_names(request):
        raise HTTPException(404)
    require_permission(request, Permission.RECORD, class_name)
    try:
        capacity = int(str(form.get("capacity", "")))
    except ValueError:
        capacity = 0
    if not 1 <= capacity <= MAX_TILES:
        return _render(request, UserError(_("Enter the number of students, from 1 to %d.") % MAX_TILES), 400)
    try:
        lesson = context.online_lessons.open(class_name, capacity)
    except (UserError, ControlError) as error:
        return _render(request, error, 409)
    context.audit(request_account(request), "start", f"online lesson of {class_name}", f"{capacity} tiles")
    return RedirectResponse(f"/online/{lesson.number}", 303)


def online_lesson_page(request: Request) -> Response:
    """One lesson: its code and its participants."""
    lesson = _requested_lesson(request)
    context_of(request).audit(request_account(request), "view", f"online lesson of {lesson.class_name}")
    return render_page(request, "online_lesson.html.j2", **_lesson_view(request, lesson))


def online_participants(request: Request) -> Response:
    """The list of participants, for the script of the page."""
    return render_page(
        request, "online_participants.html.j2", **_lesson_view(request, _requested_lesson(request))
    )


def end_online_lesson(request: Request) -> Response:
    """End the lesson and its recording."""
    lesson = _requested_lesson(request)
    try:
        context_of(request).online_lessons.end(lesson)
    except ControlError as error:
        with context_of(request).online_lessons.locked():
            lesson.error = error
    context_of(request).audit(request_account(request), "stop", f"online lesson of {lesson.class_name}")
    return RedirectResponse(f"/online/{lesson.number}", 303)


def remove_online_participant(request: Request) -> Response:
    """Remove a participant."""
    lesson = _requested_lesson(request)
    try:
        tile = int(str(request.state.form.get("tile", "")))
    except ValueError:
        raise HTTPException(400) from None
    with context_of(request).online_lessons.locked():
        participant = lesson.remove_participant(tile)
    if participant is not None:
        subject = f"online lesson of {lesson.class_name}"
        context_of(request).audit(request_account(request), "remove participant", subject, f"tile {tile + 1}")
    return RedirectResponse(f"/online/{lesson.number}", 303)


def _render(request: Request, error: ProblemError | None = None, code: int = 200) -> Response:
    context, account = context_of(request), request_account(request)
    lessons = [
        lesson
        for lesson in context.online_lessons.lessons()
        if is_allowed(account, Permission.RECORD, lesson.class_name)
    ]
    return render_page(
        request,
        "online.html.j2",
        code,
        lessons=[lesson for lesson in lessons if not lesson.ended],
        classes=[
            name for name in selectable_class_names(request) if is_allowed(account, Permission.RECORD, name)
        ],
        max_capacity=MAX_TILES,
        default_capacity=DEFAULT_CAPACITY,
        error=error,
    )


def _requested_lesson(request: Request) -> OnlineLesson:
    lesson = context_of(request).online_lessons.by_number(int(request.path_params["lesson"]))
    if lesson is None:
        raise HTTPException(404)
    require_permission(request, Permission.RECORD, lesson.class_name)
    return lesson


def _lesson_view(request: Request, lesson: OnlineLesson) -> dict[str, Any]:
    context, _ = context_of(request), get_translator(request_language(request))
    with context.online_lessons.locked() as now_s:
        participants = [
            {
                "pseudonym": participant.pseudonym,
                "tile": participant.tile,
                "on_roster": participant.student_id is not None,
                "seen": lesson.is_visible(participant, now_s),
                "present": participant.state is ParticipantState.PRESENT,
                "status": _state_text(lesson, participant, now_s, _),
            }
            for participant in lesson.participants()
        ]
        is_polled, ended, error = lesson.is_recorder_polling(now_s), lesson.ended, lesson.error
    return {
        "lesson": lesson,
        "formatted_code": format_code(lesson.code),
        "join_url": str(request.base_url.replace(path=f"/join/{lesson.code}", query="")),
        "is_local": context.config.settings.serve.is_local and not context.config.settings.serve.behind_proxy,
        "participants": participants,
        "seen": sum(bool(participant["seen"]) for participant in participants),
        "is_polled": is_polled,
        "ended": ended,
        "error": error,
    }


def _state_text(
    lesson: OnlineLesson, participant: OnlineParticipant, now_s: float, _: Callable[[str], str]
) -> str:
    if participant.state is ParticipantState.ERASING:
        return _("withdrawn; the data are being erased")
    if participant.state is ParticipantState.REMOVED:
        return _("removed")
    if participant.state is ParticipantState.LEFT or lesson.ended:
        return _("left")
    if lesson.is_visible(participant, now_s):
        return _("sends images")
    return (
        _("no connection") if lesson.is_unresponsive(participant, now_s) else _("present, without an image")
    )


ROUTES = [
    route("/online", online_lessons_page, Permission.RECORD),
    route("/online", open_online_lesson, Permission.RECORD, methods=("POST",)),
    route("/online/{lesson:int}", online_lesson_page, Permission.RECORD),
    route("/online/{lesson:int}/participants", online_participants, Permission.RECORD),
    route("/online/{lesson:int}/end", end_online_lesson, Permission.RECORD, methods=("POST",)),
    route("/online/{lesson:int}/remove", remove_online_participant, Permission.RECORD, methods=("POST",)),
]
