from __future__ import annotations

import pytest

from monitor.session.smoothing import SMOOTHING_WINDOW_S, ExpressionSmoother
from monitor.types import FrameResult, TrackedFace, UnreadableReason, without_students

BOX = (0.0, 0.0, 40.0, 40.0)
HAPPY = (0.0, 0.0, 0.0, 0.8, 0.0, 0.0, 0.2)
NEUTRAL = (0.0, 0.0, 0.0, 0.2, 0.0, 0.0, 0.8)


def sample(
    media_s: float, *expressions: tuple[float, ...] | UnreadableReason, analysed: bool = True
) -> FrameResult:
    """Faces on tracks 1, 2, ...; the first is student 0, the others are not assigned."""
    faces = tuple(
        TrackedFace(track, 0 if track == 1 else None, BOX, item)
        for track, item in enumerate(expressions, start=1)
    )
    return FrameResult(media_s, (), len(faces), (640, 480), faces, analysed=analysed)


def shown(smoother: ExpressionSmoother, given: FrameResult) -> list[object]:
    return [item.expression for item in smoother.update(given).tracked_faces]


def test_expression_is_the_mean_of_the_window_per_track() -> None:
    smoother = ExpressionSmoother()
    shown(smoother, sample(1.0, HAPPY, NEUTRAL))
    first, second = shown(smoother, sample(1.5, NEUTRAL, NEUTRAL))
    assert first == pytest.approx((0, 0, 0, 0.5, 0, 0, 0.5))
    assert second == pytest.approx(NEUTRAL)
    assert shown(smoother, sample(1.0 + SMOOTHING_WINDOW_S, NEUTRAL))[0] == pytest.approx(NEUTRAL)


def test_unreadable_face_has_its_reason_at_once() -> None:
    smoother = ExpressionSmoother()
    shown(smoother, sample(1.0, HAPPY))
    assert shown(smoother, sample(1.5, UnreadableReason.OCCLUDED)) == [UnreadableReason.OCCLUDED]
    assert shown(smoother, sample(2.0, HAPPY))[0] == pytest.approx(HAPPY)


def test_update_replaces_expressions_only() -> None:
    given = sample(1.0, HAPPY, UnreadableReason.BLURRED)
    assert ExpressionSmoother().update(given) == given
    nothing = sample(2.0, analysed=False)
    assert ExpressionSmoother().update(nothing) == nothing


def test_without_students_keeps_boxes_only() -> None:
    faces = without_students(sample(1.0, HAPPY, UnreadableReason.BLURRED)).tracked_faces
    assert faces == (TrackedFace(1, None, BOX), TrackedFace(2, None, BOX))
    assert {item.expression for item in faces} == {UnreadableReason.NOT_COMPUTED}
