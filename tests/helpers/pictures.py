"""Images with a face: the portrait that is part of every matplotlib installation."""

from __future__ import annotations

from functools import cache

import cv2
import matplotlib.cbook
import numpy as np

from monitor.types import ImageBGR

PORTRAIT_BOX_XYXY = (167.0, 118.0, 366.0, 350.0)
"""Grace Hopper's face in ``portrait()``, from the forehead to the chin, by eye."""


@cache
def portrait() -> ImageBGR:
    """Grace Hopper, 512 x 600 pixels, public domain."""
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image, dtype=np.uint8)


def pasted(width: int, height: int, face_px: float, places: list[tuple[int, int]]) -> ImageBGR:
    """A grey image with the portrait at ``places`` (x, y of its corner), its face ``face_px`` wide."""
    scale = face_px / (PORTRAIT_BOX_XYXY[2] - PORTRAIT_BOX_XYXY[0])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(portrait(), None, fx=scale, fy=scale, interpolation=interpolation)
    image = np.full((height, width, 3), 128, dtype=np.uint8)
    for x, y in places:
        part = small[: max(0, height - y), : max(0, width - x)]
        image[y : y + part.shape[0], x : x + part.shape[1]] = part
    return image


def pasted_box(face_px: float, x: int, y: int) -> tuple[float, ...]:
    """The face box in ``pasted`` for one of ``places``."""
    scale = face_px / (PORTRAIT_BOX_XYXY[2] - PORTRAIT_BOX_XYXY[0])
    return tuple(side * scale + (x, y)[index % 2] for index, side in enumerate(PORTRAIT_BOX_XYXY))


def iou(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """Intersection over union of two boxes."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (first, second)]
    return shared / (sum(areas) - shared)
