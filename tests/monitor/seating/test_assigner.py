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
    seating = SeatAssigner(min_hits=3)
    assert seating.update([track(7, 100, hits=2)]) == {}
    assert seating.update([track(7, 100, hits=3), track(9, 300, hits=3)]) == {7: 0, 9: 1}
    assert seating.student_count == 2


@pytest.mark.parametrize(("x", "student"), [(100, 0), (140, 0), (160, 1)])
def test_a_new_track_at_a_free_seat_is_its_student_again(x: float, student: int) -> None:
    seating = SeatAssigner()
    for _ in range(10):
        seating.update([track(1, 100)])
    seating.update([])
    assert seating.update([track(2, x)]) == {2: student}


def test_a_taken_seat_is_not_given_away() -> None:
    seating = SeatAssigner()
    seating.update([track(1, 100)])
    assert seating.update([track(1, 100), track(2, 130)]) == {1: 0, 2: 1}


def test_two_who_return_at_once_get_their_own_seats() -> None:
    seating = SeatAssigner()
    for _ in range(5):
        seating.update([track(1, 100), track(2, 150)])
    seating.update([])
    assert seating.update([track(3, 145), track(4, 104)]) == {3: 1, 4: 0}


def test_a_lost_track_that_returns_after_its_seat_was_retaken_is_somebody_else() -> None:
    seating = SeatAssigner()
    seating.update([track(1, 100)])
    seating.update([track(1, 100, seen=False), track(2, 105)])
    students = seating.update([track(1, 100), track(2, 105)])
    assert len(set(students.values())) == 2


def test_a_much_larger_face_at_the_seat_is_another_person() -> None:
    seating = SeatAssigner()
    seating.update([track(1, 100)])
    seating.update([])
    near = face(100, 100, width=90)
    assert seating.update([Track(2, near.box_xyxy, near, 0.0, 2.0, 5)]) == {2: 1}


def test_the_seat_is_the_median_so_that_a_stretch_does_not_move_it() -> None:
    seating = SeatAssigner()
    for x in [100] * 9 + [160] * 2:
        seating.update([track(1, x)])
    (seat,) = seating.seats
    assert seat.box_xyxy == pytest.approx(face(100, 100).box_xyxy)


def test_a_seat_remembers_a_bounded_number_of_boxes() -> None:
    seating = SeatAssigner()
    for x in [100] * 1000 + [130] * 240:
        seating.update([track(1, x)])
    assert seating.seats[0].box_xyxy == pytest.approx(face(130, 100).box_xyxy)


def test_seats_are_read_row_by_row_from_the_top_left() -> None:
    places = [(300, 210), (100, 100), (100, 200), (300, 95), (200, 105)]
    seats = [Seat(i, face(x, y).box_xyxy) for i, (x, y) in enumerate(places)]
    assert reading_order(seats) == [1, 4, 3, 2, 0]
    assert reading_order([]) == []


def test_with_the_tracker_a_student_who_is_away_for_minutes_is_the_same_one() -> None:
    tracker, seating = Tracker(), SeatAssigner()
    students = set()
    for step in range(600):
        faces = [face(300, 100)] + ([face(100, 100)] if not 100 <= step < 400 else [])
        students |= set(seating.update(tracker.update(faces, step * 0.5)).values())
    assert students == {0, 1}


RED, BLUE = (np.array(shares, np.float32) for shares in ((1.0, 0.0), (0.0, 1.0)))


def at(number: int, x: float, media_s: float) -> Track:
    f = face(x, 100)
    return Track(number, f.box_xyxy, f, first_seen_s=0.0, last_seen_s=media_s, hits=10)


def sit(
    seating: SeatAssigner, number: int, worn: np.ndarray | None, start_s: float, samples: int = 6
) -> list:
    """Somebody on the seat at x = 100 for some samples; who they are taken for in each."""
    given = []
    for i in range(samples):
        colours = {} if worn is None else {number: worn}
        given.append(seating.update([at(number, 100, start_s + i / 2)], colours).get(number))
    return given


def test_who_comes_back_in_the_same_clothes_is_the_same_student() -> None:
    seating = SeatAssigner()
    assert sit(seating, 1, RED, 0.0)[-1] == 0
    assert sit(seating, 2, RED, 60.0) == [None, None, 0, 0, 0, 0]
    (arrival,) = seating.pop_reidentifications()
    assert (arrival.student, arrival.seat_owner, arrival.basis) == (0, 0, AssignmentBasis.SEAT_AND_APPEARANCE)
    assert seating.pop_reidentifications() == []


def test_somebody_else_on_the_seat_is_not_merged_and_the_owner_gets_it_back() -> None:
    seating = SeatAssigner()
    sit(seating, 1, RED, 0.0)
    assert sit(seating, 2, BLUE, 60.0)[-1] == 1
    (arrival,) = seating.pop_reidentifications()
    assert (arrival.student, arrival.seat_owner, arrival.basis) == (1, 0, AssignmentBasis.DIFFERENT_PERSON)
    assert sit(seating, 3, RED, 120.0)[-1] == 0
    assert sit(seating, 4, BLUE, 180.0)[-1] == 1
    assert {arrival.basis for arrival in seating.pop_reidentifications()} == {
        AssignmentBasis.SEAT_AND_APPEARANCE
    }


def test_who_sits_down_where_a_track_still_waits_is_asked_too() -> None:
    tracker, seating = Tracker(), SeatAssigner()
    worn = [RED] * 10 + [None] * 20 + [BLUE] * 10
    given = []
    for i, colours in enumerate(worn):
        faces = [] if colours is None else [face(100, 100)]
        tracks = tracker.update(faces, i / 2)
        seen = [t.track_id for t in tracks if t.face is not None]
        given.append(seating.update(tracks, {number: colours for number in seen if colours is not None}))
    assert set(given[9].values()) == {0}
    assert set(given[-1].values()) == {1}


def test_where_clothes_are_not_seen_the_seat_alone_decides_and_says_so() -> None:
    seating = SeatAssigner()
    sit(seating, 1, None, 0.0)
    assert sit(seating, 2, None, 60.0) == [0] * 6
    (arrival,) = seating.pop_reidentifications()
    assert arrival.basis is AssignmentBasis.SEAT_ONLY


def test_likeness_zero_lets_the_seat_alone_decide() -> None:
    seating = SeatAssigner(SeatingSettings(min_appearance_similarity=0.0))
    sit(seating, 1, RED, 0.0)
    assert sit(seating, 2, BLUE, 60.0)[-1] == 0


def leave(seating: SeatAssigner, there: np.ndarray, samples: int) -> None:
    """Nobody is seen for some samples; what the seat of the first student looks like then."""
    for _ in range(samples):
        seating.update([], background={0: there})


@pytest.mark.parametrize(
    ("there", "samples", "worn", "student", "grounds"),
    [
        # The back of the chair in front, as they first sat, is what was taken for red clothes.
        (RED, 40, RED, 0, AssignmentBasis.SEAT_ONLY),
        (RED, 40, BLUE, 0, AssignmentBasis.SEAT_ONLY),
        # Whoever looks down for some seconds still wears them.
        (RED, 39, RED, 0, AssignmentBasis.SEAT_AND_APPEARANCE),
        (RED, 39, BLUE, 1, AssignmentBasis.DIFFERENT_PERSON),
        (BLUE, 100, RED, 0, AssignmentBasis.SEAT_AND_APPEARANCE),
        (BLUE, 100, BLUE, 1, AssignmentBasis.DIFFERENT_PERSON),
    ],
)
def test_clothes_that_are_there_when_nobody_is_tell_nothing(
    there: np.ndarray, samples: int, worn: np.ndarray, student: int, grounds: AssignmentBasis
) -> None:
    seating = SeatAssigner()
    sit(seating, 1, RED, 0.0)
    leave(seating, there, samples)
    assert sit(seating, 2, worn, 60.0)[-1] == student
    (arrival,) = seating.pop_reidentifications()
    assert (arrival.seat_owner, arrival.basis) == (0, grounds)


def test_short_absences_do_not_add_up() -> None:
    seating = SeatAssigner()
    sit(seating, 1, RED, 0.0)
    for _ in range(3):
        leave(seating, RED, 30)
        sit(seating, 1, RED, 30.0)
    leave(seating, RED, 30)
    seating.pop_reidentifications()
    sit(seating, 2, BLUE, 120.0)
    assert [arrival.basis for arrival in seating.pop_reidentifications()] == [
        AssignmentBasis.DIFFERENT_PERSON
    ]


def test_two_who_changed_places_own_the_new_ones_after_half_a_minute() -> None:
    seating = SeatAssigner()
    for i in range(200):
        seating.update([at(1, 100, i / 2), at(2, 400, i / 2)])
    for i in range(60):
        seating.update([at(1, 400, 100 + i / 2), at(2, 100, 100 + i / 2)])
    assert seating.update([at(3, 400, 200.0)]) == {3: 0}
