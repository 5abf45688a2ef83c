"""Displayed images: what a live stream states, and what ``capture.rotate`` and ``capture.aspect`` do."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame

from monitor.imaging import image_size
from monitor.sources.adjustment import Adjustment
from monitor.sources.upright import (
    ORIENTATIONS,
    DisplayMatrices,
    is_plausible_aspect,
    orient,
    read_display_matrix,
    with_pixel_aspect,
)
from monitor.types import ImageBGR

_MIRRORED = ORIENTATIONS[4]


def adjusted(image_bgr: ImageBGR, adjustment: Adjustment) -> ImageBGR:
    """The image ``(H, W, 3)`` with another aspect ratio, for which it is enlarged in one direction, and then
    mirrored and rotated."""
    if adjustment.is_identity:
        return image_bgr
    if adjustment.aspect is not None:
        width, height = image_size(image_bgr)
        image_bgr = with_pixel_aspect(image_bgr, adjustment.aspect * height / width)
    turned = ORIENTATIONS[adjustment.quarter_turns]
    return orient(image_bgr, turned @ _MIRRORED if adjustment.is_mirrored else turned)


class DisplayedFrames:
    """Converts the frames of one connection to images as its stream wants them displayed."""

    def __init__(self) -> None:
        self._matrices = DisplayMatrices()

    def convert(self, frame: VideoFrame, pixel_aspect: Fraction | None) -> ImageBGR:
        """The image ``(H, W, 3)``, upright and with square pixels.

        ``pixel_aspect``: width by height of a pixel, None or zero if it is not stated; an implausible one is
        ignored.
        """
        values = self._matrices.read(frame)
        image = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
        if pixel_aspect and pixel_aspect > 0 and is_plausible_aspect(pixel_aspect):
            image = with_pixel_aspect(image, pixel_aspect)
        return image if values is None else orient(image, read_display_matrix(values)[0])
