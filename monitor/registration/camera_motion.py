"""Where the camera points, sample by sample: from the pixels of a frame to the pixels of the room.

The room's pixels are those of the first frame. A camera on a stand drifts, is zoomed, is knocked; seats
must not move with it. Corners of a key frame are found again in each sample by optical flow (Lucas and
Kanade 1981, in pyramids: Bouguet 2000), and the similarity that most of them agree on (RANSAC) is the
camera's motion; whoever walks about is outvoted by the walls. The key frame is kept as long as enough
of it is seen, so that errors do not add up from sample to sample. After a jolt that flow cannot follow,
ORB features (Rublee et al. 2011) are matched instead.

Where the camera points while a session runs, and what should be noted of it.
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
"""A frame with a shorter side than this has no room for corners and their surroundings."""

MAX_CORNERS = 300
MIN_KEYFRAME_INLIERS = 0.5
"""When fewer than this share of the key frame's corners agree, the present frame becomes the key frame."""


@dataclass(frozen=True)
class _Keyframe:
    """A frame that later ones are compared with: ``grey`` at working size, ``mask`` (0 where it is
    hidden), its ``corners`` (N, 1, 2) float32, and where it lies in the room."""

    grey: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    corners: NDArray[np.float32]
    to_reference: Matrix

    @cached_property
    def features(self) -> Features:
        """Found when first asked for, and then kept."""
        return detect_features(self.grey, mask=self.mask)


class CameraMotionEstimator:
    """Follows the camera of one source. Constant memory: one key frame and the first one.

    ``masked_areas`` are areas of the room, (4, 2) corners each, in which no corner is looked for. Where there are
    any, pictures of another size than the first are of no known place.
    """

    def __init__(self, masked_areas: Sequence[Polygon] = ()) -> None:
        self._masked_areas = masked_areas
        self._first: _Keyframe | None = None
        self._keyframe: _Keyframe | None = None
        self._now = identity()
        self._shape: tuple[int, ...] = ()

    def to_reference(self, image_bgr: ImageBGR) -> Matrix | None:
        """The similarity from this frame's pixels to the room's, (2, 3) float64; None where it cannot be
        told: too dark, covered, another scene. The next sample may tell again."""
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
        found = self._by_flow(self._keyframe, grey) or self._by_features(self._keyframe, grey)
        if found is None and self._keyframe is not self._first:
            found = self._by_features(self._first, grey)
        if found is None:
            return None
        self._now, share = found
        if share < MIN_KEYFRAME_INLIERS:
            self._keyframe = self._make_keyframe(grey, scale)
        return rescale(self._now, 1 / scale, 1 / scale)

    def restart(self) -> None:
        """The next frame is the first of another room."""
        self._first = self._keyframe = None

    def anchor(self, image_bgr: ImageBGR, to_reference: Matrix) -> None:
        """Take it as known that this frame, of the first one's size, lies so in the room."""
        scale = working_scale(image_bgr)
        self._now = rescale(to_reference, scale, scale)
        self._keyframe = self._make_keyframe(working_grey(image_bgr), scale)

    def _make_keyframe(self, grey: NDArray[np.uint8], scale: float) -> _Keyframe:
        """The present frame as a key frame, without corners in what is hidden."""
        looked_at, to_frame = np.full_like(grey, 255), inverse(self._now)
        fill_polygons(looked_at, [transform_points(to_frame, area * scale) for area in self._masked_areas], 0)
        corners = cv2.goodFeaturesToTrack(grey, MAX_CORNERS, 0.01, 7, mask=looked_at)
        found = np.zeros((0, 1, 2)) if corners is None else corners
        return _Keyframe(grey, looked_at, np.asarray(found, np.float32), self._now)

    def _by_flow(self, keyframe: _Keyframe, grey: NDArray[np.uint8]) -> tuple[Matrix, float] | None:
        """Where the frame lies in the room, by the key frame's corners, and the share that agree."""
        if len(keyframe.corners) < MIN_INLIERS:
            return None
        # From the room to the present frame as it was in the last sample: a good first guess.
        guess = compose_similarities(inverse(self._now), keyframe.to_reference)
        start = cv2.transform(keyframe.corners, guess).astype(np.float32)
        there, status, _ = cv2.calcOpticalFlowPyrLK(
            keyframe.grey,
            grey,
            keyframe.corners,
            start,
            winSize=(15, 15),
            maxLevel=3,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        good = status[:, 0] == 1
        found = estimate_similarity(there[good], keyframe.corners[good])
        return (
            None
            if found is None
            else (compose_similarities(keyframe.to_reference, found[0]), found[1] / len(keyframe.corners))
        )

    def _by_features(self, keyframe: _Keyframe, grey: NDArray[np.uint8]) -> tuple[Matrix, float] | None:
        """The same by matching features, wherever they have got to."""
        found = match_features(detect_features(grey), keyframe.features)
        # The corners of flow are another set: whatever agreed here says nothing of them, so they are renewed.
        return None if found is None else (compose_similarities(keyframe.to_reference, found), 0.0)


CAMERA_JUMP_SHARE = 0.04
"""A shift between two samples of more than this share of the picture's width is a knock, or somebody who
turns the camera. Not tuned; the simulated drift is less than a tenth of it."""

UNKNOWN_NOTE_AFTER_S = 10.0
"""Where the camera points may be unknown for so long before it is noted, seconds: somebody in front of it."""

CAMERA_MOVED = "the camera was moved; the seats were found again"
CAMERA_LOST = "where the camera points cannot be told from here on; seats are taken to be where they were"
NOT_ANALYSED = (
    "where the camera points cannot be told; as seats are masked, nothing is looked at until it can"
)


class CameraMotion:
    """The similarity from the frame's pixels to the room's, as last known.

    ``lost_note`` is what should be noted when it has not been known for ``UNKNOWN_NOTE_AFTER_S``.
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
        """Whether the camera's motion was ever measured: the first frame of every source is known, and a
        camera that shows nothing to measure by counts as standing."""
        return self._known_samples > 1

    def restart(self, image_bgr: ImageBGR) -> None:
        """This frame's pixels are the room's from now on."""
        if self._estimator is not None:
            self._estimator.restart()
            self._estimator.to_reference(image_bgr)
        self.to_reference = IDENTITY

    def hold_still(self, image_bgr: ImageBGR, note: str | None) -> str | None:
        """This frame's pixels are the room's, as is known from elsewhere, though ``update`` may have told
        another thing. Returns ``note`` unless it is of a motion of the camera."""
        if note is not None:
            self.restart(image_bgr)
        self.to_reference = IDENTITY
        return note if note not in (CAMERA_MOVED, self._lost_note) else None

    def update(self, image_bgr: ImageBGR, media_s: float) -> str | None:
        """Look where the camera points now; where that cannot be told, it is taken to point where it did.

        Returns what should be noted: that it was moved, or that it has not been followed for a while.
        """
        if self._estimator is None:
            return None
        found, before = self._estimator.to_reference(image_bgr), self.to_reference
        self.is_known = found is not None
        if found is None:
            noted, self._is_unknown_noted = (
                self._is_unknown_noted,
                media_s - self._known_s > UNKNOWN_NOTE_AFTER_S,
            )
            return self._lost_note if self._is_unknown_noted and not noted else None
        self._known_samples += 1
        self.to_reference, self._known_s, self._is_unknown_noted = found, media_s, False
        height, width = image_bgr.shape[:2]
        middle = np.array([width / 2, height / 2, 1.0])
        return CAMERA_MOVED if np.hypot(*((found - before) @ middle)) > CAMERA_JUMP_SHARE * width else None
