"""A picture of another size, fitted into the size that the session is counted in."""

from __future__ import annotations

import cv2
import numpy as np

from monitor.domain import ImageBGR
from monitor.masking import GREY

Size = tuple[int, int]
"""Width and height, pixels."""


def size_of(image_bgr: ImageBGR) -> Size:
    """Width and height of a picture."""
    height, width = image_bgr.shape[:2]
    return width, height


def fit(image_bgr: ImageBGR, size: Size) -> ImageBGR:
    """The whole picture as large as ``size`` allows, in its middle, and grey beside it.

    Seats are places in the pixels of the session's first picture. A camera that now gives 640 × 480 instead
    of 1280 × 960 shows the same room, and each seat has to stay where it was.
    """
    if size_of(image_bgr) == size:
        return image_bgr
    left, top, width, height = placed(size_of(image_bgr), size)
    smaller = width < image_bgr.shape[1]
    scaled = cv2.resize(
        image_bgr, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    )
    fitted = np.full((size[1], size[0], 3), GREY, dtype=np.uint8)
    fitted[top : top + height, left : left + width] = scaled
    return fitted


def placed(size: Size, within: Size) -> tuple[int, int, int, int]:
    """Left, top, width and height of a picture of ``size`` that is fitted into ``within``, pixels."""
    scale = min(within[0] / size[0], within[1] / size[1])
    width = min(within[0], max(1, round(size[0] * scale)))
    height = min(within[1], max(1, round(size[1] * scale)))
    return (within[0] - width) // 2, (within[1] - height) // 2, width, height
