"""In an online lesson the tile alone identifies the student."""

from __future__ import annotations

from monitor.geometry import Seat
from monitor.seating.tiles import LargestFacePerTile, TileAssigner, TileOwnerResolver, TileTracker
from monitor.sources.participant_grid import Participant, ParticipantList, TileGrid
from monitor.types import SeatOwner
from tests.helpers.faces import face

GRID = TileGrid(4)


def on(tile: int, x: float = 160, y: float = 120, width: float = 80):
    """A face at ``(x, y)`` of a tile."""
    left, top = GRID.corner(tile)
    return face(left + x, top + y, width=width)


class Fixed:
    version = "fixed"

    def __init__(self, *faces) -> None:
        self.faces = list(faces)

    def detect(self, _image):
        return self.faces


def test_largest_face_per_tile_is_detected() -> None:
    beside = face(4, 120, width=60)
    near, far, other = on(0), on(0, x=40, width=40), on(1, width=30)
    result = LargestFacePerTile(Fixed(far, near, other, beside), GRID).detect(None)
    assert result == [near, other]


def test_on_faces_gets_boxes_relative_to_tiles() -> None:
    reported: list = []
    detector = LargestFacePerTile(Fixed(on(0), on(3, x=100, y=80, width=40)), GRID, reported.append)
    detector.detect(None)
    assert reported == [{0: (120.0, 70.0, 200.0, 170.0), 3: (80.0, 55.0, 120.0, 105.0)}]


def test_track_does_not_move_to_another_tile() -> None:
    tracker = TileTracker(GRID)
    close_up = 300.0
    first = tracker.update([on(0, x=310, width=close_up)], 0.0)[0].track_id
    tracks = tracker.update([on(1, x=10, width=close_up)], 1.0)
    assert {t.track_id: t.face is not None for t in tracks} == {first: False, first + 1: True}


def test_track_ids_are_unique_over_tiles() -> None:
    tracker = TileTracker(GRID)
    tracks = tracker.update([on(tile) for tile in (2, 0, 3)], 0.0)
    assert sorted(t.track_id for t in tracks) == [1, 2, 3]
    assert [t.track_id for t in tracker.tracks] == [1, 2, 3]


def test_face_that_returns_to_a_tile_is_the_same_student() -> None:
    tracker, assigner = TileTracker(GRID), TileAssigner(GRID)
    for second in range(3):
        students = assigner.update(tracker.update([on(0), on(2)], float(second)))
    assert sorted(students.values()) == [0, 1]
    for second in range(3, 100):
        assert list(assigner.update(tracker.update([on(2)], float(second))).values()) == [1]
    for second in range(100, 104):
        # Elsewhere on the tile and nearer to the camera.
        back = assigner.update(tracker.update([on(0, x=60, width=150), on(2)], float(second)))
    assert sorted(back.values()) == [0, 1]
    assert assigner.student_count == 2


def test_pending_track_creates_no_student() -> None:
    tracker, assigner = TileTracker(GRID), TileAssigner(GRID)
    for second in range(5):
        assert assigner.update(tracker.update([on(0)], float(second)), pending={1}) == {}
    assert assigner.update(tracker.update([on(0)], 5.0)) == {1: 0}


def test_assign_late_assigns_a_face_that_has_left() -> None:
    tracker, assigner = TileTracker(GRID), TileAssigner(GRID)
    for second in range(4):
        assigner.update(tracker.update([on(3)], float(second)), pending={1})
    gone = tracker.update([], 4.0)
    assert assigner.assign_late(gone) == {1: 0}
    assert assigner.assign_late(tracker.update([], 5.0)) == {1: 0}


def test_observed_students_are_those_of_active_tiles() -> None:
    tracker, assigner = TileTracker(GRID), TileAssigner(GRID)
    for second in range(3):
        assigner.update(tracker.update([on(0), on(2)], float(second)))
    assert assigner.observed_students(frozenset({0, 1})) == {0}
    assert assigner.observed_students(frozenset({2})) == {1}
    assert assigner.observed_students(frozenset()) == frozenset()


def test_owner_is_the_participant_of_the_tile() -> None:
    seats = [Seat(0, on(0).box_xyxy), Seat(1, on(2).box_xyxy)]
    here = (Participant(0, "Robin", None, True, 1), Participant(2, "Mia", 7, False, 1))
    resolver = TileOwnerResolver(GRID, lambda: ParticipantList(4, here))
    assert resolver.update(seats) == {0: SeatOwner(None, "Robin"), 1: SeatOwner(7, "Mia")}
    assert resolver.erased_students(seats) == frozenset()


def test_withdrawn_participant_is_erased() -> None:
    seats = [Seat(0, on(0).box_xyxy), Seat(1, on(2).box_xyxy)]
    here = (Participant(2, "Mia", 7, False, 1),)
    resolver = TileOwnerResolver(GRID, lambda: ParticipantList(4, here, frozenset({0})))
    assert resolver.update(seats) == {1: SeatOwner(7, "Mia")}
    assert resolver.erased_students(seats) == {0}
