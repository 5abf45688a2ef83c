"""Projection of points of a head for a distant camera."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def seen(
    head_cm: NDArray[np.float64], yaw_deg: float, pitch_deg: float = 0, roll_deg: float = 0
) -> NDArray[np.float32]:
    """``head_cm`` ``(N, 3)``, rotated by roll, pitch and yaw (to the subject's left): ``(N, 2)`` pixels, 4
    per centimetre, around (300, 200)."""
    yaw, pitch, roll = (math.radians(angle) for angle in (yaw_deg, pitch_deg, roll_deg))
    about_y = [[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]]
    about_x = [[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]]
    about_z = [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
    points = head_cm @ (np.array(about_y) @ about_x @ about_z).T
    return np.stack([300 + 4 * points[:, 0], 200 - 4 * points[:, 1]], axis=1).astype(np.float32)
