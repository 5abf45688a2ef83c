"""Where the camera points while a session runs, and what should be noted of it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.domain import Box, Face, ImageBGR
from monitor.similarity import identity, inverse, moved, zoom

STANDING = identity()
"""Of a camera that has not moved."""


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


def in_room(face: Face, to_room: NDArray[np.float64]) -> Face:
    """A face of the picture where it is in the room. Its box stays upright."""
    scale = zoom(to_room)
    x, y = to_room @ (*face.centre, 1.0)
    half_width = scale * (face.box_xyxy[2] - face.box_xyxy[0]) / 2
    half_height = scale * (face.box_xyxy[3] - face.box_xyxy[1]) / 2
    box = (float(x - half_width), float(y - half_height), float(x + half_width), float(y + half_height))
    return Face(box, face.score, moved(to_room, face.keypoints), face.confirmed)


def in_picture(box_xyxy: Box, to_room: NDArray[np.float64]) -> Face:
    """A box of the room where it is in the picture, as a face of which nothing else is known."""
    here = Face(box_xyxy, 0.0, np.full((6, 2), np.nan, np.float32))
    return in_room(here, inverse(to_room))


class Registrar(Protocol):
    """Follows the camera (``monitor.registration.Registration``)."""

    def to_room(self, image_bgr: ImageBGR) -> NDArray[np.float64] | None:
        """The similarity (2, 3) from the frame's pixels to the room's; None where it cannot be told."""

    def restart(self) -> None:
        """The next frame is the first of another room."""


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
