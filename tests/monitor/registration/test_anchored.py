from __future__ import annotations

import cv2
import numpy as np
import pytest

from monitor.geometry import Matrix, identity, transform_points
from monitor.registration.anchored import (
    CHECK_INTERVAL_SAMPLES,
    MAX_UNCHECKED_SAMPLES,
    DriftCorrectedMotionEstimator,
)
from monitor.registration.camera_motion import CameraMotionEstimator
from monitor.registration.landmarks import ReferenceView, extract_reference_view
from tests.helpers.halls import HEIGHT, WIDTH, camera, room, seen

CORNERS = np.array([(0, 0), (WIDTH, 0), (0, HEIGHT), (WIDTH, HEIGHT)], np.float32)


class Fixed(CameraMotionEstimator):
    """An estimator with scripted results."""

    def __init__(self, *results: Matrix | None) -> None:
        super().__init__()
        self.results, self.anchored = list(results), 0

    def to_reference(self, image_bgr) -> Matrix | None:
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]

    def anchor(self, image_bgr, to_reference) -> None:
        self.anchored += 1
        self.results = [to_reference]


class UnmatchedView(ReferenceView):
    """A reference view that never matches; counts the attempts."""

    attempts = 0

    def match(self, image_bgr) -> Matrix | None:
        type(self).attempts += 1
        return None


@pytest.fixture(scope="module")
def view() -> ReferenceView:
    return extract_reference_view(room(), [])


@pytest.fixture
def unmatched_view(view) -> UnmatchedView:
    UnmatchedView.attempts = 0
    return UnmatchedView(view.scale, view.keypoints, view.descriptors)


def shifted(x: float) -> Matrix:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, 0.0]])


def test_wrong_optical_flow_is_corrected(view) -> None:
    fixed = Fixed(shifted(0.0), shifted(25.0))
    estimator = DriftCorrectedMotionEstimator(fixed, view, identity())
    result = [estimator.to_reference(room()) for _ in range(CHECK_INTERVAL_SAMPLES + 3)]
    np.testing.assert_allclose(result[1], shifted(25.0))
    for late in result[CHECK_INTERVAL_SAMPLES - 1 :]:
        assert np.abs(transform_points(late, CORNERS) - CORNERS).max() < 2
    assert fixed.anchored == 1


def test_motion_after_a_knock_is_recovered(view) -> None:
    estimator = DriftCorrectedMotionEstimator(CameraMotionEstimator(), view, identity())
    estimator.to_reference(room())
    for matrix in (camera(140, -60), camera(-100, 50, zoom=1.2)):
        result = estimator.to_reference(seen(matrix))
        assert result is not None
        true = cv2.invertAffineTransform(matrix)
        assert np.abs(transform_points(result, CORNERS) - transform_points(true, CORNERS)).max() < 3


def test_jump_without_a_view_match_is_unknown(unmatched_view) -> None:
    estimator = DriftCorrectedMotionEstimator(Fixed(identity(), shifted(100.0)), unmatched_view, identity())
    assert estimator.to_reference(room()) is not None
    assert [estimator.to_reference(room()) for _ in range(3)] == [None] * 3


def test_estimate_without_a_view_match_is_trusted_for_limited_samples(unmatched_view) -> None:
    estimator = DriftCorrectedMotionEstimator(Fixed(identity()), unmatched_view, identity())
    result = [estimator.to_reference(room()) is not None for _ in range(MAX_UNCHECKED_SAMPLES + 20)]
    assert result == [True] * (MAX_UNCHECKED_SAMPLES - 1) + [False] * 21
    assert unmatched_view.attempts == len(result) - CHECK_INTERVAL_SAMPLES + 1


def test_without_estimate_and_view_motion_is_unknown(unmatched_view) -> None:
    assert DriftCorrectedMotionEstimator(Fixed(None), unmatched_view, identity()).to_reference(room()) is None


def test_another_frame_size_has_unknown_motion(view) -> None:
    estimator = DriftCorrectedMotionEstimator(CameraMotionEstimator(), view, identity())
    estimator.to_reference(room())
    assert estimator.to_reference(np.asarray(cv2.resize(room(), (480, 270)), np.uint8)) is None
