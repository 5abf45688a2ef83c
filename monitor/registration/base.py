"""Base."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.types import ImageBGR


class Masker(Protocol):
    """Hides the seats that are opted out (``monitor.registration.masking.SeatMasker``)."""

    def mask(self, image_bgr: ImageBGR, to_reference: NDArray[np.float64]) -> ImageBGR:
        """A copy of the frame without them."""


class MotionEstimator(Protocol):
    """Follows the camera (``monitor.registration.camera_motion.CameraMotionEstimator``)."""

    def to_reference(self, image_bgr: ImageBGR) -> NDArray[np.float64] | None:
        """The similarity (2, 3) from the frame's pixels to the room's; None where it cannot be told."""

    def restart(self) -> None:
        """The next frame is the first of another room."""
