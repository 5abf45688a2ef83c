"""The student's pages of an online lesson: consent, camera, leave, withdraw. They need no login."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from classpulse.online.jpeg import MAX_JPEG_BYTES, InvalidJpeg, check_jpeg
from classpulse.online.lesson import (
    OnlineLesson,
    OnlineParticipant,
    ParticipantState,
    RejectionReason,
    RequestRejected,
    parse_code,
)
from classpulse.web.context import context_of, get_translator, render_page, request_language
from classpulse.web.login_sessions import SECURE_COOKIE_PREFIX
from classpulse.web.routing import PublicAccess, route
from classpulse.web.security_headers import DEFAULT_HEADERS

JOIN_COOKIE = "classpulse_join"

CAMERA_POLICY = DEFAULT_HEADERS["Permissions-Policy"].replace("camera=()", "camera=(self)")
"""Camera access, only on the page after the consent."""

BODY_TIMEOUT_S = 10.0
"""A frame has about 10 kB; one that takes longer is out of date."""

STATUS_CODES = {
    RejectionReason.ENDED: 410,
    RejectionReason.UNKNOWN: 404,
    RejectionReason.LEFT: 409,
    RejectionReason.TOO_FAST: 429,
}


def join_code_page(request: Request) -> Response:
    """The form for the code of a lesson."""
    code = request.query_params.get("code")
    if code is None:
        return render_page(request, "join_code.html.j2", error="", code="")
    lesson = _lesson_by_code(request, parse_code(code[:50]))
    if isinstance(lesson, Response):
        return lesson
    return RedirectResponse(f"/join/{lesson.code}", 303)


def join_page(request: Request) -> Response:
    """The consent form or, for a participant, the camera page."""
    lesson = _requested_lesson(request)
    if isinstance(lesson, Response):
        return lesson
    return _render(request, lesson)


def join_lesson(request: Request) -> Response:
    """Join the lesson after the consent."""
    context, form, _ = context_of(request), request.state.form, get_translator(request_language(request))
    lesson = _requested_lesson(request)
    if isinstance(lesson, Response):
        return lesson
    pseudonym = str(form.get("pseudonym", ""))[:200]
    if form.get("consent") != "yes":
        return _render(
            request, lesson, _("You can join only if you agree. Nothing was sent."), pseudonym, 400
        )
    token = _token(request) or secrets.token_urlsafe(32)
    try:
        context.online_lessons.join(lesson, token, pseudonym)
    except RequestRejected as error:
        return _render(
            request,
            lesson,
            _rejection_text(request, error.reason),
            pseudonym,
            STATUS_CODES.get(error.reason, 400),
        )
    answer = RedirectResponse(f"/join/{lesson.code}", 303)
    serve = context.config.settings.serve
    answer.set_cookie(
        _cookie_name(request),
        token,
        httponly=True,
        samesite="strict",
        secure=serve.is_secure,
        path=f"/join/{lesson.code}",
    )
    return answer


async def receive_frame(request: Request) -> Response:
    """Receive a frame or, with an empty body, a heartbeat."""
    context = context_of(request)
    lesson, token = _joined_lesson(request)
    body = await _read_body(request)
    try:
        if body:
            if request.headers.get("content-type") != "image/jpeg":
                raise HTTPException(415)
            check_jpeg(body)
        with context.online_lessons.locked() as now_s:
            if body:
                lesson.receive_frame(token, body, now_s)
            else:
                lesson.heartbeat(token, now_s)
            is_polled, participant = lesson.is_recorder_polling(now_s), lesson.participant(token)
            answer = {"is_polled": is_polled} | _face_position(participant)
    except InvalidJpeg as error:
        raise HTTPException(422, str(error)) from None
    except RequestRejected as error:
        return JSONResponse({"error": error.reason.value}, STATUS_CODES.get(error.reason, 400))
    return JSONResponse(answer)


def _face_position(participant: OnlineParticipant | None) -> dict[str, Any]:
    """The number of the newest frame, and the face box of the last analysed one in relative coordinates: the
    browser may send only the part around the face."""
    if participant is None or not participant.frames_sent:
        return {}
    face = None
    if participant.last_face is not None:
        number, box = participant.last_face
        face = {"frame": number, "box": None if box is None else [round(edge, 4) for edge in box]}
    return {"frame": participant.frames_sent, "face": face}


def leave_lesson(request: Request) -> Response:
    """Leave the lesson."""
    lesson, token = _joined_lesson(request)
    context_of(request).online_lessons.leave(lesson, token)
    return RedirectResponse(f"/join/{lesson.code}", 303)


def withdraw_from_lesson(request: Request) -> Response:
    """Leave the lesson and withdraw the consent."""
    lesson, token = _joined_lesson(request)
    context_of(request).online_lessons.withdraw_consent(lesson, token)
    return RedirectResponse(f"/join/{lesson.code}", 303)


def erasure_status(request: Request) -> Response:
    """200 while the erasure is in progress, 404 afterwards, because the participant is unknown then."""
    _joined_lesson(request)
    return JSONResponse({"done": False})


def _render(
    request: Request, lesson: OnlineLesson, error: str = "", pseudonym: str = "", code: int = 200
) -> Response:
    context = context_of(request)
    token = _token(request)
    with context.online_lessons.locked():
        participant = lesson.participant(token) if token else None
        state = _state(lesson, participant)
    answer = render_page(
        request,
        "join.html.j2",
        code,
        lesson=lesson,
        mode=lesson.mode.value,
        state=state,
        participant=participant,
        name=pseudonym,
        error=error,
        keep_days=context.config.settings.retention.keep_days,
        lesson_url=f"/join/{lesson.code}",
    )
    if state == "present":
        answer.headers["Permissions-Policy"] = CAMERA_POLICY
    return answer


def _state(lesson: OnlineLesson, participant: OnlineParticipant | None) -> str:
    if participant is not None and participant.state is ParticipantState.ERASING:
        return "erasing"
    if lesson.ended:
        return "ended"
    return "new" if participant is None else participant.state.value


def _requested_lesson(request: Request) -> OnlineLesson | Response:
    typed = str(request.path_params["code"])
    code = parse_code(typed[:50])
    lesson = _lesson_by_code(request, code)
    if isinstance(lesson, OnlineLesson) and typed != lesson.code:
        # The cookie is bound to this spelling of the path.
        return RedirectResponse(f"/join/{lesson.code}", 303)
    return lesson


def _lesson_by_code(request: Request, code: str) -> OnlineLesson | Response:
    """The lesson with this code, or an error page. Guesses are rate-limited, correct ones too; participants
    are not."""
    context, _ = context_of(request), get_translator(request_language(request))
    lesson = context.online_lessons.by_code(code) if code else None
    if lesson is not None and lesson.participant(_token(request)):
        return lesson
    address, now_s = f"join {request.client.host if request.client else ''}", time.monotonic()
    wait_s = context.join_limiter.acquire(address, now_s)
    if wait_s > 0:
        error = _("Too many wrong codes from this network. Wait %d seconds, then try again.") % (wait_s + 1)
        return render_page(request, "join_code.html.j2", 429, error=error, code="")
    if lesson is None:
        error = _("There is no lesson with this code at the moment. Check the spelling.")
        return render_page(request, "join_code.html.j2", 404, error=error, code=code)
    context.join_limiter.record_success(address, reset=False)
    return lesson


def _joined_lesson(request: Request) -> tuple[OnlineLesson, str]:
    """The lesson of a participant and the participant's token (256 random bits). Raises HTTPException 404 for
    other clients."""
    lesson, token = (
        context_of(request).online_lessons.by_code(str(request.path_params["code"])),
        _token(request),
    )
    if lesson is None or lesson.participant(token) is None:
        raise HTTPException(404)
    return lesson, token


def _token(request: Request) -> str:
    return request.cookies.get(_cookie_name(request), "")[:100]


def _cookie_name(request: Request) -> str:
    """The name of the cookie; its path is the lesson's, so it cannot have the ``__Host-`` prefix."""
    return (SECURE_COOKIE_PREFIX if context_of(request).config.settings.serve.is_secure else "") + JOIN_COOKIE


def _rejection_text(request: Request, reason: RejectionReason) -> str:
    _ = get_translator(request_language(request))
    return {
        RejectionReason.NAME: _("A name has 1 to 40 printable characters."),
        RejectionReason.TAKEN: _(
            "This name cannot be used in this lesson. Choose another one or ask your teacher."
        ),
        RejectionReason.FULL: _("The lesson is full. Ask your teacher."),
        RejectionReason.ENDED: _("The lesson has ended."),
        RejectionReason.LEFT: _("You cannot join this lesson again. Ask your teacher."),
    }.get(reason, _("This did not work. Try again."))


async def _read_body(request: Request) -> bytes:
    """The body of a frame. Raises HTTPException if it is too large or too slow."""
    try:
        announced = int(request.headers.get("content-length") or 0)
    except ValueError:
        raise HTTPException(400) from None
    if announced > MAX_JPEG_BYTES:
        raise HTTPException(413)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for part in request.stream():
                body += part
                if len(body) > MAX_JPEG_BYTES:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)


ROUTES = [
    route("/join", join_code_page, PublicAccess.ANYONE),
    route("/join/{code}", join_page, PublicAccess.ANYONE),
    route("/join/{code}", join_lesson, PublicAccess.ANYONE, methods=("POST",)),
    route("/join/{code}/frame", receive_frame, PublicAccess.ANYONE, methods=("POST",), form=False),
    route("/join/{code}/leave", leave_lesson, PublicAccess.ANYONE, methods=("POST",)),
    route("/join/{code}/withdraw", withdraw_from_lesson, PublicAccess.ANYONE, methods=("POST",)),
    route("/join/{code}/withdrawal", erasure_status, PublicAccess.ANYONE),
]
