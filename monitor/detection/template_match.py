"""Template matching of known faces, and detection of changed areas, by normalised correlation.

The detector finds a small face in only about every second frame. A person who has not moved still looks the
same, which the normalised cross-correlation of two frames shows without the detector (template matching, as
in Lewis 1995, "Fast normalized cross-correlation"). A template is kept in memory until the face is detected
again or dropped, and is never stored.

For changed areas a thumbnail of the frame is kept. Normalised correlation is invariant to exposure. An area
that lacked contrast then and lacks it now has not changed.
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
"""The margin of a template around the box, in sides of the box: hair and chin distinguish heads."""

SEARCH_RADIUS = 0.35
"""The search range, in sides of the box; a face that moved farther is left to the detector."""

NEAR_SEARCH_PX = 3.0
"""The first search range, in pixels of the template, because most faces have hardly moved: seven positions
per axis instead of some thirty. Heuristic, not tuned on data."""

MIN_CORRELATION = 0.8
"""The least correlation of a face with its template. Heuristic, not tuned on data;
``docs/explanation/detection-and-tracking.md`` has its effect."""

UNCHANGED_CORRELATION = 0.95
"""The detector is not run on a face with at least this correlation: eyes, nose and mouth have not moved. Of a
lively face in front of a webcam fewer than half of the samples half a second apart reach it, of calm ones
nearly all. Heuristic, not tuned on data."""

MAX_TEMPLATE_PX = 48
"""Larger faces are scaled down to this size: their details move, and the cost grows with the square."""

MAX_UNSEEN_SAMPLES = 20
"""For this many samples (ten seconds at two per second) a face is kept without a detection, but for no more
than it was detected before: a single false positive is not kept alive by its unchanged appearance."""


@dataclass(frozen=True)
class Template:
    """The appearance of one face: ``face`` as last located; ``grey`` (h, w) uint8, the face with a margin, at
    ``scale``; ``has_contrast``, whether ``grey`` can be compared. ``seen_samples`` counts the samples with a
    detection, ``unseen_samples`` those since then in which the detector did not find it."""

    face: Candidates
    grey: NDArray[np.uint8]
    scale: float
    has_contrast: bool
    seen_samples: int = 1
    unseen_samples: int = 0

    @property
    def is_trusted(self) -> bool:
        """Whether the face may be kept once more without a detection."""
        return self.unseen_samples < min(MAX_UNSEEN_SAMPLES, self.seen_samples)


def create_template(image_bgr: ImageBGR, face: Candidates, seen_samples: int = 1) -> Template:
    """The template of a face that was just detected, for the ``seen_samples``-th time."""
    x1, y1, x2, y2 = (float(value) for value in face.boxes_xyxy[0])
    side = max(x2 - x1, y2 - y1, 1.0)
    scale = min(1.0, MAX_TEMPLATE_PX / side)
    margin = TEMPLATE_MARGIN * side
    box = (x1 - margin, y1 - margin, x2 + margin, y2 + margin)
    grey, _ = _crop_grey(image_bgr, box, scale)
    has_contrast = min(grey.shape) >= 4 and bool(grey.std() >= MIN_CONTRAST)
    return Template(face, grey, scale, has_contrast, seen_samples)


def match_template(image_bgr: ImageBGR, template: Template) -> tuple[Template, float]:
    """The template moved to the most similar place near its last one, and the correlation there, -1..1; -1 if
    they cannot be compared."""
    x1, y1, x2, y2 = (float(value) for value in template.face.boxes_xyxy[0])
    near = _match_within(image_bgr, template, NEAR_SEARCH_PX / template.scale)
    return (
        near
        if near[1] >= UNCHANGED_CORRELATION
        else _match_within(image_bgr, template, SEARCH_RADIUS * max(x2 - x1, y2 - y1))
    )


def _match_within(image_bgr: ImageBGR, template: Template, radius_px: float) -> tuple[Template, float]:
    """``match_template`` within ``radius_px`` pixels of the frame on either axis."""
    x1, y1, x2, y2 = (float(value) for value in template.face.boxes_xyxy[0])
    around = TEMPLATE_MARGIN * max(x2 - x1, y2 - y1)
    margin = around + radius_px
    window, (left, top) = _crop_grey(
        image_bgr, (x1 - margin, y1 - margin, x2 + margin, y2 + margin), template.scale
    )
    if not _can_compare(window, template):
        return template, -1.0
    correlation = cv2.matchTemplate(window, template.grey, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(correlation)
    # The movement of the template's corner.
    old_x, old_y = max(x1 - around, 0), max(y1 - around, 0)
    shift = np.array([left + x / template.scale - old_x, top + y / template.scale - old_y])
    return replace(template, face=_shifted(template.face, shift.astype(np.float32))), float(best)


def _can_compare(window: NDArray[np.uint8], template: Template) -> bool:
    """Whether both have enough contrast and the template fits into the window."""
    fits = window.shape[0] >= template.grey.shape[0] and window.shape[1] >= template.grey.shape[1]
    return bool(fits and template.has_contrast and window.std() >= MIN_CONTRAST)


def _crop_grey(
    image_bgr: ImageBGR, box: tuple[float, float, float, float], scale: float
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """The box in grey at ``scale``, clipped to the frame, and its corner in the frame."""
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
"""The width of the thumbnail: a face of 24 pixels in a frame of 1920 has three pixels in it, too few to read
an expression but enough to detect an arrival."""

SAME_CORRELATION = 0.9
"""An area with a lower correlation has changed. Heuristic, not tuned on data."""


class ChangeDetector:
    """Detects changes in ``areas_xyxy`` ``(N, 4)``, pixels of a frame of ``width`` pixels."""

    def __init__(self, areas_xyxy: Floats, width: int) -> None:
        self._scale = min(1.0, COMPARISON_WIDTH_PX / width)
        self._areas = np.round(areas_xyxy * self._scale).astype(int)
        self._before: list[_Part | None] = [None] * len(areas_xyxy)
        self._now: list[_Part] = []

    def changed_areas(self, image_bgr: ImageBGR) -> NDArray[np.intp]:
        """The indices of the areas that have changed since their last scan (``mark_scanned``)."""
        small = downscale(image_bgr, *scaled_size(image_bgr, self._scale))
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
        self._now = [_part(grey[y1:y2, x1:x2]) for x1, y1, x2, y2 in self._areas]
        pairs = zip(self._before, self._now, strict=True)
        return np.flatnonzero([before is None or _differs(before, now) for before, now in pairs])

    def mark_scanned(self, area_indices: NDArray[np.intp]) -> None:
        """Compare these areas with this sample from now on, because they are scanned in it."""
        for index in area_indices:
            self._before[index] = self._now[index]


@dataclass(frozen=True)
class _Part:
    """``shape`` (N,): grey levels less their mean, of unit norm (all 0 without contrast); ``spread``: their
    standard deviation."""

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
    # If only one of them has contrast, the product is 0.
    return (
        max(previous.spread, current.spread) >= MIN_CONTRAST
        and float(previous.shape @ current.shape) <= SAME_CORRELATION
    )
