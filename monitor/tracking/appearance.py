"""Appearance: the colours of clothing below a face, which distinguish people at one seat within a session.

Colour histograms do not identify a person: they are compared in memory, within one session, and never stored.
Nothing is measured of the face itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.geometry import in_camera_frame
from monitor.types import Box, Face, ImageBGR

ColourHistogram = NDArray[np.float32]
"""Square roots of a histogram's shares, ``(28,)``, of length 1: the product of two is their Bhattacharyya
coefficient (Bhattacharyya 1943), 1 for the same and 0 for nothing in common."""

TORSO_RANGE = (0.25, 1.0)
"""Vertical range of the region below the chin, face heights: desks begin lower."""

TORSO_MARGIN = 0.4
"""Width of the region beside the face on each side, face widths: farther out is the neighbour."""

MIN_REGION_PX = 6
"""Shortest side of a region, pixels; a smaller one is too small for a histogram."""

MIN_SATURATION = 60
"""Pixels with at most this saturation (of 255) count by brightness, others by hue."""

VIVID_SATURATION = 130
HUE_BINS, GREY_BINS = 12, 4
MIN_VALUE = 40
"""The hue of darker pixels is noise."""


def colour_histogram(image_bgr: ImageBGR, face: Face) -> ColourHistogram | None:
    """The histogram of the region below ``face``; None if the region is not in the frame or too small."""
    x1, y1, x2, y2 = face.box_xyxy
    width, height = x2 - x1, y2 - y1
    left, right = round(x1 - TORSO_MARGIN * width), round(x2 + TORSO_MARGIN * width)
    top, low = round(y2 + TORSO_RANGE[0] * height), round(y2 + TORSO_RANGE[1] * height)
    if left < 0 or right > image_bgr.shape[1] or low > image_bgr.shape[0] or top < 0:
        return None
    if right - left < MIN_REGION_PX or low - top < MIN_REGION_PX:
        return None
    hsv = cv2.cvtColor(image_bgr[top:low, left:right], cv2.COLOR_BGR2HSV).reshape(-1, 3).astype(np.intp)
    hue, saturation, value = hsv.T
    coloured = (saturation > MIN_SATURATION) & (value > MIN_VALUE)
    hues = hue[coloured] * HUE_BINS // 180 * 2 + (saturation[coloured] > VIVID_SATURATION)
    greys = value[~coloured] * GREY_BINS // 256
    counts = np.concatenate(
        [np.bincount(hues, minlength=2 * HUE_BINS), np.bincount(greys, minlength=GREY_BINS)]
    )
    return np.asarray(np.sqrt(counts / counts.sum()), np.float32)


DescribeAppearance = Callable[[ImageBGR, Face], NDArray[np.float32] | None]
"""Measures the appearance below a face, such as ``colour_histogram``; None if it is not visible."""


class AppearanceExtractor:
    """Measures appearance descriptors with ``describe``; none if that is None."""

    def __init__(self, describe: DescribeAppearance | None) -> None:
        self._describe = describe

    def descriptors(self, image_bgr: ImageBGR, faces: Mapping[int, Face]) -> dict[int, NDArray[np.float32]]:
        """The descriptor of each face of a frame, by the same key, where it can be measured."""
        if self._describe is None:
            return {}
        descriptors = {key: self._describe(image_bgr, face) for key, face in faces.items()}
        return {key: descriptor for key, descriptor in descriptors.items() if descriptor is not None}

    def background_descriptors(
        self, image_bgr: ImageBGR, to_reference: NDArray[np.float64], seats: Iterable[tuple[int, Box]]
    ) -> dict[int, NDArray[np.float32]]:
        """The descriptor at each empty seat, by student; ``seats`` are students and boxes in the reference
        frame."""
        if self._describe is None:
            return {}
        faces = {student: in_camera_frame(box, to_reference) for student, box in seats}
        return self.descriptors(image_bgr, faces)
