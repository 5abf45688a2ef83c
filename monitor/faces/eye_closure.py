"""How far eyes are open, and whether they are shut, compared with the same person's open eyes. Pure NumPy.

Shut is what PERCLOS counts: the lids cover 80 % of the eye or more (P80: Wierwille et al. 1994, "Research on
vehicle-based driver status/performance monitoring", DOT HS 808 247; Dinges and Grace 1998, "PERCLOS: a valid
psychophysiological measure of alertness", FHWA-MCRT-98-006). Eyes differ in shape by more than that, so
nobody is compared with anybody else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitor.types import HeadPose

_CORNERS, _LOWER, _UPPER = (0, 8), (3, 4, 5), (11, 12, 13)
"""In the eye's contour (``monitor.faces.eye_network``): the corners, and three points of each lid over one another."""

MAX_YAW_DEG = 30.0
"""Turned further, the nose hides a part of the far eye. Not tuned."""

MAX_DOWN_DEG = 20.0
"""Bowed further, the lids are lowered because the gaze is, and shut eyes look the same. Not tuned."""

MIN_WIDTH_PX = 12.0
"""The narrowest eye that is read. Shrunk until its eyes had 13 px (a face of 64), the choosing clip read
as at full size to 0.014 (standard deviation); open and shut are 0.26 apart (``docs/explanation/attention.md``)."""

MAX_EYE_DIFFERENCE = 0.1
"""The two eyes' openings differ by no more, or something lies over one of them: a hand, hair, a reflection.
In the choosing clip open eyes differed by 0.09 at most, and by 0.10 or more in nine of ten frames with a
hand over one eye."""

CLOSED_RATIO = 0.05
"""What the network gives for a shut eye: the median of the choosing clip's shut eyes is 0.05 to 0.06."""

CLOSED_SHARE = 0.2
"""Open by no more than this share of one's own range is shut (P80)."""

OPEN_QUANTILE = 0.9
"""Of a person's openings so far: their open eyes, even where they are shut half of the time. Not tuned."""

MIN_OPEN_RATIO = 0.15
"""A lower quantile is of somebody whose eyes were never seen open: twice what the choosing clip's shut eyes
had at most (0.09), less than half of its open eyes (0.31)."""

MIN_SAMPLES = 60
"""Before so many samples (30 s) nobody's open eyes are known. Not tuned."""

_BIN_WIDTH, _BIN_COUNT = 0.01, 100


def are_eyes_readable(pose: HeadPose, width_px: float) -> bool:
    """Whether a head shows its eyes: not turned away, not bowed, the narrower ``width_px`` wide enough."""
    level = pose.pitch_deg is not None and pose.pitch_deg >= -MAX_DOWN_DEG
    return level and abs(pose.yaw_deg) <= MAX_YAW_DEG and width_px >= MIN_WIDTH_PX


def eye_aspect_ratio(contours: NDArray[np.float32]) -> float | None:
    """The distance of the lids over the width of the eye, mean of both eyes, 0 and up; some 0.3 when open.

    ``contours`` is ``(2, 71, 2)`` from ``monitor.faces.eye_network``. As the eye aspect ratio of Soukupová and Čech
    2016, "Real-time eye blink detection using facial landmarks", with three pairs of points instead of
    two. None where the eyes differ too much.
    """
    right, left = (_contour_aspect_ratio(contour) for contour in contours)
    return None if abs(right - left) > MAX_EYE_DIFFERENCE else (right + left) / 2


def _contour_aspect_ratio(contour: NDArray[np.float32]) -> float:
    corner, other = contour[list(_CORNERS)]
    lids = contour[list(_UPPER)] - contour[list(_LOWER)]
    width = float(np.hypot(*(other - corner)))
    return float(np.hypot(*lids.T).mean()) / width if width > 0 else 0.0


class EyeClosureEstimator:
    """Tells shut eyes from open ones for every student of a session, in constant memory for each."""

    def __init__(self) -> None:
        self._histograms: dict[int, NDArray[np.int64]] = {}

    def is_closed(self, student: int, aspect_ratio: float | None) -> bool | None:
        """Whether the student's eyes are shut, given their opening now, which also counts towards what
        their open eyes are. None where that is unknown, or not known yet."""
        if aspect_ratio is None:
            return None
        seen = self._histograms.setdefault(student, np.zeros(_BIN_COUNT, np.int64))
        seen[min(int(aspect_ratio / _BIN_WIDTH), _BIN_COUNT - 1)] += 1
        open_ = _open_level(seen)
        if open_ is None:
            return None
        return aspect_ratio - CLOSED_RATIO <= CLOSED_SHARE * (open_ - CLOSED_RATIO)


def _open_level(histogram: NDArray[np.int64]) -> float | None:
    """The upper quantile of a histogram of openings, None where it is not that of open eyes."""
    total = int(histogram.sum())
    if total < MIN_SAMPLES:
        return None
    level = (int(np.searchsorted(histogram.cumsum(), OPEN_QUANTILE * total)) + 0.5) * _BIN_WIDTH
    return level if level >= MIN_OPEN_RATIO else None
