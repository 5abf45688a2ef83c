"""Which way a head of known shape points, from where some of its points lie in a picture. Pure NumPy.

A face is far away compared with its depth, so a camera sees it in scaled orthography: the points in the
picture are two rows of a rotation times a scale, applied to the same points of a generic head. The affine
map from head to picture comes from least squares over all points that were seen; the nearest rotation to
it, by singular values, gives the direction (the first, not iterated step of POSIT: DeMenthon and Davis
1995, "Model-based object pose in 25 lines of code").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.domain import HeadPose

Floats = NDArray[np.float64]

MIN_EVEN = 0.35
"""The smaller over the larger singular value of the map, at least. Both are the scale, so of a real
head they are equal; points that lie nearly on a line are no head."""

LEAST_POINTS = 4


@dataclass(frozen=True)
class HeadFit:
    """A generic head laid over the points of a picture.

    ``rotation`` ``(2, 3)``: head axes to picture axes, the picture's second axis pointing up.
    ``px_per_cm``: how large the head is. ``error_px``: the root mean square of the points' distances from
    the affinely fitted head; with only four points the fit is exact and this is 0.
    """

    rotation: Floats
    px_per_cm: float
    error_px: float

    @property
    def pose(self) -> HeadPose:
        """Yaw and pitch in -90..90 degrees with the signs of ``HeadPose``; roll does not count."""
        across, up = self.rotation
        x, y, z = across[2], up[2], across[0] * up[1] - across[1] * up[0]
        yaw_deg = math.degrees(math.atan2(x, max(z, 0.0)))
        return HeadPose(yaw_deg, math.degrees(math.asin(min(1.0, max(-1.0, y)))))


def fit_head(head_cm: Floats, picture_px: NDArray[np.float32]) -> HeadFit | None:
    """Lay the points ``head_cm`` ``(N, 3)`` (x to the subject's left, y up, z out of the face) over
    ``picture_px`` ``(N, 2)``, y down; NaN there is a point that was not seen.

    Returns:
        None where fewer than four points not in one plane were seen, or where they cannot be a head's.
    """
    seen = np.isfinite(picture_px).all(axis=1)
    head, picture = head_cm[seen], picture_px[seen].astype(np.float64) * (1.0, -1.0)
    if len(head) < LEAST_POINTS:
        return None
    head, picture = head - head.mean(axis=0), picture - picture.mean(axis=0)
    affine, _, rank, _ = np.linalg.lstsq(head, picture, rcond=None)
    left, scales, right = np.linalg.svd(affine.T, full_matrices=False)
    if rank < 3 or scales[1] < MIN_EVEN * scales[0] or scales[1] == 0:
        return None
    errors = np.hypot(*(picture - head @ affine).T)
    return HeadFit(left @ right, float(scales.mean()), float(np.sqrt(np.mean(errors**2))))
