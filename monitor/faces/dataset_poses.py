"""Head poses of the faces of a data set, from the same face mesh as live faces.

The confusion matrix of a model depends on the head pose, so it is measured together with the poses of the
faces (``model.export.model_info``).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.inference.crop import BOX_CENTRE_PX, BOX_SIDE_PX, EYE_DISTANCE_PX
from monitor.detection.blazeface import SHORT_RANGE, BlazeFace
from monitor.detection.nms import box_overlaps, weighted_nms
from monitor.detection.tiled import BOX_MARGINS
from monitor.faces.head_pose import pose_from_mesh
from monitor.faces.mesh import MeshNetwork
from monitor.types import Box, Face, HeadPose, ImageBGR

ENLARGEMENT = 4
"""The scale of each tile, with a border of ``MARGIN_PX`` repeated edge pixels: the networks need some
context, and a tile ends at the face."""

MARGIN_PX = 24

MIN_SCORE, MIN_IOU = 0.3, 0.3
"""Limits for a detection of the face in the centre of a tile. Without one the usual face box of tiles is
used."""

_EYES_Y_PX = 19.0
"""The height of the eyes in FER2013's tiles (median, ``model.inference.crop``)."""


@dataclass(frozen=True)
class TilePose:
    """The head in one tile: ``face`` as detected, in pixels of the enlarged tile, and the pose from one and
    from two passes of the mesh network; each None if there is none."""

    face: Face | None
    one_pass: HeadPose | None
    two_passes: HeadPose | None


class TilePoseEstimator:
    """Estimates the head poses in tiles. Raises NetworkFileError if the networks are missing."""

    def __init__(self) -> None:
        self._network, self._detector = MeshNetwork(), BlazeFace(SHORT_RANGE, 1)

    def estimate(self, image: NDArray[np.uint8]) -> TilePose:
        """The head pose in ``image`` ``(48, 48)`` grey."""
        large = _enlarge(image)
        face = _centre_face(self._detector, large)
        box, eyes = (_face_box(), _eyes()) if face is None else (face.box_xyxy, face.keypoints[:2])
        first = self._network.find(large, box, eyes)
        second = self._network.refine(large, first)
        return TilePose(
            face, pose_from_mesh(first.points), None if second is None else pose_from_mesh(second.points)
        )


def tile_poses(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Yaw and pitch in degrees, ``(N, 2)``, of the faces in ``images`` ``(N, 48, 48)`` grey; NaN where the
    mesh network finds no face. About 10 ms per face. Raises NetworkFileError if the networks are missing."""
    estimator = TilePoseEstimator()
    poses = np.full((len(images), 2), np.nan, np.float32)
    for index, image in enumerate(images):
        pose = estimator.estimate(image).two_passes
        if pose is not None and pose.pitch_deg is not None:
            poses[index] = pose.yaw_deg, pose.pitch_deg
    return poses


def _enlarge(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    around = (MARGIN_PX,) * 4
    framed = cv2.copyMakeBorder(image, *around, cv2.BORDER_REPLICATE)
    large = cv2.resize(framed, None, fx=ENLARGEMENT, fy=ENLARGEMENT, interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), np.uint8)


def _centre_face(detector: BlazeFace, image_bgr: ImageBGR) -> Face | None:
    """The face in the centre of an enlarged tile."""
    scale = detector.input_px / image_bgr.shape[0]
    small = cv2.resize(image_bgr, (detector.input_px, detector.input_px), interpolation=cv2.INTER_AREA)
    candidates = detector.candidates(np.asarray(small, np.uint8), MIN_SCORE).to_frame(scale, 0.0, 0.0)
    faces = weighted_nms(candidates)
    iou, _, _ = box_overlaps(np.array(_face_box(), np.float32), faces.boxes_xyxy)
    if not (iou >= MIN_IOU).any():
        return None
    best = int(np.flatnonzero(iou >= MIN_IOU)[0])  # merged candidates are sorted by score
    x1, y1, x2, y2 = (float(side) for side in faces.boxes_xyxy[best])
    left, above, right, below = (share * (x2 - x1) for share in BOX_MARGINS)
    box = (x1 - left, y1 - above, x2 + right, y2 + below)
    return Face(box, float(faces.scores[best]), faces.keypoints[best])


def _face_box() -> Box:
    x, y = (middle + MARGIN_PX for middle in BOX_CENTRE_PX)
    half = BOX_SIDE_PX / 2
    left, top, right, bottom = (ENLARGEMENT * side for side in (x - half, y - half, x + half, y + half))
    return left, top, right, bottom


def _eyes() -> NDArray[np.float32]:
    x, y = BOX_CENTRE_PX[0] + MARGIN_PX, _EYES_Y_PX + MARGIN_PX
    half = EYE_DISTANCE_PX / 2
    return np.array([(x - half, y), (x + half, y)], np.float32) * ENLARGEMENT
