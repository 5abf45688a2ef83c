"""A class as its roster and seat plan know it, and where a session's camera sees its seats.

Whoever is opted out must be masked before anything is inferred. So what cannot be masked is said here, before
a session begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from db.engine import open_database
from db.errors import DatabaseMissing
from db.records import PlannedSeat, RosterEntry, SeatPlan
from db.roster import list_roster
from db.seat_plans import get_seat_plan
from monitor.errors import SetupError
from monitor.geometry import box_corners, transform_points
from monitor.registration.anchored import DriftCorrectedMotionEstimator
from monitor.registration.base import Masker, MotionEstimator
from monitor.registration.camera_motion import CameraMotionEstimator
from monitor.registration.landmarks import reference_view_from_bytes
from monitor.registration.masking import SeatMasker
from monitor.seating.assigner import SeatingSettings
from monitor.seating.seat_plan import SeatOwnerResolver, masked_area, occluded_seats, project_seats
from monitor.seating.tiles import TileOwnerResolver
from monitor.sources.online import OnlineLessonSource
from monitor.sources.participant_grid import TileGrid
from monitor.text import english_count
from monitor.types import Box, ImageBGR

VIEW_MISMATCH_NOTE = "this is not the view of the seat plan: students are numbered by where they sit"


@dataclass(frozen=True)
class SessionSetup:
    """What a session does with its class: how the camera is followed (None where nothing can move it), what
    is masked (None for nothing), who sits where, the labels of the seats that are opted out, what the
    timeline should say of it, and of an online lesson how its places lie. ``may_be_call``: no plan says where
    anybody sits, so the picture may also be a video call, whose tiles may be laid out anew. ``on_tile_faces`` is told
    where faces are on an online lesson's places."""

    motion_estimator: MotionEstimator | None
    masker: Masker | None
    owner_resolver: SeatOwnerResolver
    opted_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    grid: TileGrid | None = None
    may_be_call: bool = False
    on_tile_faces: Callable[[Mapping[int, Box]], None] = lambda _: None


@dataclass(frozen=True)
class Classroom:
    """A class by name, its roster and its plan, None where none was laid."""

    name: str
    entries: tuple[RosterEntry, ...] = ()
    plan: SeatPlan | None = None

    @property
    def opted_out(self) -> tuple[RosterEntry, ...]:
        """Those who may not be watched."""
        return tuple(entry for entry in self.entries if entry.consent is False)

    @property
    def labels(self) -> frozenset[str]:
        """The seats of the plan."""
        return frozenset(seat.label for seat in self.plan.seats) if self.plan else frozenset()

    @property
    def unmaskable(self) -> tuple[RosterEntry, ...]:
        """Those of them whom nothing can mask, without a seat on the plan: while there is one, no session of
        the class begins."""
        return tuple(entry for entry in self.opted_out if entry.seat_label not in self.labels)

    def require_masks(self) -> None:
        """Raises ``SetupError`` where somebody opted out whom it cannot mask: no plan, or no seat on it."""
        if not self.opted_out:
            return
        seatless = self.unmaskable
        if self.plan is None:
            raise SetupError(
                f"{self._count_label(self.opted_out)} opted out and the class has no seat plan, so they cannot be "
                "masked: lay one with 'classpulse seats lay'"
            )
        if seatless:
            raise SetupError(
                f"{self._count_label(seatless)} opted out without a seat on the plan "
                f"({', '.join(entry.pseudonym for entry in seatless)}), so they cannot be masked: give each "
                "a seat of the plan in the roster ('classpulse students import')"
            )

    def session_setup(self, first_bgr: ImageBGR, settings: SeatingSettings) -> SessionSetup:
        """What a session does whose first frame this is. Raises ``SetupError`` where somebody is opted out and
        the frame does not show the plan's view; nothing was looked for in it then."""
        self.require_masks()
        if self.plan is None:
            return SessionSetup(CameraMotionEstimator(), None, SeatOwnerResolver((), {}), may_be_call=True)
        landmarks = reference_view_from_bytes(self.plan.reference_view)
        to_room = landmarks.match(first_bgr)
        if to_room is None:
            return self._setup_without_plan()
        labels = tuple(sorted(entry.seat_label for entry in self.opted_out if entry.seat_label is not None))
        owners = {
            e.seat_label: e.student_id
            for e in self.entries
            if e.consent and e.seat_label in self.labels and e.seat_label
        }
        attribution = SeatOwnerResolver(project_seats(self.plan.seats, to_room), owners, settings)
        if not labels:
            return SessionSetup(CameraMotionEstimator(), None, attribution)
        hidden = [seat for seat in self.plan.seats if seat.label in labels]
        areas = [transform_points(to_room, box_corners(masked_area(seat.box_xyxy))) for seat in hidden]
        followed = DriftCorrectedMotionEstimator(CameraMotionEstimator(areas), landmarks, to_room)
        notes = occlusion_notes(self.plan.seats, labels)
        return SessionSetup(followed, SeatMasker(areas), attribution, labels, notes)

    def _setup_without_plan(self) -> SessionSetup:
        if self.opted_out:
            raise SetupError(
                f"the first picture does not show the view of the seat plan, so {self._count_label(self.opted_out)} "
                "who opted out cannot be masked, and nothing was looked at: point the camera as it was for "
                "the plan, or lay the plan anew ('classpulse seats lay')"
            )
        return SessionSetup(
            CameraMotionEstimator(),
            None,
            SeatOwnerResolver((), {}),
            notes=(VIEW_MISMATCH_NOTE,),
            may_be_call=True,
        )

    def _count_label(self, entries: Sequence[RosterEntry]) -> str:
        return f"{english_count(len(entries), 'student')} of class {self.name!r}"


def online_setup(source: OnlineLessonSource) -> SessionSetup:
    """What a session does with an online lesson: everybody in it has joined by themselves, and nobody else is
    to be seen. Raises ``SourceError`` before the lesson has answered."""
    gallery = source.registry.grid
    attribution = TileOwnerResolver(gallery, source.registry.latest_participants)
    return SessionSetup(None, None, attribution, grid=gallery, on_tile_faces=source.registry.report_faces)


def occlusion_notes(seats: Sequence[PlannedSeat], opted_out: Iterable[str]) -> tuple[str, ...]:
    """One line if seats are mostly behind the mask of another; none otherwise."""
    labels = occluded_seats(seats, opted_out)
    if not labels:
        return ()
    which = f"seat {labels[0]} is" if len(labels) == 1 else f"seats {', '.join(labels)} are"
    return (f"{which} mostly covered by the mask of an opted-out seat; who sits there may go unseen",)


def read_classroom(engine: Engine, name: str) -> Classroom:
    """What the record knows of a class; an empty one of a class that it does not know. The roster's seats are
    written as the plan writes them: a1 is A1."""
    plan = get_seat_plan(engine, name)
    written = {seat.label.casefold(): seat.label for seat in plan.seats} if plan else {}
    entries = [
        entry
        if entry.seat_label is None
        else replace(entry, seat_label=written.get(entry.seat_label.casefold(), entry.seat_label))
        for entry in list_roster(engine, name)
    ]
    return Classroom(name, tuple(entries), plan)


def load_classroom(url: str, name: str) -> Classroom:
    """The same from the record at ``url``; an empty one where there is no record, which is not made then."""
    try:
        engine = open_database(url, create=False)
    except DatabaseMissing:
        return Classroom(name)
    try:
        return read_classroom(engine, name)
    finally:
        engine.dispose()
