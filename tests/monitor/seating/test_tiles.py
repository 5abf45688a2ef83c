"""Who is who in a gallery is told by the place alone."""

from __future__ import annotations

from monitor.geometry import Seat
from monitor.seating.tiles import LargestFacePerTile, TileAssigner, TileOwnerResolver, TileTracker
from monitor.sources.participant_grid import Participant, ParticipantList, TileGrid
from monitor.types import SeatOwner
from tests.helpers.faces import face

GALLERY = TileGrid(4)


def on(tile: int, x: float = 160, y: float = 120, width: float = 80):
    """A face at ``(x, y)`` of a place."""
    left, top = GALLERY.corner(tile)
    return face(left + x, top + y, width=width)


class Fixed:
    version = "fixed"

    def __init__(self, *faces) -> None:
        self.faces = list(faces)

    def detect(self, _image):
        return self.faces


def test_one_face_a_place_is_looked_at_the_largest() -> None:
    beside = face(4, 120, width=60)
    near, far, other = on(0), on(0, x=40, width=40), on(1, width=30)
    found = LargestFacePerTile(Fixed(far, near, other, beside), GALLERY).detect(None)
    assert found == [near, other]


def test_it_is_told_where_on_the_places_faces_were() -> None:
    told: list = []
    detector = LargestFacePerTile(Fixed(on(0), on(3, x=100, y=80, width=40)), GALLERY, told.append)
    detector.detect(None)
    assert told == [{0: (120.0, 70.0, 200.0, 170.0), 3: (80.0, 55.0, 120.0, 105.0)}]


def test_nobody_is_followed_from_one_place_to_the_next() -> None:
    tracker = TileTracker(GALLERY)
    close_up = 300.0
    first = tracker.update([on(0, x=310, width=close_up)], 0.0)[0].track_id
    tracks = tracker.update([on(1, x=10, width=close_up)], 1.0)
    assert {t.track_id: t.face is not None for t in tracks} == {first: False, first + 1: True}


def test_the_numbers_of_tracks_are_different_on_all_places() -> None:
    tracker = TileTracker(GALLERY)
    tracks = tracker.update([on(tile) for tile in (2, 0, 3)], 0.0)
    assert sorted(t.track_id for t in tracks) == [1, 2, 3]
    assert [t.track_id for t in tracker.tracks] == [1, 2, 3]


def test_who_comes_back_to_a_place_is_who_was_there() -> None:
    tracker, seating = TileTracker(GALLERY), TileAssigner(GALLERY)
    for second in range(3):
        students = seating.update(tracker.update([on(0), on(2)], float(second)))
    assert sorted(students.values()) == [0, 1]
    for second in range(3, 100):
        assert list(seating.update(tracker.update([on(2)], float(second))).values()) == [1]
    for second in range(100, 104):
        # Elsewhere on the place, nearer to the camera, and in a coat.
        back = seating.update(tracker.update([on(0, x=60, width=150), on(2)], float(second)))
    assert sorted(back.values()) == [0, 1]
    assert seating.student_count == 2


def test_a_face_that_has_not_moved_is_nobody_new() -> None:
    tracker, seating = TileTracker(GALLERY), TileAssigner(GALLERY)
    for second in range(5):
        assert seating.update(tracker.update([on(0)], float(second)), pending={1}) == {}
    assert seating.update(tracker.update([on(0)], 5.0)) == {1: 0}


def test_who_has_left_before_it_was_known_counts_all_the_same() -> None:
    tracker, seating = TileTracker(GALLERY), TileAssigner(GALLERY)
    for second in range(4):
        seating.update(tracker.update([on(3)], float(second)), pending={1})
    gone = tracker.update([], 4.0)
    assert seating.assign_late(gone) == {1: 0}
    assert seating.assign_late(seating_again := tracker.update([], 5.0)) == {1: 0}, seating_again


def test_only_those_on_places_that_show_somebody_are_watched() -> None:
    tracker, seating = TileTracker(GALLERY), TileAssigner(GALLERY)
    for second in range(3):
        seating.update(tracker.update([on(0), on(2)], float(second)))
    assert seating.observed_students(frozenset({0, 1})) == {0}
    assert seating.observed_students(frozenset({2})) == {1}
    assert seating.observed_students(frozenset()) == frozenset()


def test_a_student_is_who_joined_on_the_place() -> None:
    seats = [Seat(0, on(0).box_xyxy), Seat(1, on(2).box_xyxy)]
    here = (Participant(0, "Robin", None, True, 1), Participant(2, "Mia", 7, False, 1))
    told = TileOwnerResolver(GALLERY, lambda: ParticipantList(4, here))
    assert told.update(seats) == {0: SeatOwner(None, "Robin"), 1: SeatOwner(7, "Mia")}
    assert told.erased_students(seats) == frozenset()


def test_of_who_has_withdrawn_nothing_is_kept() -> None:
    seats = [Seat(0, on(0).box_xyxy), Seat(1, on(2).box_xyxy)]
    here = (Participant(2, "Mia", 7, False, 1),)
    told = TileOwnerResolver(GALLERY, lambda: ParticipantList(4, here, frozenset({0})))
    assert told.update(seats) == {1: SeatOwner(7, "Mia")}
    assert told.erased_students(seats) == {0}
