"""Whether a picture shows that its camera lives: fresh, the same as before, or black. Pure.

``read()`` is not trusted: OpenCV can go on giving the last picture after a camera was unplugged
(opencv #14044), and a recorder can go on sending it. Pictures are compared as thumbnails
(``monitor.sources.capture.thumbnail``): means of blocks, in which the noise of a sensor and of a codec
cancels and a head that moves does not. ``benchmarks/freshness.py`` measures what the numbers rest on.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Thumbnail = NDArray[np.uint8]
"""``(h, w)``, uint8, about 120 blocks wide: the mean green of each block of a picture."""

EXACT_TOLERANCE = 1
"""Levels of grey. From a camera on a cable the same picture comes bit for bit, and of two real ones the
noise always moves some block by one."""

RECODED_TOLERANCE = 12
"""Levels of grey, for streams: one picture, encoded again and again, comes out different each time. Two
sharp photographs in H.264 of 1 Mbit/s and more differ by 9 at most (of half a megabit, by 17); a simulated
hall of 24 who sit still by 22 and more within two seconds, and films of real people by 94. Any one of the 24
alone is fresh every 1.7 s."""

MAX_BLACK_MEAN = 20.0
"""Levels. Black is 0 or, in the television's range taken for the full one, 16, and noise lifts it."""

MAX_BLACK_SPREAD = 7.0
"""Levels that the brightest block of a black picture may lie above the mean. The noise of a covered lens, 8
levels strong, takes it 5 up; one face in the dark that is lit up to level 20 lies 16 above, and a room in a
tenth of its light 11. At a twentieth nobody could be found any more."""


class FrameStatus(StrEnum):
    """What a picture says of its camera."""

    FRESH = "fresh"
    DUPLICATE = "same"
    BLACK = "black"


class FrozenFrameDetector:
    """Holds each picture against the last fresh one, so that slow changes add up.

    ``tolerance``: how many levels of grey some block must differ by, ``EXACT_TOLERANCE`` or ``RECODED_TOLERANCE``. ``last_thumbnail`` is
    the thumbnail of the last fresh picture, None before the first and after black: the next picture is fresh
    then, unless it is black.
    """

    def __init__(self, tolerance: int, last_thumbnail: Thumbnail | None = None) -> None:
        self.last_thumbnail = last_thumbnail
        self._tolerance = tolerance

    def classify(self, thumbnail: Thumbnail) -> FrameStatus:
        """What this picture is; a fresh one is remembered. Another size is always fresh."""
        if is_black(thumbnail):
            self.last_thumbnail = None
            return FrameStatus.BLACK
        if self.last_thumbnail is not None and _difference(self.last_thumbnail, thumbnail) < self._tolerance:
            return FrameStatus.DUPLICATE
        self.last_thumbnail = thumbnail
        return FrameStatus.FRESH


def is_black(thumbnail: Thumbnail) -> bool:
    """Whether nothing at all is in the picture: the lens is covered, or the camera sends black."""
    mean = float(thumbnail.mean())
    return mean <= MAX_BLACK_MEAN and float(thumbnail.max()) - mean <= MAX_BLACK_SPREAD


def _difference(one: Thumbnail, other: Thumbnail) -> float:
    """Of the block that differs most, levels of grey; infinite for different sizes."""
    if one.shape != other.shape:
        return float("inf")
    return float(np.abs(one.astype(np.int16) - other).max())
