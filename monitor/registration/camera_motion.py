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

from monitor.geometry import STANDING, Matrix, enlarged, identity, inverse, moved, times
from monitor.imaging import Area, fill
from monitor.registration.base import Registrar
from monitor.registration.features import (
    LEAST_INLIERS,
    Features,
    agreed,
    features,
    matched,
    working_grey,
    working_scale,
)
from monitor.types import ImageBGR

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


MOVED = 0.04
"""A shift between two samples of more than this share of the picture's width is a knock, or somebody who
turns the camera. Not tuned; the simulated drift is less than a tenth of it."""

BLIND_S = 10.0
"""Where the camera points may be unknown for so long before it is noted, seconds: somebody in front of it."""

CAMERA_MOVED = "the camera was moved; the seats were found again"
CAMERA_LOST = "where the camera points cannot be told from here on; seats are taken to be where they were"
NOT_LOOKED_AT = (
    "where the camera points cannot be told; as seats are masked, nothing is looked at until it can"
)


class Viewpoint:
    """The similarity from the frame's pixels to the room's, as last known.

    ``lost_note`` is what should be noted when it has not been known for ``BLIND_S``.
    """

    def __init__(self, registrar: Registrar | None, lost_note: str = CAMERA_LOST) -> None:
        self._registrar = registrar
        self._lost_note = lost_note
        self.to_room = STANDING
        self.is_known = False
        self._known_samples = 0
        self._known_s, self._is_blind = 0.0, False

    @property
    def is_followed(self) -> bool:
        """Whether the camera's motion was ever measured: the first frame of every source is known, and a
        camera that shows nothing to measure by counts as standing."""
        return self._known_samples > 1

    def restart(self, image_bgr: ImageBGR) -> None:
        """This frame's pixels are the room's from now on."""
        if self._registrar is not None:
            self._registrar.restart()
            self._registrar.to_room(image_bgr)
        self.to_room = STANDING

    def hold(self, image_bgr: ImageBGR, note: str | None) -> str | None:
        """This frame's pixels are the room's, as is known from elsewhere, though ``update`` may have told
        another thing. Returns ``note`` unless it is of a motion of the camera."""
        if note is not None:
            self.restart(image_bgr)
        self.to_room = STANDING
        return note if note not in (CAMERA_MOVED, self._lost_note) else None

    def update(self, image_bgr: ImageBGR, media_s: float) -> str | None:
        """Look where the camera points now; where that cannot be told, it is taken to point where it did.

        Returns what should be noted: that it was moved, or that it has not been followed for a while.
        """
        if self._registrar is None:
            return None
        found, before = self._registrar.to_room(image_bgr), self.to_room
        self.is_known = found is not None
        if found is None:
            noted, self._is_blind = self._is_blind, media_s - self._known_s > BLIND_S
            return self._lost_note if self._is_blind and not noted else None
        self._known_samples += 1
        self.to_room, self._known_s, self._is_blind = found, media_s, False
        height, width = image_bgr.shape[:2]
        middle = np.array([width / 2, height / 2, 1.0])
        return CAMERA_MOVED if np.hypot(*((found - before) @ middle)) > MOVED * width else None
