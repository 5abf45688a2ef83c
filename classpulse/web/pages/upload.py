"""Uploading a recording: it streams to the disk, waits its turn, is analysed, and leads to its report."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from classpulse.errors import UserError
from classpulse.formatting import media_clock
from classpulse.services.times import TimeSource, parse_lesson_time, require_within_retention
from classpulse.services.upload_queue import UploadQueue
from classpulse.services.uploads import (
    StorageFull,
    Upload,
    UploadState,
    UploadStore,
    UploadTooLarge,
    UploadWriter,
    display_file_name,
    require_disk_space,
    too_large_message,
)
from classpulse.web.class_access import selectable_class_names
from classpulse.web.context import (
    AppContext,
    accepts_html,
    context_of,
    get_translator,
    render_page,
    request_account,
    request_language,
    require_permission,
)
from classpulse.web.multipart import MAX_FORM_OVERHEAD_BYTES, FileStart, FormField, iter_parts
from classpulse.web.permissions import Permission, is_allowed
from classpulse.web.routing import require_csrf_token, route
from db.accounts import Account, Role
from db.clock import now_utc
from monitor.seating.classroom import read_classroom
from reports.text.dates import format_short_datetime
from reports.text.i18n import use_language

CHUNK_BYTES = 1 << 20
"""So much is written at a time."""


def upload_page(request: Request) -> Response:
    """The form, and what became of recordings that were sent before."""
    return _render(request)


async def receive_upload(request: Request) -> Response:
    """A recording comes."""
    try:
        taken = await _receive_recording(request)
    except HTTPException as error:
        return await run_in_threadpool(_error_response, request, error.status_code, error.detail)
    if not accepts_html(request):
        return JSONResponse({"id": taken.id}, 201)
    return RedirectResponse("/upload", 303)


def upload_states(request: Request) -> Response:
    """How they stand, for the script of the page."""
    return JSONResponse({"uploads": _upload_rows(request)})


def cancel_upload(request: Request) -> Response:
    """A recording that waits or is analysed is wanted no more."""
    _upload_queue(request).cancel(_requested_upload(request))
    return RedirectResponse("/upload", 303)


def retry_upload(request: Request) -> Response:
    """An analysis that was refused or broke off, or that of a kept recording, once more."""
    one = _requested_upload(request)
    if one.state.is_final and one.recording_exists:
        _upload_queue(request).retry(one)
    return RedirectResponse("/upload", 303)


def delete_upload(request: Request) -> Response:
    """Off the list, and the recording erased."""
    one = _requested_upload(request)
    if one.state.is_final:
        _upload_store(request).delete(one.id)
        context_of(request).audit(request_account(request), "delete upload", f"class {one.class_name}")
    return RedirectResponse("/upload", 303)


async def _receive_recording(request: Request) -> Upload:
    """The form's fields first, then the file; what is wrong with the fields is said before a byte of the file
    is taken."""
    context, store = context_of(request), _upload_store(request)
    most = int(context.config.settings.serve.max_upload_gb * 1e9)
    announced = int(request.headers.get("content-length") or 0)
    if announced > most + MAX_FORM_OVERHEAD_BYTES:
        raise HTTPException(413, too_large_message(most))
    try:
        require_disk_space(context.data_folder, announced)
        fields: dict[str, str] = {}
        coming = iter_parts(request)
        async for part in coming:
            if isinstance(part, FormField):
                fields[part.name] = part.value
            elif isinstance(part, FileStart) and part.name == "recording":
                allowed = await run_in_threadpool(_validated_fields, request, fields, part.file_name)
                with store.open_writer(most) as (number, place):
                    await _write_file(coming, place)
                    if not place.size_bytes:
                        raise HTTPException(422, "no recording was chosen")
                    place.close()
                    taken = Upload(
                        number,
                        request_account(request).id,
                        size_bytes=place.size_bytes,
                        uploaded_at=now_utc(),
                        **allowed,
                    )
                    await run_in_threadpool(store.commit, taken)
                await run_in_threadpool(_audit_upload, request, taken)
                _upload_queue(request).notify()
                return taken
            else:
                break
    except UploadTooLarge as error:
        raise HTTPException(413, str(error)) from None
    except StorageFull as error:
        raise HTTPException(507, str(error)) from None
    require_csrf_token(request, request.headers.get("X-CSRF-Token") or fields.get("csrf_token", ""))
    raise HTTPException(422, "no recording was chosen")


def _validated_fields(request: Request, fields: dict[str, str], file_name: str) -> dict[str, Any]:
    """What the fields say of the recording, if all of it may be."""
    context = context_of(request)
    require_csrf_token(request, request.headers.get("X-CSRF-Token") or fields.get("csrf_token", ""))
    class_name, room = fields.get("class", ""), fields.get("room") or None
    require_permission(request, Permission.RECORD, class_name)
    if class_name not in selectable_class_names(request):
        raise HTTPException(404)
    if room is not None and room not in {one.name for one in context.config.settings.rooms}:
        raise HTTPException(422, "there is no such room")
    _require_analysable(request, class_name)
    return {
        "class_name": class_name,
        "room": room,
        "file_name": display_file_name(file_name),
        "keep_recording": fields.get("keep") == "yes",
        **_lesson_time_fields(context, fields.get("at", "").strip()),
    }


def _lesson_time_fields(context: AppContext, text: str) -> dict[str, Any]:
    """When the lesson was, where the form says it. Raises HTTPException."""
    if not text:
        return {}
    now = now_utc()
    try:
        at = parse_lesson_time(text, context.zone, now)
        require_within_retention(at, context.config, now)
    except (ValueError, UserError) as error:
        raise HTTPException(422, str(error)) from None
    return {"lesson_at": at, "time_source": TimeSource.USER}


def _require_analysable(request: Request, class_name: str) -> None:
    """What would be refused in an hour is refused now. Raises HTTPException."""
    context = context_of(request)
    if context.config.settings.policy is None:
        raise HTTPException(422, "the settings have no policy yet, so no recording can be analysed")
    unmasked = read_classroom(context.engine, class_name).unmaskable
    if unmasked:
        who = ", ".join(one.pseudonym for one in unmasked)
        raise HTTPException(
            422, f"{who} opted out and cannot be masked: give each a seat on the plan of {class_name}"
        )


async def _write_file(parts: Any, writer: UploadWriter) -> None:
    """The rest of the form into the file. Fields that come after it are not read."""
    piece = bytearray()
    async for part in parts:
        if isinstance(part, bytes):
            piece += part
        if len(piece) >= CHUNK_BYTES:
            await run_in_threadpool(writer.write, bytes(piece))
            piece.clear()
    if piece:
        await run_in_threadpool(writer.write, bytes(piece))


def _audit_upload(request: Request, taken: Upload) -> None:
    # Without what the file is called: that may be somebody's name.
    size = f"{taken.size_bytes / 1e6:.1f} MB" + (", to be kept" if taken.keep_recording else "")
    context_of(request).audit(request_account(request), "upload", f"class {taken.class_name}", size)


def _error_response(request: Request, code: int, detail: str) -> Response:
    if code in {403, 404}:
        raise HTTPException(code, detail)
    if not accepts_html(request):
        return JSONResponse({"error": detail}, code)
    return _render(request, detail, code)


def _render(request: Request, error: str = "", code: int = 200) -> Response:
    settings = context_of(request).config.settings
    return render_page(
        request,
        "upload.html.j2",
        code,
        error=error,
        classes=selectable_class_names(request),
        rooms=[room.name for room in settings.rooms],
        most_gb=settings.serve.max_upload_gb,
        most_bytes=int(settings.serve.max_upload_gb * 1e9),
        policy=settings.policy is not None,
        latest=f"{now_utc().astimezone(context_of(request).zone):%Y-%m-%dT%H:%M}",
        zone_name=settings.output.time_zone or "",
        uploads=_upload_rows(request),
    )


def _upload_rows(request: Request) -> list[dict[str, Any]]:
    """The uploads that this account sees, ready to be shown."""
    _ = get_translator(request_language(request))
    texts = {
        UploadState.WAITING: _("waiting"),
        UploadState.ANALYSING: _("being analysed"),
        UploadState.FINISHED: _("analysed"),
        UploadState.INTERRUPTED: _("interrupted"),
        UploadState.CANCELLED: _("cancelled"),
        UploadState.REJECTED: _("not analysed"),
    }
    sources = {
        TimeSource.USER: "",
        TimeSource.RECORDING: _("as the recording says"),
        TimeSource.ANALYSIS: _("not known when, so the time of its analysis"),
    }
    account = request_account(request)
    return [
        {
            "id": one.id,
            "file_name": one.file_name,
            "class_name": one.class_name,
            "room": one.room,
            "at": _format_moment(request, one.uploaded_at),
            "lesson_at": _format_moment(request, one.lesson_at) if one.lesson_at else "",
            "date_note": sources[one.time_source] if one.time_source else "",
            "size": f"{one.size_bytes / 1e9:.1f} GB"
            if one.size_bytes >= 1e9
            else f"{max(0.1, one.size_bytes / 1e6):.1f} MB",
            "state": one.state.value,
            "text": texts[one.state],
            "reason": one.reason,
            "session": one.session_id,
            "recording_exists": one.recording_exists,
            "keep_recording": one.keep_recording,
            "is_final": one.state.is_final,
            **_progress(request, one),
        }
        for one in _upload_store(request).list_all()
        if _can_view(account, one)
    ]


def _format_moment(request: Request, at: datetime) -> str:
    with use_language(request_language(request)):
        return format_short_datetime(at.astimezone(context_of(request).zone))


def _progress(request: Request, one: Upload) -> dict[str, Any]:
    told = _upload_queue(request).progress(one)
    if told is None:
        return {"done": "", "percent": None}
    if not told.expected_s:
        return {"done": media_clock(told.end_s), "percent": None}
    percent = max(0, min(100, round(100 * told.end_s / told.expected_s)))
    return {"done": f"{media_clock(told.end_s)} / {media_clock(told.expected_s)}", "percent": percent}


def _requested_upload(request: Request) -> Upload:
    one = _upload_store(request).get(str(request.path_params["upload"]))
    if one is None or not _can_view(request_account(request), one):
        raise HTTPException(404)
    return one


def _can_view(account: Account, one: Upload) -> bool:
    mine = account.role is Role.ADMINISTRATOR or one.account_id == account.id
    return mine and is_allowed(account, Permission.RECORD, one.class_name)


def _upload_store(request: Request) -> UploadStore:
    return cast("UploadStore", request.app.state.upload_store)


def _upload_queue(request: Request) -> UploadQueue:
    return cast("UploadQueue", request.app.state.upload_queue)


ROUTES = [
    route("/upload", upload_page, Permission.RECORD),
    route("/upload", receive_upload, Permission.RECORD, methods=("POST",), streams_body=True),
    route("/upload/state", upload_states, Permission.RECORD),
    route("/upload/{upload}/cancel", cancel_upload, Permission.RECORD, methods=("POST",)),
    route("/upload/{upload}/retry", retry_upload, Permission.RECORD, methods=("POST",)),
    route("/upload/{upload}/delete", delete_upload, Permission.RECORD, methods=("POST",)),
]
