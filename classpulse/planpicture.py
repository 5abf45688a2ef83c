"""A seat plan over its still, for whoever edits it: nobody on it can be recognised."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from db.records import PlannedSeat
from monitor.domain import ImageBGR
from monitor.plan import grown

BLOCKS = 3
"""So many blocks across a face of middling size the whole picture is made of, for faces that were not found.
People know a familiar face from some 7 blocks across (Yip and Sinha 2002)."""

LEAST_BLOCK_PX = 8
DIM = 0.55
HIDDEN = (0.3, 0.4, 0.3, 0.2)
"""What is filled with one colour around a face that was found, in its widths and heights: its hair too."""

_BOX_BGR, _TEXT_BGR = (0, 215, 255), (255, 255, 255)


def plan_picture(still_bgr: ImageBGR, seats: Sequence[PlannedSeat]) -> bytes:
    """A PNG: the still in blocks and dimmed, the faces of ``seats`` filled, boxes and labels over it."""
    widths = [seat.box_xyxy[2] - seat.box_xyxy[0] for seat in seats]
    block = max(LEAST_BLOCK_PX, round(float(np.median(widths)) / BLOCKS) if widths else 0)
    picture = cv2.convertScaleAbs(_in_blocks(still_bgr, block), alpha=DIM)
    for seat in seats:
        x1, y1, x2, y2 = (max(0, round(edge)) for edge in grown(seat.box_xyxy, HIDDEN))
        place = picture[y1:y2, x1:x2]
        place[:] = place.mean(axis=(0, 1))
    for seat in seats:
        x1, y1, x2, y2 = (round(edge) for edge in seat.box_xyxy)
        cv2.rectangle(picture, (x1, y1), (x2, y2), _BOX_BGR, 2)
        scale = max(0.35, (x2 - x1) / 60)
        place_xy = (x1, y1 - 4 if y1 > 20 else y2 + round(24 * scale))
        cv2.putText(picture, seat.label, place_xy, cv2.FONT_HERSHEY_SIMPLEX, scale, _TEXT_BGR, 1, cv2.LINE_AA)
    return bytes(cv2.imencode(".png", picture)[1])


def _in_blocks(image_bgr: ImageBGR, block: int) -> ImageBGR:
    height, width = image_bgr.shape[:2]
    size = (max(1, width // block), max(1, height // block))
    small = cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
