from __future__ import annotations

import cv2
import numpy as np
import pytest

from monitor.imaging import downscale, scaled_size

COARSE = np.random.default_rng(4).integers(0, 255, (12, 21, 3), dtype=np.uint8)
IMAGE = cv2.resize(COARSE, (640, 360), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("scale", [1.0, 0.5, 1 / 3, 0.25, 0.2, 0.13])
def test_downscale_is_close_to_area_averaging(scale: float) -> None:
    size = (round(640 * scale), round(360 * scale))
    at_once = cv2.resize(IMAGE, size, interpolation=cv2.INTER_AREA)
    differences = np.abs(downscale(IMAGE, *size).astype(int) - at_once)
    assert differences.mean() <= 5


def test_downscale_enlarges_and_keeps_the_same_size() -> None:
    assert downscale(IMAGE, 900, 500).shape == (500, 900, 3)
    assert downscale(IMAGE, 640, 360) is IMAGE


@pytest.mark.parametrize("shape", [(1, 1), (2, 2000), (3000, 3)])
def test_downscale_keeps_a_pixel_of_thin_frames(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 90, np.uint8)
    small = downscale(image, *scaled_size(image, 0.1))
    assert small.shape[:2] == tuple(max(1, round(side * 0.1)) for side in shape)
    assert set(small.ravel().tolist()) == {90}
