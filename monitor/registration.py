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
from monitor.features import LEAST_INLIERS, Features, agreed, features, matched, working_grey, working_scale
from monitor.masking import Area, fill
from monitor.similarity import Matrix, enlarged, identity, inverse, moved, times

SMALLEST_PX = 32
"""A frame with a shorter side than this has no room for corners and their surroundings."""

CORNERS = 300
RENEW_SHARE = 0.5
"""When fewer than this share of the key frame's corners agree, the present frame becomes the key frame."""


@dataclass(frozen=True)
class _Key:
    """A frame that later ones are compared with: ``grey`` at working size, ``looked_at`` (0 where it is
    hidden), its ``corners`` (N, 1, 2) float32, and where it lies in the room."""

    grey: NDArray[np.uint8]
    looked_at: NDArray[np.uint8]
    corners: NDArray[np.float32]
    to_room: Matrix

    @cached_property
    def features(self) -> Features:
        """Found when first asked for, and then kept."""
        return features(self.grey, looked_at=self.looked_at)


class Registration:
    """Follows the camera of one source. Constant memory: one key frame and the first one.

    ``hidden`` are areas of the room, (4, 2) corners each, in which no corner is looked for. Where there are
    any, pictures of another size than the first are of no known place.
    """

    def __init__(self, hidden: Sequence[Area] = ()) -> None:
        self._hidden = hidden
        self._first: _Key | None = None
        self._key: _Key | None = None
        self._now = identity()
        self._size: tuple[int, ...] = ()

    def to_room(self, image_bgr: ImageBGR) -> Matrix | None:
        """The similarity from this frame's pixels to the room's, (2, 3) float64; None where it cannot be
        told: too dark, covered, another scene. The next sample may tell again."""
        scale = working_scale(image_bgr)
        if min(image_bgr.shape[:2]) * scale < SMALLEST_PX:
            return None
        grey = working_grey(image_bgr)
        if self._key is None or self._first is None or image_bgr.shape != self._size:
            if self._first is not None and self._hidden:
                return None
            self._size, self._now = image_bgr.shape, identity()
            self._first = self._key = self._as_key(grey, scale)
            return identity()
        found = self._by_flow(self._key, grey) or self._by_features(self._key, grey)
        if found is None and self._key is not self._first:
            found = self._by_features(self._first, grey)
        if found is None:
            return None
        self._now, share = found
        if share < RENEW_SHARE:
            self._key = self._as_key(grey, scale)
        return enlarged(self._now, 1 / scale, 1 / scale)

    def restart(self) -> None:
        """The next frame is the first of another room."""
        self._first = self._key = None

    def anchor(self, image_bgr: ImageBGR, to_room: Matrix) -> None:
        """Take it as known that this frame, of the first one's size, lies so in the room."""
        scale = working_scale(image_bgr)
        self._now = enlarged(to_room, scale, scale)
        self._key = self._as_key(working_grey(image_bgr), scale)

    def _as_key(self, grey: NDArray[np.uint8], scale: float) -> _Key:
        """The present frame as a key frame, without corners in what is hidden."""
        looked_at, to_frame = np.full_like(grey, 255), inverse(self._now)
        fill(looked_at, [moved(to_frame, area * scale) for area in self._hidden], 0)
        corners = cv2.goodFeaturesToTrack(grey, CORNERS, 0.01, 7, mask=looked_at)
        found = np.zeros((0, 1, 2)) if corners is None else corners
        return _Key(grey, looked_at, np.asarray(found, np.float32), self._now)

    def _by_flow(self, key: _Key, grey: NDArray[np.uint8]) -> tuple[Matrix, float] | None:
        """Where the frame lies in the room, by the key frame's corners, and the share that agree."""
        if len(key.corners) < LEAST_INLIERS:
            return None
        # From the room to the present frame as it was in the last sample: a good first guess.
        guess = times(inverse(self._now), key.to_room)
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
        found = agreed(there[good], key.corners[good])
        return None if found is None else (times(key.to_room, found[0]), found[1] / len(key.corners))

    def _by_features(self, key: _Key, grey: NDArray[np.uint8]) -> tuple[Matrix, float] | None:
        """The same by matching features, wherever they have got to."""
        found = matched(features(grey), key.features)
        # The corners of flow are another set: whatever agreed here says nothing of them, so they are renewed.
        return None if found is None else (times(key.to_room, found), 0.0)
