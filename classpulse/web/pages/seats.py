"""The seats of a class: a new plan from a camera still, and the assignment of students to seats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.config.policy import require_policy
from classpulse.csv_table import CsvRow
from classpulse.errors import UserError
from classpulse.services.seat_plans.csv_file import parse_seats
from classpulse.services.seat_plans.editor import (
    capture_still,
    create_plan,
    detect_seats,
    require_no_opt_outs,
    save_plan,
    save_seat_assignments,
)
from classpulse.text import display_file_name
from classpulse.web.class_access import requested_class
from classpulse.web.context import context_of, render_page, request_account
from classpulse.web.multipart import UploadedFile, read_uploaded_file
from classpulse.web.permissions import Permission
from classpulse.web.routing import route
from classpulse.web.seat_form import MAX_SEATS, form_assignments, form_rows, seat_drawing, seat_view_data
from classpulse.web.still_store import RoomStill, StillStore
from db.clock import now_utc
from db.records import SeatPlan
from db.roster import load_student_names
from model.errors import ProblemError
from monitor.errors import DetectorError, PlanError, SourceError
from monitor.seating.classroom import Classroom, occlusion_notes, read_classroom
from monitor.sources.images import decode_image
from monitor.types import ImageBGR
from reports.text.formatting import natural_sort_key

MAX_IMAGE_BYTES = 30_000_000
"""Maximum size of an uploaded image."""


def seats_page(request: Request) -> Response:
    """The seats on the current still, else on the stored plan."""
    return _render(request, requested_class(request, Permission.MANAGE).name)


async def take_seat_still(request: Request) -> Response:
    """Take a still with the camera, or receive an image, and detect seats in it."""
    class_name = (await run_in_threadpool(requested_class, request, Permission.MANAGE)).name
    file = await read_uploaded_file(request, "image", MAX_IMAGE_BYTES)
    return await run_in_threadpool(_store_still, request, class_name, file)


def seat_still_image(request: Request) -> Response:
    """The still as JPEG, only for the account that took it."""
    still = _still(request, requested_class(request, Permission.MANAGE).name)
    if still is None:
        raise HTTPException(404)
    return Response(still.jpeg, media_type="image/jpeg")


def discard_seat_still(request: Request) -> Response:
    """Delete the still."""
    class_name = requested_class(request, Permission.MANAGE).name
    _still_store(request).drop(request_account(request).id, class_name)
    return _redirect_to_seats(request)


def save_seats(request: Request) -> Response:
    """Store the plan of the still, or the assignments on the stored plan."""
    context, account = context_of(request), request_account(request)
    class_name = requested_class(request, Permission.MANAGE).name
    room, still = read_classroom(context.engine, class_name), _still(request, class_name)
    form = request.state.form
    if str(form.get("still", "")) != (still.id if still else ""):
        expired = UserError(
            "The image has expired: it is kept for 15 minutes and for one page.", "Take it again."
        )
        return _render(request, class_name, 409, errors=[expired])
    rows = form_rows(form)
    errors: Sequence[str] = []
    if still is None:
        if room.plan is None:
            missing = UserError("There is no plan yet.", "Take an image first.")
            return _render(request, class_name, 422, errors=[missing])
        seats = list(room.plan.seats)
    else:
        height, width = still.image_bgr.shape[:2]
        seats, row_errors = parse_seats(rows, width, height)
        errors = [*row_errors]
        if not rows:
            errors = ["The plan has no seat."]
    assignments, assignment_errors = form_assignments(room, seats, rows)
    errors = [*errors, *assignment_errors]
    if errors:
        return _render(request, class_name, 422, errors=errors, rows=rows)
    if still is None:
        save_seat_assignments(context.engine, class_name, assignments, now_utc(), account.name)
        return _redirect_to_seats(request, saved="yes")
    try:
        plan = create_plan(still.image_bgr, class_name, seats, now_utc())
    except PlanError as error:
        return _render(request, class_name, 422, errors=[error], rows=rows)
    save_plan(context.engine, plan, assignments, account.name)
    _still_store(request).drop(account.id, class_name)
    return _redirect_to_seats(request, saved="yes")


def _store_still(request: Request, class_name: str, file: UploadedFile) -> Response:
    context = context_of(request)
    settings = context.config.settings
    try:
        require_policy(settings.policy, context.config.file_name)
        if file.fields.get("opted_out_absent") != "yes":
            hint = "Let these students leave the image, tick the box, and add their seats by hand."
            require_no_opt_outs(read_classroom(context.engine, class_name), hint)
        image_bgr = _read_image(request, file)
        seats = detect_seats(image_bgr, settings.detection, from_back=file.fields.get("from_back") == "yes")
    except (UserError, SourceError, DetectorError) as error:
        return _render(request, class_name, 422, errors=[error])
    _still_store(request).put(request_account(request).id, class_name, image_bgr, seats[:MAX_SEATS])
    context.audit(request_account(request), "take seat still", f"class {class_name}", f"{len(seats)} faces")
    return _redirect_to_seats(request)


def _read_image(request: Request, file: UploadedFile) -> ImageBGR:
    """The uploaded image, else a still of a configured camera. The client chooses a room, not an address, so
    that it cannot make the server open arbitrary sources."""
    settings = context_of(request).config.settings
    if file.content:
        return decode_image(file.content, display_file_name(file.file_name))
    if file.fields.get("input") == "image":
        raise UserError("No image was chosen.", "Choose one, or take it with the camera.")
    sources = {room.name: room.source for room in settings.rooms}
    name = file.fields.get("room", "")
    if sources and name not in sources:
        raise UserError("There is no such room.", "Choose the room whose camera takes the image.")
    return capture_still(sources.get(name, settings.capture.source), None, settings.capture)


def _render(
    request: Request,
    class_name: str,
    code: int = 200,
    errors: Sequence[str | ProblemError] = (),
    rows: Sequence[CsvRow] | None = None,
) -> Response:
    context, with_names = context_of(request), _shows_names(request)
    room, still = read_classroom(context.engine, class_name), _still(request, class_name)
    plan = room.plan
    displayed = _displayed_names(request, class_name, room)
    students = sorted(room.entries, key=lambda entry: natural_sort_key(displayed[entry.student_id]))
    seats = seat_view_data(room, still.seats if still else plan.seats if plan else (), rows, displayed)
    return render_page(
        request,
        "seats.html.j2",
        code,
        class_name=class_name,
        group=request.path_params["group"],
        errors=errors,
        saved=request.query_params.get("saved") == "yes" and not errors,
        warnings=_plan_warnings(room),
        unmasked=room.unmaskable,
        still=still,
        plan=plan,
        drawing=seat_drawing(seats, _image_size(still, plan), show_all=still is not None),
        seats=seats,
        displayed_names=displayed,
        with_names=with_names,
        students=[entry for entry in students if entry.consent is not None],
        unasked=[entry for entry in students if entry.consent is None],
        opted_out=room.opted_out,
        rooms=[known.name for known in context.config.settings.rooms],
    )


def _displayed_names(request: Request, class_name: str, room: Classroom) -> dict[int, str]:
    """The name or pseudonym of each student by id. Names only on request, recorded in the audit log."""
    stored: Mapping[int, str] = {}
    if _shows_names(request):
        context = context_of(request)
        context.audit(request_account(request), "view names", f"class {class_name}")
        stored = load_student_names(context.engine, [entry.student_id for entry in room.entries])
    return {entry.student_id: stored.get(entry.student_id, entry.pseudonym) for entry in room.entries}


def _image_size(still: RoomStill | None, plan: SeatPlan | None) -> tuple[int, int]:
    if still is not None:
        height, width = still.image_bgr.shape[:2]
        return width, height
    return (plan.frame_width, plan.frame_height) if plan else (0, 0)


def _plan_warnings(room: Classroom) -> list[str]:
    """Remarks about a valid plan."""
    if room.plan is None:
        return []
    return list(occlusion_notes(room.plan.seats, [entry.seat_label or "" for entry in room.opted_out]))


def _still(request: Request, class_name: str) -> RoomStill | None:
    return _still_store(request).get(request_account(request).id, class_name)


def _still_store(request: Request) -> StillStore:
    return cast("StillStore", request.app.state.still_store)


def _shows_names(request: Request) -> bool:
    return request.query_params.get("names") == "yes"


def _redirect_to_seats(request: Request, **parameters: str) -> Response:
    query = urlencode(({"names": "yes"} if _shows_names(request) else {}) | parameters)
    return RedirectResponse(
        f"/classes/{request.path_params['group']}/seats{'?' if query else ''}{query}", 303
    )


ROUTES = [
    route("/classes/{group:int}/seats", seats_page, Permission.MANAGE),
    route("/classes/{group:int}/seats", save_seats, Permission.MANAGE, methods=("POST",)),
    route(
        "/classes/{group:int}/seats/still",
        take_seat_still,
        Permission.MANAGE,
        methods=("POST",),
        streams_body=True,
    ),
    route("/classes/{group:int}/seats/still.jpg", seat_still_image, Permission.MANAGE),
    route(
        "/classes/{group:int}/seats/still/discard", discard_seat_still, Permission.MANAGE, methods=("POST",)
    ),
]
