"""What a known face looked like, to find it again where the detector does not see it for a moment.

A small face flickers: of two pictures half a second apart the detector sees one. A person who has not
moved still looks like a moment ago, which the normalised correlation of the two pictures tells without
the detector (template matching, as in Lewis 1995, "Fast normalized cross-correlation"). A patch is kept
in memory until the face is seen anew or given up, and never stored.

In which parts of the frame something has changed since they were last looked at.

A small picture of the frame is kept, and each part of it compared with what it was by normalised correlation,
which a change of the exposure leaves alone. A part without any contrast then and now has not changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.detection.nms import Candidates, Floats
from monitor.imaging import MIN_CONTRAST, downscale, scaled_size
from monitor.types import ImageBGR

TEMPLATE_MARGIN = 0.2
"""What a patch shows beyond the box on each side, in sides of the box: hair and chin tell heads apart."""

SEARCH_RADIUS = 0.35
"""How far a face may have moved, in sides of the box; whoever moved farther, the detector must find."""

NEAR_SEARCH_PX = 3.0
"""Most have hardly moved: so near, in pixels of the patch, a face is looked for first: seven
places a side instead of some thirty. Not tuned."""

MIN_CORRELATION = 0.8
"""The least correlation of a face with itself a moment ago. The first value tried, not tuned;
docs/explanation/detection-and-tracking.md has what it did."""

UNCHANGED_CORRELATION = 0.95
"""A face that is so like itself is not looked at with the detector: eyes, nose and mouth are where they
were. Of a lively face before a webcam fewer than half of the samples half a second apart are, of calm ones
nearly all. Not tuned."""

MAX_TEMPLATE_PX = 48
"""Larger faces are compared at this size: their detail moves, and the cost grows with its square."""


MAX_UNSEEN_SAMPLES = 20
"""For so many samples (ten seconds at two a second) a face is believed without the detector, but for no more
than the detector had seen it: what was taken for a face once is not kept alive by looking the same."""


@dataclass(frozen=True)
class Template:
    """``face`` is one face as last seen, ``grey`` (h, w) uint8 its surroundings at ``scale``, which
    may have too little contrast to be compared; ``seen_samples`` counts the samples in which the detector saw it,
    ``unseen_samples`` those since in which it was asked and did not."""

    face: Candidates
    grey: NDArray[np.uint8]
    scale: float
    has_contrast: bool
    seen_samples: int = 1
    unseen_samples: int = 0

    @property
    def is_trusted(self) -> bool:
        """Whether it may be taken to be there once more though the detector does not see it."""
        return self.unseen_samples < min(MAX_UNSEEN_SAMPLES, self.seen_samples)


def create_template(image_bgr: ImageBGR, face: Candidates, seen_samples: int = 1) -> Template:
    """The patch of a face that the detector has just seen, for the ``seen_samples``-th time."""
    x1, y1, x2, y2 = (float(value) for value in face.boxes_xyxy[0])
    side = max(x2 - x1, y2 - y1, 1.0)
    scale = min(1.0, MAX_TEMPLATE_PX / side)
    margin = TEMPLATE_MARGIN * side
    box = (x1 - margin, y1 - margin, x2 + margin, y2 + margin)
    grey, _ = _crop_grey(image_bgr, box, scale)
    has_contrast = min(grey.shape) >= 4 and bool(grey.std() >= MIN_CONTRAST)
    return Template(face, grey, scale, has_contrast, seen_samples)


def match_template(image_bgr: ImageBGR, template: Template) -> tuple[Template, float]:
    """The face at the place near where it was that looks most like it, and how alike that is, -1..1; -1 where
    nothing can be compared."""
    x1, y1, x2, y2 = (float(value) for value in template.face.boxes_xyxy[0])
    near = _match_within(image_bgr, template, NEAR_SEARCH_PX / template.scale)
    return (
        near
        if near[1] >= UNCHANGED_CORRELATION
        else _match_within(image_bgr, template, SEARCH_RADIUS * max(x2 - x1, y2 - y1))
    )


def _match_within(image_bgr: ImageBGR, template: Template, reach_px: float) -> tuple[Template, float]:
    """The same, no farther away than ``reach_px`` pixels of the frame on either axis."""
    x1, y1, x2, y2 = (float(value) for value in template.face.boxes_xyxy[0])
    around = TEMPLATE_MARGIN * max(x2 - x1, y2 - y1)
    margin = around + reach_px
    window, (left, top) = _crop_grey(
        image_bgr, (x1 - margin, y1 - margin, x2 + margin, y2 + margin), template.scale
    )
    if not _can_compare(window, template):
        return template, -1.0
    alike = cv2.matchTemplate(window, template.grey, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(alike)
    # Where the patch's corner was, against where it is now.
    was_x, was_y = x1 - around, y1 - around
    shift = np.array([left + x / template.scale - max(was_x, 0), top + y / template.scale - max(was_y, 0)])
    return replace(template, face=_shifted(template.face, shift.astype(np.float32))), float(best)


def _can_compare(window: NDArray[np.uint8], template: Template) -> bool:
    """Whether there is enough to see in both, and room for the one in the other."""
    fits = window.shape[0] >= template.grey.shape[0] and window.shape[1] >= template.grey.shape[1]
    return bool(fits and template.has_contrast and window.std() >= MIN_CONTRAST)


def _crop_grey(
    image_bgr: ImageBGR, box: tuple[float, float, float, float], scale: float
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """The box of the picture in grey at ``scale``, cut off at the frame, and its corner in the frame."""
    height, width = image_bgr.shape[:2]
    left, top = max(0, round(box[0])), max(0, round(box[1]))
    right, low = min(width, round(box[2])), min(height, round(box[3]))
    if right <= left or low <= top:
        return np.zeros((0, 0), np.uint8), (0.0, 0.0)
    grey = cv2.cvtColor(image_bgr[top:low, left:right], cv2.COLOR_BGR2GRAY)
    if scale < 1:
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8), (float(left), float(top))


def _shifted(face: Candidates, shift: NDArray[np.float32]) -> Candidates:
    return Candidates(face.boxes_xyxy + np.tile(shift, 2), face.scores, face.keypoints + shift)


COMPARISON_WIDTH_PX = 240
"""Of the small picture: a face of 24 pixels in a frame of 1920 is three pixels of it, too few to tell an
expression and enough to tell that somebody is there."""

SAME_CORRELATION = 0.9
"""A part whose correlation with what it was is less has changed. Not tuned."""


class ChangeDetector:
    """Keeps the small pictures of the parts ``areas_xyxy`` ``(N, 4)``, pixels of a frame ``width`` pixels
    wide."""

    def __init__(self, areas_xyxy: Floats, width: int) -> None:
        self._scale = min(1.0, COMPARISON_WIDTH_PX / width)
        self._areas = np.round(areas_xyxy * self._scale).astype(int)
        self._before: list[_Part | None] = [None] * len(areas_xyxy)
        self._now: list[_Part] = []

    def changed_areas(self, image_bgr: ImageBGR) -> NDArray[np.intp]:
        """The numbers of the parts that are not as they were when they were last looked at."""
        small = downscale(image_bgr, *scaled_size(image_bgr, self._scale))
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
        self._now = [_part(grey[y1:y2, x1:x2]) for x1, y1, x2, y2 in self._areas]
        pairs = zip(self._before, self._now, strict=True)
        return np.flatnonzero([before is None or _differs(before, now) for before, now in pairs])

    def mark_scanned(self, area_indices: NDArray[np.intp]) -> None:
        """These parts are being looked at in this sample."""
        for index in area_indices:
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


def _differs(previous: _Part, current: _Part) -> bool:
    # A part with contrast only then, or only now, is like nothing: the product is 0 then.
    return (
        max(previous.spread, current.spread) >= MIN_CONTRAST
        and float(previous.shape @ current.shape) <= SAME_CORRELATION
    )
