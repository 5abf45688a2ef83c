from __future__ import annotations

import numpy as np
import pytest

from monitor.geometry import Seat, reading_order
from monitor.seating.assigner import SeatAssigner, SeatingSettings
from monitor.tracking.tracker import Tracker
from monitor.types import AssignmentBasis, Track
from tests.helpers.faces import face


def track(number: int, x: float, y: float = 100, *, hits: int = 5, seen: bool = True) -> Track:
    f = face(x, y)
    return Track(number, f.box_xyxy, f if seen else None, first_seen_s=0.0, last_seen_s=2.0, hits=hits)


def test_students_are_numbered_when_confirmed() -> None:
    assigner = SeatAssigner(min_hits=3)
    assert assigner.update([track(7, 100, hits=2)]) == {}
    assert assigner.update([track(7, 100, hits=3), track(9, 300, hits=3)]) == {7: 0, 9: 1}
    assert assigner.student_count == 2


@pytest.mark.parametrize(("x", "student"), [(100, 0), (140, 0), (160, 1)])
def test_new_track_at_a_free_seat_is_its_student(x: float, student: int) -> None:
    assigner = SeatAssigner()
    for _ in range(10):
        assigner.update([track(1, 100)])
    assigner.update([])
    assert assigner.update([track(2, x)]) == {2: student}


def test_occupied_seat_is_not_reassigned() -> None:
    assigner = SeatAssigner()
    assigner.update([track(1, 100)])
    assert assigner.update([track(1, 100), track(2, 130)]) == {1: 0, 2: 1}


def test_two_returning_students_get_their_own_seats() -> None:
    assigner = SeatAssigner()
    for _ in range(5):
        assigner.update([track(1, 100), track(2, 150)])
    assigner.update([])
    assert assigner.update([track(3, 145), track(4, 104)]) == {3: 1, 4: 0}


def test_lost_track_whose_seat_was_reassigned_is_another_student() -> None:
    assigner = SeatAssigner()
    assigner.update([track(1, 100)])
    assigner.update([track(1, 100, seen=False), track(2, 105)])
    students = assigner.update([track(1, 100), track(2, 105)])
    assert len(set(students.values())) == 2


def test_much_larger_face_at_the_seat_is_a_new_student() -> None:
    assigner = SeatAssigner()
    assigner.update([track(1, 100)])
    assigner.update([])
    near = face(100, 100, width=90)
    assert assigner.update([Track(2, near.box_xyxy, near, 0.0, 2.0, 5)]) == {2: 1}


def test_seat_is_the_median_of_boxes() -> None:
    assigner = SeatAssigner()
    for x in [100] * 9 + [160] * 2:
        assigner.update([track(1, x)])
    (seat,) = assigner.seats
    assert seat.box_xyxy == pytest.approx(face(100, 100).box_xyxy)


def test_seat_uses_a_bounded_number_of_boxes() -> None:
    assigner = SeatAssigner()
    for x in [100] * 1000 + [130] * 240:
        assigner.update([track(1, x)])
    assert assigner.seats[0].box_xyxy == pytest.approx(face(130, 100).box_xyxy)


def test_reading_order_goes_row_by_row_from_the_top_left() -> None:
    places = [(300, 210), (100, 100), (100, 200), (300, 95), (200, 105)]
    seats = [Seat(i, face(x, y).box_xyxy) for i, (x, y) in enumerate(places)]
    assert reading_order(seats) == [1, 4, 3, 2, 0]
    assert reading_order([]) == []


def test_student_away_for_minutes_is_the_same() -> None:
    tracker, assigner = Tracker(), SeatAssigner()
    students = set()
    for step in range(600):
        faces = [face(300, 100)] + ([face(100, 100)] if not 100 <= step < 400 else [])
        students |= set(assigner.update(tracker.update(faces, step * 0.5)).values())
    assert students == {0, 1}


RED, BLUE = (np.array(shares, np.float32) for shares in ((1.0, 0.0), (0.0, 1.0)))


def at(number: int, x: float, media_s: float) -> Track:
    f = face(x, 100)
    return Track(number, f.box_xyxy, f, first_seen_s=0.0, last_seen_s=media_s, hits=10)


def sit(
    assigner: SeatAssigner, number: int, descriptor: np.ndarray | None, start_s: float, samples: int = 6
) -> list:
    """A person on the seat at x = 100 for some frames; returns the student of each."""
    given = []
    for i in range(samples):
        colours = {} if descriptor is None else {number: descriptor}
        given.append(assigner.update([at(number, 100, start_s + i / 2)], colours).get(number))
    return given


def test_same_appearance_at_the_seat_is_the_same_student() -> None:
    assigner = SeatAssigner()
    assert sit(assigner, 1, RED, 0.0)[-1] == 0
    assert sit(assigner, 2, RED, 60.0) == [None, None, 0, 0, 0, 0]
    (reidentification,) = assigner.pop_reidentifications()
    assert (reidentification.student, reidentification.seat_owner, reidentification.basis) == (
        0,
        0,
        AssignmentBasis.SEAT_AND_APPEARANCE,
    )
    assert assigner.pop_reidentifications() == []


def test_different_appearance_at_the_seat_is_another_student() -> None:
    assigner = SeatAssigner()
    sit(assigner, 1, RED, 0.0)
    assert sit(assigner, 2, BLUE, 60.0)[-1] == 1
    (reidentification,) = assigner.pop_reidentifications()
    assert (reidentification.student, reidentification.seat_owner, reidentification.basis) == (
        1,
        0,
        AssignmentBasis.DIFFERENT_PERSON,
    )
    assert sit(assigner, 3, RED, 120.0)[-1] == 0
    assert sit(assigner, 4, BLUE, 180.0)[-1] == 1
    assert {reidentification.basis for reidentification in assigner.pop_reidentifications()} == {
        AssignmentBasis.SEAT_AND_APPEARANCE
    }


def test_new_id_at_a_waiting_track_is_assigned_again() -> None:
    tracker, assigner = Tracker(), SeatAssigner()
    descriptor = [RED] * 10 + [None] * 20 + [BLUE] * 10
    given = []
    for i, colours in enumerate(descriptor):
        faces = [] if colours is None else [face(100, 100)]
        tracks = tracker.update(faces, i / 2)
        seen = [t.track_id for t in tracks if t.face is not None]
        given.append(assigner.update(tracks, {number: colours for number in seen if colours is not None}))
    assert set(given[9].values()) == {0}
    assert set(given[-1].values()) == {1}


def test_without_appearance_the_seat_alone_decides() -> None:
    assigner = SeatAssigner()
    sit(assigner, 1, None, 0.0)
    assert sit(assigner, 2, None, 60.0) == [0] * 6
    (reidentification,) = assigner.pop_reidentifications()
    assert reidentification.basis is AssignmentBasis.SEAT_ONLY


def test_min_similarity_zero_lets_the_seat_alone_decide() -> None:
    assigner = SeatAssigner(SeatingSettings(min_appearance_similarity=0.0))
    sit(assigner, 1, RED, 0.0)
    assert sit(assigner, 2, BLUE, 60.0)[-1] == 0


def leave(assigner: SeatAssigner, there: np.ndarray, samples: int) -> None:
    """The seat of the first student is empty for some frames and looks like ``there``."""
    for _ in range(samples):
        assigner.update([], background={0: there})


@pytest.mark.parametrize(
    ("there", "samples", "descriptor", "student", "basis"),
    [
        # The back of the chair in front was measured as red clothing.
        (RED, 40, RED, 0, AssignmentBasis.SEAT_ONLY),
        (RED, 40, BLUE, 0, AssignmentBasis.SEAT_ONLY),
        # A student who looks down for some seconds still wears the same.
        (RED, 39, RED, 0, AssignmentBasis.SEAT_AND_APPEARANCE),
        (RED, 39, BLUE, 1, AssignmentBasis.DIFFERENT_PERSON),
        (BLUE, 100, RED, 0, AssignmentBasis.SEAT_AND_APPEARANCE),
        (BLUE, 100, BLUE, 1, AssignmentBasis.DIFFERENT_PERSON),
    ],
)
def test_background_similar_to_the_student_disables_the_appearance_comparison(
    there: np.ndarray, samples: int, descriptor: np.ndarray, student: int, basis: AssignmentBasis
) -> None:
    assigner = SeatAssigner()
    sit(assigner, 1, RED, 0.0)
    leave(assigner, there, samples)
    assert sit(assigner, 2, descriptor, 60.0)[-1] == student
    (reidentification,) = assigner.pop_reidentifications()
    assert (reidentification.seat_owner, reidentification.basis) == (0, basis)


def test_short_absences_do_not_accumulate() -> None:
    assigner = SeatAssigner()
    sit(assigner, 1, RED, 0.0)
    for _ in range(3):
        leave(assigner, RED, 30)
        sit(assigner, 1, RED, 30.0)
    leave(assigner, RED, 30)
    assigner.pop_reidentifications()
    sit(assigner, 2, BLUE, 120.0)
    assert [reidentification.basis for reidentification in assigner.pop_reidentifications()] == [
        AssignmentBasis.DIFFERENT_PERSON
    ]


def test_swapped_students_own_the_new_seats_after_half_a_minute() -> None:
    assigner = SeatAssigner()
    for i in range(200):
        assigner.update([at(1, 100, i / 2), at(2, 400, i / 2)])
    for i in range(60):
        assigner.update([at(1, 400, 100 + i / 2), at(2, 100, 100 + i / 2)])
    assert assigner.update([at(3, 400, 200.0)]) == {3: 0}
