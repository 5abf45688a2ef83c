from __future__ import annotations

from monitor.faces.expression import FaceAttributes
from monitor.seating.assigner import SeatAssigner
from monitor.session.readings import PendingReadings
from monitor.session.stages.result import STATIC_FACES_NOTE, ResultStage
from monitor.session.track_log import TrackLog
from monitor.types import HeadEstimate, UnreadableReason
from tests.helpers.faces import face
from tests.helpers.frames import context_at, track_of

BLURRED = UnreadableReason.BLURRED
LEFT, RIGHT = face(100, 100), face(300, 100)
TRACKS = [track_of(1, LEFT), track_of(2, RIGHT)]


def stage_of(students: int = 0) -> tuple[ResultStage, PendingReadings, TrackLog]:
    """A stage whose assigner knows ``students`` students, far away from each other."""
    assigner, readings, log = SeatAssigner(), PendingReadings(), TrackLog()
    assigner.update([track_of(number + 1, face(1000 * number, 100)) for number in range(students)])
    return ResultStage(assigner, readings, log), readings, log


def both_visible(media_s: float = 1.0, **fields):
    expressions = {track.track_id: BLURRED for track in TRACKS}
    visible = [(TRACKS[0], LEFT), (TRACKS[1], RIGHT)]
    return context_at(media_s, tracks=TRACKS, visible=visible, expressions=expressions, **fields)


def test_pending_readings_of_a_student_become_observations() -> None:
    stage, readings, log = stage_of(students=1)
    for media_s in (0.0, 0.5, 1.0):
        readings.add(1, FaceAttributes(media_s, BLURRED, HeadEstimate(None)))
    context = both_visible(students={1: 0})
    stage.process(context)
    assert context.result is not None
    assert [(item.student, item.media_s) for item in context.result.observations] == [
        (0, 0.0),
        (0, 0.5),
        (0, 1.0),
    ]
    assert [(item.track_id, item.student) for item in context.result.tracked_faces] == [(1, 0), (2, None)]
    assert (context.result.face_count, context.result.frame_size) == (2, (400, 200))
    assert [item.track.track_id for item in log.pop_changed()] == [1]


def test_observed_student_that_is_not_visible_is_absent() -> None:
    for observed, absent in ((None, [1, 2]), (frozenset({0, 2}), [2])):
        stage, _, _ = stage_of(students=3)
        context = both_visible(students={1: 0}, observed_students=observed)
        stage.process(context)
        assert context.result is not None
        assert [(item.student, item.seen) for item in context.result.observations] == [
            (n, False) for n in absent
        ]


def test_late_assignment_gives_observations_and_is_reported() -> None:
    stage, readings, _ = stage_of(students=1)
    readings.add(2, FaceAttributes(0.5, BLURRED, HeadEstimate(None)))
    context = both_visible(late_assignments={2: 0})
    stage.process(context)
    assert context.result is not None
    assert context.result.late_assignments == {2: 0}
    assert (0, 0.5, True) in [(item.student, item.media_s, item.seen) for item in context.result.observations]


def test_static_and_rejected_faces_are_not_counted_unless_they_are_students() -> None:
    for fields in ({"static_faces": {1, 2}}, {"rejected": {1, 2}}):
        stage, _, _ = stage_of(students=1)
        context = both_visible(students={1: 0}, **fields)
        stage.process(context)
        assert context.result is not None
        assert [item.track_id for item in context.result.tracked_faces] == [1]


def test_static_face_is_noted_once_and_after_other_notes() -> None:
    stage, _, _ = stage_of()
    contexts = [
        both_visible(1.0, static_faces={2}, note="another note"),
        both_visible(1.5, static_faces={2}),
        both_visible(2.0, static_faces={2}),
        both_visible(2.5, static_faces={1, 2}),
    ]
    for context in contexts:
        stage.process(context)
    assert [context.note for context in contexts] == [
        "another note",
        STATIC_FACES_NOTE.format(1),
        None,
        STATIC_FACES_NOTE.format(2),
    ]


def test_static_face_that_is_tracked_anew_is_not_noted_again() -> None:
    stage, _, _ = stage_of()
    contexts = [
        both_visible(1.0, static_faces={2}),
        both_visible(2.0),
        both_visible(3.0, static_faces={1}),
    ]
    for context in contexts:
        stage.process(context)
    assert [context.note for context in contexts] == [STATIC_FACES_NOTE.format(1), None, None]


def test_expired_readings_are_dropped() -> None:
    stage, readings, _ = stage_of()
    readings.add(2, FaceAttributes(0.0, BLURRED, HeadEstimate(None)))
    stage.process(both_visible(31.0))
    assert 2 not in readings
