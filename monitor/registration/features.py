"""Matching of ORB features of two images, and the similarity between them.

ORB features (Rublee et al. 2011) are keypoints with a descriptor of 256 brightness comparisons; RANSAC
(Fischler and Bolles 1981) finds the similarity that most pairs agree on.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.geometry import Matrix, scale_factor
from monitor.imaging import downscale, scaled_size
from monitor.types import ImageBGR

Features = tuple[NDArray[np.float32], NDArray[np.uint8]]
"""Keypoints ``(N, 2)``, pixels at working size, and their descriptors ``(N, 32)``."""

WORKING_PX = 640
"""The longer side of images when they are compared, pixels; corners are located to some tenths of a pixel."""

MIN_INLIERS = 25
"""A similarity needs this many agreeing points. Heuristic, not tuned on data: a twelfth of the corners
(``camera_motion.MAX_CORNERS``), far more than the two that determine it."""

RANSAC_PX = 1.5
ORB_FEATURES = 1500
MAX_ORB_DISTANCE = 48
"""Of 256 bits; descriptors of different points differ in about half of them."""

MAX_ZOOM = 3.0
"""A similarity with a larger zoom is a mistake."""


def match_features(current: Features, reference: Features) -> Matrix | None:
    """The similarity from ``current`` to ``reference`` that most features agree on; None if too few do."""
    estimate = estimate_similarity(*match_descriptors(current, reference))
    return None if estimate is None else estimate[0]


def match_descriptors(
    current: Features, reference: Features
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Keypoints of ``current`` and of ``reference``, ``(N, 1, 2)`` each, whose descriptors are mutual nearest
    neighbours and similar."""
    (points, descriptors), (reference_points, reference_descriptors) = current, reference
    if not len(reference_descriptors) or not len(descriptors):
        return np.zeros((0, 1, 2), np.float32), np.zeros((0, 1, 2), np.float32)
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(reference_descriptors, descriptors)
    close = [pair for pair in pairs if pair.distance <= MAX_ORB_DISTANCE]
    indices, reference_indices = [pair.trainIdx for pair in close], [pair.queryIdx for pair in close]
    return points[indices][:, None], reference_points[reference_indices][:, None]


def estimate_similarity(
    current: NDArray[np.float32], reference: NDArray[np.float32]
) -> tuple[Matrix, int] | None:
    """The similarity from points ``current`` to ``reference``, ``(N, 1, 2)`` each, that most agree on, and
    their number; None if too few do."""
    if len(current) < MIN_INLIERS:
        return None
    motion, inliers = cv2.estimateAffinePartial2D(current, reference, ransacReprojThreshold=RANSAC_PX)
    if motion is None or int(inliers.sum()) < MIN_INLIERS:
        return None
    if not 1 / MAX_ZOOM <= scale_factor(motion) <= MAX_ZOOM:
        return None
    return np.asarray(motion, np.float64), int(inliers.sum())


def detect_features(
    grey: NDArray[np.uint8], count: int = ORB_FEATURES, mask: NDArray[np.uint8] | None = None
) -> Features:
    """At most ``count`` ORB features, where ``mask`` ``(H, W)`` is not 0."""
    mask = np.full_like(grey, 255) if mask is None else mask
    points, descriptors = cv2.ORB.create(count).detectAndCompute(grey, mask)
    if not points:
        return np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8)
    return np.array([point.pt for point in points], np.float32), np.asarray(descriptors, np.uint8)


def working_scale(image_bgr: ImageBGR) -> float:
    """The factor by which an image is scaled before comparison, at most 1."""
    return min(1.0, WORKING_PX / float(max(image_bgr.shape[:2])))


def working_grey(image_bgr: ImageBGR) -> NDArray[np.uint8]:
    """The image as it is compared: small, grey, its histogram equalised."""
    small = downscale(image_bgr, *scaled_size(image_bgr, working_scale(image_bgr)))
    return np.asarray(cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)), np.uint8)
