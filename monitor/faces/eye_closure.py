"""Eye aspect ratio, and eye closure relative to the student's own open eyes. Pure NumPy.

Eyes are closed as in PERCLOS: the lids cover 80 % of the eye or more (P80: Wierwille et al. 1994, "Research
on vehicle-based driver status/performance monitoring", DOT HS 808 247; Dinges and Grace 1998, "PERCLOS: a
valid psychophysiological measure of alertness", FHWA-MCRT-98-006). The shapes of eyes differ by more than
that, so students are not compared with each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitor.types import HeadPose

_CORNERS, _LOWER, _UPPER = (0, 8), (3, 4, 5), (11, 12, 13)
"""Indices in the eye contour (``monitor.faces.eye_network``): the corners, and three points of each lid
opposite to one another."""

MAX_YAW_DEG = 30.0
"""Beyond this yaw the nose hides a part of the far eye. Heuristic, not tuned on data."""

MAX_DOWN_DEG = 20.0
"""Beyond this pitch the lids are lowered with the gaze, and closed eyes look the same. Heuristic, not tuned
on data."""

MIN_WIDTH_PX = 12.0
"""The narrowest eye that is read. Downscaled until its eyes had 13 px (a face of 64), the clip used to choose
these values gave the same ratios as at full size to 0.014 (standard deviation); open and closed eyes differ
by 0.26 (``docs/explanation/attention.md``)."""

MAX_EYE_DIFFERENCE = 0.1
"""If the ratios of the two eyes differ by more, one of them is covered by a hand, hair or a reflection. In
that clip open eyes differed by at most 0.09, and by 0.10 or more in nine of ten frames with a hand over one
eye."""

CLOSED_RATIO = 0.05
"""The ratio that the network gives for a closed eye: the median in that clip is 0.05 to 0.06."""

CLOSED_SHARE = 0.2
"""Eyes that are open by at most this share of the student's own range are closed (P80)."""

OPEN_QUANTILE = 0.9
"""The quantile of a student's ratios that represents open eyes, even if they are closed half of the time.
Heuristic, not tuned on data."""

MIN_OPEN_RATIO = 0.15
"""With a lower quantile the student's eyes were never open: almost twice the highest ratio of closed eyes in
that clip (0.09), less than half of its open eyes (0.31)."""

MIN_SAMPLES = 60
"""The least number of samples (30 s) before the ratio of open eyes is known. Heuristic, not tuned on data."""

_BIN_WIDTH, _BIN_COUNT = 0.01, 100


def are_eyes_readable(pose: HeadPose, width_px: float) -> bool:
    """Whether the eyes of a head can be read: not turned away, not bowed, the narrower eye ``width_px`` wide
    enough."""
    level = pose.pitch_deg is not None and pose.pitch_deg >= -MAX_DOWN_DEG
    return level and abs(pose.yaw_deg) <= MAX_YAW_DEG and width_px >= MIN_WIDTH_PX


def eye_aspect_ratio(contours: NDArray[np.float32]) -> float | None:
    """The distance of the lids over the width of the eye, mean of both eyes, at least 0; about 0.3 when open.

    ``contours`` is ``(2, 71, 2)`` from ``monitor.faces.eye_network``. The eye aspect ratio of Soukupová and
    Čech 2016, "Real-time eye blink detection using facial landmarks", with three pairs of points instead of
    two. None if the eyes differ by more than ``MAX_EYE_DIFFERENCE``.
    """
    right, left = (_contour_aspect_ratio(contour) for contour in contours)
    return None if abs(right - left) > MAX_EYE_DIFFERENCE else (right + left) / 2


def _contour_aspect_ratio(contour: NDArray[np.float32]) -> float:
    corner, other = contour[list(_CORNERS)]
    lids = contour[list(_UPPER)] - contour[list(_LOWER)]
    width = float(np.hypot(*(other - corner)))
    return float(np.hypot(*lids.T).mean()) / width if width > 0 else 0.0


class EyeClosureEstimator:
    """Detects closed eyes for every student of a session, in constant memory per student."""

    def __init__(self) -> None:
        self._histograms: dict[int, NDArray[np.int64]] = {}

    def is_closed(self, student: int, aspect_ratio: float | None) -> bool | None:
        """Whether the student's eyes are closed at this aspect ratio, which is also added to the student's
        histogram. None if the ratio, or that of the student's open eyes, is unknown."""
        if aspect_ratio is None:
            return None
        histogram = self._histograms.setdefault(student, np.zeros(_BIN_COUNT, np.int64))
        histogram[min(int(aspect_ratio / _BIN_WIDTH), _BIN_COUNT - 1)] += 1
        open_ratio = _open_ratio(histogram)
        if open_ratio is None:
            return None
        return aspect_ratio - CLOSED_RATIO <= CLOSED_SHARE * (open_ratio - CLOSED_RATIO)


def _open_ratio(histogram: NDArray[np.int64]) -> float | None:
    """The upper quantile of a histogram of aspect ratios, None if it is not that of open eyes."""
    total = int(histogram.sum())
    if total < MIN_SAMPLES:
        return None
    ratio = (int(np.searchsorted(histogram.cumsum(), OPEN_QUANTILE * total)) + 0.5) * _BIN_WIDTH
    return ratio if ratio >= MIN_OPEN_RATIO else None
