from __future__ import annotations

import pytest

from monitor.session.presence import Presence
from monitor.session.smoothing import EXPRESSION_S
from monitor.session.status import PersonNow
from monitor.types import HeadPose, Observation, Sample, Unknown

HAPPY = (0.0, 0.0, 0.0, 0.8, 0.0, 0.0, 0.2)
NEUTRAL = (0.0, 0.0, 0.0, 0.3, 0.0, 0.0, 0.7)
FRONT, ASIDE = HeadPose(5.0, 0.0), HeadPose(60.0, 0.0)
LABELS = {0: "Student 2", 1: "Student 1"}


def sample(media_s: float, *observations: Observation, looked_at: bool = True) -> Sample:
    return Sample(media_s, observations, len(observations), (640, 480), looked_at=looked_at)


@pytest.fixture
def presence() -> Presence:
    return Presence(lambda pose: abs(pose.yaw_deg) < 35)


def test_everybody_of_the_session_is_told_as_the_last_look_saw_them(presence: Presence) -> None:
    presence.update(
        sample(
            1.0,
            Observation(0, 1.0, True, HAPPY, None, FRONT, False),
            Observation(1, 1.0, True, None, Unknown.BLURRED, ASIDE),
            Observation(2, 1.0, True, None, Unknown.TOO_SMALL),
            Observation(3, 1.0, False, None, Unknown.ABSENT),
        )
    )
    assert presence.people(LABELS) == (
        PersonNow("Student 2", True, True, False, "happy", None),
        PersonNow("Student 1", True, False, None, None, "blurred"),
        PersonNow("", True, None, None, None, "too small"),
        PersonNow("", False, None, None, None, "absent"),
    )


def test_an_expression_is_that_of_the_last_seconds_and_not_of_one_picture(presence: Presence) -> None:
    presence.update(sample(1.0, Observation(0, 1.0, True, HAPPY)))
    presence.update(sample(1.5, Observation(0, 1.5, True, NEUTRAL)))
    assert presence.people(LABELS)[0].expression == "happy"
    later_s = 1.0 + EXPRESSION_S
    presence.update(sample(later_s, Observation(0, later_s, True, NEUTRAL)))
    assert presence.people(LABELS)[0].expression == "neutral"


def test_an_expression_of_before_does_not_stand_for_one_that_cannot_be_read(presence: Presence) -> None:
    presence.update(sample(1.0, Observation(0, 1.0, True, HAPPY)))
    presence.update(sample(1.5, Observation(0, 1.5, True, None, Unknown.OCCLUDED)))
    assert (presence.people(LABELS)[0].expression, presence.people(LABELS)[0].unknown) == (None, "occluded")


def test_what_was_held_back_of_a_newcomer_is_not_now(presence: Presence) -> None:
    presence.update(
        sample(
            2.0,
            Observation(0, 1.0, True, HAPPY, None, ASIDE),
            Observation(0, 2.0, True, None, Unknown.TURNED_AWAY, FRONT),
        )
    )
    (one,) = presence.people(LABELS)
    assert (one.facing, one.expression) == (True, None)


def test_where_there_is_nothing_to_look_at_nobody_is_there_or_away(presence: Presence) -> None:
    seen = sample(1.0, Observation(0, 1.0, True, HAPPY))
    presence.update(seen)
    presence.update(sample(1.5, looked_at=False))
    assert presence.people(LABELS) == ()
    presence.update(seen)
    presence.forget()
    assert presence.people(LABELS) == ()
