from __future__ import annotations

import pytest

from monitor.session.presence import LiveSnapshot
from monitor.session.smoothing import SMOOTHING_WINDOW_S
from monitor.session.status import LiveStudent
from monitor.types import FrameResult, HeadPose, Observation, UnreadableReason

HAPPY = (0.0, 0.0, 0.0, 0.8, 0.0, 0.0, 0.2)
NEUTRAL = (0.0, 0.0, 0.0, 0.3, 0.0, 0.0, 0.7)
FRONT, ASIDE = HeadPose(5.0, 0.0), HeadPose(60.0, 0.0)
LABELS = {0: "Student 2", 1: "Student 1"}


def sample(media_s: float, *observations: Observation, analysed: bool = True) -> FrameResult:
    return FrameResult(media_s, observations, len(observations), (640, 480), analysed=analysed)


@pytest.fixture
def snapshot() -> LiveSnapshot:
    return LiveSnapshot(lambda pose: abs(pose.yaw_deg) < 35)


def test_live_students_are_those_of_the_latest_frame(snapshot: LiveSnapshot) -> None:
    snapshot.update(
        sample(
            1.0,
            Observation(0, 1.0, True, HAPPY, None, FRONT, False),
            Observation(1, 1.0, True, None, UnreadableReason.BLURRED, ASIDE),
            Observation(2, 1.0, True, None, UnreadableReason.TOO_SMALL),
            Observation(3, 1.0, False, None, UnreadableReason.ABSENT),
        )
    )
    assert snapshot.live_students(LABELS) == (
        LiveStudent("Student 2", True, True, False, "happy", None),
        LiveStudent("Student 1", True, False, None, None, "blurred"),
        LiveStudent("", True, None, None, None, "too small"),
        LiveStudent("", False, None, None, None, "absent"),
    )


def test_expression_is_the_mean_of_the_last_seconds(snapshot: LiveSnapshot) -> None:
    snapshot.update(sample(1.0, Observation(0, 1.0, True, HAPPY)))
    snapshot.update(sample(1.5, Observation(0, 1.5, True, NEUTRAL)))
    assert snapshot.live_students(LABELS)[0].expression == "happy"
    later_s = 1.0 + SMOOTHING_WINDOW_S
    snapshot.update(sample(later_s, Observation(0, later_s, True, NEUTRAL)))
    assert snapshot.live_students(LABELS)[0].expression == "neutral"


def test_unreadable_face_has_no_earlier_expression(snapshot: LiveSnapshot) -> None:
    snapshot.update(sample(1.0, Observation(0, 1.0, True, HAPPY)))
    snapshot.update(sample(1.5, Observation(0, 1.5, True, None, UnreadableReason.OCCLUDED)))
    assert (
        snapshot.live_students(LABELS)[0].expression,
        snapshot.live_students(LABELS)[0].unreadable_reason,
    ) == (None, "occluded")


def test_late_observations_are_not_live(snapshot: LiveSnapshot) -> None:
    snapshot.update(
        sample(
            2.0,
            Observation(0, 1.0, True, HAPPY, None, ASIDE),
            Observation(0, 2.0, True, None, UnreadableReason.TURNED_AWAY, FRONT),
        )
    )
    (item,) = snapshot.live_students(LABELS)
    assert (item.facing, item.expression) == (True, None)


def test_frame_that_is_not_analysed_clears_the_snapshot(snapshot: LiveSnapshot) -> None:
    seen = sample(1.0, Observation(0, 1.0, True, HAPPY))
    snapshot.update(seen)
    snapshot.update(sample(1.5, analysed=False))
    assert snapshot.live_students(LABELS) == ()
    snapshot.update(seen)
    snapshot.clear()
    assert snapshot.live_students(LABELS) == ()
