"""What two pictures of one room have in common, and the similarity that it agrees on.

ORB features (Rublee et al. 2011) are points with a code of 256 comparisons of brightness around each; RANSAC
(Fischler and Bolles 1981) finds what most pairs agree on.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.geometry import Matrix, scale_factor
from monitor.imaging import downscale, scaled_size
from monitor.types import ImageBGR

Features = tuple[NDArray[np.float32], NDArray[np.uint8]]
"""Points (N, 2), pixels at working size, and a code (N, 32) of what is around each."""

WORKING_PX = 640
"""The longer side at which frames are compared; a corner is placed to some tenths of a pixel there."""

MIN_INLIERS = 25
"""Fewer corners than this agreeing is no agreement. Not tuned: a twelfth of ``CORNERS``, far above the
two that a similarity needs."""

RANSAC_PX = 1.5
ORB_FEATURES = 1500
MAX_ORB_DISTANCE = 48
"""Of 256 bits; the matches of unlike corners differ in about half of them."""

MAX_ZOOM = 3.0
"""A similarity that zooms further is a mistake."""


def match_features(current: Features, reference: Features) -> Matrix | None:
    """The similarity that most of the features ``current`` agree on to where they were; None where too few do."""
    found = estimate_similarity(*match_descriptors(current, reference))
    return None if found is None else found[0]


def match_descriptors(
    current: Features, reference: Features
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where those features are ``current``, and where they ``reference``, (N, 1, 2) each, that are each other's nearest
    and alike."""
    (now_points, now_codes), (points, codes) = current, reference
    none = np.zeros((0, 1, 2), np.float32)
    if not len(codes) or not len(now_codes):
        return none, none
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(codes, now_codes)
    close = [pair for pair in pairs if pair.distance <= MAX_ORB_DISTANCE]
    here, there = [pair.trainIdx for pair in close], [pair.queryIdx for pair in close]
    return now_points[here][:, None], points[there][:, None]


def estimate_similarity(
    current: NDArray[np.float32], reference: NDArray[np.float32]
) -> tuple[Matrix, int] | None:
    """The similarity from points ``current`` to ``reference``, (N, 1, 2) each, that most agree on, and how many do;
    None where too few do."""
    if len(current) < MIN_INLIERS:
        return None
    back, inliers = cv2.estimateAffinePartial2D(current, reference, ransacReprojThreshold=RANSAC_PX)
    if back is None or int(inliers.sum()) < MIN_INLIERS:
        return None
    if not 1 / MAX_ZOOM <= scale_factor(back) <= MAX_ZOOM:
        return None
    return np.asarray(back, np.float64), int(inliers.sum())


def detect_features(
    grey: NDArray[np.uint8], count: int = ORB_FEATURES, mask: NDArray[np.uint8] | None = None
) -> Features:
    """ORB's points and their codes; where ``mask`` (H, W) is given, only of where it is not 0."""
    where = np.full_like(grey, 255) if mask is None else mask
    points, codes = cv2.ORB.create(count).detectAndCompute(grey, where)
    if not points:
        return np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8)
    return np.array([point.pt for point in points], np.float32), np.asarray(codes, np.uint8)


def working_scale(image_bgr: ImageBGR) -> float:
    """What a frame's sides are multiplied by before frames are compared; at most 1."""
    return min(1.0, WORKING_PX / max(image_bgr.shape[:2]))


def working_grey(image_bgr: ImageBGR) -> NDArray[np.uint8]:
    """A frame as it is compared: grey, small, its brightness evened out."""
    small = downscale(image_bgr, *scaled_size(image_bgr, working_scale(image_bgr)))
    return np.asarray(cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)), np.uint8)
