from __future__ import annotations

from monitor.seating.assigner import Reidentification
from monitor.session.track_log import TrackLog
from monitor.types import AssignmentBasis
from tests.helpers.faces import face
from tests.helpers.frames import track_of

FACE = face(100, 100)
SEAT_ONLY = Reidentification(2, 0, 0, AssignmentBasis.SEAT_ONLY)


def test_pop_changed_returns_the_latest_state_once() -> None:
    log = TrackLog()
    for hits in (3, 4):
        log.record([track_of(1, FACE, hits=hits)], {1: 0}, [])
    (assignment,) = log.pop_changed()
    assert (assignment.student, assignment.track.hits, assignment.basis) == (0, 4, None)
    assert assignment.track.face is None
    assert log.pop_changed() == []


def test_basis_is_kept_while_the_track_lives() -> None:
    log = TrackLog()
    log.record([track_of(2, FACE)], {2: 0}, [SEAT_ONLY])
    log.record([track_of(2, FACE)], {2: 0}, [])
    assert [item.basis for item in log.pop_changed()] == [AssignmentBasis.SEAT_ONLY]
    log.record([], {}, [])
    log.record([track_of(2, FACE)], {2: 0}, [])
    assert [item.basis for item in log.pop_changed()] == [None]


def test_track_without_a_student_is_not_recorded() -> None:
    log = TrackLog()
    log.record([track_of(1, FACE), track_of(2, FACE)], {2: 0}, [])
    assert [item.track.track_id for item in log.pop_changed()] == [2]
