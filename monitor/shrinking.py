"""Pictures made smaller, quickly."""

from __future__ import annotations

import cv2
import numpy as np

from monitor.domain import ImageBGR

HALVED_FROM = 1.5
"""A picture that is to become smaller by this factor or more is halved, and then enlarged a little if that
was too much: a blur of a quarter harms less than pixels that are left out. With 2 a detector's keypoints
told a head turned by 52° for one turned by 24°."""


def shrunk(image_bgr: ImageBGR, width: int, height: int) -> ImageBGR:
    """The picture at another size, every pixel of it counting where it becomes smaller.

    OpenCV halves a picture exactly ten times as fast as it averages it down to any other size. So it is
    halved as often as it should be (``HALVED_FROM``), and the last step is linear interpolation. Shrunk
    tenfold by interpolation alone it would be a sieve of single pixels.
    """
    small = image_bgr
    while small.shape[1] >= HALVED_FROM * width and small.shape[0] >= HALVED_FROM * height:
        half = (small.shape[1] // 2, small.shape[0] // 2)
        small = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA), np.uint8)
    if small.shape[:2] != (height, width):
        small = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return small


def scaled_size(image_bgr: ImageBGR, scale: float) -> tuple[int, int]:
    """Width and height of the picture times ``scale``, at least one pixel each."""
    height, width = image_bgr.shape[:2]
    return max(1, round(width * scale)), max(1, round(height * scale))
