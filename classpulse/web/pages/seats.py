"""The seats of a class: names onto a still of the room, or onto the plan that there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from urllib.parse import urlencode

import numpy as np
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
from classpulse.services.uploads import display_file_name
from classpulse.web.class_access import requested_class
from classpulse.web.context import context_of, render_page, request_account
from classpulse.web.multipart import UploadedFile, read_uploaded_file
from classpulse.web.permissions import Permission
from classpulse.web.routing import route
from classpulse.web.seat_form import MAX_SEATS, form_assignments, form_rows, seat_view_data, visible_area
from classpulse.web.still_store import RoomStill, StillStore
from db.clock import now_utc
from db.roster import load_student_names
from monitor.errors import DetectorError, PlanError, SourceError
from monitor.seating.classroom import Classroom, occlusion_notes, read_classroom
from monitor.sources.images import decode_image
from monitor.types import ImageBGR
from reports.text.formatting import natural_sort_key

MAX_IMAGE_BYTES = 30_000_000
"""Of a picture."""


def seats_page(request: Request) -> Response:
    """The still that was taken, else the plan that there is."""
    return _render(request, requested_class(request, Permission.MANAGE).name)


async def take_seat_still(request: Request) -> Response:
    """A still is taken by the camera, or was sent."""
    class_name = (await run_in_threadpool(requested_class, request, Permission.MANAGE)).name
    file = await read_uploaded_file(request, "picture", MAX_IMAGE_BYTES)
    return await run_in_threadpool(_store_still, request, class_name, file)


def seat_still_image(request: Request) -> Response:
    """The still, for the account that took it."""
    still = _still(request, requested_class(request, Permission.MANAGE).name)
    if still is None:
        raise HTTPException(404)
    return Response(still.jpeg, media_type="image/jpeg")


def discard_seat_still(request: Request) -> Response:
    """The still is wanted no more."""
    class_name = requested_class(request, Permission.MANAGE).name
    _still_store(request).drop(request_account(request).id, class_name)
    return _redirect_to_seats(request)


def save_seats(request: Request) -> Response:
    """The plan, and who sits where on it."""
    context, account = context_of(request), request_account(request)
    class_name = requested_class(request, Permission.MANAGE).name
    room, still = read_classroom(context.engine, class_name), _still(request, class_name)
    form = request.state.form
    if str(form.get("still", "")) != (still.id if still else ""):
        gone = "the picture is gone: it is kept for 15 minutes, and for one page; take it again"
        return _render(request, class_name, 409, problems=[gone])
    rows = form_rows(form)
    problems: list[str] = []
    if still is None:
        if room.plan is None:
            return _render(request, class_name, 422, problems=["there is no plan yet; take a picture first"])
        seats = list(room.plan.seats)
    else:
        height, width = still.image_bgr.shape[:2]
        seats, problems = parse_seats(rows, width, height)
        if not rows:
            problems = ["there is no seat; add one"]
    sitting, more = form_assignments(room, seats, rows)
    problems += more
    if problems:
        return _render(request, class_name, 422, problems=problems, rows=rows)
    if still is None:
        save_seat_assignments(context.engine, class_name, sitting, now_utc(), account.name)
        return _redirect_to_seats(request, saved="yes")
    try:
        plan = create_plan(still.image_bgr, class_name, seats, now_utc())
    except PlanError as error:
        return _render(request, class_name, 422, problems=[str(error)], rows=rows)
    save_plan(context.engine, plan, sitting, account.name)
    _still_store(request).drop(account.id, class_name)
    return _redirect_to_seats(request, saved="yes")


def _store_still(request: Request, class_name: str, file: UploadedFile) -> Response:
    context = context_of(request)
    settings = context.config.settings
    try:
        require_policy(settings.policy, context.config.file_name)
        if file.fields.get("opted_out_absent") != "yes":
            remedy = "let them step aside, tick the box that says so, and add their seats by hand"
            require_no_opt_outs(read_classroom(context.engine, class_name), remedy)
        image_bgr = _read_image(request, file)
        seats = detect_seats(image_bgr, settings.detection, from_back=file.fields.get("from_back") == "yes")
    except (UserError, SourceError, DetectorError) as error:
        return _render(request, class_name, 422, problems=[str(error)])
    _still_store(request).put(request_account(request).id, class_name, image_bgr, seats[:MAX_SEATS])
    context.audit(request_account(request), "take seat still", f"class {class_name}", f"{len(seats)} faces")
    return _redirect_to_seats(request)


def _read_image(request: Request, file: UploadedFile) -> ImageBGR:
    """What was sent, else what a camera of the settings shows: which one is chosen by its room, so that
    nobody can have us open any address."""
    settings = context_of(request).config.settings
    if file.content:
        return decode_image(file.content, display_file_name(file.file_name))
    if file.fields.get("input") == "image":
        raise UserError("no picture was chosen; choose one, or take it by the camera")
    sources = {one.name: one.source for one in settings.rooms}
    name = file.fields.get("room", "")
    if sources and name not in sources:
        raise UserError("there is no such room; choose one whose camera takes the picture")
    return capture_still(sources.get(name, settings.capture.source), None, settings.capture)


def _render(
    request: Request,
    class_name: str,
    code: int = 200,
    problems: Sequence[str] = (),
    rows: Sequence[CsvRow] | None = None,
) -> Response:
    context = context_of(request)
    settings = context.config.settings
    room, still = read_classroom(context.engine, class_name), _still(request, class_name)
    plan, with_names = room.plan, _shows_names(request)
    if with_names:
        context.audit(request_account(request), "view names", f"class {class_name}")
    stored = load_student_names(context.engine, [one.student_id for one in room.entries]) if with_names else {}
    called = {one.student_id: stored.get(one.student_id, one.pseudonym) for one in room.entries}
    people = sorted(room.entries, key=lambda one: natural_sort_key(called[one.student_id]))
    if still is not None:
        size = (still.image_bgr.shape[1], still.image_bgr.shape[0])
    else:
        size = (plan.frame_width, plan.frame_height) if plan else (0, 0)
    seats = still.seats if still else plan.seats if plan else ()
    drawn = seat_view_data(room, seats, rows, called)
    widths = [one["x2"] - one["x1"] for one in drawn if one["x2"] > one["x1"]] or [size[0] / 25]
    seat_px = float(np.median(widths))
    return render_page(
        request,
        "seats.html.j2",
        code,
        class_name=class_name,
        group=request.path_params["group"],
        problems=problems,
        saved=request.query_params.get("saved") == "yes" and not problems,
        remarks=_plan_warnings(room),
        unmasked=room.unmaskable,
        view=(0, 0, *size) if still else visible_area(drawn, seat_px, size),
        still=still,
        plan=plan,
        width=size[0],
        height=size[1],
        seats=drawn,
        called=called,
        with_names=with_names,
        students=[one for one in people if one.consent is not None],
        unasked=[one for one in people if one.consent is None],
        opted_out=room.opted_out,
        rooms=[one.name for one in settings.rooms],
        letter=max(6.0, min(seat_px * 0.42, size[0] / 60)),
        stroke=max(1.0, min(seat_px / 24, size[0] / 500)),
        seat_px=seat_px,
    )


def _plan_warnings(room: Classroom) -> list[str]:
    """What is not wrong with the plan, but should be known."""
    return (
        list(occlusion_notes(room.plan.seats, [one.seat_label or "" for one in room.opted_out]))
        if room.plan
        else []
    )


def _still(request: Request, class_name: str) -> RoomStill | None:
    return _still_store(request).get(request_account(request).id, class_name)


def _still_store(request: Request) -> StillStore:
    return cast("StillStore", request.app.state.still_store)


def _shows_names(request: Request) -> bool:
    return request.query_params.get("names") == "yes"


def _redirect_to_seats(request: Request, **told: str) -> Response:
    query = urlencode(({"names": "yes"} if _shows_names(request) else {}) | told)
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
