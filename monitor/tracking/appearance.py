"""The colours below a face: what tells one person on a seat from another, for as long as a lesson lasts.

A seat remembers who sits there; that somebody else has sat down in the owner's absence it cannot know.
The colours of what people wear can tell, and say nothing about who anybody is: they are compared in
memory, within one session, and never stored. Nothing is measured of the face itself.

What is worn below the faces of a frame, and what is there where nobody is seen.
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
"""From where to where below the chin colours are taken, in face heights: desks begin lower."""

TORSO_MARGIN = 0.4
"""How far to each side of the face, in face widths: what is farther is the neighbour's."""

MIN_REGION_PX = 6
"""A side of the region with fewer pixels than this is too small for a histogram."""

MIN_SATURATION = 60
"""From this saturation on (of 255) a pixel has a hue; below it only a brightness."""

VIVID_SATURATION = 130
HUE_BINS, GREY_BINS = 12, 4
MIN_VALUE = 40
"""Below this value the hue of a pixel is noise."""


def colour_histogram(image_bgr: ImageBGR, face: Face) -> ColourHistogram | None:
    """The colours below ``face``; None where too little of the region is in the frame."""
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
"""What is worn below a face (``monitor.tracking.appearance.colour_histogram``); None where it is not seen."""


class AppearanceExtractor:
    """Looks at clothes with ``colour_histogram``; without it, at nothing."""

    def __init__(self, describe: DescribeAppearance | None) -> None:
        self._describe = describe

    def descriptors(self, image_bgr: ImageBGR, faces: Mapping[int, Face]) -> dict[int, NDArray[np.float32]]:
        """The colours below each of the faces of a frame, by whatever number they have, where they are
        seen."""
        if self._describe is None:
            return {}
        seen = {number: self._describe(image_bgr, face) for number, face in faces.items()}
        return {number: colours for number, colours in seen.items() if colours is not None}

    def background_descriptors(
        self, image_bgr: ImageBGR, to_reference: NDArray[np.float64], seats: Iterable[tuple[int, Box]]
    ) -> dict[int, NDArray[np.float32]]:
        """The same where the clothes would be of those who are not seen, by student; ``seats`` are boxes of
        the room."""
        if self._describe is None:
            return {}
        return self.descriptors(
            image_bgr, {student: in_camera_frame(box, to_reference) for student, box in seats}
        )
