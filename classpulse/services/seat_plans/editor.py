"""Laying a class's seat plan: what a still proposes, and what is kept of it.

A first seat plan: a seat where each face of a still is, labelled by rows.

A still of the room: a picture, or one frame of a recording or a camera.
"""

from __future__ import annotations

import string
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine

from classpulse.errors import UserError
from classpulse.formatting import english_count
from db.records import PlannedSeat, SeatPlan
from db.roster import assign_seats
from db.seat_plans import save_seat_plan
from db.unit_of_work import Store
from monitor.detection.base import DetectionSettings
from monitor.detection.factory import load_detector
from monitor.errors import SetupError
from monitor.geometry import Seat, seat_rows
from monitor.registration.landmarks import extract_reference_view
from monitor.seating.classroom import Classroom, occlusion_notes, read_classroom
from monitor.seating.seat_plan import person_area
from monitor.settings import CaptureSettings
from monitor.sources.factory import open_source
from monitor.types import Box, Frame, ImageBGR


def propose_seats(boxes: Sequence[Box], *, from_back: bool = False) -> list[PlannedSeat]:
    """A seat for each face's box: A1, A2, ... in the front row (the lowest of the picture), B1 behind it;
    with ``from_back`` A is the last row. Numbers run from the left of the picture."""
    rows = seat_rows(Seat(number, box) for number, box in enumerate(boxes))
    ordered = rows if from_back else rows[::-1]
    return [
        PlannedSeat(f"{row_name(index)}{place}", seat.box_xyxy)
        for index, row in enumerate(ordered)
        for place, seat in enumerate(row, 1)
    ]


def row_name(index: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    letters = string.ascii_uppercase
    return (row_name(index // 26 - 1) if index >= 26 else "") + letters[index % 26]


def require_no_opt_outs(room: Classroom, hint: str) -> None:
    """Raises ``UserError`` where somebody of the class opted out: faces are looked for in a still, where
    nobody can be masked yet. ``hint`` says how to say that they are not in the picture."""
    if room.opted_out:
        who = ", ".join(entry.pseudonym for entry in room.opted_out)
        raise UserError(
            f"faces are looked for in the still, and {english_count(len(room.opted_out), 'student')} opted out "
            f"({who}): {hint}"
        )


def detect_seats(image_bgr: ImageBGR, settings: DetectionSettings, *, from_back: bool) -> list[PlannedSeat]:
    """A seat for each face of a still; ``from_back``: row A is the last one. Raises DetectorError."""
    faces = load_detector(settings).detect(image_bgr)
    return propose_seats([face.box_xyxy for face in faces], from_back=from_back)


def create_plan(image_bgr: ImageBGR, class_name: str, seats: Sequence[PlannedSeat], at: datetime) -> SeatPlan:
    """The plan of these seats over a still, of which points of walls and furniture are kept and no picture.
    Raises PlanError where there are too few of them."""
    height, width = image_bgr.shape[:2]
    marks = extract_reference_view(image_bgr, [person_area(seat.box_xyxy) for seat in seats])
    return SeatPlan(class_name, width, height, at, tuple(seats), marks.to_bytes())


def save_plan(
    engine: Engine, plan: SeatPlan, seats_by_student: Mapping[int, str | None] | None = None, actor: str = ""
) -> None:
    """Take a plan for its class; it replaces the one before. ``seats_by_student``: the seats of students of the
    roster, by number, in the same transaction; ``actor``: who it is that does it, where that is known."""
    note = english_count(len(plan.seats), "seat") + (f", by {actor}" if actor else "")
    with Store(engine).unit_of_work() as unit:
        save_seat_plan(unit, plan)
        assign_seats(unit, seats_by_student or {}, plan.created_at)
        unit.add_audit_entry("seat plan", f"class {plan.class_name}", plan.created_at, note)
        unit.commit()


def save_seat_assignments(
    engine: Engine, class_name: str, seats_by_student: Mapping[int, str | None], at: datetime, actor: str = ""
) -> None:
    """Who sits where on the plan that there is."""
    with Store(engine).unit_of_work() as unit:
        assign_seats(unit, seats_by_student, at)
        seated = sum(seat is not None for seat in seats_by_student.values())
        note = f"{english_count(seated, 'student')} seated" + (f", by {actor}" if actor else "")
        unit.add_audit_entry("seats", f"class {class_name}", at, note)
        unit.commit()


def plan_warnings(engine: Engine, plan: SeatPlan) -> list[str]:
    """What is not wrong with a stored plan, but should be known."""
    room = read_classroom(engine, plan.class_name)
    elsewhere = [entry for entry in room.entries if entry.seat_label and entry.seat_label not in room.labels]
    told = [
        f"{entry.pseudonym} of the roster is on seat {entry.seat_label}, not on the plan"
        for entry in elsewhere
    ]
    try:
        room.require_masks()
    except SetupError as error:
        told.append(str(error))
    return [*told, *occlusion_notes(plan.seats, [entry.seat_label or "" for entry in room.opted_out])]


CAMERA_WARM_UP_S = 2.0
"""A camera's first pictures are often too dark or too bright. Not tuned."""


def capture_still(source_spec: str, at_s: float | None, settings: CaptureSettings) -> ImageBGR:
    """The picture of ``source_spec`` at ``at_s`` seconds, to half a second; by default the first of a file, and of
    a live source the one after ``CAMERA_WARM_UP_S``.

    Raises ``SourceError`` as every source does, and ``UserError`` where it ends before.
    """
    stop = threading.Event()
    # Somebody waits for it, and can plug the camera in and try again.
    with open_source(source_spec, stale_s=settings.stale_s, reconnect_s=0.0) as source:
        wanted_s = at_s if at_s is not None else CAMERA_WARM_UP_S if source.is_live else 0.0
        for frame in source.frames(2.0, stop):
            if isinstance(frame, Frame) and frame.media_s + 0.25 >= wanted_s:
                return frame.image_bgr
    raise UserError(f"{source.name} ends before {wanted_s:g} s; expected an earlier time for --at")
