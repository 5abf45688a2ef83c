"""Uploading a recording: it streams to the disk, waits its turn, is analysed, and leads to its report."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from classpulse.errors import UserError
from classpulse.formatting import clock
from classpulse.services.times import DatedBy, read_lesson_time, require_kept
from classpulse.services.upload_queue import Analyses
from classpulse.services.uploads import (
    Full,
    Receiving,
    TooLarge,
    Upload,
    Uploads,
    UploadState,
    require_room,
    shown_name,
    too_large,
)
from classpulse.web.class_access import class_names
from classpulse.web.context import Site, account_of, language_of, render, require, site_of, wants_page, words
from classpulse.web.multipart import FORM_BYTES, Field, FileBegins, parts
from classpulse.web.permissions import Action, may
from classpulse.web.routing import require_token, route
from db.accounts import Account, Role
from db.clock import now_utc
from monitor.seating.classroom import read_classroom
from reports.text.dates import brief_moment
from reports.text.i18n import speaking

PIECE_BYTES = 1 << 20
"""So much is written at a time."""


def upload(request: Request) -> Response:
    """The form, and what became of recordings that were sent before."""
    return _page(request)


async def receive(request: Request) -> Response:
    """A recording comes."""
    try:
        taken = await _receive(request)
    except HTTPException as error:
        return await run_in_threadpool(_refused, request, error.status_code, error.detail)
    if not wants_page(request):
        return JSONResponse({"id": taken.id}, 201)
    return RedirectResponse("/upload", 303)


def uploads(request: Request) -> Response:
    """How they stand, for the script of the page."""
    return JSONResponse({"uploads": _listed(request)})


def cancel(request: Request) -> Response:
    """A recording that waits or is analysed is wanted no more."""
    _analyses(request).cancel(_own(request))
    return RedirectResponse("/upload", 303)


def again(request: Request) -> Response:
    """An analysis that was refused or broke off, or that of a kept recording, once more."""
    one = _own(request)
    if one.state.over and one.there:
        _analyses(request).again(one)
    return RedirectResponse("/upload", 303)


def remove(request: Request) -> Response:
    """Off the list, and the recording erased."""
    one = _own(request)
    if one.state.over:
        _uploads(request).remove(one.id)
        site_of(request).audit(account_of(request), "erase upload", f"class {one.class_name}")
    return RedirectResponse("/upload", 303)


async def _receive(request: Request) -> Upload:
    """The form's fields first, then the file; what is wrong with the fields is said before a byte of the file
    is taken."""
    site, store = site_of(request), _uploads(request)
    most = int(site.config.settings.serve.upload_gb * 1e9)
    announced = int(request.headers.get("content-length") or 0)
    if announced > most + FORM_BYTES:
        raise HTTPException(413, too_large(most))
    try:
        require_room(site.data_folder, announced)
        fields: dict[str, str] = {}
        coming = parts(request)
        async for part in coming:
            if isinstance(part, Field):
                fields[part.name] = part.value
            elif isinstance(part, FileBegins) and part.name == "recording":
                allowed = await run_in_threadpool(_allowed, request, fields, part.called)
                with store.receive(most) as (number, place):
                    await _write(coming, place)
                    if not place.size:
                        raise HTTPException(422, "no recording was chosen")
                    place.close()
                    taken = Upload(number, account_of(request).id, size=place.size, at=now_utc(), **allowed)
                    await run_in_threadpool(store.take, taken)
                await run_in_threadpool(_told, request, taken)
                _analyses(request).poke()
                return taken
            else:
                break
    except TooLarge as error:
        raise HTTPException(413, str(error)) from None
    except Full as error:
        raise HTTPException(507, str(error)) from None
    require_token(request, request.headers.get("X-Form-Token") or fields.get("token", ""))
    raise HTTPException(422, "no recording was chosen")


def _allowed(request: Request, fields: dict[str, str], called: str) -> dict[str, Any]:
    """What the fields say of the recording, if all of it may be."""
    site = site_of(request)
    require_token(request, request.headers.get("X-Form-Token") or fields.get("token", ""))
    class_name, room = fields.get("class", ""), fields.get("room") or None
    require(request, Action.RECORD, class_name)
    if class_name not in class_names(request):
        raise HTTPException(404)
    if room is not None and room not in {one.name for one in site.config.settings.rooms}:
        raise HTTPException(422, "there is no such room")
    _require_analysable(request, class_name)
    return {
        "class_name": class_name,
        "room": room,
        "called": shown_name(called),
        "keep": fields.get("keep") == "yes",
        **_when(site, fields.get("at", "").strip()),
    }


def _when(site: Site, text: str) -> dict[str, Any]:
    """When the lesson was, where the form says it. Raises HTTPException."""
    if not text:
        return {}
    now = now_utc()
    try:
        at = read_lesson_time(text, site.zone, now)
        require_kept(at, site.config, now)
    except (ValueError, UserError) as error:
        raise HTTPException(422, str(error)) from None
    return {"lesson_at": at, "dated_by": DatedBy.SOMEBODY}


def _require_analysable(request: Request, class_name: str) -> None:
    """What would be refused in an hour is refused now. Raises HTTPException."""
    site = site_of(request)
    if site.config.settings.policy is None:
        raise HTTPException(422, "the settings have no policy yet, so no recording can be analysed")
    unmasked = read_classroom(site.engine, class_name).unmasked
    if unmasked:
        who = ", ".join(one.pseudonym for one in unmasked)
        raise HTTPException(
            422, f"{who} opted out and cannot be masked: give each a seat on the plan of {class_name}"
        )


async def _write(coming: Any, place: Receiving) -> None:
    """The rest of the form into the file. Fields that come after it are not read."""
    piece = bytearray()
    async for part in coming:
        if isinstance(part, bytes):
            piece += part
        if len(piece) >= PIECE_BYTES:
            await run_in_threadpool(place.write, bytes(piece))
            piece.clear()
    if piece:
        await run_in_threadpool(place.write, bytes(piece))


def _told(request: Request, taken: Upload) -> None:
    # Without what the file is called: that may be somebody's name.
    size = f"{taken.size / 1e6:.1f} MB" + (", to be kept" if taken.keep else "")
    site_of(request).audit(account_of(request), "upload", f"class {taken.class_name}", size)


def _refused(request: Request, code: int, detail: str) -> Response:
    if code in {403, 404}:
        raise HTTPException(code, detail)
    if not wants_page(request):
        return JSONResponse({"error": detail}, code)
    return _page(request, detail, code)


def _page(request: Request, error: str = "", code: int = 200) -> Response:
    settings = site_of(request).config.settings
    return render(
        request,
        "upload.html.j2",
        code,
        error=error,
        classes=class_names(request),
        rooms=[room.name for room in settings.rooms],
        most_gb=settings.serve.upload_gb,
        most_bytes=int(settings.serve.upload_gb * 1e9),
        policy=settings.policy is not None,
        latest=f"{now_utc().astimezone(site_of(request).zone):%Y-%m-%dT%H:%M}",
        zone_name=settings.output.time_zone or "",
        uploads=_listed(request),
    )


def _listed(request: Request) -> list[dict[str, Any]]:
    """The uploads that this account sees, ready to be shown."""
    _ = words(language_of(request))
    texts = {
        UploadState.WAITING: _("waiting"),
        UploadState.ANALYSING: _("being analysed"),
        UploadState.FINISHED: _("analysed"),
        UploadState.INTERRUPTED: _("interrupted"),
        UploadState.CANCELLED: _("cancelled"),
        UploadState.REFUSED: _("not analysed"),
    }
    sources = {
        DatedBy.SOMEBODY: "",
        DatedBy.RECORDING: _("as the recording says"),
        DatedBy.ANALYSIS: _("not known when, so the time of its analysis"),
    }
    account = account_of(request)
    return [
        {
            "id": one.id,
            "called": one.called,
            "class_name": one.class_name,
            "room": one.room,
            "at": _shown(request, one.at),
            "lesson_at": _shown(request, one.lesson_at) if one.lesson_at else "",
            "dated": sources[one.dated_by] if one.dated_by else "",
            "size": f"{one.size / 1e9:.1f} GB" if one.size >= 1e9 else f"{max(0.1, one.size / 1e6):.1f} MB",
            "state": one.state.value,
            "text": texts[one.state],
            "reason": one.reason,
            "session": one.session_id,
            "there": one.there,
            "keep": one.keep,
            "over": one.state.over,
            **_progress(request, one),
        }
        for one in _uploads(request).all()
        if _sees(account, one)
    ]


def _shown(request: Request, at: datetime) -> str:
    with speaking(language_of(request)):
        return brief_moment(at.astimezone(site_of(request).zone))


def _progress(request: Request, one: Upload) -> dict[str, Any]:
    told = _analyses(request).progress(one)
    if told is None:
        return {"done": "", "percent": None}
    if not told.expected_s:
        return {"done": clock(told.end_s), "percent": None}
    percent = max(0, min(100, round(100 * told.end_s / told.expected_s)))
    return {"done": f"{clock(told.end_s)} / {clock(told.expected_s)}", "percent": percent}


def _own(request: Request) -> Upload:
    one = _uploads(request).get(str(request.path_params["upload"]))
    if one is None or not _sees(account_of(request), one):
        raise HTTPException(404)
    return one


def _sees(account: Account, one: Upload) -> bool:
    mine = account.role is Role.ADMINISTRATOR or one.account_id == account.id
    return mine and may(account, Action.RECORD, one.class_name)


def _uploads(request: Request) -> Uploads:
    return cast("Uploads", request.app.state.uploads)


def _analyses(request: Request) -> Analyses:
    return cast("Analyses", request.app.state.analyses)


ROUTES = [
    route("/upload", upload, Action.RECORD),
    route("/upload", receive, Action.RECORD, methods=("POST",), own_body=True),
    route("/upload/state", uploads, Action.RECORD),
    route("/upload/{upload}/cancel", cancel, Action.RECORD, methods=("POST",)),
    route("/upload/{upload}/again", again, Action.RECORD, methods=("POST",)),
    route("/upload/{upload}/remove", remove, Action.RECORD, methods=("POST",)),
]
