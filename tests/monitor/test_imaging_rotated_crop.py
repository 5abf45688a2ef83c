from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.imaging import RotatedCrop

place = st.floats(-500, 500)


@given(place, place, st.floats(5, 400), st.floats(-180, 180))
def test_rotated_crop_maps_the_level_line_to_the_frame(x, y, side_px, roll_deg):
    along = np.array([np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))])
    line = np.array([[x, y], [x, y] + 10 * along], np.float32)
    crop = RotatedCrop.aligned_to(np.array([x, y], np.float32), side_px, line, 192)
    middle, right, below = crop.to_frame(np.array([[96, 96, 0], [192, 96, 0], [96, 192, 96]], np.float32))
    np.testing.assert_allclose(middle[:2], (x, y), atol=0.01)
    np.testing.assert_allclose(right[:2], (x, y) + side_px / 2 * along, atol=0.01)
    np.testing.assert_allclose(below[:2], (x, y) + side_px / 2 * np.array([-along[1], along[0]]), atol=0.01)
    assert below[2] == pytest.approx(side_px / 2, rel=1e-3)


def test_rotated_crop_repeats_the_edge():
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, -1] = (255, 0, 0)
    level = np.array([[0, 0], [1, 0]], np.float32)
    square = RotatedCrop.aligned_to(np.array([20, 10], np.float32), 16, level, 16).extract_rgb(image)
    assert square.shape == (16, 16, 3)
    assert square.dtype == np.float32
    np.testing.assert_allclose(square[8, -1], (0, 0, 1))
    np.testing.assert_allclose(square[8, 0], (0, 0, 0))
