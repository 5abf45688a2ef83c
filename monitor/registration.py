"""Where the camera points, sample by sample: from the pixels of a frame to the pixels of the room.

The room's pixels are those of the first frame. A camera on a stand drifts, is zoomed, is knocked; seats
must not move with it. Corners of a key frame are found again in each sample by optical flow (Lucas and
Kanade 1981, in pyramids: Bouguet 2000), and the similarity that most of them agree on (RANSAC) is the
camera's motion; whoever walks about is outvoted by the walls. The key frame is kept as long as enough
of it is seen, so that errors do not add up from sample to sample. After a jolt that flow cannot follow,
ORB features (Rublee et al. 2011) are matched instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.domain import ImageBGR

Matrix = NDArray[np.float64]
"""``(2, 3)``: a similarity of the plane, rotation and scale beside a shift."""

WORKING_PX = 640
"""The longer side at which frames are compared; a corner is placed to some tenths of a pixel there."""

SMALLEST_PX = 32
"""A frame with a shorter side than this has no room for corners and their surroundings."""

CORNERS = 300
LEAST_INLIERS = 25
"""Fewer corners than this agreeing is no agreement. Not tuned: a twelfth of ``CORNERS``, far above the
two that a similarity needs."""

RENEW_SHARE = 0.5
"""When fewer than this share of the key frame's corners agree, the present frame becomes the key frame."""

RANSAC_PX = 1.5
ORB_FEATURES = 1500
ORB_DISTANCE = 48
"""Of 256 bits; the matches of unlike corners differ in about half of them."""

MOST_ZOOM = 3.0
"""A similarity that zooms further is a mistake."""


@dataclass(frozen=True)
class _Key:
    """A frame that later ones are compared with: ``grey`` at working size, its ``corners`` (N, 1, 2) float32,
    and where it lies in the room."""

    grey: NDArray[np.uint8]
    corners: NDArray[np.float32]
    to_room: Matrix

    @cached_property
    def features(self) -> tuple[Sequence[cv2.KeyPoint], NDArray[np.uint8] | None]:
        """See ``_features``; found when first asked for, and then kept."""
        return _features(self.grey)


class Registration:
    """Follows the camera of one source. Constant memory: one key frame and the first one."""

    def __init__(self) -> None:
        self._first: _Key | None = None
        self._key: _Key | None = None
        self._now = _identity()
        self._size: tuple[int, ...] = ()

    def to_room(self, image_bgr: ImageBGR) -> Matrix | None:
        """The similarity from this frame's pixels to the room's, (2, 3) float64; None where it cannot be
        told: too dark, covered, another scene. The next sample may tell again."""
        scale = min(1.0, WORKING_PX / max(image_bgr.shape[:2]))
        if min(image_bgr.shape[:2]) * scale < SMALLEST_PX:
            return None
        grey = _grey(image_bgr, scale)
        if self._key is None or self._first is None or grey.shape != self._size:
            self._size, self._now = grey.shape, _identity()
            self._first = self._key = _key(grey, _identity())
            return _identity()
        found = self._by_flow(self._key, grey) or self._by_features(self._key, grey)
        if found is None and self._key is not self._first:
            found = self._by_features(self._first, grey)
        if found is None:
            return None
        self._now, share = found
        if share < RENEW_SHARE:
            self._key = _key(grey, self._now)
        return _scaled(self._now, scale)

    def _by_flow(self, key: _Key, grey: NDArray[np.uint8]) -> tuple[Matrix, float] | None:
        """Where the frame lies in the room, by the key frame's corners, and the share that agree."""
        if len(key.corners) < LEAST_INLIERS:
            return None
        # From the room to the present frame as it was in the last sample: a good first guess.
        guess = _times(_inverse(self._now), key.to_room)
        start = cv2.transform(key.corners, guess).astype(np.float32)
        there, status, _ = cv2.calcOpticalFlowPyrLK(
            key.grey,
            grey,
            key.corners,
            start,
            winSize=(15, 15),
            maxLevel=3,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        good = status[:, 0] == 1
        return _agreed(there[good], key.corners[good], key, len(key.corners))

    def _by_features(self, key: _Key, grey: NDArray[np.uint8]) -> tuple[Matrix, float] | None:
        """The same by matching features, wherever they have got to."""
        (points, codes), (now_points, now_codes) = key.features, _features(grey)
        if codes is None or now_codes is None:
            return None
        matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(codes, now_codes)
        close = [match for match in matches if match.distance <= ORB_DISTANCE]
        if len(close) < LEAST_INLIERS:
            return None
        was = np.array([points[match.queryIdx].pt for match in close], np.float32)[:, None]
        now = np.array([now_points[match.trainIdx].pt for match in close], np.float32)[:, None]
        found = _agreed(now, was, key, len(close))
        # The corners of flow are another set: whatever agreed here says nothing of them, so they are renewed.
        return None if found is None else (found[0], 0.0)


def _agreed(
    now: NDArray[np.float32], was: NDArray[np.float32], key: _Key, of: int
) -> tuple[Matrix, float] | None:
    if len(now) < LEAST_INLIERS:
        return None
    back, inliers = cv2.estimateAffinePartial2D(now, was, ransacReprojThreshold=RANSAC_PX)
    if back is None or int(inliers.sum()) < LEAST_INLIERS:
        return None
    zoom = float(np.hypot(back[0, 0], back[1, 0]))
    if not 1 / MOST_ZOOM <= zoom <= MOST_ZOOM:
        return None
    return _times(key.to_room, np.asarray(back, np.float64)), float(inliers.sum()) / of


def moved(matrix: Matrix, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points (N, 2) taken through a similarity."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def _key(grey: NDArray[np.uint8], to_room: Matrix) -> _Key:
    corners = cv2.goodFeaturesToTrack(grey, CORNERS, 0.01, 7)
    none = np.zeros((0, 1, 2), np.float32)
    return _Key(grey, none if corners is None else np.asarray(corners, np.float32), to_room)


def _features(grey: NDArray[np.uint8]) -> tuple[Sequence[cv2.KeyPoint], NDArray[np.uint8] | None]:
    """ORB's points and their codes (N, 32); None where there are no points."""
    points, codes = cv2.ORB.create(ORB_FEATURES).detectAndCompute(grey, np.full_like(grey, 255))
    return points, None if codes is None else np.asarray(codes, np.uint8)


def _grey(image_bgr: ImageBGR, scale: float) -> NDArray[np.uint8]:
    if scale < 1:
        image_bgr = np.asarray(cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    return np.asarray(cv2.equalizeHist(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)), np.uint8)


def _identity() -> Matrix:
    return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def _square(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def _times(after: Matrix, before: Matrix) -> Matrix:
    return np.asarray((_square(after) @ _square(before))[:2], np.float64)


def _inverse(matrix: Matrix) -> Matrix:
    return np.asarray(np.linalg.inv(_square(matrix))[:2], np.float64)


def _scaled(matrix: Matrix, scale: float) -> Matrix:
    """From working size to the frame's own pixels: only the shift has a length."""
    full = matrix.copy()
    full[:, 2] /= scale
    return full
