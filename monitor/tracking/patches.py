"""Small patches of a frame: of a box of the reference frame in grey, or of a box of the frame in colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.geometry import IDENTITY, compose_similarities, inverse
from monitor.imaging import MIN_CONTRAST
from monitor.types import Box, ImageBGR

PATCH_PX = 24
"""Side of a patch, pixels: the size of the smallest face that is judged."""


def context_patch(image_bgr: ImageBGR, box_xyxy: Box) -> NDArray[np.float32] | None:
    """The box ``box_xyxy`` of the frame as ``(24, 24, 3)`` float32 colours; None if the contrast is too
    low."""
    patch = _warped_patch(image_bgr, IDENTITY, box_xyxy)
    return patch.astype(np.float32) if patch.std() >= MIN_CONTRAST else None


def surroundings_patch(image_bgr: ImageBGR, box_xyxy: Box, margin_px: int) -> NDArray[np.float32] | None:
    """The box ``box_xyxy`` of the frame with ``margin_px`` more on each side, pixels of the patch, as
    ``(24 + 2 * margin_px, 24 + 2 * margin_px, 3)`` float32 colours; None if the contrast is too low."""
    patch = _warped_patch(image_bgr, IDENTITY, box_xyxy, margin_px)
    return patch.astype(np.float32) if patch.std() >= MIN_CONTRAST else None


def sample_patch(
    image_bgr: ImageBGR, to_reference: NDArray[np.float64], box_xyxy: Box, margin_px: int = 0
) -> NDArray[np.float32] | None:
    """The box ``box_xyxy`` of the reference frame as ``(24, 24)`` float32 grey levels; None if the contrast
    is too low.

    ``to_reference`` ``(2, 3)`` maps the frame to the reference frame. ``margin_px`` adds surroundings on each
    side, pixels of the patch.
    """
    patch = cv2.cvtColor(_warped_patch(image_bgr, to_reference, box_xyxy, margin_px), cv2.COLOR_BGR2GRAY)
    face = patch[margin_px : margin_px + PATCH_PX, margin_px : margin_px + PATCH_PX]
    return patch.astype(np.float32) if face.std() >= MIN_CONTRAST else None


def _warped_patch(
    image_bgr: ImageBGR, to_reference: NDArray[np.float64], box_xyxy: Box, margin_px: int = 0
) -> ImageBGR:
    x1, y1, x2, y2 = box_xyxy
    x_step, y_step = (x2 - x1) / PATCH_PX, (y2 - y1) / PATCH_PX
    side_px = PATCH_PX + 2 * margin_px
    left, top = x1 + x_step * (0.5 - margin_px), y1 + y_step * (0.5 - margin_px)
    patch_to_reference = np.array([[x_step, 0.0, left], [0.0, y_step, top]])
    patch_to_frame = compose_similarities(inverse(to_reference), patch_to_reference)
    low = np.floor(patch_to_frame @ (0, 0, 1)).astype(int) - 1
    high = np.ceil(patch_to_frame @ (side_px, side_px, 1)).astype(int) + 2
    # Only the needed part is warped: a frame has a hundred times as many pixels as a face.
    left, top = np.clip(np.minimum(low, high), 0, (image_bgr.shape[1] - 1, image_bgr.shape[0] - 1))
    part = image_bgr[top : max(top + 1, max(low[1], high[1])), left : max(left + 1, max(low[0], high[0]))]
    patch_to_frame[:, 2] -= (left, top)
    patch = cv2.warpAffine(
        part,
        patch_to_frame,
        (side_px, side_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(patch, np.uint8)
