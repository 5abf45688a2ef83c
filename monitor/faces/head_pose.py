"""Where a head points, from the six keypoints of a face, and what counts as facing. Pure NumPy.

The keypoints are laid over a generic head (``monitor.faces.head_pose``). Ratios such as "where between the ears
the nose lies" were tried first: they take a tilted line of the eyes for a tilted head, though a head that
is both turned and bowed shows one too, and are off by 12° at 30° of yaw and pitch. With points misplaced
by 2 % of the head's width and heads that differ by 8 % from the generic one, this fit is off by 2° to 4°
(root mean square, simulated), and by 9° where there are no ears.

Which way a head of known shape points, from where some of its points lie in a picture. Pure NumPy.

A face is far away compared with its depth, so a camera sees it in scaled orthography: the points in the
picture are two rows of a rotation times a scale, applied to the same points of a generic head. The affine
map from head to picture comes from least squares over all points that were seen; the nearest rotation to
it, by singular values, gives the direction (the first, not iterated step of POSIT: DeMenthon and Davis
1995, "Model-based object pose in 25 lines of code").

Where a head points, from the mesh of its face. Pure NumPy.

The points are those by which MediaPipe lays its canonical face over a mesh (``procrustes_landmark_basis``
in ``modules/face_geometry/data/geometry_pipeline_metadata_landmarks.pbtxt``): they move little with the
face. They count alike here; MediaPipe's weights give the nose's wings and the jaw most of the say.
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
"""The smaller over the larger singular value of the map, at least. Both are the scale, so of a real
head they are equal; points that lie nearly on a line are no head."""

MIN_POINTS = 4


@dataclass(frozen=True)
class HeadFit:
    """A generic head laid over the points of a picture.

    ``rotation`` ``(2, 3)``: head axes to picture axes, the picture's second axis pointing up.
    ``px_per_cm``: how large the head is. ``error_px``: the root mean square of the points' distances from
    the affinely fitted head; with only four points the fit is exact and this is 0.
    """

    rotation: Floats
    px_per_cm: float
    error_px: float

    @property
    def pose(self) -> HeadPose:
        """Yaw and pitch in -90..90 degrees with the signs of ``HeadPose``; roll does not count."""
        across, up = self.rotation
        x, y, z = across[2], up[2], across[0] * up[1] - across[1] * up[0]
        yaw_deg = math.degrees(math.atan2(x, max(z, 0.0)))
        return HeadPose(yaw_deg, math.degrees(math.asin(min(1.0, max(-1.0, y)))))


def estimate_pose(head_cm: Floats, image_px: NDArray[np.float32]) -> HeadFit | None:
    """Lay the points ``head_cm`` ``(N, 3)`` (x to the subject's left, y up, z out of the face) over
    ``image_px`` ``(N, 2)``, y down; NaN there is a point that was not seen.

    Returns:
        None where fewer than four points not in one plane were seen, or where they cannot be a head's.
    """
    seen = np.isfinite(image_px).all(axis=1)
    head, picture = head_cm[seen], image_px[seen].astype(np.float64) * (1.0, -1.0)
    if len(head) < MIN_POINTS:
        return None
    head, picture = head - head.mean(axis=0), picture - picture.mean(axis=0)
    affine, _, rank, _ = np.linalg.lstsq(head, picture, rcond=None)
    left, scales, right = np.linalg.svd(affine.T, full_matrices=False)
    if rank < 3 or scales[1] < MIN_SCALE_RATIO * scales[0] or scales[1] == 0:
        return None
    errors = np.hypot(*(picture - head @ affine).T)
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
"""The six keypoints on a generic head, ``(6, 3)`` centimetres: x to the subject's left, y up, z out of
the face. MediaPipe's canonical face model (``face_geometry/data/canonical_face_model.obj``): eyes are
the means of vertices 33, 133 and 263, 362; nose 1; mouth the mean of 13, 14; ears 234 and 454."""

HEAD_WIDTH_CM = float(HEAD_CM[5, 0] - HEAD_CM[4, 0])
"""From ear to ear."""


KEYPOINT_ERROR_DEG = 8.3
"""Half-width of the 90 % interval of a pose from keypoints: of their pitch around the face mesh's, on 27,414
faces of FER2013's Training part (``benchmarks/pose_bias.py --errors``; the bias of 0.7° is left out). It is
used for yaw too."""


@dataclass(frozen=True)
class AttentionSettings:
    """How heads are read, and when one counts as turned to the front, seen from the camera.

    ``facing_yaw_deg``: turned further to either side is not facing. Someone in the middle, 5 m
    before a board of 6 m, turns 31° to see its ends; a few degrees are added for the estimate's error.

    ``facing_down_deg``: bowed further is not facing. A page on the desk lies 40° to 60° below the
    eyes, of which the head bows about two thirds and the eyes the rest; how long a nose is moves the
    estimate by 10°. A camera high on the wall adds its own angle: raise it there.

    ``eyes_min_face_px``: eyes are read in faces whose box has a shorter side of at least this; in smaller
    ones they are unknown. At 80 px an eye is 16 px wide. On clean images shrunk to 48 px eyes still read as
    at full size (``docs/explanation/attention.md``), but faces that small come from across a room, with noise and
    compression that were not measured.
    """

    facing_yaw_deg: Annotated[float, Ge(5.0), Le(90.0)] = 35.0
    facing_down_deg: Annotated[float, Ge(5.0), Le(90.0)] = 35.0
    eyes_min_face_px: Annotated[int, Ge(48), Le(10_000)] = 80


def pose_from_keypoints(face: Face) -> HeadPose | None:
    """The direction in which the face looks, as seen from the camera; roll does not count.

    Yaw in -90..90 and pitch in -90..90 degrees, with the signs of ``HeadPose``.

    Returns:
        None where fewer than four points not in one plane were seen (``face.keypoints`` has NaN for
        the others), or where they cannot be a head's.
    """
    fit = fit_keypoints(face)
    return None if fit is None else replace(fit.pose, error_deg=KEYPOINT_ERROR_DEG)


def fit_keypoints(face: Face) -> HeadFit | None:
    """The generic head laid over the keypoints, for whoever asks more than one thing of it; None as for
    ``pose_from_keypoints``."""
    return estimate_pose(HEAD_CM, face.keypoints)


def reprojection_error(fit: HeadFit) -> float:
    """How badly keypoints fit a head in any direction: the root mean square of their distances from the
    affinely fitted head, as a share of the fitted head's width from ear to ear. With only four points the
    fit is exact and this is 0."""
    return fit.error_px / (fit.px_per_cm * HEAD_WIDTH_CM)


def is_facing(pose: HeadPose, settings: AttentionSettings) -> bool | None:
    """Whether the head is turned to the front; None where only the pitch could say it and is unknown."""
    if abs(pose.yaw_deg) > settings.facing_yaw_deg:
        return False
    return None if pose.pitch_deg is None else pose.pitch_deg >= -settings.facing_down_deg


class KeypointPoseEstimator:
    """Reads every head from the detector's keypoints alone; eyes are unknown."""

    def estimate(self, image_bgr: ImageBGR, faces: list[Face]) -> list[HeadEstimate]:
        """Where each head points, in the order of ``faces``; the picture is not looked at."""
        del image_bgr
        return [HeadEstimate(pose_from_keypoints(face)) for face in faces]


_MIDDLE = ((4, 0.0, -0.463170, 7.586580), (6, 0.0, 2.473255, 5.788627), (10, 0.0, 8.261778, 4.481535))
"""Vertex, then x to the subject's left, y up, z out of the face, centimetres."""

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
"""Vertices on the subject's right and left, then the place of the left one; the other is its mirror image."""

VERTICES = np.array([row[0] for row in (*_MIDDLE, *_PAIRS)] + [row[1] for row in _PAIRS])
"""The points of the mesh that are used, ``(33,)``."""

FACE_CM = np.array(
    [row[1:] for row in _MIDDLE]
    + [(-x, y, z) for _, _, x, y, z in _PAIRS]
    + [(x, y, z) for _, _, x, y, z in _PAIRS]
)
"""The same points on a generic face, ``(33, 3)`` centimetres, in the axes of ``monitor.faces.head_pose.HEAD_CM``.
Source: MediaPipe's canonical face model (``face_geometry/data/canonical_face_model.obj``)."""


def pose_from_mesh(points: NDArray[np.float32]) -> HeadPose | None:
    """The direction of the face with the mesh ``points`` ``(468, 3)`` (``monitor.faces.mesh.Mesh``), degrees.

    The network's depths are not used: with them a drawn turn of 30° reads as 20° to 22°
    (``docs/explanation/attention.md``). None where the points cannot be a head's.
    """
    fit = estimate_pose(FACE_CM, points[VERTICES, :2])
    return None if fit is None else fit.pose
