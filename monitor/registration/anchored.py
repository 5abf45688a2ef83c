"""The camera followed, and held against the landmarks of a seat plan from time to time.

Following alone adds up small errors over an hour, and somebody close before the lens may carry it away.
Where seats are masked that would uncover them, so what is followed is checked, and put right, by what the
plan's still shows. Where neither can tell, the place is unknown.
"""

from __future__ import annotations

import numpy as np

from monitor.geometry import Matrix, compose_similarities, inverse, transform_points
from monitor.registration.camera_motion import CAMERA_JUMP_SHARE, CameraMotionEstimator
from monitor.registration.landmarks import ReferenceView
from monitor.types import ImageBGR

CHECK_INTERVAL_SAMPLES = 10
"""Samples; five seconds at two a second. A check takes 50 to 100 ms on two busy cores."""

MAX_UNCHECKED_SAMPLES = 120
"""For so many samples (a minute at two a second) the camera is followed without a check that succeeds. Not
tuned."""

AGREEMENT_SHARE = 0.005
"""Two answers that differ by less than this share of the picture's width are one. Not tuned: on the simulated
hall they differ by up to 2.7 of 1920 pixels, a third of it, and a mask reaches a whole face further."""


class DriftCorrectedMotionEstimator:
    """A ``monitor.registration.base.MotionEstimator``. ``view_to_reference`` takes the landmarks' still to the first frame."""

    def __init__(
        self, estimator: CameraMotionEstimator, reference_view: ReferenceView, view_to_reference: Matrix
    ) -> None:
        self._estimator = estimator
        self._reference_view = reference_view
        self._view_to_reference = view_to_reference
        self._shape: tuple[int, ...] | None = None
        self._previous: Matrix | None = None
        self._unchecked = 0

    def to_reference(self, image_bgr: ImageBGR) -> Matrix | None:
        """See ``CameraMotionEstimator.to_room``; None also where the landmarks are wanted and not to be seen."""
        self._shape = self._shape or image_bgr.shape
        if image_bgr.shape != self._shape:
            return None
        found = self._estimator.to_reference(image_bgr)
        self._unchecked += 1
        if found is None or self._unchecked >= CHECK_INTERVAL_SAMPLES or self._has_jumped(found):
            found = self._drift_corrected(image_bgr, found)
        self._previous = self._previous if found is None else found
        return found

    def restart(self) -> None:
        """The landmarks stay where they are, and so does the room."""

    def _drift_corrected(self, image_bgr: ImageBGR, transform: Matrix | None) -> Matrix | None:
        view = self._reference_view.match(image_bgr)
        if view is None:
            trusted = self._unchecked < MAX_UNCHECKED_SAMPLES
            return (
                transform if transform is not None and trusted and not self._has_jumped(transform) else None
            )
        self._unchecked = 0
        seen = compose_similarities(self._view_to_reference, inverse(view))
        if transform is not None and self._corner_distance(transform, seen) <= AGREEMENT_SHARE:
            return transform
        self._estimator.anchor(image_bgr, seen)
        return seen

    def _has_jumped(self, transform: Matrix) -> bool:
        return (
            self._previous is not None
            and self._corner_distance(transform, self._previous) > CAMERA_JUMP_SHARE
        )

    def _corner_distance(self, one: Matrix, other: Matrix) -> float:
        """How far two places of a picture are apart at its corners, at most, in widths of it."""
        height, width = self._shape[:2] if self._shape else (0, 0)
        corners = np.array([(0, 0), (width, 0), (0, height), (width, height)])
        return (
            float(np.hypot(*(transform_points(one, corners) - transform_points(other, corners)).T).max())
            / width
        )
