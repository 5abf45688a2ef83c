from __future__ import annotations

from monitor.session.readings import PendingReadings
from monitor.session.stages.attributes import AttributesStage
from monitor.types import HeadEstimate, HeadPose, UnreadableReason
from tests.helpers.faces import face
from tests.helpers.frames import context_at, track_of

SAD = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
HEADS = [HeadEstimate(HeadPose(5.0, 0.0)), HeadEstimate(HeadPose(40.0, 0.0))]
LEFT, RIGHT = face(100, 100), face(300, 100)


class Heads:
    def estimate(self, image_bgr, faces):
        return HEADS[: len(faces)]


class Expressions:
    """A readable face, then a face that is turned away."""

    def estimate(self, image_bgr, faces, heads):
        assert len(heads) == len(faces)
        return [SAD, UnreadableReason.TURNED_AWAY][: len(faces)]


def test_each_visible_track_gets_its_reading() -> None:
    readings = PendingReadings()
    tracks = [track_of(1, LEFT), track_of(2, RIGHT), track_of(3, LEFT, visible=False)]
    context = context_at(4.0, tracks=tracks, visible=[(tracks[0], LEFT), (tracks[1], RIGHT)])
    AttributesStage(Expressions(), Heads(), readings).process(context)
    assert context.expressions == {1: SAD, 2: UnreadableReason.TURNED_AWAY}
    assert context.heads == HEADS
    assert 3 not in readings
    first, second = readings.pop_observations({1: 0, 2: 1})
    assert (first.student, first.media_s, first.probabilities, first.head_pose) == (
        0,
        4.0,
        SAD,
        HEADS[0].pose,
    )
    assert (second.student, second.unreadable_reason) == (1, UnreadableReason.TURNED_AWAY)


def test_readings_continue_under_the_new_id() -> None:
    readings = PendingReadings()
    stage = AttributesStage(Expressions(), Heads(), readings)
    old = track_of(1, LEFT)
    stage.process(context_at(0.0, tracks=[old], visible=[(old, LEFT)]))
    new = track_of(7, LEFT, previous_track_id=1)
    context = context_at(5.0, tracks=[new], visible=[(new, LEFT)])
    stage.process(context)
    assert context.continued == [(1, 7)]
    assert readings.times_s(7) == [0.0, 5.0]
