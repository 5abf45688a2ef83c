"""Camera stage: estimates the camera motion and masks opted-out seats."""

from __future__ import annotations

from dataclasses import replace

from monitor.registration.base import Masker
from monitor.registration.camera_motion import CameraMotion
from monitor.session.stages.context import FrameContext
from monitor.types import Size


class CameraStage:
    """Sets the camera motion of the frame. With a masker, replaces the image by the masked one, and rejects
    frames whose camera motion is unknown, because nothing could be masked in them."""

    def __init__(self, camera_motion: CameraMotion, masker: Masker | None = None) -> None:
        self._camera_motion = camera_motion
        self._masker = masker
        self._size: Size | None = None
        self._has_size_changed = False

    def process(self, context: FrameContext) -> None:
        """Sets ``to_reference``, ``is_motion_known``, ``is_motion_measured``, ``has_new_coordinates``,
        ``note`` and the masked image."""
        # Kept until a frame is analysed.
        self._has_size_changed |= self._size not in (None, context.frame_size)
        self._size = context.frame_size
        context.note = self._camera_motion.update(context.image_bgr, context.frame.media_s)
        context.to_reference = self._camera_motion.to_reference
        context.is_motion_known = self._camera_motion.is_known
        context.is_motion_measured = self._camera_motion.is_measured
        if self._masker is not None:
            if not context.is_motion_known:
                context.reject()
                return
            masked = self._masker.mask(context.image_bgr, context.to_reference)
            # Later stages never see the original image.
            context.frame = replace(context.frame, image_bgr=masked)
        context.has_new_coordinates, self._has_size_changed = self._has_size_changed, False
