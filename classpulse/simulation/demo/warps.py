"""Smooth displacement fields around the landmarks for face actions.

For every pixel of the warped image a field gives the distance from the portrait's pixel, so the image is read
by ``cv2.remap`` at ``position - field``. Fields are linear in their weights: they are computed once and added
up for every frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.demo.portrait import PortraitLandmarks

Field = NDArray[np.float32]
"""``(h, w, 2)`` float32: x and y displacement in portrait pixels, at every ``FIELD_STEP``-th pixel."""

FIELD_STEP = 2
"""An eye is 12 pixels high: steps of four pixels fold the lids. Steps of one pixel take four times as long.
"""

INVERSION_STEPS = 12
"""Fixed-point iterations for inverting a field; the steepest field here reduces the error by a factor of 0.8
per step, so less than half a pixel is left."""


class FaceAction(StrEnum):
    """A face action. The value is its name in a script."""

    CORNERS_UP = "corners up"
    CORNERS_DOWN = "corners down"
    CHEEKS_UP = "cheeks up"
    LOWER_LIP_UP = "lower lip up"
    INNER_BROWS_UP = "inner brows up"
    BROWS_UP = "brows up"
    BROWS_TOGETHER = "brows together"
    JAW_DOWN = "jaw down"


@dataclass(frozen=True)
class GaussianPush:
    """A Gaussian displacement.

    Lengths are relative to the distance of the outer eye corners: ``dx`` away from the face's midline, ``dy``
    down, ``spread_x`` and ``spread_y`` the standard deviations. The centre is the mean of the landmarks
    ``right`` of the right half of the face; ``left`` are their mirror images.
    """

    right: tuple[int, ...]
    left: tuple[int, ...]
    dx: float
    dy: float
    spread_x: float
    spread_y: float


_CORNER = ((61, 76), (291, 306))
_CHEEK = ((50, 205), (280, 425))
_UNDER_EYE = ((145, 23), (374, 253))
_INNER_BROW = ((107, 66, 108), (336, 296, 337))
_MID_BROW = ((105, 66, 104, 69), (334, 296, 333, 299))
_LOWER_LIP = ((84, 181), (314, 405))
_CHIN = ((148, 176, 171), (377, 400, 396))
_BELOW_CORNER = ((43, 57), (273, 287))

PUSHES_BY_ACTION: Mapping[FaceAction, tuple[GaussianPush, ...]] = {
    FaceAction.CORNERS_UP: (GaussianPush(*_CORNER, 0.075, -0.095, 0.16, 0.13),),
    FaceAction.CORNERS_DOWN: (
        GaussianPush(*_CORNER, 0.0, 0.085, 0.12, 0.12),
        GaussianPush(*_BELOW_CORNER, 0.01, 0.02, 0.12, 0.10),
    ),
    FaceAction.CHEEKS_UP: (
        GaussianPush(*_CHEEK, 0.02, -0.06, 0.14, 0.12),
        GaussianPush(*_UNDER_EYE, 0.0, -0.03, 0.12, 0.06),
    ),
    FaceAction.LOWER_LIP_UP: (GaussianPush(*_LOWER_LIP, 0.0, -0.03, 0.16, 0.07),),
    FaceAction.INNER_BROWS_UP: (GaussianPush(*_INNER_BROW, -0.02, -0.055, 0.10, 0.06),),
    FaceAction.BROWS_UP: (GaussianPush(*_MID_BROW, 0.0, -0.09, 0.22, 0.065),),
    FaceAction.BROWS_TOGETHER: (GaussianPush(*_INNER_BROW, -0.04, 0.01, 0.10, 0.06),),
    FaceAction.JAW_DOWN: (GaussianPush(*_CHIN, 0.0, 0.10, 0.30, 0.16),),
}


def field_shape(image_shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a field for an image of this shape."""
    return (-(-image_shape[0] // FIELD_STEP), -(-image_shape[1] // FIELD_STEP))


def sample_grid(image_shape: tuple[int, ...]) -> Field:
    """The image coordinates ``(x, y)`` of the field's sample points."""
    rows, columns = field_shape(image_shape)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) * FIELD_STEP
    return np.stack([x, y], axis=-1)


def action_field(action: FaceAction, face: PortraitLandmarks, image_shape: tuple[int, ...]) -> Field:
    """The field of an action at weight 1."""
    where = sample_grid(image_shape)
    forward = np.zeros_like(where)
    for push in PUSHES_BY_ACTION[action]:
        for landmarks, side in ((push.right, -1.0), (push.left, 1.0)):
            forward += _gaussian_weights(
                push, face.xy[list(landmarks)].mean(axis=0), side, face.unit_px, where
            )
    return invert_field(forward)


def _gaussian_weights(
    push: GaussianPush, centre: NDArray[np.float32], side: float, unit_px: float, where: Field
) -> Field:
    offset = (where - centre) / (np.array([push.spread_x, push.spread_y], np.float32) * unit_px)
    weight = np.exp(-0.5 * (offset**2).sum(axis=-1, keepdims=True))
    return np.asarray(weight * np.array([side * push.dx, push.dy]) * unit_px, np.float32)


def invert_field(forward: Field) -> Field:
    """Displacements of pixels (where each comes from) from those of points (where each goes).

    Solves ``u(q) = forward(q - u(q))`` by fixed-point iteration, which converges if the slope of the forward
    field is below 1.
    """
    rows, columns = forward.shape[:2]
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    backward = forward.copy()
    for _ in range(INVERSION_STEPS):
        map_x, map_y = x - backward[..., 0] / FIELD_STEP, y - backward[..., 1] / FIELD_STEP
        moved = cv2.remap(forward, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        backward = np.asarray(moved, np.float32)
    return backward
