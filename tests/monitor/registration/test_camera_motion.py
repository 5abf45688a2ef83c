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


def error_px(registration: CameraMotionEstimator, matrix: NDArray[np.float64], picture: ImageBGR) -> float:
    """How far the frame's corners are from where they lie in the room, at most."""
    found = registration.to_reference(picture)
    assert found is not None
    true = cv2.transform(CORNERS[:, None], cv2.invertAffineTransform(matrix))[:, 0]
    return float(np.abs(transform_points(found, CORNERS) - true).max())


def test_the_first_frame_is_the_room() -> None:
    found = CameraMotionEstimator().to_reference(room())
    assert found is not None
    np.testing.assert_array_equal(found, [[1, 0, 0], [0, 1, 0]])


def test_a_camera_that_drifts_and_zooms_is_followed_without_adding_up_errors() -> None:
    registration = CameraMotionEstimator()
    registration.to_reference(room())
    for i in range(1, 80):
        matrix = camera(30 * np.sin(i / 9), 12 * np.sin(i / 13), 1 + 0.05 * np.sin(i / 11))
        assert error_px(registration, matrix, seen(matrix)) < 1.5


@pytest.mark.parametrize("matrix", [camera(140, -60), camera(-90, 40, zoom=1.15)])
def test_a_knock_is_survived(matrix: NDArray[np.float64]) -> None:
    registration = CameraMotionEstimator()
    registration.to_reference(room())
    assert error_px(registration, matrix, seen(matrix)) < 3
    after = matrix + np.array([[0, 0, 3.0], [0, 0, 2.0]])
    assert error_px(registration, after, seen(after)) < 3


def test_people_who_move_are_outvoted_by_the_walls() -> None:
    registration = CameraMotionEstimator()
    registration.to_reference(room())
    scene = room()
    scene[200:460, 100:420] = room(seed=2)[200:460, 100:420]
    matrix = camera(8, 4)
    assert error_px(registration, matrix, seen(matrix, scene)) < 1.5


def test_light_may_change() -> None:
    registration = CameraMotionEstimator()
    registration.to_reference(room())
    matrix = camera(6, -3)
    assert error_px(registration, matrix, np.asarray(seen(matrix) * 0.6 + 10, np.uint8)) < 1.5


def test_what_is_not_this_room_is_said_to_be_unknown_and_the_room_is_found_again() -> None:
    registration = CameraMotionEstimator()
    registration.to_reference(room())
    assert registration.to_reference(np.zeros((HEIGHT, WIDTH, 3), np.uint8)) is None
    assert registration.to_reference(room(seed=9)) is None
    matrix = camera(10, 5)
    assert error_px(registration, matrix, seen(matrix)) < 1.5


def test_an_even_room_has_nothing_to_hold_on_to() -> None:
    registration = CameraMotionEstimator()
    even = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert registration.to_reference(even) is not None, "the first frame is the room, whatever it shows"
    assert registration.to_reference(even) is None


@pytest.mark.parametrize(("width", "height"), [(1, 1), (500, 3), (3, 500), (33, 33), (64, 40)])
def test_a_frame_may_be_tiny(width: int, height: int) -> None:
    registration = CameraMotionEstimator()
    small = np.asarray(cv2.resize(room(), (width, height)), np.uint8)
    found = [registration.to_reference(small) for _ in range(3)]
    for matrix in found:
        assert matrix is None or np.allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=0.1)


def test_another_size_is_another_room() -> None:
    registration = CameraMotionEstimator()
    registration.to_reference(room())
    small = np.asarray(cv2.resize(room(), (320, 180)), np.uint8)
    found = registration.to_reference(small)
    assert found is not None
    np.testing.assert_array_equal(found, [[1, 0, 0], [0, 1, 0]])


def test_no_corner_is_looked_for_in_what_is_hidden() -> None:
    hidden = [np.array([(100, 50), (500, 50), (500, 400), (100, 400)], np.float32)]
    registration = CameraMotionEstimator(hidden)
    registration.to_reference(room())
    scene = room()
    scene[50:400, 100:500] = room(seed=2)[50:400, 100:500]
    assert error_px(registration, camera(8, 4), seen(camera(8, 4), scene)) < 1.5
    key = registration._keyframe
    assert key is not None
    scale = 640 / WIDTH
    inside = (key.corners[:, 0] > np.array([100, 50]) * scale) & (
        key.corners[:, 0] < np.array([500, 400]) * scale
    )
    assert len(key.corners) > 50
    assert not inside.all(axis=1).any()


def test_with_something_hidden_a_picture_of_another_size_has_no_known_place() -> None:
    registration = CameraMotionEstimator([np.array([(0, 0), (9, 0), (9, 9), (0, 9)], np.float32)])
    registration.to_reference(room())
    assert registration.to_reference(np.asarray(cv2.resize(room(), (480, 270)), np.uint8)) is None
    assert error_px(registration, camera(6, 3), seen(camera(6, 3))) < 1.5


def test_a_known_place_is_taken_up_from_there() -> None:
    registration, matrix = CameraMotionEstimator(), camera(200, 90, zoom=1.2)
    registration.to_reference(room())
    registration.anchor(seen(matrix), cv2.invertAffineTransform(matrix))
    after = matrix + np.array([[0, 0, 3.0], [0, 0, 2.0]])
    assert error_px(registration, after, seen(after)) < 1.5
