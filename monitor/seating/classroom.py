"""A class with its roster and seat plan, and the setup of a session of it.

Opted-out students must be masked before anything is inferred. What cannot be masked is reported here, before
a session begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from sqlalchemy import Engine

from db.engine import open_database
from db.errors import DatabaseMissing
from db.records import PlannedSeat, RosterEntry, SeatPlan
from db.roster import list_roster
from db.seat_plans import get_seat_plan
from monitor.errors import SetupError
from monitor.geometry import box_corners, transform_points
from monitor.registration.anchored import DriftCorrectedMotionEstimator
from monitor.registration.camera_motion import CameraMotionEstimator
from monitor.registration.landmarks import reference_view_from_bytes
from monitor.registration.masking import SeatMasker
from monitor.seating.assigner import SeatingSettings
from monitor.seating.seat_plan import SeatOwnerResolver, masked_area, occluded_seats, project_seats
from monitor.seating.session_setup import RoomSetup
from monitor.text import english_count
from monitor.types import ImageBGR

VIEW_MISMATCH_NOTE = "the camera view does not match the seat plan; students are numbered by seat position"


class MaskObstacle(Enum):
    """Why students cannot be masked."""

    NO_PLAN = "no plan"
    NO_SEAT = "no seat"
    VIEW_MISMATCH = "view mismatch"


class CannotMaskError(SetupError):
    """Opted-out students of a class cannot be masked: ``pseudonyms`` for the reason ``obstacle``."""

    def __init__(self, class_name: str, pseudonyms: Sequence[str], obstacle: MaskObstacle) -> None:
        count = english_count(len(pseudonyms), "student")
        problem, hint = {
            MaskObstacle.NO_PLAN: (
                f"{count} of class {class_name!r} opted out and the class has no seat plan, so they cannot "
                "be masked.",
                "Create a plan with 'classpulse seats create'.",
            ),
            MaskObstacle.NO_SEAT: (
                f"{count} of class {class_name!r} opted out without a seat on the plan "
                f"({', '.join(pseudonyms)}), so they cannot be masked.",
                "Give each a seat of the plan in the roster ('classpulse students import').",
            ),
            MaskObstacle.VIEW_MISMATCH: (
                f"The camera view does not match the seat plan of class {class_name!r}, so the seats of "
                f"{english_count(len(pseudonyms), 'opted-out student')} cannot be masked. "
                "No frame was analysed.",
                "Re-aim the camera to match the plan, or create a new one with 'classpulse seats create'.",
            ),
        }[obstacle]
        super().__init__(problem, hint)
        self.class_name, self.pseudonyms, self.obstacle = class_name, tuple(pseudonyms), obstacle


@dataclass(frozen=True)
class Classroom:
    """A class by name, its roster, and its seat plan if it has one."""

    name: str
    entries: tuple[RosterEntry, ...] = ()
    plan: SeatPlan | None = None

    @property
    def opted_out(self) -> tuple[RosterEntry, ...]:
        """The students who opted out."""
        return tuple(entry for entry in self.entries if entry.consent is False)

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the seats of the plan."""
        return frozenset(seat.label for seat in self.plan.seats) if self.plan else frozenset()

    @property
    def unmaskable(self) -> tuple[RosterEntry, ...]:
        """The opted-out students without a seat on the plan. While there are any, no session of the class
        begins."""
        return tuple(entry for entry in self.opted_out if entry.seat_label not in self.labels)

    def require_masks(self) -> None:
        """Raises ``CannotMaskError`` if a student who opted out has no seat on a plan."""
        if self.unmaskable:
            obstacle = MaskObstacle.NO_PLAN if self.plan is None else MaskObstacle.NO_SEAT
            raise self._cannot_mask(self.unmaskable, obstacle)

    def session_setup(self, first_bgr: ImageBGR, settings: SeatingSettings) -> RoomSetup:
        """The setup of a session with this first frame. Raises ``CannotMaskError`` if a student opted out and
        the frame does not match the plan; the frame is then not analysed."""
        self.require_masks()
        if self.plan is None:
            return _unplanned_setup()
        reference_view = reference_view_from_bytes(self.plan.reference_view)
        to_reference = reference_view.match(first_bgr)
        if to_reference is None:
            if self.opted_out:
                raise self._cannot_mask(self.opted_out, MaskObstacle.VIEW_MISMATCH)
            return replace(_unplanned_setup(), notes=(VIEW_MISMATCH_NOTE,))
        owners = {
            entry.seat_label: entry.student_id
            for entry in self.entries
            if entry.consent and entry.seat_label in self.labels and entry.seat_label
        }
        resolver = SeatOwnerResolver(project_seats(self.plan.seats, to_reference), owners, settings)
        labels = tuple(sorted(entry.seat_label for entry in self.opted_out if entry.seat_label is not None))
        if not labels:
            return RoomSetup(owner_resolver=resolver, motion_estimator=CameraMotionEstimator())
        masked = [seat for seat in self.plan.seats if seat.label in labels]
        areas = [transform_points(to_reference, box_corners(masked_area(seat.box_xyxy))) for seat in masked]
        return RoomSetup(
            owner_resolver=resolver,
            motion_estimator=DriftCorrectedMotionEstimator(
                CameraMotionEstimator(areas), reference_view, to_reference
            ),
            masker=SeatMasker(areas),
            opted_out=labels,
            notes=occlusion_notes(self.plan.seats, labels),
        )

    def _cannot_mask(self, entries: Sequence[RosterEntry], obstacle: MaskObstacle) -> CannotMaskError:
        return CannotMaskError(self.name, [entry.pseudonym for entry in entries], obstacle)


def _unplanned_setup() -> RoomSetup:
    return RoomSetup(
        owner_resolver=SeatOwnerResolver((), {}), motion_estimator=CameraMotionEstimator(), may_be_call=True
    )


def occlusion_notes(seats: Sequence[PlannedSeat], opted_out: Iterable[str]) -> tuple[str, ...]:
    """One line if masks of opted-out seats cover most of other seats, else none."""
    labels = occluded_seats(seats, opted_out)
    if not labels:
        return ()
    which = f"seat {labels[0]} is" if len(labels) == 1 else f"seats {', '.join(labels)} are"
    return (f"{which} mostly covered by the mask of an opted-out seat; students there may not be observed",)


def read_classroom(engine: Engine, name: str) -> Classroom:
    """The class ``name`` as stored; an empty one if the database does not know it. Seat labels of the roster
    are spelled as on the plan: "a1" becomes "A1"."""
    plan = get_seat_plan(engine, name)
    spelling = {seat.label.casefold(): seat.label for seat in plan.seats} if plan else {}
    entries = [
        entry
        if entry.seat_label is None
        else replace(entry, seat_label=spelling.get(entry.seat_label.casefold(), entry.seat_label))
        for entry in list_roster(engine, name)
    ]
    return Classroom(name, tuple(entries), plan)


def load_classroom(url: str, name: str) -> Classroom:
    """As ``read_classroom``, from the database at ``url``; an empty class if there is no database. Creates
    none."""
    try:
        engine = open_database(url, create=False)
    except DatabaseMissing:
        return Classroom(name)
    try:
        return read_classroom(engine, name)
    finally:
        engine.dispose()
