"""Camera motion: the similarity from pixels of each frame to pixels of the reference frame, which is the
first one.

A camera on a stand drifts, is zoomed, is knocked; seats must not move with it. Corners of a keyframe are
found again in each frame by pyramidal optical flow (Lucas and Kanade 1981; Bouguet 2000), and the similarity
that most of them agree on (RANSAC) is the camera motion; walls outvote people who walk. The keyframe is kept
as long as enough of it is visible, so that errors do not add up. After a sudden movement that optical flow
cannot follow, ORB features (Rublee et al. 2011) are matched instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.geometry import (
    IDENTITY,
    Matrix,
    compose_similarities,
    identity,
    inverse,
    rescale,
    transform_points,
)
from monitor.imaging import Polygon, fill_polygons
from monitor.registration.base import MotionEstimator
from monitor.registration.features import (
    MIN_INLIERS,
    Features,
    detect_features,
    estimate_similarity,
    match_features,
    working_grey,
    working_scale,
)
from monitor.types import ImageBGR

MIN_FRAME_PX = 32
"""A frame with a shorter side than this is too small for corners and their surroundings."""

MAX_CORNERS = 300
MIN_KEYFRAME_INLIERS = 0.5
"""If a smaller share of the keyframe's corners agrees, the present frame becomes the keyframe."""


@dataclass(frozen=True)
class _Keyframe:
    """A frame that later ones are compared with: ``grey`` and ``mask`` (0 where masked) at working size, its
    ``corners`` ``(N, 1, 2)`` float32, and its own transform."""

    grey: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    corners: NDArray[np.float32]
    to_reference: Matrix

    @cached_property
    def features(self) -> Features:
        """Computed on first use."""
        return detect_features(self.grey, mask=self.mask)


class CameraMotionEstimator:
    """Estimates the motion of one camera. Constant memory: the first frame and one keyframe.

    No corners are taken from ``masked_areas``, ``(4, 2)`` corners each, pixels of the reference frame. If
    there are any, the motion of a frame of another size than the first is unknown.
    """

    def __init__(self, masked_areas: Sequence[Polygon] = ()) -> None:
        self._masked_areas = masked_areas
        self._first: _Keyframe | None = None
        self._keyframe: _Keyframe | None = None
        self._now = identity()
        self._shape: tuple[int, ...] = ()

    def to_reference(self, image_bgr: ImageBGR) -> Matrix | None:
        """The similarity ``(2, 3)`` from pixels of this frame to the reference frame; None if unknown
        (too dark, covered, another scene); it may be known again for the next frame."""
        scale = working_scale(image_bgr)
        if min(image_bgr.shape[:2]) * scale < MIN_FRAME_PX:
            return None
        grey = working_grey(image_bgr)
        if self._keyframe is None or self._first is None or image_bgr.shape != self._shape:
            if self._first is not None and self._masked_areas:
                return None
            self._shape, self._now = image_bgr.shape, identity()
            self._first = self._keyframe = self._make_keyframe(grey, scale)
            return identity()
        estimate = self._by_flow(self._keyframe, grey) or self._by_features(self._keyframe, grey)
        if estimate is None and self._keyframe is not self._first:
            estimate = self._by_features(self._first, grey)
        if estimate is None:
            return None
        self._now, share = estimate
        if share < MIN_KEYFRAME_INLIERS:
            self._keyframe = self._make_keyframe(grey, scale)
        return rescale(self._now, 1 / scale, 1 / scale)

    def restart(self) -> None:
        """Make the next frame the reference frame."""
        self._first = self._keyframe = None

    def anchor(self, image_bgr: ImageBGR, to_reference: Matrix) -> None:
        """Take ``to_reference`` as the transform of this frame, which has the size of the first one."""
        scale = working_scale(image_bgr)
        self._now = rescale(to_reference, scale, scale)
        self._keyframe = self._make_keyframe(working_grey(image_bgr), scale)

    def _make_keyframe(self, grey: NDArray[np.uint8], scale: float) -> _Keyframe:
        """The present frame as keyframe, without corners in masked areas."""
        mask, to_frame = np.full_like(grey, 255), inverse(self._now)
        fill_polygons(mask, [transform_points(to_frame, area * scale) for area in self._masked_areas], 0)
        corners = cv2.goodFeaturesToTrack(grey, MAX_CORNERS, 0.01, 7, mask=mask)
        corners = np.zeros((0, 1, 2)) if corners is None else corners
        return _Keyframe(grey, mask, np.asarray(corners, np.float32), self._now)

    def _by_flow(self, keyframe: _Keyframe, grey: NDArray[np.uint8]) -> tuple[Matrix, float] | None:
        """The transform by optical flow of the keyframe's corners, and the share of them that agrees."""
        if len(keyframe.corners) < MIN_INLIERS:
            return None
        # The motion of the last frame is a good first guess.
        guess = compose_similarities(inverse(self._now), keyframe.to_reference)
        start = cv2.transform(keyframe.corners, guess).astype(np.float32)
        moved, status, _ = cv2.calcOpticalFlowPyrLK(
            keyframe.grey,
            grey,
            keyframe.corners,
            start,
            winSize=(15, 15),
            maxLevel=3,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        good = status[:, 0] == 1
        estimate = estimate_similarity(moved[good], keyframe.corners[good])
        if estimate is None:
            return None
        motion, inliers = estimate
        return compose_similarities(keyframe.to_reference, motion), inliers / len(keyframe.corners)

    def _by_features(self, keyframe: _Keyframe, grey: NDArray[np.uint8]) -> tuple[Matrix, float] | None:
        """The transform by matched features. The share is 0, so that the keyframe is renewed: these features
        are not the corners of optical flow."""
        motion = match_features(detect_features(grey), keyframe.features)
        return None if motion is None else (compose_similarities(keyframe.to_reference, motion), 0.0)


CAMERA_JUMP_SHARE = 0.04
"""A shift between two frames by more than this share of the frame's width is a knock or a turned camera.
Heuristic, not tuned on data; the simulated drift is less than a tenth of it."""

UNKNOWN_NOTE_AFTER_S = 10.0
"""Unknown motion is noted after this time, seconds: a person may only stand in front of the camera."""

CAMERA_MOVED = "the camera was moved; seats were realigned"
CAMERA_LOST = "camera motion unknown from here on; seats are assumed unchanged"
NOT_ANALYSED = "camera motion unknown; analysis is suspended because seats are masked"


class CameraMotion:
    """The last known camera motion of a session: ``to_reference`` ``(2, 3)``; ``is_known`` is for the latest
    frame.

    ``lost_note`` is the note once the motion has been unknown for ``UNKNOWN_NOTE_AFTER_S``.
    """

    def __init__(self, estimator: MotionEstimator | None, lost_note: str = CAMERA_LOST) -> None:
        self._estimator = estimator
        self._lost_note = lost_note
        self.to_reference = IDENTITY
        self.is_known = False
        self._known_samples = 0
        self._known_s, self._is_unknown_noted = 0.0, False

    @property
    def is_measured(self) -> bool:
        """Whether the motion was ever measured. The first frame does not count; a camera whose frames have no
        features is assumed not to move."""
        return self._known_samples > 1

    def restart(self, image_bgr: ImageBGR) -> None:
        """Make this frame the reference frame."""
        if self._estimator is not None:
            self._estimator.restart()
            self._estimator.to_reference(image_bgr)
        self.to_reference = IDENTITY

    def hold_still(self, image_bgr: ImageBGR, note: str | None) -> str | None:
        """Override an ``update`` that returned ``note``, because the camera has not moved. Returns ``note``
        unless it is about camera motion."""
        if note is not None:
            self.restart(image_bgr)
        self.to_reference = IDENTITY
        return note if note not in (CAMERA_MOVED, self._lost_note) else None

    def update(self, image_bgr: ImageBGR, media_s: float) -> str | None:
        """Estimate the motion of this frame; if unknown, the last known one stays.

        Returns a note for the timeline if the camera was moved, or if its motion has been unknown for a
        while.
        """
        if self._estimator is None:
            return None
        current, previous = self._estimator.to_reference(image_bgr), self.to_reference
        self.is_known = current is not None
        if current is None:
            noted, self._is_unknown_noted = (
                self._is_unknown_noted,
                media_s - self._known_s > UNKNOWN_NOTE_AFTER_S,
            )
            return self._lost_note if self._is_unknown_noted and not noted else None
        self._known_samples += 1
        self.to_reference, self._known_s, self._is_unknown_noted = current, media_s, False
        height, width = image_bgr.shape[:2]
        shift = (current - previous) @ np.array([width / 2, height / 2, 1.0])
        return CAMERA_MOVED if np.hypot(*shift) > CAMERA_JUMP_SHARE * width else None
