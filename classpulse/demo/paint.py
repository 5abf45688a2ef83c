"""What no warp of the portrait can show: lids over her eyes, and the inside of her mouth.

A displacement field can move what is there. Her lids are four pixels of skin between lens rim and eye: pulled
down they smear the rim over the eye (tried), so the lowered lid is painted instead, with the skin around it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.demo.landmarks import Landmarks
from monitor.domain import ImageBGR

UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (263, 466, 388, 387, 386, 385, 384, 398, 362))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (263, 249, 390, 373, 374, 380, 381, 382, 362))
"""The mesh's eye contours from the outer to the inner corner, right eye first."""

UPPER_LIFT, LOWER_DROP = -0.03, 0.012
"""From the mesh's eye contours to the eyes in the portrait, shares of the eye distance: behind her glasses
the network sets the upper lids some four pixels too low."""

INNER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
"""The lower edge of the upper lip, from the subject's right corner to the left."""

LIP_FALLOFF = 0.25
"""How far below the lips the lower lip's motion fades, standard deviation as a share of the eye distance: the
chin, at 0.42, hardly moves (``Action.JAW_DOWN`` moves it)."""

MOUTH_BGR, TEETH_BGR = (38.0, 28.0, 62.0), (148.0, 182.0, 208.0)
TEETH_HEIGHT = 0.045
"""How far the teeth reach below the upper lip, as a share of the eye distance; beyond it is the dark."""

WIDE_OPENING, ROUND_OPENING, ROUND_WIDTH = 0.07, 0.18, 0.62
"""A smile parts the lips over their whole width; a mouth that opens far becomes round, 0.62 of it wide."""

LASH_DARKENING = (0.62, 0.60, 0.50)
LID_TINT = (0.90, 0.94, 1.02)
"""Blue, green, red: lashes are brown, and lids redder than the cheek that their colour is taken from."""

SUPERSAMPLING = 8
"""Binary digits of sub-pixel position in ``cv2.fillPoly`` and ``cv2.polylines`` (their ``shift``)."""


def lower_lids(image_bgr: ImageBGR, face: Landmarks, closed: float) -> ImageBGR:
    """The portrait with its upper lids down by ``closed``: 0 as they are, 1 shut."""
    if closed <= 0:
        return image_bgr
    unit = face.unit_px
    picture = image_bgr.astype(np.float32)
    for upper_ids, lower_ids in zip(UPPER_LIDS, LOWER_LIDS, strict=True):
        upper = face.xy[list(upper_ids)] + np.array([0.0, UPPER_LIFT]) * unit
        lower = face.xy[list(lower_ids)] + np.array([0.0, LOWER_DROP]) * unit
        edge = upper + (lower - upper) * closed
        lid = _mask(np.vstack([upper, edge[::-1]]), image_bgr.shape, blur_px=0.012 * unit)
        picture += lid * (_skin(image_bgr, upper, lower) - picture)
        lash = _line(edge, image_bgr.shape, width_px=0.018 * unit, blur_px=0.008 * unit)
        picture *= 1 - lash * np.array(LASH_DARKENING) * min(1.0, 4 * closed)
    return np.clip(picture, 0, 255).astype(np.uint8)


def open_mouth(image_bgr: ImageBGR, face: Landmarks, opening: float) -> ImageBGR:
    """The portrait with its lips apart by ``opening``, a share of the eye distance (0.06 shows the teeth)."""
    if opening <= 0:
        return image_bgr
    seam_x, seam_y = face.xy[list(INNER_LIP)].T.astype(np.float64)
    columns = np.arange(image_bgr.shape[1], dtype=np.float64)
    width = np.interp(opening, [WIDE_OPENING, ROUND_OPENING], [1.0, ROUND_WIDTH])
    across = np.clip(((columns - seam_x[0]) / (seam_x[-1] - seam_x[0]) * 2 - 1) / width, -1, 1)
    gap = opening * face.unit_px * np.sqrt(1 - across**2)
    seam = np.interp(columns, seam_x, seam_y)
    parted = _part_lips(image_bgr, seam, gap, LIP_FALLOFF * face.unit_px)
    return _fill_mouth(parted, seam, gap, TEETH_HEIGHT * face.unit_px)


def _part_lips(
    image_bgr: ImageBGR, seam: NDArray[np.float64], gap: NDArray[np.float64], falloff_px: float
) -> ImageBGR:
    """Everything below the seam moves down by the gap of its column, fading with the distance."""
    y, x = np.mgrid[0 : image_bgr.shape[0], 0 : image_bgr.shape[1]].astype(np.float64)
    source = y - gap
    for _ in range(6):
        source = y - gap * np.exp(-0.5 * ((source - seam) / falloff_px) ** 2)
    source = np.where(y > seam + gap, source, np.minimum(y, seam))
    parted = cv2.remap(image_bgr, x.astype(np.float32), source.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(parted, np.uint8)


def _fill_mouth(
    image_bgr: ImageBGR, seam: NDArray[np.float64], gap: NDArray[np.float64], teeth_px: float
) -> ImageBGR:
    """Teeth under the upper lip and the dark below them, shaded towards the corners."""
    below = np.arange(image_bgr.shape[0], dtype=np.float64)[:, None] - seam
    between_lips = np.clip(below + 0.5, 0, 1) * np.clip(gap - below + 0.5, 0, 1)
    inside = np.asarray(between_lips * np.clip(gap / 1.5, 0, 1), np.float64)
    corners = (gap / gap.max()) ** 0.7
    teeth = np.clip((teeth_px * corners - below) / 1.5, 0, 1) * corners * np.clip(0.75 + below / 8, 0, 1)
    colour = np.array(MOUTH_BGR) + teeth[..., None] * (np.array(TEETH_BGR) - np.array(MOUTH_BGR))
    alpha = cv2.GaussianBlur(inside, (0, 0), 0.6)[..., None]
    return np.asarray(np.clip(image_bgr + alpha * (colour - image_bgr), 0, 255), np.uint8)


def _skin(image_bgr: ImageBGR, upper: NDArray[np.float64], lower: NDArray[np.float64]) -> NDArray[np.float32]:
    """A colour for the lid in shape ``(H, W, 3)``: the skin beneath the eye, darker towards the top."""
    below = lower.mean(axis=0) + (lower.mean(axis=0) - upper.mean(axis=0)) * 0.9
    x, y = int(below[0]), int(below[1])
    patch = image_bgr[y - 3 : y + 4, x - 9 : x + 10].reshape(-1, 3)
    rows = np.arange(image_bgr.shape[0], dtype=np.float32)[:, None, None]
    top, bottom = upper[:, 1].min(), lower[:, 1].max()
    shade = 0.72 + 0.22 * np.clip((rows - top) / (bottom - top), 0, 1)
    colour = np.median(patch, axis=0) * LID_TINT * shade
    return np.asarray(np.broadcast_to(colour, image_bgr.shape), np.float32)


def _mask(outline: NDArray[np.float64], shape: tuple[int, ...], *, blur_px: float) -> NDArray[np.float32]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [_fixed_point(outline)], (255,), cv2.LINE_AA, SUPERSAMPLING)
    return cv2.GaussianBlur(mask, (0, 0), blur_px).astype(np.float32)[..., None] / 255


def _line(
    points: NDArray[np.float64], shape: tuple[int, ...], *, width_px: float, blur_px: float
) -> NDArray[np.float32]:
    mask = np.zeros(shape[:2], np.uint8)
    thickness = max(1, round(width_px))
    cv2.polylines(mask, [_fixed_point(points)], False, (255,), thickness, cv2.LINE_AA, SUPERSAMPLING)
    return cv2.GaussianBlur(mask, (0, 0), blur_px).astype(np.float32)[..., None] / 255


def _fixed_point(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.asarray(np.round(points * 2**SUPERSAMPLING), np.int32)
