from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.geometry import transform_points
from monitor.registration.camera_motion import CameraMotionEstimator
from monitor.types import ImageBGR
from tests.helpers.halls import HEIGHT, WIDTH, camera, room, seen

CORNERS = np.array([(0, 0), (WIDTH, 0), (0, HEIGHT), (WIDTH, HEIGHT)], np.float32)


def error_px(estimator: CameraMotionEstimator, matrix: NDArray[np.float64], image: ImageBGR) -> float:
    """The largest error of the frame's corners in the reference frame, pixels."""
    result = estimator.to_reference(image)
    assert result is not None
    true = cv2.transform(CORNERS[:, None], cv2.invertAffineTransform(matrix))[:, 0]
    return float(np.abs(transform_points(result, CORNERS) - true).max())


def test_first_frame_is_the_reference_frame() -> None:
    result = CameraMotionEstimator().to_reference(room())
    assert result is not None
    np.testing.assert_array_equal(result, [[1, 0, 0], [0, 1, 0]])


def test_drift_and_zoom_are_followed_without_accumulated_error() -> None:
    estimator = CameraMotionEstimator()
    estimator.to_reference(room())
    for i in range(1, 80):
        matrix = camera(30 * np.sin(i / 9), 12 * np.sin(i / 13), 1 + 0.05 * np.sin(i / 11))
        assert error_px(estimator, matrix, seen(matrix)) < 1.5


@pytest.mark.parametrize("matrix", [camera(140, -60), camera(-90, 40, zoom=1.15)])
def test_knock_is_followed(matrix: NDArray[np.float64]) -> None:
    estimator = CameraMotionEstimator()
    estimator.to_reference(room())
    assert error_px(estimator, matrix, seen(matrix)) < 3
    after = matrix + np.array([[0, 0, 3.0], [0, 0, 2.0]])
    assert error_px(estimator, after, seen(after)) < 3


def test_moving_people_do_not_affect_the_estimate() -> None:
    estimator = CameraMotionEstimator()
    estimator.to_reference(room())
    scene = room()
    scene[200:460, 100:420] = room(seed=2)[200:460, 100:420]
    matrix = camera(8, 4)
    assert error_px(estimator, matrix, seen(matrix, scene)) < 1.5


def test_changed_light_is_followed() -> None:
    estimator = CameraMotionEstimator()
    estimator.to_reference(room())
    matrix = camera(6, -3)
    assert error_px(estimator, matrix, np.asarray(seen(matrix) * 0.6 + 10, np.uint8)) < 1.5


def test_another_scene_is_unknown_and_the_room_is_recovered() -> None:
    estimator = CameraMotionEstimator()
    estimator.to_reference(room())
    assert estimator.to_reference(np.zeros((HEIGHT, WIDTH, 3), np.uint8)) is None
    assert estimator.to_reference(room(seed=9)) is None
    matrix = camera(10, 5)
    assert error_px(estimator, matrix, seen(matrix)) < 1.5


def test_room_without_texture_is_unknown_after_the_first_frame() -> None:
    estimator = CameraMotionEstimator()
    plain = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert estimator.to_reference(plain) is not None, "the first frame is always the reference frame"
    assert estimator.to_reference(plain) is None


@pytest.mark.parametrize(("width", "height"), [(1, 1), (500, 3), (3, 500), (33, 33), (64, 40)])
def test_tiny_frame_has_no_motion_or_is_unknown(width: int, height: int) -> None:
    estimator = CameraMotionEstimator()
    small = np.asarray(cv2.resize(room(), (width, height)), np.uint8)
    result = [estimator.to_reference(small) for _ in range(3)]
    for matrix in result:
        assert matrix is None or np.allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=0.1)


def test_another_frame_size_restarts_estimation() -> None:
    estimator = CameraMotionEstimator()
    estimator.to_reference(room())
    small = np.asarray(cv2.resize(room(), (320, 180)), np.uint8)
    result = estimator.to_reference(small)
    assert result is not None
    np.testing.assert_array_equal(result, [[1, 0, 0], [0, 1, 0]])


def test_corners_in_masked_areas_are_not_used() -> None:
    masked = [np.array([(100, 50), (500, 50), (500, 400), (100, 400)], np.float32)]
    estimator = CameraMotionEstimator(masked)
    estimator.to_reference(room())
    scene = room()
    scene[50:400, 100:500] = room(seed=2)[50:400, 100:500]
    assert error_px(estimator, camera(8, 4), seen(camera(8, 4), scene)) < 1.5
    key = estimator._keyframe
    assert key is not None
    scale = 640 / WIDTH
    inside = (key.corners[:, 0] > np.array([100, 50]) * scale) & (
        key.corners[:, 0] < np.array([500, 400]) * scale
    )
    assert len(key.corners) > 50
    assert not inside.all(axis=1).any()


def test_another_frame_size_with_masked_areas_is_unknown() -> None:
    estimator = CameraMotionEstimator([np.array([(0, 0), (9, 0), (9, 9), (0, 9)], np.float32)])
    estimator.to_reference(room())
    assert estimator.to_reference(np.asarray(cv2.resize(room(), (480, 270)), np.uint8)) is None
    assert error_px(estimator, camera(6, 3), seen(camera(6, 3))) < 1.5


def test_anchor_sets_the_motion() -> None:
    estimator, matrix = CameraMotionEstimator(), camera(200, 90, zoom=1.2)
    estimator.to_reference(room())
    estimator.anchor(seen(matrix), cv2.invertAffineTransform(matrix))
    after = matrix + np.array([[0, 0, 3.0], [0, 0, 2.0]])
    assert error_px(estimator, after, seen(after)) < 1.5
