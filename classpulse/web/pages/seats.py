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
from classpulse.csv_table import SheetRow
from classpulse.errors import UserError
from classpulse.services.seat_plans.csv_file import checked_seats
from classpulse.services.seat_plans.editor import (
    plan_over,
    require_nobody_opted_out,
    seats_in,
    store_plan,
    store_sitting,
    take_still,
)
from classpulse.services.uploads import shown_name
from classpulse.web.class_access import group_for
from classpulse.web.context import account_of, render, site_of
from classpulse.web.multipart import SmallFile, read_file
from classpulse.web.permissions import Action
from classpulse.web.routing import route
from classpulse.web.seat_form import MOST_SEATS, around, drawn_seats, rows_of, sitting_of
from classpulse.web.still_store import RoomStill, Stills
from db.clock import now_utc
from db.roster import names
from monitor.errors import DetectorError, PlanError, SourceError
from monitor.seating.classroom import Classroom, covered_notes, read_classroom
from monitor.sources.images import read_picture
from monitor.types import ImageBGR
from reports.text.formatting import reading_key

MOST_BYTES = 30_000_000
"""Of a picture."""


def show(request: Request) -> Response:
    """The still that was taken, else the plan that there is."""
    return _page(request, group_for(request, Action.ARRANGE).name)


async def take(request: Request) -> Response:
    """A still is taken by the camera, or was sent."""
    class_name = (await run_in_threadpool(group_for, request, Action.ARRANGE)).name
    file = await read_file(request, "picture", MOST_BYTES)
    return await run_in_threadpool(_take, request, class_name, file)


def picture(request: Request) -> Response:
    """The still, for the account that took it."""
    still = _still(request, group_for(request, Action.ARRANGE).name)
    if still is None:
        raise HTTPException(404)
    return Response(still.jpeg, media_type="image/jpeg")


def forget(request: Request) -> Response:
    """The still is wanted no more."""
    class_name = group_for(request, Action.ARRANGE).name
    _stills(request).drop(account_of(request).id, class_name)
    return _back(request)


def save(request: Request) -> Response:
    """The plan, and who sits where on it."""
    site, account = site_of(request), account_of(request)
    class_name = group_for(request, Action.ARRANGE).name
    room, still = read_classroom(site.engine, class_name), _still(request, class_name)
    form = request.state.form
    if str(form.get("still", "")) != (still.id if still else ""):
        gone = "the picture is gone: it is kept for 15 minutes, and for one page; take it again"
        return _page(request, class_name, 409, problems=[gone])
    rows = rows_of(form)
    problems: list[str] = []
    if still is None:
        if room.plan is None:
            return _page(request, class_name, 422, problems=["there is no plan yet; take a picture first"])
        seats = list(room.plan.seats)
    else:
        height, width = still.image_bgr.shape[:2]
        seats, problems = checked_seats(rows, width, height)
        if not rows:
            problems = ["there is no seat; add one"]
    sitting, more = sitting_of(room, seats, rows)
    problems += more
    if problems:
        return _page(request, class_name, 422, problems=problems, rows=rows)
    if still is None:
        store_sitting(site.engine, class_name, sitting, now_utc(), account.name)
        return _back(request, saved="yes")
    try:
        plan = plan_over(still.image_bgr, class_name, seats, now_utc())
    except PlanError as error:
        return _page(request, class_name, 422, problems=[str(error)], rows=rows)
    store_plan(site.engine, plan, sitting, account.name)
    _stills(request).drop(account.id, class_name)
    return _back(request, saved="yes")


def _take(request: Request, class_name: str, file: SmallFile) -> Response:
    site = site_of(request)
    settings = site.config.settings
    try:
        require_policy(settings.policy, site.config.name)
        if file.fields.get("stepped_aside") != "yes":
            remedy = "let them step aside, tick the box that says so, and add their seats by hand"
            require_nobody_opted_out(read_classroom(site.engine, class_name), remedy)
        image_bgr = _image(request, file)
        seats = seats_in(image_bgr, settings.detection, from_back=file.fields.get("from_back") == "yes")
    except (UserError, SourceError, DetectorError) as error:
        return _page(request, class_name, 422, problems=[str(error)])
    _stills(request).put(account_of(request).id, class_name, image_bgr, seats[:MOST_SEATS])
    site.audit(account_of(request), "seat still", f"class {class_name}", f"{len(seats)} faces")
    return _back(request)


def _image(request: Request, file: SmallFile) -> ImageBGR:
    """What was sent, else what a camera of the settings shows: which one is chosen by its room, so that
    nobody can have us open any address."""
    settings = site_of(request).config.settings
    if file.content:
        return read_picture(file.content, shown_name(file.called))
    if file.fields.get("by") == "picture":
        raise UserError("no picture was chosen; choose one, or take it by the camera")
    sources = {one.name: one.source for one in settings.rooms}
    name = file.fields.get("room", "")
    if sources and name not in sources:
        raise UserError("there is no such room; choose one whose camera takes the picture")
    return take_still(sources.get(name, settings.capture.source), None, settings.capture)


def _page(
    request: Request,
    class_name: str,
    code: int = 200,
    problems: Sequence[str] = (),
    rows: Sequence[SheetRow] | None = None,
) -> Response:
    site = site_of(request)
    settings = site.config.settings
    room, still = read_classroom(site.engine, class_name), _still(request, class_name)
    plan, with_names = room.plan, _are_names_wanted(request)
    if with_names:
        site.audit(account_of(request), "read names", f"class {class_name}")
    stored = names(site.engine, [one.student_id for one in room.entries]) if with_names else {}
    called = {one.student_id: stored.get(one.student_id, one.pseudonym) for one in room.entries}
    people = sorted(room.entries, key=lambda one: reading_key(called[one.student_id]))
    if still is not None:
        size = (still.image_bgr.shape[1], still.image_bgr.shape[0])
    else:
        size = (plan.picture_width, plan.picture_height) if plan else (0, 0)
    seats = still.seats if still else plan.seats if plan else ()
    drawn = drawn_seats(room, seats, rows, called)
    widths = [one["x2"] - one["x1"] for one in drawn if one["x2"] > one["x1"]] or [size[0] / 25]
    seat_px = float(np.median(widths))
    return render(
        request,
        "seats.html.j2",
        code,
        class_name=class_name,
        group=request.path_params["group"],
        problems=problems,
        saved=request.query_params.get("saved") == "yes" and not problems,
        remarks=_remarks(room),
        unmasked=room.unmasked,
        view=(0, 0, *size) if still else around(drawn, seat_px, size),
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


def _remarks(room: Classroom) -> list[str]:
    """What is not wrong with the plan, but should be known."""
    return (
        list(covered_notes(room.plan.seats, [one.seat or "" for one in room.opted_out])) if room.plan else []
    )


def _still(request: Request, class_name: str) -> RoomStill | None:
    return _stills(request).get(account_of(request).id, class_name)


def _stills(request: Request) -> Stills:
    return cast("Stills", request.app.state.stills)


def _are_names_wanted(request: Request) -> bool:
    return request.query_params.get("names") == "yes"


def _back(request: Request, **told: str) -> Response:
    query = urlencode(({"names": "yes"} if _are_names_wanted(request) else {}) | told)
    return RedirectResponse(
        f"/classes/{request.path_params['group']}/seats{'?' if query else ''}{query}", 303
    )


ROUTES = [
    route("/classes/{group:int}/seats", show, Action.ARRANGE),
    route("/classes/{group:int}/seats", save, Action.ARRANGE, methods=("POST",)),
    route("/classes/{group:int}/seats/still", take, Action.ARRANGE, methods=("POST",), own_body=True),
    route("/classes/{group:int}/seats/still.jpg", picture, Action.ARRANGE),
    route("/classes/{group:int}/seats/still/forget", forget, Action.ARRANGE, methods=("POST",)),
]
