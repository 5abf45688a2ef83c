"""Where a student is in her tile."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.demo.script import Look, Moment, sway_at
from classpulse.demo.warps import FIELD_STEP

MIDDLE_XY = (264.0, 215.0)
"""The portrait's point in the middle of a tile: between eyes and mouth, so that cap and collar show."""

DRAWN_FOR = (416, 348)
"""The tile's width and height for which looks and motions are given, pixels; in another all grows with it."""

SHOULDERS_PX = 222.0
"""How far beyond her tile's edge a student slides to be out of it, shoulders and all."""


@dataclass(frozen=True)
class Placement:
    """Where a tile's portrait lies: ``to_tile (2, 3)`` maps portrait pixels to tile pixels."""

    to_tile: NDArray[np.float64]

    def read_from(self, positions: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
        """Where every tile pixel is read in the portrait, ``(height, width, 2)`` float32 pixels.

        ``positions`` says the same for the portrait's own pixels, at every ``FIELD_STEP``-th of them. It is
        sampled at every second tile pixel and enlarged: 0.6 ms where a full ``warpAffine`` takes 1.2.
        """
        # cv2.resize puts the middle of small pixel j on tile position 2 j + 0.5.
        to_tile_px = np.array([[2.0, 0.0, 0.5], [0.0, 2.0, 0.5], [0.0, 0.0, 1.0]])
        from_half = cv2.invertAffineTransform(self.to_tile) @ to_tile_px / FIELD_STEP
        half = (-(-width // 2), -(-height // 2))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        small = cv2.warpAffine(positions, from_half, half, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.resize(small, (half[0] * 2, half[1] * 2))[:height, :width], np.float32)


def tile_scale(width: int, height: int) -> float:
    """How much larger a tile is than the one that looks are given for."""
    return min(width / DRAWN_FOR[0], height / DRAWN_FOR[1])


def place(look: Look, moment: Moment, t_s: float, width: int, height: int) -> Placement:
    """Where she is in a tile of ``width`` by ``height`` at ``t_s``."""
    x_px, y_px, roll_deg, scale = sway_at(look, t_s)
    size = tile_scale(width, height)
    side = -1.0 if look.mirrored else 1.0
    zoom, roll = size * look.zoom * scale, np.radians(roll_deg)
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    linear = zoom * turn @ np.diag([side, 1.0])
    exit_x = side * (width / 2 + size * SHOULDERS_PX) * (1.0 - moment.presence)
    right, down = size * (look.shift_xy[0] + x_px) + exit_x, size * (look.shift_xy[1] + y_px)
    middle = np.array([width / 2 + right, height / 2 + down])
    return Placement(np.column_stack([linear, middle - linear @ np.array(MIDDLE_XY)]))
