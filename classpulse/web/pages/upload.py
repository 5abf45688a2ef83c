"""Upload of a recording: streamed to disk, queued and analysed; the list shows states and reports."""

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
    require_disk_space,
    too_large_message,
)
from classpulse.text import display_file_name
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
"""Bytes per write."""

MAX_TRACK = 99
"""The highest number of a video track that the form accepts."""

NO_RECORDING = "No recording was chosen."


def upload_page(request: Request) -> Response:
    """The form and the list of uploads."""
    return _render(request)


async def receive_upload(request: Request) -> Response:
    """Receive a recording."""
    try:
        upload = await _receive_recording(request)
    except HTTPException as error:
        return await run_in_threadpool(_error_response, request, error.status_code, error.detail)
    if not accepts_html(request):
        return JSONResponse({"id": upload.id}, 201)
    return RedirectResponse("/upload", 303)


def upload_states(request: Request) -> Response:
    """The states of the uploads, for the script of the page."""
    return JSONResponse({"uploads": _upload_rows(request)})


def cancel_upload(request: Request) -> Response:
    """Cancel a waiting or running analysis."""
    _upload_queue(request).cancel(_requested_upload(request))
    return RedirectResponse("/upload", 303)


def retry_upload(request: Request) -> Response:
    """Analyse a recording again."""
    upload = _requested_upload(request)
    if upload.state.is_final and upload.recording_exists:
        _upload_queue(request).retry(upload)
    return RedirectResponse("/upload", 303)


def delete_upload(request: Request) -> Response:
    """Delete an upload with its recording."""
    upload = _requested_upload(request)
    if upload.state.is_final:
        _upload_store(request).delete(upload.id)
        context_of(request).audit(request_account(request), "delete upload", f"class {upload.class_name}")
    return RedirectResponse("/upload", 303)


async def _receive_recording(request: Request) -> Upload:
    """Store the recording. The fields precede the file and are validated before any of it is read. Raises
    HTTPException."""
    context = context_of(request)
    max_bytes = int(context.config.settings.serve.max_upload_gb * 1e9)
    announced_bytes = int(request.headers.get("content-length") or 0)
    if announced_bytes > max_bytes + MAX_FORM_OVERHEAD_BYTES:
        raise HTTPException(413, too_large_message(max_bytes))
    fields: dict[str, str] = {}
    try:
        require_disk_space(context.data_folder, announced_bytes)
        parts = iter_parts(request)
        async for part in parts:
            if isinstance(part, FormField):
                fields[part.name] = part.value
            elif isinstance(part, FileStart) and part.name == "recording":
                values = await run_in_threadpool(_validated_fields, request, fields, part.file_name)
                return await _store_recording(request, parts, values, max_bytes)
            else:
                break
    except UploadTooLarge as error:
        raise HTTPException(413, str(error)) from None
    except StorageFull as error:
        raise HTTPException(507, str(error)) from None
    require_csrf_token(request, request.headers.get("X-CSRF-Token") or fields.get("csrf_token", ""))
    raise HTTPException(422, NO_RECORDING)


async def _store_recording(request: Request, parts: Any, values: dict[str, Any], max_bytes: int) -> Upload:
    """Write the file to the store and queue it. Raises HTTPException, UploadTooLarge, StorageFull."""
    store = _upload_store(request)
    with store.open_writer(max_bytes) as (upload_id, writer):
        await _write_file(parts, writer)
        if not writer.size_bytes:
            raise HTTPException(422, NO_RECORDING)
        writer.close()
        upload = Upload(
            upload_id,
            request_account(request).id,
            size_bytes=writer.size_bytes,
            uploaded_at=now_utc(),
            **values,
        )
        await run_in_threadpool(store.commit, upload)
    await run_in_threadpool(_audit_upload, request, upload)
    _upload_queue(request).notify()
    return upload


def _validated_fields(request: Request, fields: dict[str, str], file_name: str) -> dict[str, Any]:
    """The fields of ``Upload`` from the form. Raises HTTPException if the upload is rejected."""
    context = context_of(request)
    require_csrf_token(request, request.headers.get("X-CSRF-Token") or fields.get("csrf_token", ""))
    class_name, room = fields.get("class", ""), fields.get("room") or None
    require_permission(request, Permission.RECORD, class_name)
    if class_name not in selectable_class_names(request):
        raise HTTPException(404)
    if room is not None and room not in {known.name for known in context.config.settings.rooms}:
        raise HTTPException(422, "There is no such room.")
    _require_analysable(request, class_name)
    return {
        "class_name": class_name,
        "room": room,
        "file_name": display_file_name(file_name),
        "keep_recording": fields.get("keep") == "yes",
        "track": _track(fields.get("track", "").strip()),
        **_lesson_time_fields(context, fields.get("at", "").strip()),
    }


def _lesson_time_fields(context: AppContext, text: str) -> dict[str, Any]:
    """The start of the lesson, if the form has one. Raises HTTPException."""
    if not text:
        return {}
    now = now_utc()
    try:
        at = parse_lesson_time(text, context.zone, now)
        require_within_retention(at, context.config, now)
    except UserError as error:
        raise HTTPException(422, str(error)) from None
    return {"lesson_at": at, "time_source": TimeSource.USER}


def _track(text: str) -> int | None:
    """The number of the video track; None if the field is empty. Raises HTTPException."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MAX_TRACK and len(text) < 9):
        raise HTTPException(422, "The video track is a number from 1.")
    return int(text)


def _require_analysable(request: Request, class_name: str) -> None:
    """Raises HTTPException if the analysis would be rejected later."""
    context = context_of(request)
    if context.config.settings.policy is None:
        raise HTTPException(422, "The settings have no policy yet, so no recording can be analysed.")
    unmasked = read_classroom(context.engine, class_name).unmaskable
    if unmasked:
        pseudonyms = ", ".join(entry.pseudonym for entry in unmasked)
        raise HTTPException(
            422,
            f"Students who opted out cannot be masked: {pseudonyms}. "
            f"Give each of them a seat on the plan of {class_name}.",
        )


async def _write_file(parts: Any, writer: UploadWriter) -> None:
    """Write the rest of the form, the content of the file; later fields are ignored."""
    chunk = bytearray()
    async for part in parts:
        if isinstance(part, bytes):
            chunk += part
        if len(chunk) >= CHUNK_BYTES:
            await run_in_threadpool(writer.write, bytes(chunk))
            chunk.clear()
    if chunk:
        await run_in_threadpool(writer.write, bytes(chunk))


def _audit_upload(request: Request, upload: Upload) -> None:
    # Without the file name, which may contain the name of a student.
    size = f"{upload.size_bytes / 1e6:.1f} MB" + (", to be kept" if upload.keep_recording else "")
    context_of(request).audit(request_account(request), "upload", f"class {upload.class_name}", size)


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
        max_gb=settings.serve.max_upload_gb,
        max_bytes=int(settings.serve.max_upload_gb * 1e9),
        has_policy=settings.policy is not None,
        latest=f"{now_utc().astimezone(context_of(request).zone):%Y-%m-%dT%H:%M}",
        zone_name=settings.output.time_zone or "",
        uploads=_upload_rows(request),
    )


def _upload_rows(request: Request) -> list[dict[str, Any]]:
    """The uploads that the account may view, as values of the page and its script."""
    account = request_account(request)
    return [
        _upload_row(request, upload)
        for upload in _upload_store(request).list_all()
        if _can_view(account, upload)
    ]


def _upload_row(request: Request, upload: Upload) -> dict[str, Any]:
    _ = get_translator(request_language(request))
    state_texts = {
        UploadState.WAITING: _("waiting"),
        UploadState.ANALYSING: _("being analysed"),
        UploadState.FINISHED: _("analysed"),
        UploadState.INTERRUPTED: _("interrupted"),
        UploadState.CANCELLED: _("cancelled"),
        UploadState.REJECTED: _("not analysed"),
    }
    date_notes = {
        TimeSource.USER: "",
        TimeSource.RECORDING: _("from the recording"),
        TimeSource.ANALYSIS: _("unknown; time of the analysis"),
    }
    return {
        "id": upload.id,
        "file_name": upload.file_name,
        "class_name": upload.class_name,
        "room": upload.room,
        "track": upload.track,
        "uploaded_at": _format_moment(request, upload.uploaded_at),
        "lesson_at": _format_moment(request, upload.lesson_at) if upload.lesson_at else "",
        "date_note": date_notes[upload.time_source] if upload.time_source else "",
        "size": _format_size(upload.size_bytes),
        "state": upload.state.value,
        "state_text": state_texts[upload.state],
        "reason": upload.reason,
        "session": upload.session_id,
        "recording_exists": upload.recording_exists,
        "keep_recording": upload.keep_recording,
        "is_final": upload.state.is_final,
        **_progress(request, upload),
    }


def _format_size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{max(0.1, size_bytes / 1e6):.1f} MB"


def _format_moment(request: Request, at: datetime) -> str:
    with use_language(request_language(request)):
        return format_short_datetime(at.astimezone(context_of(request).zone))


def _progress(request: Request, upload: Upload) -> dict[str, Any]:
    progress = _upload_queue(request).progress(upload)
    if progress is None:
        return {"done": "", "percent": None}
    if not progress.expected_s:
        return {"done": media_clock(progress.end_s), "percent": None}
    percent = max(0, min(100, round(100 * progress.end_s / progress.expected_s)))
    return {"done": f"{media_clock(progress.end_s)} / {media_clock(progress.expected_s)}", "percent": percent}


def _requested_upload(request: Request) -> Upload:
    upload = _upload_store(request).get(str(request.path_params["upload"]))
    if upload is None or not _can_view(request_account(request), upload):
        raise HTTPException(404)
    return upload


def _can_view(account: Account, upload: Upload) -> bool:
    is_own = account.role is Role.ADMINISTRATOR or upload.account_id == account.id
    return is_own and is_allowed(account, Permission.RECORD, upload.class_name)


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
