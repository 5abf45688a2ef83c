"""Detects frames that show a failed camera: duplicates and black frames. Pure.

The result of ``read()`` is not trusted: OpenCV can keep returning the last frame after a camera was unplugged
(opencv #14044), and a network recorder can keep sending it. Frames are compared as thumbnails
(``monitor.sources.capture.thumbnail``): means of blocks, in which the noise of sensor and codec averages out
and a head that moves does not. ``benchmarks/freshness.py`` measures what the thresholds rest on.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Thumbnail = NDArray[np.uint8]
"""``(h, w)``, uint8, about 120 blocks wide: the mean green of each block of a frame."""

EXACT_TOLERANCE = 1
"""Grey levels. A repeated frame from a camera on a cable is identical bit for bit, while the noise of two
real frames always moves some block by one."""

RECODED_TOLERANCE = 12
"""Grey levels, for streams: one image that is encoded again and again differs each time. Two sharp
photographs in H.264 of 1 Mbit/s and more differ by at most 9 (of half a megabit, by 17); a simulated hall of
24 people who sit still by 22 and more within two seconds, and videos of real people by 94. Any one of the 24
alone is fresh every 1.7 s."""

MAX_BLACK_MEAN = 20.0
"""Grey levels. Black is 0 or, in the limited (television) range read as full range, 16, and noise raises
it."""

MAX_BLACK_SPREAD = 7.0
"""Grey levels by which the brightest block of a black frame may exceed the mean. The noise of a covered lens,
8 levels strong, raises it by 5; one face in the dark that is lit up to level 20 by 16, and a room in a tenth
of its light by 11. At a twentieth no face could be detected."""


class FrameStatus(StrEnum):
    """Whether a frame is new: a frozen camera delivers duplicates, a covered one black frames."""

    FRESH = "fresh"
    DUPLICATE = "duplicate"
    BLACK = "black"


class FrozenFrameDetector:
    """Compares each frame with the last fresh one, so that slow changes add up.

    ``tolerance``: the grey levels by which some block of a fresh frame must differ, ``EXACT_TOLERANCE`` or
    ``RECODED_TOLERANCE``. ``last_thumbnail``: of the last fresh frame; None before the first and after a
    black one, when any frame that is not black is fresh.
    """

    def __init__(self, tolerance: int, last_thumbnail: Thumbnail | None = None) -> None:
        self.last_thumbnail = last_thumbnail
        self._tolerance = tolerance

    def classify(self, thumbnail: Thumbnail) -> FrameStatus:
        """The status of the next frame. A frame of another size is always fresh."""
        if is_black(thumbnail):
            self.last_thumbnail = None
            return FrameStatus.BLACK
        if self.last_thumbnail is not None and _difference(self.last_thumbnail, thumbnail) < self._tolerance:
            return FrameStatus.DUPLICATE
        self.last_thumbnail = thumbnail
        return FrameStatus.FRESH


def is_black(thumbnail: Thumbnail) -> bool:
    """Whether a frame shows nothing: the lens is covered, or the camera sends black."""
    mean = float(thumbnail.mean())
    return mean <= MAX_BLACK_MEAN and float(thumbnail.max()) - mean <= MAX_BLACK_SPREAD


def _difference(thumbnail: Thumbnail, other: Thumbnail) -> float:
    """The largest difference of a block, grey levels; infinite for different sizes."""
    if thumbnail.shape != other.shape:
        return float("inf")
    return float(np.abs(thumbnail.astype(np.int16) - other).max())
