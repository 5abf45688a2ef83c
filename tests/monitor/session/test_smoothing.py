from __future__ import annotations

import pytest

from monitor.session.smoothing import SMOOTHING_WINDOW_S, ExpressionSmoother
from monitor.types import FrameResult, TrackedFace, UnreadableReason, without_students

BOX = (0.0, 0.0, 40.0, 40.0)
HAPPY = (0.0, 0.0, 0.0, 0.8, 0.0, 0.0, 0.2)
NEUTRAL = (0.0, 0.0, 0.0, 0.2, 0.0, 0.0, 0.8)


def sample(
    media_s: float, *expressions: tuple[float, ...] | UnreadableReason, looked_at: bool = True
) -> FrameResult:
    """Faces on tracks 1, 2, ... of which the first is student 0's and the others are not confirmed."""
    faces = tuple(
        TrackedFace(track, 0 if track == 1 else None, BOX, one)
        for track, one in enumerate(expressions, start=1)
    )
    return FrameResult(media_s, (), len(faces), (640, 480), faces, analysed=looked_at)


def shown(steady: ExpressionSmoother, given: FrameResult) -> list[object]:
    return [one.expression for one in steady.update(given).tracked_faces]


def test_an_expression_is_the_mean_of_the_window_for_each_track() -> None:
    steady = ExpressionSmoother()
    shown(steady, sample(1.0, HAPPY, NEUTRAL))
    first, second = shown(steady, sample(1.5, NEUTRAL, NEUTRAL))
    assert first == pytest.approx((0, 0, 0, 0.5, 0, 0, 0.5))
    assert second == pytest.approx(NEUTRAL)
    assert shown(steady, sample(1.0 + SMOOTHING_WINDOW_S, NEUTRAL))[0] == pytest.approx(NEUTRAL)


def test_a_face_that_cannot_be_read_now_has_its_reason_at_once() -> None:
    steady = ExpressionSmoother()
    shown(steady, sample(1.0, HAPPY))
    assert shown(steady, sample(1.5, UnreadableReason.OCCLUDED)) == [UnreadableReason.OCCLUDED]
    assert shown(steady, sample(2.0, HAPPY))[0] == pytest.approx(HAPPY)


def test_only_expressions_are_replaced() -> None:
    given = sample(1.0, HAPPY, UnreadableReason.BLURRED)
    assert ExpressionSmoother().update(given) == given
    nothing = sample(2.0, looked_at=False)
    assert ExpressionSmoother().update(nothing) == nothing


def test_a_sample_without_students_has_boxes_alone() -> None:
    faces = without_students(sample(1.0, HAPPY, UnreadableReason.BLURRED)).tracked_faces
    assert faces == (TrackedFace(1, None, BOX), TrackedFace(2, None, BOX))
    assert {one.expression for one in faces} == {UnreadableReason.NOT_COMPUTED}
