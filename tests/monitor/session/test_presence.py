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


def sample(media_s: float, *observations: Observation, looked_at: bool = True) -> FrameResult:
    return FrameResult(media_s, observations, len(observations), (640, 480), analysed=looked_at)


@pytest.fixture
def presence() -> LiveSnapshot:
    return LiveSnapshot(lambda pose: abs(pose.yaw_deg) < 35)


def test_everybody_of_the_session_is_told_as_the_last_look_saw_them(presence: LiveSnapshot) -> None:
    presence.update(
        sample(
            1.0,
            Observation(0, 1.0, True, HAPPY, None, FRONT, False),
            Observation(1, 1.0, True, None, UnreadableReason.BLURRED, ASIDE),
            Observation(2, 1.0, True, None, UnreadableReason.TOO_SMALL),
            Observation(3, 1.0, False, None, UnreadableReason.ABSENT),
        )
    )
    assert presence.live_students(LABELS) == (
        LiveStudent("Student 2", True, True, False, "happy", None),
        LiveStudent("Student 1", True, False, None, None, "blurred"),
        LiveStudent("", True, None, None, None, "too small"),
        LiveStudent("", False, None, None, None, "absent"),
    )


def test_an_expression_is_that_of_the_last_seconds_and_not_of_one_picture(presence: LiveSnapshot) -> None:
    presence.update(sample(1.0, Observation(0, 1.0, True, HAPPY)))
    presence.update(sample(1.5, Observation(0, 1.5, True, NEUTRAL)))
    assert presence.live_students(LABELS)[0].expression == "happy"
    later_s = 1.0 + SMOOTHING_WINDOW_S
    presence.update(sample(later_s, Observation(0, later_s, True, NEUTRAL)))
    assert presence.live_students(LABELS)[0].expression == "neutral"


def test_an_expression_of_before_does_not_stand_for_one_that_cannot_be_read(presence: LiveSnapshot) -> None:
    presence.update(sample(1.0, Observation(0, 1.0, True, HAPPY)))
    presence.update(sample(1.5, Observation(0, 1.5, True, None, UnreadableReason.OCCLUDED)))
    assert (
        presence.live_students(LABELS)[0].expression,
        presence.live_students(LABELS)[0].unreadable_reason,
    ) == (None, "occluded")


def test_what_was_held_back_of_a_newcomer_is_not_now(presence: LiveSnapshot) -> None:
    presence.update(
        sample(
            2.0,
            Observation(0, 1.0, True, HAPPY, None, ASIDE),
            Observation(0, 2.0, True, None, UnreadableReason.TURNED_AWAY, FRONT),
        )
    )
    (one,) = presence.live_students(LABELS)
    assert (one.facing, one.expression) == (True, None)


def test_where_there_is_nothing_to_look_at_nobody_is_there_or_away(presence: LiveSnapshot) -> None:
    seen = sample(1.0, Observation(0, 1.0, True, HAPPY))
    presence.update(seen)
    presence.update(sample(1.5, looked_at=False))
    assert presence.live_students(LABELS) == ()
    presence.update(seen)
    presence.clear()
    assert presence.live_students(LABELS) == ()
