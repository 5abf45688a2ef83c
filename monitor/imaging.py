"""Resizing, cropping and filling of images."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.types import ImageBGR, Size

MASK_GREY = 128
"""Grey level of masked areas and of bars beside an image."""

Points = NDArray[np.float32]

Polygon = NDArray[np.float32]
"""The corners of a convex area ``(4, 2)``, in order around it."""

MIN_HALVING_FACTOR = 1.5
"""An image that shrinks by this factor or more is halved, and enlarged a little if that was too much: slight
blur harms less than skipped pixels. With 2 instead, a detector's keypoints gave a yaw of 52° for a head
turned by 24°."""


def downscale(image_bgr: ImageBGR, width: int, height: int) -> ImageBGR:
    """The image at another size; if it shrinks, every pixel contributes.

    OpenCV halves an image ten times as fast as it averages it to any other size. So it is halved as often as
    possible (``MIN_HALVING_FACTOR``), and linear interpolation does the rest; alone it would skip most
    pixels.
    """
    small = image_bgr
    while small.shape[1] >= MIN_HALVING_FACTOR * width and small.shape[0] >= MIN_HALVING_FACTOR * height:
        half = (small.shape[1] // 2, small.shape[0] // 2)
        small = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA), np.uint8)
    if small.shape[:2] != (height, width):
        small = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return small


def scaled_size(image_bgr: ImageBGR, scale: float) -> tuple[int, int]:
    """Width and height of the image times ``scale``, at least one pixel each."""
    height, width = image_bgr.shape[:2]
    return max(1, round(width * scale)), max(1, round(height * scale))


def image_size(image_bgr: ImageBGR) -> Size:
    """Width and height of an image."""
    height, width = image_bgr.shape[:2]
    return width, height


def letterbox(image_bgr: ImageBGR, size: Size) -> ImageBGR:
    """The whole image, scaled to fit ``size`` and centred on grey.

    Seats are in pixels of the first frame: a camera that switches from 1280 × 960 to 640 × 480 shows the same
    room, and each seat must stay in place.
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
    """Left, top, width and height of an image of ``size`` after it was fitted into ``within``, pixels."""
    scale = min(within[0] / size[0], within[1] / size[1])
    width = min(within[0], max(1, round(size[0] * scale)))
    height = min(within[1], max(1, round(size[1] * scale)))
    return (within[0] - width) // 2, (within[1] - height) // 2, width, height


@dataclass(frozen=True, eq=False)
class RotatedCrop:
    """An upright square crop of a rotated face, as MediaPipe's landmark networks expect it.

    ``to_crop`` ``(2, 3)`` maps pixels of the frame to those of the crop, a square of ``size_px``. Source:
    mediapipe 0.10.21, ``ImageToTensorCalculator`` and the ``*_to_roi.pbtxt`` of its modules.
    """

    to_crop: NDArray[np.float64]
    size_px: int

    @classmethod
    def aligned_to(cls, centre: Points, side_px: float, level_line: Points, size_px: int) -> RotatedCrop:
        """The crop of the square of ``side_px`` around ``centre`` ``(2,)`` in which ``level_line`` ``(2,
        2)``, from its first point to its second, is horizontal and points right. All in pixels of the frame
        except ``size_px``."""
        dx, dy = level_line[1] - level_line[0]
        roll_deg = math.degrees(math.atan2(dy, dx))
        pivot = (float(centre[0]), float(centre[1]))
        to_crop = np.asarray(cv2.getRotationMatrix2D(pivot, roll_deg, size_px / side_px), np.float64)
        to_crop[:, 2] += size_px / 2 - np.array(pivot)
        return cls(to_crop, size_px)

    def extract_rgb(self, image_bgr: ImageBGR) -> NDArray[np.float32]:
        """The crop ``(size_px, size_px, 3)``, float32, red-green-blue, 0..1; the edge of the frame is
        repeated beyond it."""
        crop = cv2.warpAffine(
            image_bgr, self.to_crop, (self.size_px, self.size_px), borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB), np.float32) / np.float32(255)

    def to_frame(self, points: Points) -> Points:
        """Points ``(N, 3)`` of the crop, z in its pixels too, in pixels of the frame."""
        inverse = cv2.invertAffineTransform(self.to_crop)
        scale = float(np.hypot(inverse[0, 0], inverse[1, 0]))
        xy = points[:, :2] @ inverse[:, :2].T + inverse[:, 2]
        return np.column_stack([xy, points[:, 2] * scale]).astype(np.float32)


MIN_CONTRAST = 6.0
"""A patch with a smaller standard deviation of grey levels has too little contrast to be compared."""


def fill_polygons(image: NDArray[np.uint8], polygons: Iterable[Polygon], value: int) -> None:
    """Set every pixel of ``image`` ``(H, W)`` or ``(H, W, 3)`` that a polygon touches to ``value``."""
    for polygon in polygons:
        cv2.fillConvexPoly(image, np.rint(polygon).astype(np.int32), (value, value, value))
