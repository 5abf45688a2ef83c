from __future__ import annotations

import cv2
import numpy as np
import pytest

from monitor.tracking.patches import PATCH_PX, context_patch, sample_patch

IDENTITY = np.eye(2, 3)
COARSE = np.random.default_rng(2).integers(0, 255, (40, 60, 3), dtype=np.uint8)
IMAGE = cv2.resize(COARSE, (600, 400), interpolation=cv2.INTER_CUBIC)
BOX = (200.0, 150.0, 296.0, 246.0)


def patch_of(image: np.ndarray, to_reference: np.ndarray, box: tuple[float, ...] = BOX) -> np.ndarray:
    patch = sample_patch(image, to_reference, box)
    assert patch is not None
    return patch


def test_sample_patch_is_small_and_grey() -> None:
    patch = patch_of(IMAGE, IDENTITY)
    assert patch.shape == (PATCH_PX, PATCH_PX)
    assert patch.dtype == np.float32
    grey = cv2.cvtColor(IMAGE[150:246, 200:296], cv2.COLOR_BGR2GRAY)
    assert patch[12, 12] == pytest.approx(grey[50, 50], abs=40)


def test_sample_patch_is_independent_of_camera_motion() -> None:
    moved = np.array([[1.1, 0.0, 14.0], [0.0, 1.1, -9.0]])
    later = cv2.warpAffine(IMAGE, moved, (600, 400))
    to_reference = cv2.invertAffineTransform(moved)
    np.testing.assert_allclose(patch_of(later, to_reference), patch_of(IMAGE, IDENTITY), atol=12)


@pytest.mark.parametrize("box", [(-80.0, -50.0, 20.0, 50.0), (560.0, 350.0, 680.0, 480.0)])
def test_sample_patch_on_the_edge_is_complete(box: tuple[float, ...]) -> None:
    assert patch_of(IMAGE, IDENTITY, box).shape == (PATCH_PX, PATCH_PX)


@pytest.mark.parametrize("box", [(-400.0, -400.0, -300.0, -300.0), (900.0, 900.0, 990.0, 990.0)])
def test_sample_patch_outside_the_frame_is_none(box: tuple[float, ...]) -> None:
    assert sample_patch(np.full_like(IMAGE, 90), IDENTITY, box) is None


def test_sample_patch_without_contrast_is_none() -> None:
    assert sample_patch(np.full_like(IMAGE, 90), IDENTITY, BOX) is None


def test_context_patch_is_small_and_coloured_or_none() -> None:
    patch = context_patch(IMAGE, BOX)
    assert patch is not None
    assert patch.shape == (PATCH_PX, PATCH_PX, 3)
    np.testing.assert_allclose(patch[12, 12], IMAGE[200, 250], atol=40)
    assert context_patch(np.full_like(IMAGE, 90), BOX) is None
