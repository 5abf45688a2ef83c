from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.faces.eye_closure import (
    MAX_DOWN_DEG,
    MAX_YAW_DEG,
    MIN_SAMPLES,
    MIN_WIDTH_PX,
    EyeClosureEstimator,
    are_eyes_readable,
    eye_aspect_ratio,
)
from monitor.types import HeadPose

OPEN = [0.3] * MIN_SAMPLES


def eyes(*heights: float) -> NDArray[np.float32]:
    """Two contours, each 40 px wide from corner to corner, with these distances of the estimator in px."""
    contours = np.zeros((2, 71, 2), np.float32)
    for contour, height in zip(contours, heights, strict=True):
        contour[:9, 0], contour[9:16, 0] = np.linspace(0, 40, 9), np.linspace(5, 35, 7)
        contour[1:8, 1], contour[9:16, 1] = height / 2, -height / 2
    return contours


def closures(estimator: EyeClosureEstimator, ratios: list[float], student: int = 0) -> list[bool | None]:
    return [estimator.is_closed(student, ratio) for ratio in ratios]


def test_eye_aspect_ratio_is_height_over_width():
    assert eye_aspect_ratio(eyes(12, 12)) == pytest.approx(0.3)
    assert eye_aspect_ratio(eyes(13, 11)) == pytest.approx(0.3)
    assert eye_aspect_ratio(eyes(0, 0)) == 0


@given(st.floats(-3, 3), st.floats(0.2, 5))
def test_eye_aspect_ratio_does_not_depend_on_roll_and_size(roll, scale):
    rotation = scale * np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    assert eye_aspect_ratio((eyes(12, 10) @ rotation).astype(np.float32)) == pytest.approx(0.275, abs=1e-4)


def test_eye_aspect_ratio_of_very_different_eyes_is_none():
    """E.g. a hand in front of one of them."""
    assert eye_aspect_ratio(eyes(2, 8)) is None


def test_eye_aspect_ratio_of_degenerate_contour_is_zero():
    assert eye_aspect_ratio(np.zeros((2, 71, 2), np.float32)) == 0


@pytest.mark.parametrize(
    ("yaw_deg", "pitch_deg", "width_px", "readable"),
    [
        (0, 0, 40, True),
        (MAX_YAW_DEG, -MAX_DOWN_DEG, MIN_WIDTH_PX, True),
        (-MAX_YAW_DEG - 1, 0, 40, False),
        (MAX_YAW_DEG + 1, 0, 40, False),
        (0, -MAX_DOWN_DEG - 1, 40, False),
        (0, 60, 40, True),
        (0, None, 40, False),
        (0, 0, MIN_WIDTH_PX - 1, False),
    ],
)
def test_are_eyes_readable_limits(yaw_deg, pitch_deg, width_px, readable):
    assert are_eyes_readable(HeadPose(yaw_deg, pitch_deg), width_px) is readable


def test_is_closed_is_none_before_minimum_samples():
    assert set(closures(EyeClosureEstimator(), OPEN[:-1])) == {None}


@pytest.mark.parametrize("own", [0.2, 0.3, 0.45])
def test_is_closed_below_a_fifth_of_own_range(own):
    estimator = EyeClosureEstimator()
    closures(estimator, [own] * MIN_SAMPLES)
    limit = 0.05 + 0.2 * (own - 0.05)
    assert estimator.is_closed(0, own) is False
    assert estimator.is_closed(0, limit + 0.01) is False
    assert estimator.is_closed(0, limit - 0.01) is True
    assert estimator.is_closed(0, 0.0) is True


def test_is_closed_uses_ratios_of_the_same_student_only():
    estimator = EyeClosureEstimator()
    closures(estimator, [0.2] * MIN_SAMPLES, student=1)
    closures(estimator, [0.6] * MIN_SAMPLES, student=2)
    assert estimator.is_closed(1, 0.15) is False
    assert estimator.is_closed(2, 0.15) is True


def test_is_closed_unknown_ratio_is_none_and_not_counted():
    estimator = EyeClosureEstimator()
    assert [estimator.is_closed(0, None) for _ in range(MIN_SAMPLES)] == [None] * MIN_SAMPLES
    assert estimator.is_closed(0, 0.05) is None


def test_is_closed_without_open_eyes_is_none():
    assert set(closures(EyeClosureEstimator(), [0.07] * 500)) == {None}


def test_is_closed_when_eyes_are_closed_most_of_the_time():
    closed = closures(EyeClosureEstimator(), [0.3] * 40 + [0.06] * 160)
    assert closed[MIN_SAMPLES:] == [True] * (200 - MIN_SAMPLES)


@given(st.lists(st.floats(0, 50), max_size=200))
def test_is_closed_accepts_any_ratio(values):
    assert all(closed in (None, True, False) for closed in closures(EyeClosureEstimator(), values))
