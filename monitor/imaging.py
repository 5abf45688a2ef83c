"""Pictures made smaller, quickly.

A picture of another size, fitted into the size that the session is counted in.

A square cut out of a picture, turned upright, as MediaPipe cuts what its landmark networks look at.

Source: mediapipe's ``ImageToTensorCalculator`` and the ``*_to_roi.pbtxt`` of its modules, release 0.10.21: a
square about a centre, turned so that a line of the face is level, the picture's edge repeated beyond it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.types import ImageBGR, Size

MIN_HALVING_FACTOR = 1.5
"""A picture that is to become smaller by this factor or more is halved, and then enlarged a little if that
was too much: a blur of a quarter harms less than pixels that are left out. With 2 a detector's keypoints
told a head turned by 52° for one turned by 24°."""


def downscale(image_bgr: ImageBGR, width: int, height: int) -> ImageBGR:
    """The picture at another size, every pixel of it counting where it becomes smaller.

    OpenCV halves a picture exactly ten times as fast as it averages it down to any other size. So it is
    halved as often as it should be (``MIN_HALVING_FACTOR``), and the last step is linear interpolation. Shrunk
    tenfold by interpolation alone it would be a sieve of single pixels.
    """
    small = image_bgr
    while small.shape[1] >= MIN_HALVING_FACTOR * width and small.shape[0] >= MIN_HALVING_FACTOR * height:
        half = (small.shape[1] // 2, small.shape[0] // 2)
        small = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA), np.uint8)
    if small.shape[:2] != (height, width):
        small = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return small


def scaled_size(image_bgr: ImageBGR, scale: float) -> tuple[int, int]:
    """Width and height of the picture times ``scale``, at least one pixel each."""
    height, width = image_bgr.shape[:2]
    return max(1, round(width * scale)), max(1, round(height * scale))


def image_size(image_bgr: ImageBGR) -> Size:
    """Width and height of a picture."""
    height, width = image_bgr.shape[:2]
    return width, height


def letterbox(image_bgr: ImageBGR, size: Size) -> ImageBGR:
    """The whole picture as large as ``size`` allows, in its middle, and grey beside it.

    Seats are places in the pixels of the session's first picture. A camera that now gives 640 × 480 instead
    of 1280 × 960 shows the same room, and each seat has to stay where it was.
    """
    if image_size(image_bgr) == size:
        return image_bgr
    left, top, width, height = letterbox_area(image_size(image_bgr), size)
    smaller = width < image_bgr.shape[1]
    scaled = cv2.resize(
        image_bgr, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    )
    fitted = np.full((size[1], size[0], 3), MASK_GREY, dtype=np.uint8)
    fitted[top : top + height, left : left + width] = scaled
    return fitted


def letterbox_area(size: Size, within: Size) -> tuple[int, int, int, int]:
    """Left, top, width and height of a picture of ``size`` that is fitted into ``within``, pixels."""
    scale = min(within[0] / size[0], within[1] / size[1])
    width = min(within[0], max(1, round(size[0] * scale)))
    height = min(within[1], max(1, round(size[1] * scale)))
    return (within[0] - width) // 2, (within[1] - height) // 2, width, height


Points = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RotatedCrop:
    """``to_crop`` ``(2, 3)`` maps pixels of the picture to those of a square of ``size_px``."""

    to_crop: NDArray[np.float64]
    size_px: int

    @classmethod
    def aligned_to(cls, centre: Points, side_px: float, level_line: Points, size_px: int) -> RotatedCrop:
        """The square of ``side_px`` about ``centre`` ``(2,)``, on which ``level_line`` ``(2, 2)``, from its first
        point to its second, is level and points right. Pixels of the picture, ``size_px`` of the cutting."""
        across, down = level_line[1] - level_line[0]
        roll_deg = math.degrees(math.atan2(down, across))
        middle = (float(centre[0]), float(centre[1]))
        turn = np.asarray(cv2.getRotationMatrix2D(middle, roll_deg, size_px / side_px), np.float64)
        turn[:, 2] += size_px / 2 - np.array(middle)
        return cls(turn, size_px)

    def extract_rgb(self, image_bgr: ImageBGR) -> NDArray[np.float32]:
        """The cutting as a network takes it: ``(px, px, 3)`` float32, red-green-blue, 0..1."""
        cut = cv2.warpAffine(
            image_bgr, self.to_crop, (self.size_px, self.size_px), borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(cv2.cvtColor(cut, cv2.COLOR_BGR2RGB), np.float32) / 255

    def to_frame(self, points: Points) -> Points:
        """Points ``(N, 3)`` of the cutting (z in its pixels) in the picture."""
        back = cv2.invertAffineTransform(self.to_crop)
        scale = float(np.hypot(back[0, 0], back[1, 0]))
        return np.column_stack([points[:, :2] @ back[:, :2].T + back[:, 2], points[:, 2] * scale]).astype(
            np.float32
        )


MIN_CONTRAST = 6.0
"""A patch with a smaller deviation of its grey levels shows nothing that could be told apart."""


def fill_polygons(image: NDArray[np.uint8], polygons: Iterable[Polygon], value: int) -> None:
    """Give every pixel of ``image``, (H, W) or (H, W, 3), that an area touches the same ``value``."""
    for area in polygons:
        cv2.fillConvexPoly(image, np.rint(area).astype(np.int32), (value, value, value))


Polygon = NDArray[np.float32]
"""The corners of a convex area, (4, 2), in order around it."""

MASK_GREY = 128
