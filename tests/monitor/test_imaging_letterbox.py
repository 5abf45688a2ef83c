from __future__ import annotations

import numpy as np
import pytest

from monitor.imaging import MASK_GREY, image_size, letterbox, letterbox_area


def test_letterbox_of_the_same_size_is_unchanged():
    image = np.zeros((48, 64, 3), np.uint8)
    assert letterbox(image, (64, 48)) is image


@pytest.mark.parametrize(
    ("size", "within", "place"),
    [
        ((640, 480), (1280, 960), (0, 0, 1280, 960)),
        ((1920, 1080), (640, 360), (0, 0, 640, 360)),
        ((640, 480), (1920, 1080), (240, 0, 1440, 1080)),
        ((1920, 1080), (640, 480), (0, 60, 640, 360)),
        ((1, 1000), (100, 10), (49, 0, 1, 10)),
    ],
)
def test_letterbox_area_is_centred_and_as_large_as_possible(size, within, place):
    assert letterbox_area(size, within) == place


@pytest.mark.parametrize("size", [(32, 12), (24, 48), (200, 50)])
def test_letterbox_fills_the_rest_with_grey(size):
    image = np.full((size[1], size[0], 3), 250, np.uint8)
    fitted = letterbox(image, (64, 48))
    assert image_size(fitted) == (64, 48)
    left, top, width, height = letterbox_area(size, (64, 48))
    inside = np.zeros((48, 64), bool)
    inside[top : top + height, left : left + width] = True
    assert (fitted[inside] == 250).all()
    assert (fitted[~inside] == MASK_GREY).all()
    assert (~inside).any()
