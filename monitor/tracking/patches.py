"""What a place of the room looks like in one frame: a small grey picture of it, wherever the camera
points."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.geometry import IDENTITY, compose_similarities, inverse
from monitor.imaging import MIN_CONTRAST
from monitor.types import Box, ImageBGR

PATCH_PX = 24
"""Of the small picture: the size of the smallest face that is judged."""


def context_patch(image_bgr: ImageBGR, box_xyxy: Box) -> NDArray[np.float32] | None:
    """What is in ``box_xyxy`` of the picture as ``(24, 24, 3)`` float32 colours; None where it is too
    even."""
    small = _warped_patch(image_bgr, IDENTITY, box_xyxy)
    return small.astype(np.float32) if small.std() >= MIN_CONTRAST else None


def sample_patch(
    image_bgr: ImageBGR, to_reference: NDArray[np.float64], box_xyxy: Box, margin_px: int = 0
) -> NDArray[np.float32] | None:
    """The place ``box_xyxy`` of the room as ``(24, 24)`` float32 grey levels; None where it is too even.

    ``to_reference`` ``(2, 3)`` leads from the frame's pixels to the room's. ``margin_px`` more pixels of the patch
    on each side show what is around the place.
    """
    small = cv2.cvtColor(_warped_patch(image_bgr, to_reference, box_xyxy, margin_px), cv2.COLOR_BGR2GRAY)
    face = small[margin_px : margin_px + PATCH_PX, margin_px : margin_px + PATCH_PX]
    return small.astype(np.float32) if face.std() >= MIN_CONTRAST else None


def _warped_patch(
    image_bgr: ImageBGR, to_reference: NDArray[np.float64], box_xyxy: Box, margin_px: int = 0
) -> ImageBGR:
    x1, y1, x2, y2 = box_xyxy
    across, down = (x2 - x1) / PATCH_PX, (y2 - y1) / PATCH_PX
    side_px = PATCH_PX + 2 * margin_px
    left, top = x1 + across * (0.5 - margin_px), y1 + down * (0.5 - margin_px)
    small_to_room = np.array([[across, 0.0, left], [0.0, down, top]])
    small_to_frame = compose_similarities(inverse(to_reference), small_to_room)
    low = np.floor(small_to_frame @ (0, 0, 1)).astype(int) - 1
    high = np.ceil(small_to_frame @ (side_px, side_px, 1)).astype(int) + 2
    # Only what is needed is looked at: a frame has a hundred times as many pixels as a face.
    left, top = np.clip(np.minimum(low, high), 0, (image_bgr.shape[1] - 1, image_bgr.shape[0] - 1))
    part = image_bgr[top : max(top + 1, max(low[1], high[1])), left : max(left + 1, max(low[0], high[0]))]
    small_to_frame[:, 2] -= (left, top)
    small = cv2.warpAffine(
        part,
        small_to_frame,
        (side_px, side_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(small, np.uint8)
