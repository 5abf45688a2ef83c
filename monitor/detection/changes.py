"""In which parts of the frame something has changed since they were last looked at.

A small picture of the frame is kept, and each part of it compared with what it was by normalised correlation,
which a change of the exposure leaves alone. A part without any contrast then and now has not changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.detection.candidates import Floats
from monitor.detection.patches import LEAST_SPREAD
from monitor.domain import ImageBGR
from monitor.shrinking import scaled_size, shrunk

WIDTH_PX = 240
"""Of the small picture: a face of 24 pixels in a frame of 1920 is three pixels of it, too few to tell an
expression and enough to tell that somebody is there."""

SAME = 0.9
"""A part whose correlation with what it was is less has changed. Not tuned."""


class Changes:
    """Keeps the small pictures of the parts ``areas_xyxy`` ``(N, 4)``, pixels of a frame ``width`` pixels
    wide."""

    def __init__(self, areas_xyxy: Floats, width: int) -> None:
        self._scale = min(1.0, WIDTH_PX / width)
        self._areas = np.round(areas_xyxy * self._scale).astype(int)
        self._before: list[_Part | None] = [None] * len(areas_xyxy)
        self._now: list[_Part] = []

    def changed(self, image_bgr: ImageBGR) -> NDArray[np.intp]:
        """The numbers of the parts that are not as they were when they were last looked at."""
        small = shrunk(image_bgr, *scaled_size(image_bgr, self._scale))
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
        self._now = [_part(grey[y1:y2, x1:x2]) for x1, y1, x2, y2 in self._areas]
        pairs = zip(self._before, self._now, strict=True)
        return np.flatnonzero([before is None or _differ(before, now) for before, now in pairs])

    def looked_at(self, which: NDArray[np.intp]) -> None:
        """These parts are being looked at in this sample."""
        for index in which:
            self._before[index] = self._now[index]


@dataclass(frozen=True)
class _Part:
    """``shape`` (N,): grey levels less their mean, of length 1 (all 0 without contrast); ``spread``: their
    deviation."""

    shape: NDArray[np.float32]
    spread: float


def _part(grey: NDArray[np.float32]) -> _Part:
    if not grey.size:
        return _Part(np.zeros(0, np.float32), 0.0)
    levels = grey.ravel() - grey.mean()
    length = float(np.sqrt(levels @ levels))
    shape = levels / length if length else levels
    return _Part(np.asarray(shape, np.float32), length / float(np.sqrt(levels.size)))


def _differ(before: _Part, now: _Part) -> bool:
    # A part with contrast only then, or only now, is like nothing: the product is 0 then.
    return max(before.spread, now.spread) >= LEAST_SPREAD and float(before.shape @ now.shape) <= SAME
