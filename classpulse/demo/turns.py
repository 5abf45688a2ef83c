"""The head turned to the side or bent down: its points turned in space, and the picture drawn after them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from classpulse.demo.landmarks import Landmarks
from classpulse.demo.warps import Field, field_shape, grid

AXIS_DEPTH = 0.62
"""Where the neck's axis lies behind the eyes, as a share of the eye distance."""

CAP_RADIUS = 0.92
"""The cap's half width, as a share of the eye distance."""

HIDDEN_FROM_DEG = 66.0
"""Points turned further than this from the camera are let go: at the rim they would fold the picture."""

DEPTH_SCALE = 0.85
"""The network's depths are flattened a little: at full depth the near ear is drawn out beyond belief."""

RIM_POINTS = 7
RIM_NEAR, RIM_FAR, RIM_NOD = 0.42, 0.22, 0.35
"""How far the head's outline goes with a turn or a nod, times the sine of the angle and the eye distance."""


def turn_field(face: Landmarks, image_shape: tuple[int, ...], yaw_deg: float, pitch_deg: float) -> Field:
    """The field of a head turned by ``yaw_deg`` (positive to the subject's left, the picture's right) and
    raised by ``pitch_deg`` (negative looks down)."""
    source = _control_points(face)
    target = _turned(source, face, np.radians(yaw_deg), np.radians(pitch_deg))
    keep = _front(target, face)
    rim, still = _rim(face), _still(image_shape, face)
    source_xy = np.vstack([source[keep, :2], rim, still])
    target_xy = np.vstack([target[keep, :2], rim + _rim_shift(rim, face, yaw_deg, pitch_deg), still])
    coarse = grid(image_shape)[::4, ::4]
    spline = RBFInterpolator(target_xy, target_xy - source_xy, kernel="thin_plate_spline", smoothing=3.0)
    values = spline(coarse.reshape(-1, 2)).reshape(coarse.shape).astype(np.float32)
    rows, columns = field_shape(image_shape)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / 4
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def turned_mesh(face: Landmarks, yaw_deg: float, pitch_deg: float) -> NDArray[np.float64]:
    """The 468 landmarks of the turned head, ``(468, 2)`` pixels."""
    scaled = face.points.astype(np.float64) * (1, 1, DEPTH_SCALE)
    return _turned(scaled, face, np.radians(yaw_deg), np.radians(pitch_deg))[:, :2]


def _control_points(face: Landmarks) -> NDArray[np.float64]:
    """The mesh and the cap above it, ``(N, 3)`` pixels. The network sees no cap: a cylinder stands for it."""
    unit, middle_x = face.unit_px, float(face.xy[:, 0].mean())
    top_y = float(face.xy[:, 1].min())
    x, y = np.meshgrid(np.linspace(-0.8, 0.8, 13) * unit, np.linspace(-0.05, -0.8, 6) * unit)
    depth = AXIS_DEPTH * unit - np.sqrt((CAP_RADIUS * unit) ** 2 - x**2)
    cap = np.stack([x + middle_x, y + top_y, depth], axis=-1).reshape(-1, 3)
    points: NDArray[np.float64] = np.vstack([face.points, cap]) * (1.0, 1.0, DEPTH_SCALE)
    return points


def _centre(face: Landmarks) -> NDArray[np.float64]:
    x1, _, x2, y2 = face.box_xyxy
    return np.array([(x1 + x2) / 2, y2, DEPTH_SCALE * AXIS_DEPTH * face.unit_px])


def _turned(points: NDArray[np.float64], face: Landmarks, yaw: float, pitch: float) -> NDArray[np.float64]:
    """``points`` turned about the neck, ``(N, 3)``; angles in radians."""
    x, y, z = (points - _centre(face)).T
    x, z = x * np.cos(yaw) - z * np.sin(yaw), x * np.sin(yaw) + z * np.cos(yaw)
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    return np.asarray(np.stack([x, y, z], axis=-1) + _centre(face), np.float64)


def _front(points: NDArray[np.float64], face: Landmarks) -> NDArray[np.bool_]:
    """Which turned points still face the camera."""
    x, _, z = (points - _centre(face)).T
    return np.asarray(np.abs(np.degrees(np.arctan2(x, -z))) < HIDDEN_FROM_DEG, np.bool_)


def _rim(face: Landmarks) -> NDArray[np.float64]:
    """The outline of head and cap, ``(N, 2)`` pixels, the subject's right side first."""
    x1, y1, x2, y2 = face.box_xyxy
    side = 0.86 * face.unit_px
    y = np.linspace(y1 - 0.6 * face.unit_px, y2, RIM_POINTS)
    middle_x = (x1 + x2) / 2
    return np.array([(middle_x + sign * side, row) for sign in (-1, 1) for row in y])


def _rim_shift(
    rim: NDArray[np.float64], face: Landmarks, yaw_deg: float, pitch_deg: float
) -> NDArray[np.float64]:
    """A round thing that turns about its middle keeps its outline; a head turns about the neck behind it, so
    the outline follows a part of the way, more on the side that comes forward."""
    sway = np.sin(np.radians(yaw_deg)) * face.unit_px
    coming = np.repeat([yaw_deg > 0, yaw_deg < 0], RIM_POINTS)
    height = np.clip((rim[:, 1].max() - rim[:, 1]) / face.unit_px, 0, 1)
    across = np.where(coming, RIM_NEAR, RIM_FAR) * sway * (0.3 + 0.7 * height)
    down = -RIM_NOD * np.sin(np.radians(pitch_deg)) * face.unit_px * height
    return np.column_stack([across, down])


def _still(image_shape: tuple[int, ...], face: Landmarks) -> NDArray[np.float64]:
    """Points that stay, ``(N, 2)`` pixels: the shoulders and the picture's upper corners."""
    height, width = image_shape[:2]
    shoulder_y = np.linspace(face.box_xyxy[3] + 0.35 * face.unit_px, height, 5)
    return np.array([*((x, y) for x in np.linspace(0, width, 9) for y in shoulder_y), (0, 0), (width, 0)])
