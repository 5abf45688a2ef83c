"""Protocols of the camera stage."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.types import ImageBGR


class Masker(Protocol):
    """Masks opted-out seats (``monitor.registration.masking.SeatMasker``)."""

    def mask(self, image_bgr: ImageBGR, to_reference: NDArray[np.float64]) -> ImageBGR:
        """A copy of the image with the seats masked."""


class MotionEstimator(Protocol):
    """Estimates the motion of the camera (``monitor.registration.camera_motion.CameraMotionEstimator``)."""

    def to_reference(self, image_bgr: ImageBGR) -> NDArray[np.float64] | None:
        """The similarity ``(2, 3)`` from pixels of this frame to those of the reference frame; None if
        unknown."""

    def restart(self) -> None:
        """Make the next frame the reference frame."""
