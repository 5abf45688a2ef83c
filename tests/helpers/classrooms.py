"""Drawn rooms with portraits of any size, for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.types import ImageBGR
from tests.helpers.pictures import pasted

WIDTH, HEIGHT = 960, 540


def classroom(face_px: Sequence[float], sway_px: int = 0) -> ImageBGR:
    """A grey frame ``(540, 960, 3)`` with one portrait per entry of ``face_px``, the width of its face in
    pixels, in rows from the top left. All are shifted to the right by ``sway_px``."""
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    x, y, row = 10, 10, 0
    for size in face_px:
        width, height = round(2.6 * size) + 2, round(3.0 * size) + 2
        if x + width > WIDTH - 20:
            x, y, row = 10, y + row + 10, 0
        image[y : y + height, x + sway_px : x + sway_px + width] = pasted(width, height, size, [(0, 0)])
        x, row = x + width + 14, max(row, height)
    return image
