"""Creates and stores seat plans: still of the room -> proposed seats -> stored plan."""

from __future__ import annotations

import string
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine

from classpulse.errors import InvalidOption, OptOutUnmasked
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
    """A seat per face box: A1, A2, ... in the front row (the lowest in the image), B1, ... behind it; with
    ``from_back`` row A is the last one. Numbers start at the left of the image."""
    rows = seat_rows(Seat(number, box) for number, box in enumerate(boxes))
    ordered = rows if from_back else rows[::-1]
    return [
        PlannedSeat(f"{row_name(index)}{number}", seat.box_xyxy)
        for index, row in enumerate(ordered)
        for number, seat in enumerate(row, 1)
    ]


def row_name(index: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    letters = string.ascii_uppercase
    return (row_name(index // 26 - 1) if index >= 26 else "") + letters[index % 26]


def require_no_opt_outs(room: Classroom, hint: str) -> None:
    """Raises OptOutUnmasked if the class has opted-out students: faces are detected in the still, in which no
    seat can be masked yet. ``hint`` states how to confirm that these students are not in the image."""
    if room.opted_out:
        pseudonyms = [entry.pseudonym for entry in room.opted_out]
        raise OptOutUnmasked(
            f"Faces are detected in the still, and {english_count(len(pseudonyms), 'student')} opted out "
            f"({', '.join(pseudonyms)}).",
            hint,
            pseudonyms,
        )


def detect_seats(image_bgr: ImageBGR, settings: DetectionSettings, *, from_back: bool) -> list[PlannedSeat]:
    """The proposed seats of a still; see ``propose_seats``. Raises DetectorError."""
    faces = load_detector(settings).detect(image_bgr)
    return propose_seats([face.box_xyxy for face in faces], from_back=from_back)


def create_plan(image_bgr: ImageBGR, class_name: str, seats: Sequence[PlannedSeat], at: datetime) -> SeatPlan:
    """The plan of these seats. Of the still, only keypoints of walls and furniture are stored. Raises
    PlanError if there are too few keypoints."""
    height, width = image_bgr.shape[:2]
    view = extract_reference_view(image_bgr, [person_area(seat.box_xyxy) for seat in seats])
    return SeatPlan(class_name, width, height, at, tuple(seats), view.to_bytes())


def save_plan(
    engine: Engine, plan: SeatPlan, seats_by_student: Mapping[int, str | None] | None = None, actor: str = ""
) -> None:
    """Store the plan of its class, which replaces the previous one. ``seats_by_student``: seat labels by
    student id, stored in the same transaction; ``actor``: for the audit log, "" if unknown."""
    note = english_count(len(plan.seats), "seat") + (f", by {actor}" if actor else "")
    with Store(engine).unit_of_work() as unit:
        save_seat_plan(unit, plan)
        assign_seats(unit, seats_by_student or {}, plan.created_at)
        unit.add_audit_entry("save seat plan", f"class {plan.class_name}", plan.created_at, note)
        unit.commit()


def save_seat_assignments(
    engine: Engine, class_name: str, seats_by_student: Mapping[int, str | None], at: datetime, actor: str = ""
) -> None:
    """Store the seats of students on the existing plan; see ``save_plan``."""
    with Store(engine).unit_of_work() as unit:
        assign_seats(unit, seats_by_student, at)
        seated = sum(seat is not None for seat in seats_by_student.values())
        note = f"{english_count(seated, 'student')} seated" + (f", by {actor}" if actor else "")
        unit.add_audit_entry("assign seats", f"class {class_name}", at, note)
        unit.commit()


def plan_warnings(engine: Engine, plan: SeatPlan) -> list[str]:
    """Remarks about a valid stored plan that needs attention."""
    room = read_classroom(engine, plan.class_name)
    elsewhere = [entry for entry in room.entries if entry.seat_label and entry.seat_label not in room.labels]
    warnings = [
        f"{entry.pseudonym} of the roster has seat {entry.seat_label}, which is not on the plan"
        for entry in elsewhere
    ]
    try:
        room.require_masks()
    except SetupError as error:
        warnings.append(str(error))
    return [*warnings, *occlusion_notes(plan.seats, [entry.seat_label or "" for entry in room.opted_out])]


CAMERA_WARM_UP_S = 2.0
"""The first frames of a camera are often too dark or too bright. Heuristic, not tuned on data."""


def capture_still(source_spec: str, at_s: float | None, settings: CaptureSettings) -> ImageBGR:
    """The frame of ``source_spec`` at ``at_s`` seconds, to half a second; by default the first of a file, and
    the one after ``CAMERA_WARM_UP_S`` of a live source.

    Raises SourceError, and InvalidOption if the source ends before.
    """
    stop = threading.Event()
    # No reconnecting: the user is waiting and can plug the camera in and try again.
    with open_source(
        source_spec,
        stale_s=settings.stale_s,
        reconnect_s=0.0,
        adjustment=settings.adjustment,
        rtsp_transport=settings.rtsp_transport,
    ) as source:
        target_s = at_s if at_s is not None else CAMERA_WARM_UP_S if source.is_live else 0.0
        for frame in source.frames(2.0, stop):
            if isinstance(frame, Frame) and frame.media_s + 0.25 >= target_s:
                return frame.image_bgr
    raise InvalidOption(
        f"{source.name} ends before {target_s:g} s.", "Give an earlier time with --at.", option="--at"
    )
