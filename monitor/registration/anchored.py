"""Camera motion, corrected for drift by the reference view of a seat plan.

Optical flow alone adds up small errors over an hour, and a person close to the lens may mislead it. Masks
would then miss their seats. So the estimate is checked against the reference view from time to time and
corrected; if neither works, the motion is unknown.
"""

from __future__ import annotations

import numpy as np

from monitor.geometry import Matrix, compose_similarities, inverse, transform_points
from monitor.registration.camera_motion import CAMERA_JUMP_SHARE, CameraMotionEstimator
from monitor.registration.landmarks import ReferenceView
from monitor.types import ImageBGR

CHECK_INTERVAL_SAMPLES = 10
"""Frames between checks: five seconds at two a second. A check takes 50 to 100 ms on two busy cores."""

MAX_UNCHECKED_SAMPLES = 120
"""Frames (a minute at two a second) for which the estimate is trusted without a successful check. Heuristic,
not tuned on data."""

AGREEMENT_SHARE = 0.005
"""Two estimates agree if they differ by less than this share of the frame's width. Heuristic: in the
simulated hall they differ by up to 2.7 of 1920 pixels, a third of it, and a mask reaches a whole face
further."""


class DriftCorrectedMotionEstimator:
    """A ``monitor.registration.base.MotionEstimator``. ``view_to_reference`` maps the image of the reference
    view to the first frame."""

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
        """As ``CameraMotionEstimator.to_reference``; None also if a check is due and the reference view is
        not visible."""
        self._shape = self._shape or image_bgr.shape
        if image_bgr.shape != self._shape:
            return None
        transform = self._estimator.to_reference(image_bgr)
        self._unchecked += 1
        if transform is None or self._unchecked >= CHECK_INTERVAL_SAMPLES or self._has_jumped(transform):
            transform = self._drift_corrected(image_bgr, transform)
        self._previous = self._previous if transform is None else transform
        return transform

    def restart(self) -> None:
        """Does nothing: the reference view stays the same."""

    def _drift_corrected(self, image_bgr: ImageBGR, transform: Matrix | None) -> Matrix | None:
        view = self._reference_view.match(image_bgr)
        if view is None:
            is_trusted = self._unchecked < MAX_UNCHECKED_SAMPLES
            return (
                transform
                if transform is not None and is_trusted and not self._has_jumped(transform)
                else None
            )
        self._unchecked = 0
        by_view = compose_similarities(self._view_to_reference, inverse(view))
        if transform is not None and self._corner_distance(transform, by_view) <= AGREEMENT_SHARE:
            return transform
        self._estimator.anchor(image_bgr, by_view)
        return by_view

    def _has_jumped(self, transform: Matrix) -> bool:
        return (
            self._previous is not None
            and self._corner_distance(transform, self._previous) > CAMERA_JUMP_SHARE
        )

    def _corner_distance(self, first: Matrix, second: Matrix) -> float:
        """The largest distance of a corner of the frame under two transforms, in widths of the frame."""
        height, width = self._shape[:2] if self._shape else (0, 0)
        corners = np.array([(0, 0), (width, 0), (0, height), (width, height)])
        offsets = transform_points(first, corners) - transform_points(second, corners)
        return float(np.hypot(*offsets.T).max()) / width
