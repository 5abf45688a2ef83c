"""People cut out of a photograph, and the room without them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.room.photo import Photograph
from monitor.types import Box, ImageBGR

HEAD_SIZE = (0.85, 0.95)
"""Half axes of the ellipse around a head with its hair, in face widths and heights."""

SHOULDERS_SIZE = (1.5, 0.9)
"""Half axes of the ellipse around the shoulders, whose centre is its half height below the chin."""

EDGE_SOFTNESS = 0.06
"""Standard deviation of the soft edge, in face widths."""

BACKGROUND_SCALE = 0.5
"""The empty room is painted at half size: it takes a quarter of the time and is dark and blurred anyway."""

INPAINT_PX = 4
"""Radius of cv2.inpaint."""


@dataclass(frozen=True)
class PersonCutout:
    """A person of the photograph: ``image`` (h, w, 4) uint8 with premultiplied alpha; ``bowed_image`` the
    same with hair in place of the face; ``face_xyxy`` the face in its pixels."""

    image: NDArray[np.uint8]
    bowed_image: NDArray[np.uint8]
    face_xyxy: Box

    @property
    def centre_xy(self) -> tuple[float, float]:
        """The centre of the face."""
        x1, y1, x2, y2 = self.face_xyxy
        return (x1 + x2) / 2, (y1 + y2) / 2


def cut_out_people(photograph: Photograph) -> list[PersonCutout]:
    """All people of the photograph, in the order of the boxes."""
    heads = [_head_mask(photograph, box) for box in photograph.boxes_xyxy]
    return [_cut_out_person(photograph, index, heads) for index in range(len(heads))]


def mirrored_cutout(cutout: PersonCutout) -> PersonCutout:
    """The mirror image of a person, used as a visitor."""
    width = cutout.image.shape[1]
    x1, y1, x2, y2 = cutout.face_xyxy
    return PersonCutout(
        np.ascontiguousarray(cutout.image[:, ::-1]),
        np.ascontiguousarray(cutout.bowed_image[:, ::-1]),
        (width - x2, y1, width - x1, y2),
    )


def remove_people(photograph: Photograph) -> ImageBGR:
    """The photograph with heads and shoulders inpainted: no face is left."""
    height, width = photograph.image_bgr.shape[:2]
    hole = np.zeros((height, width), np.uint8)
    for box in photograph.boxes_xyxy:
        hole |= _person_mask(photograph, box, margin=1.15)
    small_px = (round(width * BACKGROUND_SCALE), round(height * BACKGROUND_SCALE))
    small = cv2.resize(photograph.image_bgr, small_px, interpolation=cv2.INTER_AREA)
    small_hole = cv2.resize(hole, small_px, interpolation=cv2.INTER_NEAREST)
    filled = cv2.inpaint(small, small_hole, INPAINT_PX, cv2.INPAINT_TELEA)
    painted = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(hole, (0, 0), 2.0)[..., None].astype(np.float32) / 255
    return np.asarray(photograph.image_bgr * (1 - soft) + painted * soft, np.uint8)


def _fill_ellipse(mask: NDArray[np.uint8], x: float, y: float, across: float, down: float) -> None:
    cv2.ellipse(mask, (round(x), round(y)), (round(across), round(down)), 0, 0, 360, (255,), -1)


def _head_mask(photograph: Photograph, box: NDArray[np.float64], margin: float = 1.0) -> NDArray[np.uint8]:
    """255 on a head with its hair, else 0."""
    x1, y1, x2, y2 = box
    mask = np.zeros(photograph.image_bgr.shape[:2], np.uint8)
    across, down = margin * HEAD_SIZE[0] * (x2 - x1), margin * HEAD_SIZE[1] * (y2 - y1)
    _fill_ellipse(mask, (x1 + x2) / 2, (y1 + y2) / 2 - 0.1 * (y2 - y1), across, down)
    return mask


def _person_mask(photograph: Photograph, box: NDArray[np.float64], margin: float = 1.0) -> NDArray[np.uint8]:
    """255 on head and shoulders, else 0."""
    x1, _, x2, y2 = box
    mask = _head_mask(photograph, box, margin)
    height = y2 - box[1]
    across, down = margin * SHOULDERS_SIZE[0] * (x2 - x1), margin * SHOULDERS_SIZE[1] * height
    _fill_ellipse(mask, (x1 + x2) / 2, y2 + SHOULDERS_SIZE[1] * height, across, down)
    return mask


def _cut_out_person(photograph: Photograph, index: int, heads: list[NDArray[np.uint8]]) -> PersonCutout:
    box = photograph.boxes_xyxy[index]
    mask = _person_mask(photograph, box)
    for other, head in enumerate(heads):
        # A person lower in the image is nearer: its hair is not part of a person behind it.
        if other != index and photograph.boxes_xyxy[other][3] > box[3]:
            mask &= ~head
    width = box[2] - box[0]
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.5, EDGE_SOFTNESS * width)), np.uint8)
    x, y, across, down = cv2.boundingRect(soft)
    alpha = soft[y : y + down, x : x + across]
    face = (box - (x, y, x, y)).tolist()
    picture = photograph.image_bgr[y : y + down, x : x + across]
    return PersonCutout(
        _with_alpha(picture, alpha),
        _with_alpha(_draw_bowed(picture, face), alpha),
        (face[0], face[1], face[2], face[3]),
    )


def _with_alpha(image: ImageBGR, alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    share = alpha[..., None].astype(np.float32) / 255
    return np.concatenate([np.asarray(image * share, np.uint8), alpha[..., None]], axis=2)


def _draw_bowed(image: ImageBGR, face: list[float]) -> ImageBGR:
    """The image with the hair above the forehead drawn down over the face, like a bowed head."""
    x1, y1, x2, y2 = face
    height, width = y2 - y1, x2 - x1
    top, low = max(0, round(y1 - 0.22 * height)), max(2, round(y1 + 0.08 * height))
    left, right = max(0, round(x1)), min(image.shape[1], round(x2))
    hair = image[min(top, low - 2) : low, left:right]
    mask = np.zeros(image.shape[:2], np.uint8)
    _fill_ellipse(mask, (x1 + x2) / 2, (y1 + y2) / 2, 0.62 * width, 0.62 * height)
    drawn = image.copy()
    # Averaged over the height: stretched hair keeps its strands, and a forehead's edge would look like eyes.
    strands = np.repeat(hair.mean(axis=0, keepdims=True), image.shape[0], axis=0)
    drawn[:, left:right] = cv2.GaussianBlur(strands.astype(np.float32), (0, 0), max(1.0, 0.05 * width))
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.8, 0.08 * width))[..., None].astype(np.float32) / 255
    return np.asarray(image * (1 - soft) + drawn * soft, np.uint8)
