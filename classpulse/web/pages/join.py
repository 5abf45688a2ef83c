"""Online lessons for the student: read, consent, join, be looked at, leave, erase. Nobody logs in here."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from classpulse.online.jpeg import MOST_BYTES, NoPicture, checked
from classpulse.online.lesson import Member, OnlineLesson, Refusal, Refused, State, read_code
from classpulse.web.context import language_of, render, site_of, words
from classpulse.web.login_sessions import OVER_TLS
from classpulse.web.routing import Open, route
from classpulse.web.security_headers import ALWAYS

COOKIE = "classpulse_join"

CAMERA = ALWAYS["Permissions-Policy"].replace("camera=()", "camera=(self)")
"""For who has consented, and on that page alone."""

SLOW_S = 10.0
"""A picture of ten kilobytes that takes longer is none of a moment."""

CODES = {
    Refusal.ENDED: 410,
    Refusal.UNKNOWN: 404,
    Refusal.LEFT: 409,
    Refusal.TOO_FAST: 429,
}


def enter_code(request: Request) -> Response:
    """Where a code is typed."""
    typed = request.query_params.get("code")
    if typed is None:
        return render(request, "join_code.html.j2", error="", typed="")
    found = _found(request, read_code(typed[:50]))
    if isinstance(found, Response):
        return found
    return RedirectResponse(f"/join/{found.code}", 303)


def join(request: Request) -> Response:
    """What is sent, kept and seen by whom, for who has not joined; the camera for who has."""
    found = _lesson_of(request)
    if isinstance(found, Response):
        return found
    return _page(request, found)


def try_join(request: Request) -> Response:
    """The form was sent."""
    site, form, _ = site_of(request), request.state.form, words(language_of(request))
    found = _lesson_of(request)
    if isinstance(found, Response):
        return found
    name = str(form.get("pseudonym", ""))[:200]
    if form.get("consent") != "yes":
        return _page(request, found, _("You can join only if you agree; nothing was sent."), name, 400)
    token = _token(request) or secrets.token_urlsafe(32)
    try:
        site.online.join(found, token, name)
    except Refused as refused:
        return _page(request, found, _why(request, refused.why), name, CODES.get(refused.why, 400))
    answer = RedirectResponse(f"/join/{found.code}", 303)
    serve = site.config.settings.serve
    answer.set_cookie(
        _cookie(request),
        token,
        httponly=True,
        samesite="strict",
        secure=serve.secure,
        path=f"/join/{found.code}",
    )
    return answer


async def frame(request: Request) -> Response:
    """A picture, or with an empty body word that somebody is still there."""
    site = site_of(request)
    found, token = _open_lesson(request)
    body = await _body(request)
    try:
        if body:
            if request.headers.get("content-type") != "image/jpeg":
                raise HTTPException(415)
            checked(body)
        with site.online.held() as now_s:
            if body:
                found.take(token, body, now_s)
            else:
                found.heard(token, now_s)
            watching, member = found.is_watching(now_s), found.member(token)
            answer = {"watching": watching} | _told_of_face(member)
    except NoPicture as error:
        raise HTTPException(422, str(error)) from None
    except Refused as refused:
        return JSONResponse({"error": refused.why.value}, CODES.get(refused.why, 400))
    return JSONResponse(answer)


def _told_of_face(member: Member | None) -> dict[str, Any]:
    """The number of the newest picture, and in which one the face was looked for last and where it was, as
    shares of the picture: the browser may send the part around it alone."""
    if member is None or not member.sent:
        return {}
    face = None
    if member.face is not None:
        number, box = member.face
        face = {"picture": number, "box": None if box is None else [round(edge, 4) for edge in box]}
    return {"picture": member.sent, "face": face}


def leave(request: Request) -> Response:
    """The button was pressed, or the page was closed."""
    found, token = _open_lesson(request)
    site_of(request).online.leave(found, token)
    return RedirectResponse(f"/join/{found.code}", 303)


def erase(request: Request) -> Response:
    """Leave, and nothing may be kept."""
    found, token = _open_lesson(request)
    site_of(request).online.withdraw(found, token)
    return RedirectResponse(f"/join/{found.code}", 303)


def erased(request: Request) -> Response:
    """Says that not all is erased yet; once it is, this browser is unknown: 404."""
    _open_lesson(request)
    return JSONResponse({"done": False})


def _page(
    request: Request, lesson: OnlineLesson, error: str = "", name: str = "", code: int = 200
) -> Response:
    site = site_of(request)
    token = _token(request)
    with site.online.held():
        member = lesson.member(token) if token else None
        state = _state(lesson, member)
    answer = render(
        request,
        "join.html.j2",
        code,
        lesson=lesson,
        mode=lesson.mode.value,
        state=state,
        member=member,
        name=name,
        error=error,
        keep_days=site.config.settings.retention.keep_days,
        here=f"/join/{lesson.code}",
    )
    if state == "here":
        answer.headers["Permissions-Policy"] = CAMERA
    return answer


def _state(lesson: OnlineLesson, member: Member | None) -> str:
    if member is not None and member.state is State.ERASING:
        return "erasing"
    if lesson.ended:
        return "ended"
    return "new" if member is None else member.state.value


def _lesson_of(request: Request) -> OnlineLesson | Response:
    typed = str(request.path_params["code"])
    code = read_code(typed[:50])
    found = _found(request, code)
    if isinstance(found, OnlineLesson) and typed != found.code:
        # The cookie holds for one spelling of the address.
        return RedirectResponse(f"/join/{found.code}", 303)
    return found


def _found(request: Request, code: str) -> OnlineLesson | Response:
    """The lesson of a code, or the page that says that there is none. Who guesses has to wait, also for one
    that fits; who has joined has not."""
    site, _ = site_of(request), words(language_of(request))
    lesson = site.online.by_code(code) if code else None
    if lesson is not None and lesson.member(_token(request)):
        return lesson
    address, now_s = f"join {request.client.host if request.client else ''}", time.monotonic()
    wait_s = site.joins.try_s(address, now_s)
    if wait_s > 0:
        error = _("Too many wrong codes came from here. Wait %d seconds, then try again.") % (wait_s + 1)
        return render(request, "join_code.html.j2", 429, error=error, typed="")
    if lesson is None:
        error = _("There is no lesson with this code now. Is it spelled as your teacher gave it?")
        return render(request, "join_code.html.j2", 404, error=error, typed=code)
    site.joins.succeeded(address, forget=False)
    return lesson


def _open_lesson(request: Request) -> tuple[OnlineLesson, str]:
    """The lesson of who has joined it, and their token. Raises HTTPException 404 for anybody else: to guess
    here is to guess a token of 256 bits, too."""
    lesson, token = site_of(request).online.by_code(str(request.path_params["code"])), _token(request)
    if lesson is None or lesson.member(token) is None:
        raise HTTPException(404)
    return lesson, token


def _token(request: Request) -> str:
    return request.cookies.get(_cookie(request), "")[:100]


def _cookie(request: Request) -> str:
    """Its name; it is for the pages of one lesson, so it cannot be for the whole host."""
    return (OVER_TLS if site_of(request).config.settings.serve.secure else "") + COOKIE


def _why(request: Request, why: Refusal) -> str:
    _ = words(language_of(request))
    return {
        Refusal.NAME: _("A name has 1 to 40 letters, digits or signs that can be printed."),
        Refusal.TAKEN: _("This name cannot be used in this lesson; choose another, or ask your teacher."),
        Refusal.FULL: _("The lesson is full; ask your teacher."),
        Refusal.ENDED: _("The lesson has ended."),
        Refusal.LEFT: _("You cannot come back into this lesson; ask your teacher."),
    }.get(why, _("This did not work; try again."))


async def _body(request: Request) -> bytes:
    """The body, as far as it is no larger than a picture may be. Raises HTTPException."""
    try:
        announced = int(request.headers.get("content-length") or 0)
    except ValueError:
        raise HTTPException(400) from None
    if announced > MOST_BYTES:
        raise HTTPException(413)
    body = bytearray()
    try:
        async with asyncio.timeout(SLOW_S):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)


ROUTES = [
    route("/join", enter_code, Open.ANYBODY),
    route("/join/{code}", join, Open.ANYBODY),
    route("/join/{code}", try_join, Open.ANYBODY, methods=("POST",)),
    route("/join/{code}/frame", frame, Open.ANYBODY, methods=("POST",), form=False),
    route("/join/{code}/leave", leave, Open.ANYBODY, methods=("POST",)),
    route("/join/{code}/erase", erase, Open.ANYBODY, methods=("POST",)),
    route("/join/{code}/erased", erased, Open.ANYBODY),
]
