"""Laying a class's seat plan: what a still proposes, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Engine

from classpulse.classroom import Classroom, covered_notes, read_classroom
from classpulse.console import count
from classpulse.errors import UserError
from classpulse.planproposal import proposed
from db.plans import save_seat_plan
from db.records import PlannedSeat, SeatPlan
from db.roster import set_seats
from db.store import Store
from monitor.detection import load_detector
from monitor.detection.settings import DetectionSettings
from monitor.domain import ImageBGR
from monitor.landmarks import landmarks
from monitor.plan import person_area


def require_nobody_opted_out(room: Classroom, remedy: str) -> None:
    """Raises ``UserError`` where somebody of the class opted out: faces are looked for in a still, where
    nobody can be masked yet. ``remedy`` says how to say that they are not in the picture."""
    if room.opted_out:
        who = ", ".join(entry.pseudonym for entry in room.opted_out)
        raise UserError(
            f"faces are looked for in the still, and {count(len(room.opted_out), 'student')} opted out "
            f"({who}): {remedy}"
        )


def seats_in(image_bgr: ImageBGR, settings: DetectionSettings, *, from_back: bool) -> list[PlannedSeat]:
    """A seat for each face of a still; ``from_back``: row A is the last one. Raises DetectorError."""
    faces = load_detector(settings).detect(image_bgr)
    return proposed([face.box_xyxy for face in faces], from_back=from_back)


def plan_over(image_bgr: ImageBGR, class_name: str, seats: Sequence[PlannedSeat], at: datetime) -> SeatPlan:
    """The plan of these seats over a still, of which points of walls and furniture are kept and no picture.
    Raises PlanError where there are too few of them."""
    height, width = image_bgr.shape[:2]
    marks = landmarks(image_bgr, [person_area(seat.box_xyxy) for seat in seats])
    return SeatPlan(class_name, width, height, at, tuple(seats), marks.to_bytes())


def store_plan(
    engine: Engine, plan: SeatPlan, sitting: Mapping[int, str | None] | None = None, by: str = ""
) -> None:
    """Take a plan for its class; it replaces the one before. ``sitting``: the seats of students of the
    roster, by number, in the same transaction; ``by``: who it is that does it, where that is known."""
    note = count(len(plan.seats), "seat") + (f", by {by}" if by else "")
    with Store(engine).unit() as unit:
        save_seat_plan(unit, plan)
        set_seats(unit, sitting or {}, plan.made_at)
        unit.audit("seat plan", f"class {plan.class_name}", plan.made_at, note)
        unit.commit()


def store_sitting(
    engine: Engine, class_name: str, sitting: Mapping[int, str | None], at: datetime, by: str = ""
) -> None:
    """Who sits where on the plan that there is."""
    with Store(engine).unit() as unit:
        set_seats(unit, sitting, at)
        seated = sum(seat is not None for seat in sitting.values())
        note = f"{count(seated, 'student')} seated" + (f", by {by}" if by else "")
        unit.audit("seats", f"class {class_name}", at, note)
        unit.commit()


def plan_remarks(engine: Engine, plan: SeatPlan) -> list[str]:
    """What is not wrong with a stored plan, but should be known."""
    room = read_classroom(engine, plan.class_name)
    elsewhere = [entry for entry in room.entries if entry.seat and entry.seat not in room.labels]
    told = [
        f"{entry.pseudonym} of the roster is on seat {entry.seat}, not on the plan" for entry in elsewhere
    ]
    try:
        room.require_masks()
    except UserError as error:
        told.append(str(error))
    return [*told, *covered_notes(plan.seats, [entry.seat or "" for entry in room.opted_out])]
