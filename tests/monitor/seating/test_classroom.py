from __future__ import annotations

from datetime import UTC, datetime

import pytest

from db.records import PlannedSeat, RosterEntry, SeatPlan
from monitor.registration.anchored import DriftCorrectedMotionEstimator
from monitor.registration.landmarks import extract_reference_view
from monitor.seating.assigner import SeatingSettings
from monitor.seating.classroom import VIEW_MISMATCH_NOTE, CannotMaskError, Classroom, MaskObstacle
from monitor.seating.seat_plan import person_area
from monitor.seating.session_setup import RoomSetup
from tests.helpers.halls import SEATS, hall, room

AT = datetime(2026, 9, 1, tzinfo=UTC)
PLANNED = tuple(PlannedSeat(label, box) for label, box in SEATS.items())


@pytest.fixture(scope="module")
def plan() -> SeatPlan:
    view = extract_reference_view(hall(SEATS), [person_area(box) for box in SEATS.values()])
    return SeatPlan("7b", 960, 540, AT, PLANNED, view.to_bytes())


def entry(number: int, seat: str | None, *, consent: bool) -> RosterEntry:
    return RosterEntry(number, "7b", f"Pupil {number}", seat, consent, AT)


def setup_of(classroom: Classroom, image=None) -> RoomSetup:
    return classroom.session_setup(hall(SEATS) if image is None else image, SeatingSettings())


def test_setup_without_a_plan_may_be_a_call() -> None:
    setup = setup_of(Classroom("7b", (entry(1, "A1", consent=True),)))
    assert (setup.may_be_call, setup.masker, setup.notes) == (True, None, ())


def test_setup_with_an_opted_out_student_masks_the_seat(plan: SeatPlan) -> None:
    entries = (entry(1, "A1", consent=False), entry(2, "A2", consent=True))
    setup = setup_of(Classroom("7b", entries, plan))
    assert setup.opted_out == ("A1",)
    assert setup.masker is not None
    assert isinstance(setup.motion_estimator, DriftCorrectedMotionEstimator)
    assert not setup.may_be_call


def test_view_mismatch_is_noted_if_all_students_consent(plan: SeatPlan) -> None:
    setup = setup_of(Classroom("7b", (entry(1, "A1", consent=True),), plan), room(seed=9))
    assert (setup.may_be_call, setup.notes) == (True, (VIEW_MISMATCH_NOTE,))


def test_another_view_cannot_be_masked(plan: SeatPlan) -> None:
    with pytest.raises(CannotMaskError) as raised:
        setup_of(Classroom("7b", (entry(1, "A1", consent=False),), plan), room(seed=9))
    assert (raised.value.class_name, raised.value.pseudonyms) == ("7b", ("Pupil 1",))
    assert raised.value.obstacle is MaskObstacle.VIEW_MISMATCH


@pytest.mark.parametrize("seat", ["Z9", None])
def test_opted_out_student_without_a_planned_seat_cannot_be_masked(plan: SeatPlan, seat: str | None) -> None:
    classroom = Classroom("7b", (entry(1, seat, consent=False), entry(2, "A1", consent=False)), plan)
    with pytest.raises(CannotMaskError) as raised:
        classroom.require_masks()
    assert (raised.value.obstacle, raised.value.pseudonyms) == (MaskObstacle.NO_SEAT, ("Pupil 1",))


def test_opted_out_student_without_a_plan_cannot_be_masked() -> None:
    with pytest.raises(CannotMaskError) as raised:
        Classroom("7b", (entry(1, "A1", consent=False),)).require_masks()
    assert raised.value.obstacle is MaskObstacle.NO_PLAN
