"""The camera followed, and held against the landmarks of a seat plan from time to time.

Following alone adds up small errors over an hour, and somebody close before the lens may carry it away.
Where seats are masked that would uncover them, so what is followed is checked, and put right, by what the
plan's still shows. Where neither can tell, the place is unknown.
"""

from __future__ import annotations

import numpy as np

from monitor.geometry import Matrix, inverse, moved, times
from monitor.registration.camera_motion import MOVED, Registration
from monitor.registration.landmarks import Landmarks
from monitor.types import ImageBGR

CHECK_EVERY = 10
"""Samples; five seconds at two a second. A check takes 50 to 100 ms on two busy cores."""

TRUSTED_SAMPLES = 120
"""For so many samples (a minute at two a second) the camera is followed without a check that succeeds. Not
tuned."""

SAME = 0.005
"""Two answers that differ by less than this share of the picture's width are one. Not tuned: on the simulated
hall they differ by up to 2.7 of 1920 pixels, a third of it, and a mask reaches a whole face further."""


class Anchored:
    """A ``monitor.registration.base.Registrar``. ``still_to_room`` takes the landmarks' still to the first frame."""

    def __init__(self, registration: Registration, landmarks: Landmarks, still_to_room: Matrix) -> None:
        self._registration = registration
        self._landmarks = landmarks
        self._still_to_room = still_to_room
        self._shape: tuple[int, ...] | None = None
        self._before: Matrix | None = None
        self._unchecked = 0

    def to_room(self, image_bgr: ImageBGR) -> Matrix | None:
        """See ``Registration.to_room``; None also where the landmarks are wanted and not to be seen."""
        self._shape = self._shape or image_bgr.shape
        if image_bgr.shape != self._shape:
            return None
        found = self._registration.to_room(image_bgr)
        self._unchecked += 1
        if found is None or self._unchecked >= CHECK_EVERY or self._has_jumped(found):
            found = self._checked(image_bgr, found)
        self._before = self._before if found is None else found
        return found

    def restart(self) -> None:
        """The landmarks stay where they are, and so does the room."""

    def _checked(self, image_bgr: ImageBGR, found: Matrix | None) -> Matrix | None:
        view = self._landmarks.view(image_bgr)
        if view is None:
            trusted = self._unchecked < TRUSTED_SAMPLES
            return found if found is not None and trusted and not self._has_jumped(found) else None
        self._unchecked = 0
        seen = times(self._still_to_room, inverse(view))
        if found is not None and self._apart(found, seen) <= SAME:
            return found
        self._registration.anchor(image_bgr, seen)
        return seen

    def _has_jumped(self, found: Matrix) -> bool:
        return self._before is not None and self._apart(found, self._before) > MOVED

    def _apart(self, one: Matrix, other: Matrix) -> float:
        """How far two places of a picture are apart at its corners, at most, in widths of it."""
        height, width = self._shape[:2] if self._shape else (0, 0)
        corners = np.array([(0, 0), (width, 0), (0, height), (width, height)])
        return float(np.hypot(*(moved(one, corners) - moved(other, corners)).T).max()) / width
