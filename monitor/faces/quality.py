"""Quality of a face: whether its expression can be read, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
from annotated_types import Ge, Le

from monitor.faces.head_pose import fit_keypoints, reprojection_error
from monitor.faces.pose_gate import PoseLimits, pose_rejection
from monitor.types import Face, HeadEstimate, ImageBGR, UnreadableReason

SHARPNESS_PX = 24
"""The side to which a face is downscaled before its sharpness is measured, so that a sharp small face and a
sharp large one have similar values (within a factor of two: a portrait 2.5 at 200 px, 1.3 at 25); it is also
the size of the smallest face that is assessed. At 48 px small faces would count as blurred because they are
small, which is another reason with its own setting."""


@dataclass(frozen=True, kw_only=True)
class QualitySettings(PoseLimits):
    """The limits of a readable face.

    ``min_face_px``: the shorter side of the box. The faces of FER2013, the training data, have 48; at 24 the
    mouth is still about eight pixels wide.

    ``min_sharpness``: see ``sharpness``. Of 1500 faces of FER2013's Training part (48 px) the first
    percentile is 0.60; in the lecture hall, 1920 wide, the least sharp of 24 has 0.21. Blurred by a Gaussian
    of 2 px, the FER2013 faces have 0.12 in the median and 0.26 at the 95th percentile; of 3 px, when mouths
    are smudges, 0.04 and 0.10.

    ``max_yaw_deg``, ``max_bow_deg``, ``max_raise_deg``: see ``monitor.faces.pose_gate.PoseLimits``.

    ``max_reprojection_error``: see ``monitor.faces.head_pose.reprojection_error``. The detector's keypoints
    of 22 students, a group of five and the webcam clips had 0.005 to 0.032.
    """

    min_face_px: Annotated[int, Ge(12), Le(512)] = 24
    min_sharpness: Annotated[float, Ge(0.0), Le(10.0)] = 0.15
    max_reprojection_error: Annotated[float, Ge(0.01), Le(1.0)] = 0.06


def assess_face(
    face: Face, image_bgr: ImageBGR, head: HeadEstimate, settings: QualitySettings
) -> UnreadableReason | None:
    """Why no expression can be read from ``face`` in ``image_bgr`` ``(H, W, 3)``, or None if it can.

    ``head`` is the head estimate of the face. The reasons are checked in the order too small, turned away,
    head bowed, occluded, pose unknown, blurred: each is only meaningful if those before it do not apply.

    Occluded means what box and keypoints show: eyes or mouth outside of the frame or the box, or keypoints
    that fit no head. A hand, a mask or a neighbour in front of a face is not recognised: the detector
    extrapolates the keypoints, and the visible part of the face is assessed.
    """
    if face.size_px < settings.min_face_px:
        return UnreadableReason.TOO_SMALL
    rejection = pose_rejection(head, settings)
    if rejection in (UnreadableReason.TURNED_AWAY, UnreadableReason.HEAD_BOWED):
        return rejection
    fit = fit_keypoints(face)
    if (
        fit is None
        or reprojection_error(fit) > settings.max_reprojection_error
        or _is_outside(face, image_bgr)
    ):
        return UnreadableReason.OCCLUDED
    if rejection is not None:
        return rejection
    if sharpness(face, image_bgr) < settings.min_sharpness:
        return UnreadableReason.BLURRED
    return None


def sharpness(face: Face, image_bgr: ImageBGR) -> float:
    """The variance of the Laplacian over the variance of the grey levels, of the face downscaled to
    ``SHARPNESS_PX``; 0 for a uniform surface.

    The division makes it independent of contrast: a focused face in a dim corner is not blurred. Source for
    the variance of the Laplacian: Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy".
    """
    grey = cv2.cvtColor(_crop(face, image_bgr), cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (SHARPNESS_PX, SHARPNESS_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    spread = float(small.var())
    return float(cv2.Laplacian(small, cv2.CV_32F)[1:-1, 1:-1].var()) / spread if spread > 0 else 0.0


def _crop(face: Face, image_bgr: ImageBGR) -> ImageBGR:
    height, width = image_bgr.shape[:2]
    x1, y1, x2, y2 = face.box_xyxy
    left, top = int(min(max(x1, 0), width - 1)), int(min(max(y1, 0), height - 1))
    right, bottom = max(left + 1, min(width, round(x2))), max(top + 1, min(height, round(y2)))
    return image_bgr[top:bottom, left:right]


def _is_outside(face: Face, image_bgr: ImageBGR) -> bool:
    """Whether eyes, nose or mouth are outside of the frame or the box."""
    height, width = image_bgr.shape[:2]
    x1, y1, x2, y2 = face.box_xyxy
    low = np.maximum((x1, y1), (0, 0))
    high = np.minimum((x2, y2), (width, height))
    inner = face.keypoints[:4]
    visible = np.isfinite(inner).all(axis=1)
    return bool(((inner < low) | (inner > high))[visible].any())
