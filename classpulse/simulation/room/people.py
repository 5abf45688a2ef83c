"""People cut out of a photograph, and the room without them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.room.photo import Photograph
from monitor.types import Box, ImageBGR

HEAD = (0.85, 0.95)
"""Half axes of the ellipse that holds a head with its hair, in face widths and heights."""

SHOULDERS = (1.5, 0.9)
"""The same of the shoulders, whose middle lies as far below the chin as they are high."""

SOFT = 0.06
"""Deviation of the soft edge, in face widths."""

PLATE_SHARE = 0.5
"""The emptied room is painted at half the size: it takes a quarter of the time, and is dark blur anyway."""

INPAINT_PX = 4
"""How far from a hole cv2.inpaint looks for what to fill it with."""


@dataclass(frozen=True)
class Cutout:
    """A person as photographed: ``picture`` (h, w, 4) uint8 with alpha, colours multiplied by it; ``crown``
    the same with hair where the face is; ``face_xyxy`` the face in its pixels."""

    picture: NDArray[np.uint8]
    crown: NDArray[np.uint8]
    face_xyxy: Box

    @property
    def middle_xy(self) -> tuple[float, float]:
        """The middle of the face."""
        x1, y1, x2, y2 = self.face_xyxy
        return (x1 + x2) / 2, (y1 + y2) / 2


def cut_out(photograph: Photograph) -> list[Cutout]:
    """Everybody in the photograph, in the order of the boxes."""
    heads = [_head(photograph, box) for box in photograph.boxes_xyxy]
    return [_cut(photograph, index, heads) for index in range(len(heads))]


def mirrored(cutout: Cutout) -> Cutout:
    """Somebody else who looks like the person in a mirror: a stranger made of what there is."""
    width = cutout.picture.shape[1]
    x1, y1, x2, y2 = cutout.face_xyxy
    return Cutout(
        np.ascontiguousarray(cutout.picture[:, ::-1]),
        np.ascontiguousarray(cutout.crown[:, ::-1]),
        (width - x2, y1, width - x1, y2),
    )


def empty_room(photograph: Photograph) -> ImageBGR:
    """The photograph with heads and shoulders painted over by what is round them: no face is left."""
    height, width = photograph.image_bgr.shape[:2]
    hole = np.zeros((height, width), np.uint8)
    for box in photograph.boxes_xyxy:
        hole |= _outline(photograph, box, margin=1.15)
    small_px = (round(width * PLATE_SHARE), round(height * PLATE_SHARE))
    small = cv2.resize(photograph.image_bgr, small_px, interpolation=cv2.INTER_AREA)
    small_hole = cv2.resize(hole, small_px, interpolation=cv2.INTER_NEAREST)
    filled = cv2.inpaint(small, small_hole, INPAINT_PX, cv2.INPAINT_TELEA)
    painted = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(hole, (0, 0), 2.0)[..., None].astype(np.float32) / 255
    return np.asarray(photograph.image_bgr * (1 - soft) + painted * soft, np.uint8)


def _ellipse(mask: NDArray[np.uint8], x: float, y: float, across: float, down: float) -> None:
    cv2.ellipse(mask, (round(x), round(y)), (round(across), round(down)), 0, 0, 360, (255,), -1)


def _head(photograph: Photograph, box: NDArray[np.float64], margin: float = 1.0) -> NDArray[np.uint8]:
    """Where a head with its hair is, 255, else 0."""
    x1, y1, x2, y2 = box
    mask = np.zeros(photograph.image_bgr.shape[:2], np.uint8)
    across, down = margin * HEAD[0] * (x2 - x1), margin * HEAD[1] * (y2 - y1)
    _ellipse(mask, (x1 + x2) / 2, (y1 + y2) / 2 - 0.1 * (y2 - y1), across, down)
    return mask


def _outline(photograph: Photograph, box: NDArray[np.float64], margin: float = 1.0) -> NDArray[np.uint8]:
    """Head and shoulders."""
    x1, _, x2, y2 = box
    mask = _head(photograph, box, margin)
    height = y2 - box[1]
    across, down = margin * SHOULDERS[0] * (x2 - x1), margin * SHOULDERS[1] * height
    _ellipse(mask, (x1 + x2) / 2, y2 + SHOULDERS[1] * height, across, down)
    return mask


def _cut(photograph: Photograph, index: int, heads: list[NDArray[np.uint8]]) -> Cutout:
    box = photograph.boxes_xyxy[index]
    mask = _outline(photograph, box)
    for other, head in enumerate(heads):
        # Who sits lower in the picture sits nearer: their hair is not part of somebody behind them.
        if other != index and photograph.boxes_xyxy[other][3] > box[3]:
            mask &= ~head
    width = box[2] - box[0]
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.5, SOFT * width)), np.uint8)
    x, y, across, down = cv2.boundingRect(soft)
    alpha = soft[y : y + down, x : x + across]
    face = (box - (x, y, x, y)).tolist()
    picture = photograph.image_bgr[y : y + down, x : x + across]
    return Cutout(
        _with_alpha(picture, alpha),
        _with_alpha(_crowned(picture, face), alpha),
        (face[0], face[1], face[2], face[3]),
    )


def _with_alpha(picture: ImageBGR, alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    share = alpha[..., None].astype(np.float32) / 255
    return np.concatenate([np.asarray(picture * share, np.uint8), alpha[..., None]], axis=2)


def _crowned(picture: ImageBGR, face: list[float]) -> ImageBGR:
    """The picture with the hair from above the forehead drawn down over the face, as of a bowed head."""
    x1, y1, x2, y2 = face
    height, width = y2 - y1, x2 - x1
    top, low = max(0, round(y1 - 0.22 * height)), max(2, round(y1 + 0.08 * height))
    left, right = max(0, round(x1)), min(picture.shape[1], round(x2))
    hair = picture[min(top, low - 2) : low, left:right]
    mask = np.zeros(picture.shape[:2], np.uint8)
    _ellipse(mask, (x1 + x2) / 2, (y1 + y2) / 2, 0.62 * width, 0.62 * height)
    drawn = picture.copy()
    # Its mean along the width: stretched hair keeps its strands, and a forehead's edge would look like eyes.
    strands = np.repeat(hair.mean(axis=0, keepdims=True), picture.shape[0], axis=0)
    drawn[:, left:right] = cv2.GaussianBlur(strands.astype(np.float32), (0, 0), max(1.0, 0.05 * width))
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.8, 0.08 * width))[..., None].astype(np.float32) / 255
    return np.asarray(picture * (1 - soft) + drawn * soft, np.uint8)
