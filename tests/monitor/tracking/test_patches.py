from __future__ import annotations

import cv2
import numpy as np
import pytest

from monitor.tracking.patches import PATCH_PX, context_patch, sample_patch

STANDING = np.eye(2, 3)
COARSE = np.random.default_rng(2).integers(0, 255, (40, 60, 3), dtype=np.uint8)
IMAGE = cv2.resize(COARSE, (600, 400), interpolation=cv2.INTER_CUBIC)
BOX = (200.0, 150.0, 296.0, 246.0)


def seen(image: np.ndarray, to_room: np.ndarray, box: tuple[float, ...] = BOX) -> np.ndarray:
    found = sample_patch(image, to_room, box)
    assert found is not None
    return found


def test_a_place_is_shown_small_and_grey() -> None:
    found = seen(IMAGE, STANDING)
    assert found.shape == (PATCH_PX, PATCH_PX)
    assert found.dtype == np.float32
    grey = cv2.cvtColor(IMAGE[150:246, 200:296], cv2.COLOR_BGR2GRAY)
    assert found[12, 12] == pytest.approx(grey[50, 50], abs=40)


def test_the_same_place_is_shown_wherever_the_camera_points() -> None:
    moved = np.array([[1.1, 0.0, 14.0], [0.0, 1.1, -9.0]])
    later = cv2.warpAffine(IMAGE, moved, (600, 400))
    to_room = cv2.invertAffineTransform(moved)
    np.testing.assert_allclose(seen(later, to_room), seen(IMAGE, STANDING), atol=12)


@pytest.mark.parametrize("box", [(-80.0, -50.0, 20.0, 50.0), (560.0, 350.0, 680.0, 480.0)])
def test_a_place_on_the_edge_is_shown_as_far_as_it_goes(box: tuple[float, ...]) -> None:
    assert seen(IMAGE, STANDING, box).shape == (PATCH_PX, PATCH_PX)


@pytest.mark.parametrize("box", [(-400.0, -400.0, -300.0, -300.0), (900.0, 900.0, 990.0, 990.0)])
def test_a_place_outside_the_picture_shows_nothing(box: tuple[float, ...]) -> None:
    assert sample_patch(np.full_like(IMAGE, 90), STANDING, box) is None


def test_an_even_place_shows_nothing_that_could_be_compared() -> None:
    assert sample_patch(np.full_like(IMAGE, 90), STANDING, BOX) is None


def test_surroundings_are_small_and_coloured_and_nothing_where_it_is_even() -> None:
    found = context_patch(IMAGE, BOX)
    assert found is not None
    assert found.shape == (PATCH_PX, PATCH_PX, 3)
    np.testing.assert_allclose(found[12, 12], IMAGE[200, 250], atol=40)
    assert context_patch(np.full_like(IMAGE, 90), BOX) is None
