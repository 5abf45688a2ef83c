"""Head pose from the keypoints or the mesh of a face, and facing. Pure NumPy.

The pose is that of a generic head fitted to image points. A face is far away compared with its depth, so the
projection is a scaled orthography (weak perspective): the image points are two rows of a rotation times a
scale, applied to the points of the head. The affine map is estimated by least squares over all visible
points; the nearest rotation, by singular value decomposition, gives the pose (the first, not iterated step of
POSIT: DeMenthon and Davis 1995, "Model-based object pose in 25 lines of code").

For keypoints, ratios such as the position of the nose between the ears were tried first: they take a tilted
line of the eyes for a tilted head, though a head that is both turned and bowed has one too, and their error
is 12° at 30° of yaw and pitch. With points misplaced by 2 % of the head's width and heads that differ by 8 %
from the generic one, the error of the fit is 2° to 4° (root mean square, simulated), and 9° without ears.

For meshes, the points are those with which MediaPipe aligns its canonical face (``procrustes_landmark_basis``
in ``modules/face_geometry/data/geometry_pipeline_metadata_landmarks.pbtxt``), because they move little with
the expression. They have equal weights here; MediaPipe's weights favour the wings of the nose and the jaw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from monitor.types import Face, HeadEstimate, HeadPose, ImageBGR

Floats = NDArray[np.float64]

MIN_SCALE_RATIO = 0.35
"""The least ratio of the smaller to the larger singular value of the map. Both are the scale and equal for a
real head; points that lie nearly on a line are not a head."""

MIN_POINTS = 4


@dataclass(frozen=True)
class HeadFit:
    """A generic head fitted to image points.

    ``rotation`` ``(2, 3)``: head axes to image axes, with the second image axis pointing up. ``px_per_cm``:
    the scale. ``error_px``: the root mean square of the points' distances from the affinely fitted head; with
    only four points the fit is exact and this is 0.
    """

    rotation: Floats
    px_per_cm: float
    error_px: float

    @property
    def pose(self) -> HeadPose:
        """Yaw and pitch in -90..90 degrees with the signs of ``HeadPose``; roll is ignored."""
        across, up = self.rotation
        x, y, z = across[2], up[2], across[0] * up[1] - across[1] * up[0]
        yaw_deg = math.degrees(math.atan2(x, max(z, 0.0)))
        return HeadPose(yaw_deg, math.degrees(math.asin(min(1.0, max(-1.0, y)))))


def estimate_pose(head_cm: Floats, image_px: NDArray[np.float32]) -> HeadFit | None:
    """Fit the points ``head_cm`` ``(N, 3)`` (x to the subject's left, y up, z out of the face) to
    ``image_px`` ``(N, 2)``, y down; NaN marks a point that is not visible.

    Returns:
        None for fewer than four visible points, points in one plane, or points that cannot be a head's.
    """
    visible = np.isfinite(image_px).all(axis=1)
    head, image = head_cm[visible], image_px[visible].astype(np.float64) * (1.0, -1.0)
    if len(head) < MIN_POINTS:
        return None
    head, image = head - head.mean(axis=0), image - image.mean(axis=0)
    affine, _, rank, _ = np.linalg.lstsq(head, image, rcond=None)
    left, scales, right = np.linalg.svd(affine.T, full_matrices=False)
    if rank < 3 or scales[1] < MIN_SCALE_RATIO * scales[0] or scales[1] == 0:
        return None
    errors = np.hypot(*(image - head @ affine).T)
    return HeadFit(left @ right, float(scales.mean()), float(np.sqrt(np.mean(errors**2))))


HEAD_CM = np.array(
    [
        (-3.15, 2.62, 3.47),
        (3.15, 2.62, 3.47),
        (0.0, -1.13, 7.48),
        (0.0, -4.27, 5.31),
        (-7.66, 0.67, -2.44),
        (7.66, 0.67, -2.44),
    ]
)
"""The six keypoints of a generic head, ``(6, 3)`` centimetres: x to the subject's left, y up, z out of the
face. From MediaPipe's canonical face model (``face_geometry/data/canonical_face_model.obj``): eyes are the
means of vertices 33, 133 and 263, 362; nose 1; mouth the mean of 13, 14; ears 234 and 454."""

HEAD_WIDTH_CM = float(HEAD_CM[5, 0] - HEAD_CM[4, 0])
"""The distance from ear to ear."""


KEYPOINT_ERROR_DEG = 8.3
"""Half-width of the 90 % interval of a pose from keypoints: of its pitch around that of the face mesh, on
27,414 faces of FER2013's Training part (``benchmarks/pose_bias.py --errors``; the bias of 0.7° is left out).
Also used for yaw."""


@dataclass(frozen=True)
class AttentionSettings:
    """When a head counts as facing the front, seen from the camera, and which eyes are read.

    ``facing_yaw_deg``: a head turned further to either side is not facing. A student in the middle, 5 m in
    front of a board of 6 m, turns 31° to see its ends; a few degrees are added for the error of the estimate.

    ``facing_down_deg``: a head bowed further is not facing. A page on the desk is 40° to 60° below the eyes,
    of which the head bows about two thirds and the eyes the rest; the length of the nose changes the estimate
    by 10°. A camera high on the wall adds its own angle: increase the value there.

    ``eyes_min_face_px``: the least shorter side of a face box whose eyes are read; in smaller faces they are
    unknown. At 80 px an eye is 16 px wide. On clean images downscaled to 48 px eyes are still read as at full
    size (``docs/explanation/attention.md``), but faces of that size are across a room, with noise and
    compression that were not measured.
    """

    facing_yaw_deg: Annotated[float, Ge(5.0), Le(90.0)] = 35.0
    facing_down_deg: Annotated[float, Ge(5.0), Le(90.0)] = 35.0
    eyes_min_face_px: Annotated[int, Ge(48), Le(10_000)] = 80


def pose_from_keypoints(face: Face) -> HeadPose | None:
    """The head pose relative to the camera, from the keypoints of a face; roll is ignored.

    Yaw and pitch in -90..90 degrees, with the signs of ``HeadPose``. None as for ``estimate_pose``; keypoints
    that are not visible are NaN.
    """
    fit = fit_keypoints(face)
    return None if fit is None else replace(fit.pose, error_deg=KEYPOINT_ERROR_DEG)


def fit_keypoints(face: Face) -> HeadFit | None:
    """The generic head fitted to the keypoints; None as for ``estimate_pose``."""
    return estimate_pose(HEAD_CM, face.keypoints)


def reprojection_error(fit: HeadFit) -> float:
    """The error of the fit: the root mean square of the keypoints' distances from the affinely fitted head,
    as a share of its width from ear to ear. With only four points the fit is exact and this is 0."""
    return fit.error_px / (fit.px_per_cm * HEAD_WIDTH_CM)


def is_facing(pose: HeadPose, settings: AttentionSettings) -> bool | None:
    """Whether the head faces the front; None if that depends on an unknown pitch."""
    if abs(pose.yaw_deg) > settings.facing_yaw_deg:
        return False
    return None if pose.pitch_deg is None else pose.pitch_deg >= -settings.facing_down_deg


class KeypointPoseEstimator:
    """Estimates head poses from the detector's keypoints only; eyes are unknown."""

    def estimate(self, image_bgr: ImageBGR, faces: list[Face]) -> list[HeadEstimate]:
        """The pose of each head, in the order of ``faces``; the image is not used."""
        del image_bgr
        return [HeadEstimate(pose_from_keypoints(face)) for face in faces]


_MIDDLE = ((4, 0.0, -0.463170, 7.586580), (6, 0.0, 2.473255, 5.788627), (10, 0.0, 8.261778, 4.481535))
"""Vertex, and its place on the face: x to the subject's left, y up, z out of the face, centimetres."""

_PAIRS = (
    (33, 263, 4.445859, 2.663991, 3.173422),
    (54, 284, 6.279331, 6.615427, 1.425850),
    (67, 297, 3.523964, 8.005976, 3.729163),
    (117, 346, 5.258659, 0.945811, 2.974312),
    (119, 348, 3.300681, 0.861641, 3.872784),
    (121, 350, 1.820731, 1.467954, 4.224124),
    (127, 356, 7.743095, 2.364999, -2.005167),
    (129, 358, 1.785794, -0.978284, 4.850470),
    (132, 361, 7.270895, -2.890917, -2.252455),
    (133, 362, 1.856432, 2.585245, 3.757904),
    (136, 365, 5.085276, -7.178590, 0.714711),
    (143, 372, 6.407571, 2.236021, 1.560843),
    (147, 376, 6.234883, -1.944430, 1.663542),
    (198, 420, 1.246815, 0.230297, 5.681036),
    (205, 425, 3.832928, -1.537326, 4.137731),
)
"""Vertices on the subject's right and left, and the place of the left one; the right one is its mirror
image."""

VERTICES = np.array([row[0] for row in (*_MIDDLE, *_PAIRS)] + [row[1] for row in _PAIRS])
"""The indices of the mesh points that are used, ``(33,)``."""

FACE_CM = np.array(
    [row[1:] for row in _MIDDLE]
    + [(-x, y, z) for _, _, x, y, z in _PAIRS]
    + [(x, y, z) for _, _, x, y, z in _PAIRS]
)
"""These points on a generic face, ``(33, 3)`` centimetres, in the axes of ``HEAD_CM``. Source: MediaPipe's
canonical face model (``face_geometry/data/canonical_face_model.obj``)."""


def pose_from_mesh(points: NDArray[np.float32]) -> HeadPose | None:
    """The pose of the face with the mesh ``points`` ``(468, 3)`` (``monitor.faces.mesh.Mesh``), degrees.

    The network's depths are not used: with them a rendered yaw of 30° is estimated as 20° to 22°
    (``docs/explanation/attention.md``). None if the points cannot be a head's.
    """
    fit = estimate_pose(FACE_CM, points[VERTICES, :2])
    return None if fit is None else fit.pose
