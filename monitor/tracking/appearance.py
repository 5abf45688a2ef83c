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

from monitor.geometry import in_picture
from monitor.types import Box, Face, ImageBGR

Colours = NDArray[np.float32]
"""Square roots of a histogram's shares, ``(28,)``, of length 1: the product of two is their Bhattacharyya
coefficient (Bhattacharyya 1943), 1 for the same and 0 for nothing in common."""

BELOW = (0.25, 1.0)
"""From where to where below the chin colours are taken, in face heights: desks begin lower."""

BESIDE = 0.4
"""How far to each side of the face, in face widths: what is farther is the neighbour's."""

LEAST_PX = 6
"""A side of the region with fewer pixels than this is too small for a histogram."""

COLOURED = 60
"""From this saturation on (of 255) a pixel has a hue; below it only a brightness."""

VIVID = 130
HUES, GREYS = 12, 4
DARK = 40
"""Below this value the hue of a pixel is noise."""


def colours(image_bgr: ImageBGR, face: Face) -> Colours | None:
    """The colours below ``face``; None where too little of the region is in the frame."""
    x1, y1, x2, y2 = face.box_xyxy
    width, height = x2 - x1, y2 - y1
    left, right = round(x1 - BESIDE * width), round(x2 + BESIDE * width)
    top, low = round(y2 + BELOW[0] * height), round(y2 + BELOW[1] * height)
    if left < 0 or right > image_bgr.shape[1] or low > image_bgr.shape[0] or top < 0:
        return None
    if right - left < LEAST_PX or low - top < LEAST_PX:
        return None
    hsv = cv2.cvtColor(image_bgr[top:low, left:right], cv2.COLOR_BGR2HSV).reshape(-1, 3).astype(np.intp)
    hue, saturation, value = hsv.T
    coloured = (saturation > COLOURED) & (value > DARK)
    hues = hue[coloured] * HUES // 180 * 2 + (saturation[coloured] > VIVID)
    greys = value[~coloured] * GREYS // 256
    counts = np.concatenate([np.bincount(hues, minlength=2 * HUES), np.bincount(greys, minlength=GREYS)])
    return np.asarray(np.sqrt(counts / counts.sum()), np.float32)


ColourFunction = Callable[[ImageBGR, Face], NDArray[np.float32] | None]
"""What is worn below a face (``monitor.tracking.appearance.colours``); None where it is not seen."""


class Wardrobe:
    """Looks at clothes with ``colours``; without it, at nothing."""

    def __init__(self, colours: ColourFunction | None) -> None:
        self._colours = colours

    def worn(self, image_bgr: ImageBGR, faces: Mapping[int, Face]) -> dict[int, NDArray[np.float32]]:
        """The colours below each of the faces of a frame, by whatever number they have, where they are
        seen."""
        if self._colours is None:
            return {}
        seen = {number: self._colours(image_bgr, face) for number, face in faces.items()}
        return {number: colours for number, colours in seen.items() if colours is not None}

    def bare(
        self, image_bgr: ImageBGR, to_room: NDArray[np.float64], seats: Iterable[tuple[int, Box]]
    ) -> dict[int, NDArray[np.float32]]:
        """The same where the clothes would be of those who are not seen, by student; ``seats`` are boxes of
        the room."""
        if self._colours is None:
            return {}
        return self.worn(image_bgr, {student: in_picture(box, to_room) for student, box in seats})
