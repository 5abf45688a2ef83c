"""Turning and bending the head: its points are rotated in space, and the image is warped accordingly.

Two layers. The face is a mesh of triangles between the landmarks, rotated and drawn from far to near, so that
the nose hides the cheek behind it. The surroundings (ears, hair, cap, neck) follow a thin-plate spline. The
spline alone was tried first: it cannot hide anything, so both eyes and ears stay visible, and a face
detector's keypoints show 20 degrees of yaw for a turn of 55. With the mesh they show about 40.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.spatial import Delaunay

from classpulse.simulation.demo.portrait import PortraitLandmarks
from classpulse.simulation.demo.warps import FIELD_STEP, Field, field_shape, sample_grid

Points = NDArray[np.float64]

AXIS_DEPTH = 0.62
"""Depth of the neck's axis behind the eyes, relative to the eye distance."""

CAP_RADIUS_SHARE = 0.92
"""Half width of the cap, relative to the eye distance."""

BACK_FACE_FROM_DEG = 66.0
"""The spline ignores points turned further than this from the camera: it would fold at the rim."""

RIM_POINTS, RIM_HALF_WIDTH = 7, 0.86
"""Points per side of the head's outline, and their distance from the middle."""

RIM_SWAY, RIM_NOD = 0.4, 0.35
"""How far the outline follows a turn or a nod, times the sine of the angle, relative to the eye distance."""

BEHIND_FACE = 0.05
"""Width of the strip for the parts behind the far cheek (the ear), relative to the eye distance."""

SUBPIXEL_BITS = 6
"""Fractional bits of positions for filling triangles."""


def head_turn_field(
    face: PortraitLandmarks, image_shape: tuple[int, ...], yaw_deg: float, pitch_deg: float
) -> Field:
    """The field of a head turned by ``yaw_deg`` (positive to the subject's left, the image's right) and
    raised by ``pitch_deg`` (negative looks down)."""
    around = _around_field(face, image_shape, yaw_deg, pitch_deg)
    return _with_mesh(around, face, yaw_deg, pitch_deg)


def rotate_mesh(face: PortraitLandmarks, yaw_deg: float, pitch_deg: float) -> Points:
    """The 468 landmarks of the rotated head, ``(468, 3)`` pixels."""
    return _rotate(face.points.astype(np.float64), face, yaw_deg, pitch_deg)


def _rotation_centre(face: PortraitLandmarks) -> Points:
    x1, _, x2, y2 = face.box_xyxy
    return np.array([(x1 + x2) / 2, y2, AXIS_DEPTH * face.unit_px])


def _rotate(points: Points, face: PortraitLandmarks, yaw_deg: float, pitch_deg: float) -> Points:
    """``points`` rotated about the neck, ``(N, 3)``."""
    yaw, pitch = np.radians([yaw_deg, pitch_deg])
    x, y, z = (points - _rotation_centre(face)).T
    x, z = x * np.cos(yaw) - z * np.sin(yaw), x * np.sin(yaw) + z * np.cos(yaw)
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    return np.asarray(np.stack([x, y, z], axis=-1) + _rotation_centre(face), np.float64)


def _with_mesh(around: Field, face: PortraitLandmarks, yaw_deg: float, pitch_deg: float) -> Field:
    """The field with the rotated face drawn over it, triangle by triangle from far to near."""
    turned = rotate_mesh(face, yaw_deg, pitch_deg)
    triangles = Delaunay(face.xy).simplices
    source, target = face.xy[triangles].astype(np.float64), turned[triangles, :2] / FIELD_STEP
    front = np.flatnonzero(_signed_area(source) * _signed_area(target) > 1e-6)
    far_first = front[np.argsort(-turned[triangles[front], 2].mean(axis=1))]
    owner = np.full(around.shape[:2], -1, np.int32)
    for index in far_first.tolist():
        corners = np.round(target[index] * 2**SUBPIXEL_BITS).astype(np.int32)
        cv2.fillConvexPoly(owner, corners, (index,), cv2.LINE_8, SUBPIXEL_BITS)
    y, x = np.nonzero(owner >= 0)
    corners_h = np.concatenate([target[front], np.ones((len(front), 3, 1))], axis=2)
    back = np.zeros((len(triangles), 3, 2))
    back[front] = np.linalg.solve(corners_h, source[front])
    here = np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float64)
    field = around.copy()
    field[y, x] = here[:, :2] * FIELD_STEP - np.einsum("ni,nij->nj", here, back[owner[y, x]])
    return field


def _signed_area(corners: Points) -> Points:
    """Twice the signed area of triangles ``(N, 3, 2)``: its sign distinguishes front from back."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], np.float64)


def _around_field(
    face: PortraitLandmarks, image_shape: tuple[int, ...], yaw_deg: float, pitch_deg: float
) -> Field:
    """The spline through mesh, cap, outline and shoulders; a third of the mesh is enough."""
    source = np.vstack([face.points[::3].astype(np.float64), _cap_points(face)])
    target = _rotate(source, face, yaw_deg, pitch_deg)
    keep = _faces_camera(target, face)
    rim, still = _outline_points(face), _fixed_points(image_shape, face)
    moved = _move_outline(rim, face, yaw_deg, pitch_deg)
    source_xy = np.vstack([source[keep, :2], rim, still])
    target_xy = np.vstack([target[keep, :2], moved, still])
    coarse = sample_grid(image_shape)[::4, ::4]
    spline = RBFInterpolator(target_xy, target_xy - source_xy, kernel="thin_plate_spline", smoothing=3.0)
    values = spline(coarse.reshape(-1, 2)).reshape(coarse.shape).astype(np.float32)
    rows, columns = field_shape(image_shape)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / 4
    return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _cap_points(face: PortraitLandmarks) -> Points:
    """Points of the cap, ``(N, 3)`` pixels, on a cylinder, because the mesh has no cap."""
    unit, middle_x = face.unit_px, float(face.xy[:, 0].mean())
    x, y = np.meshgrid(np.linspace(-0.8, 0.8, 13) * unit, np.linspace(-0.05, -0.8, 6) * unit)
    depth = AXIS_DEPTH * unit - np.sqrt((CAP_RADIUS_SHARE * unit) ** 2 - x**2)
    cap = np.stack([x + middle_x, y + face.box_xyxy[1], depth], axis=-1)
    return np.asarray(cap.reshape(-1, 3), np.float64)


def _faces_camera(points: Points, face: PortraitLandmarks) -> NDArray[np.bool_]:
    """Which rotated points face the camera."""
    x, _, z = (points - _rotation_centre(face)).T
    return np.asarray(np.abs(np.degrees(np.arctan2(x, -z))) < BACK_FACE_FROM_DEG, np.bool_)


def _outline_points(face: PortraitLandmarks) -> Points:
    """The outline of head and cap above the jaw, ``(N, 2)`` pixels, the subject's right side first."""
    x1, y1, x2, y2 = face.box_xyxy
    y = np.linspace(y1 - 0.6 * face.unit_px, y2 - 0.3 * face.unit_px, RIM_POINTS)
    side, middle_x = RIM_HALF_WIDTH * face.unit_px, (x1 + x2) / 2
    return np.array([(middle_x + sign * side, row) for sign in (-1, 1) for row in y])


def _move_outline(rim: Points, face: PortraitLandmarks, yaw_deg: float, pitch_deg: float) -> Points:
    """The moved outline.

    Beside the cap it follows partly, because a round object keeps its outline but the head turns about the
    neck. Beside the face, the near ear stays next to the near edge of the mesh; on the far side the cheek
    becomes the outline and hides the ear.
    """
    unit, height = face.unit_px, np.clip((face.box_xyxy[3] - rim[:, 1]) / face.unit_px, 0, 1)
    y = rim[:, 1] - RIM_NOD * np.sin(np.radians(pitch_deg)) * unit * height
    x = rim[:, 0] + RIM_SWAY * np.sin(np.radians(yaw_deg)) * unit
    mesh = rotate_mesh(face, yaw_deg, pitch_deg)
    for index, side in enumerate(np.repeat([-1.0, 1.0], RIM_POINTS).tolist()):
        before, after = (
            _mesh_edge_x(face.points, rim[index, 1], side, unit),
            _mesh_edge_x(mesh, y[index], side, unit),
        )
        if before is not None and after is not None:
            ear = abs(rim[index, 0] - before)
            x[index] = after + side * (min(ear, BEHIND_FACE * unit) if side * yaw_deg > 0 else ear)
    return np.column_stack([x, y])


def _mesh_edge_x(mesh: NDArray[np.floating[Any]], y: float, side: float, unit_px: float) -> float | None:
    """The outermost x of the mesh on one side at the height ``y``; None above and below the mesh."""
    beside = mesh[np.abs(mesh[:, 1] - y) < 0.12 * unit_px, 0]
    return float((beside * side).max() * side) if beside.size else None


def _fixed_points(image_shape: tuple[int, ...], face: PortraitLandmarks) -> Points:
    """Points that do not move, ``(N, 2)`` pixels: the shoulders and the image's upper corners."""
    height, width = image_shape[:2]
    shoulder_y = np.linspace(face.box_xyxy[3] + 0.35 * face.unit_px, height, 5)
    return np.array([*((x, y) for x in np.linspace(0, width, 9) for y in shoulder_y), (0, 0), (width, 0)])
