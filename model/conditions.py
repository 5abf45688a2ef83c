"""Test faces as a camera might have seen them: smaller, mirrored, blurred, darker. NumPy and OpenCV."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from model.crop import cut_square

FaceImage = NDArray[np.uint8]

SIZES_PX = (36, 24, 16)
"""Widths of the crop's square in the frame; a detector's box is 0.84 of it."""
BLUR_SIGMA_PX = 1.5
"""Of 48 pixels; chosen for a plainly soft face, not measured on a camera."""
DARK_GAIN = 0.3
"""Chosen for a plainly dark face, not measured in a room."""


def as_seen(image: FaceImage, px: int) -> FaceImage:
    """A tile as the crop of a face whose square is ``px`` pixels wide in the frame."""
    frame = cv2.cvtColor(cv2.resize(image, (px, px), interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
    return cut_square(np.asarray(frame, np.uint8), (0.0, 0.0, float(px)))


def mirrored(image: FaceImage) -> FaceImage:
    """Left to right."""
    return np.ascontiguousarray(image[:, ::-1])


def blurred(image: FaceImage) -> FaceImage:
    """Out of focus: a Gaussian of ``BLUR_SIGMA_PX``."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), BLUR_SIGMA_PX), np.uint8)


def darkened(image: FaceImage) -> FaceImage:
    """``DARK_GAIN`` of the light, in whole grey levels as a sensor gives them."""
    return np.asarray(np.round(image * DARK_GAIN), np.uint8)


CONDITIONS: Mapping[str, Callable[[FaceImage], FaceImage]] = {
    **{f"{px} px": partial(as_seen, px=px) for px in SIZES_PX},
    "mirrored": mirrored,
    "blurred": blurred,
    "darkened": darkened,
}
"""What a model is scored under beside the faces as they are, by name."""


def under(name: str, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Faces (N, 48, 48) uint8 under one of ``CONDITIONS``."""
    return np.stack([CONDITIONS[name](image) for image in images])
