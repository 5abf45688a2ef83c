"""In which parts of the frame something has changed since they were last looked at.

A small picture of the frame is kept, and each part of it compared with what it was by normalised correlation,
which a change of the exposure leaves alone. A part without any contrast then and now has not changed.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.detection.candidates import Floats
from monitor.detection.patches import LEAST_SPREAD
from monitor.domain import ImageBGR

WIDTH_PX = 240
"""Of the small picture: a face of 24 pixels in a frame of 1920 is three pixels of it, too few to tell an
expression and enough to tell that somebody is there."""

SAME = 0.9
"""A part whose correlation with what it was is less has changed."""


class Changes:
    """Keeps the small pictures of the parts ``areas_xyxy`` ``(N, 4)``, pixels of a frame ``width`` pixels
    wide."""

    def __init__(self, areas_xyxy: Floats, width: int) -> None:
        self._scale = min(1.0, WIDTH_PX / width)
        self._areas = np.round(areas_xyxy * self._scale).astype(int)
        self._before: list[NDArray[np.float32] | None] = [None] * len(areas_xyxy)
        self._now: list[NDArray[np.float32]] = []

    def changed(self, image_bgr: ImageBGR) -> NDArray[np.intp]:
        """The numbers of the parts that are not as they were when they were last looked at."""
        height, width = (max(1, round(side * self._scale)) for side in image_bgr.shape[:2])
        small = cv2.resize(image_bgr, (width, height), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
        self._now = [_contrast(grey[y1:y2, x1:x2]) for x1, y1, x2, y2 in self._areas]
        pairs = zip(self._before, self._now, strict=True)
        return np.flatnonzero([before is None or _differ(before, now) for before, now in pairs])

    def looked_at(self, which: NDArray[np.intp]) -> None:
        """These parts are being looked at in this sample."""
        for index in which:
            self._before[index] = self._now[index]


def _contrast(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(grey - grey.mean(), np.float32) if grey.size else grey


def _differ(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    energy = float(np.sqrt((before**2).mean() * (now**2).mean())) if now.size else 0.0
    even = max(float(before.std()), float(now.std())) < LEAST_SPREAD if now.size else True
    # A part with contrast only then, or only now, is like nothing: both sides are 0 then.
    return not even and float((before * now).mean()) <= SAME * energy
