"""Head pose, eye aspect ratio and mesh fit of each face: from the face mesh, else from its keypoints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.networks import FACE_LANDMARK, IRIS_LANDMARK
from monitor.faces.eye_closure import are_eyes_readable, eye_aspect_ratio
from monitor.faces.eye_network import LEFT_CORNERS, RIGHT_CORNERS, EyeNetwork, eye_width_px
from monitor.faces.head_pose import AttentionSettings, pose_from_keypoints, pose_from_mesh
from monitor.faces.mesh import MIN_PRESENCE, Mesh, MeshNetwork
from monitor.types import Face, HeadEstimate, ImageBGR

MIN_TWO_PASS_PX = 80
"""From this size on the mesh network runs twice (``MeshNetwork.find_two_pass``). On smaller faces a second
pass changes the pitch by at most 2.5° in nine of ten and would double the cost of a full room."""

MESH_ERRORS_DEG = ((80, 1.3), (48, 2.8), (32, 3.3), (0, 4.7))
"""Least face size in pixels, and half-width of the 90 % interval of a mesh pose from that size on. It
combines the deviation of a downscaled face's pitch from the same face at full size (4.0°, 2.1°, 1.1° and 1.3°
at 24, 32, 48 and 64 px, ``docs/explanation/attention.md``) with that of a single pass from two passes (2.5°:
FER2013's Training part, ``benchmarks/pose_bias.py``), as the root of the sum of squares. The difference
between a person's head and the generic one is not included: the limits of ``model.poses`` were chosen on many
people."""


class MeshPoseEstimator:
    """Runs one or two passes of the mesh network for each face, and the eye network for each eye of a large
    one. Raises NetworkFileError if the networks are missing."""

    def __init__(self, settings: AttentionSettings) -> None:
        self._eyes_min_face_px = settings.eyes_min_face_px
        self._meshes, self._eyes = MeshNetwork(), EyeNetwork()

    @property
    def version(self) -> str:
        """The method, as stored in a session's ``versions``."""
        return (
            f"MediaPipe's face mesh ({FACE_LANDMARK.label}) at every size; "
            f"iris ({IRIS_LANDMARK.label}) from {self._eyes_min_face_px} px on"
        )

    def estimate(self, image_bgr: ImageBGR, faces: list[Face]) -> list[HeadEstimate]:
        """Pose, eye aspect ratio and mesh fit of each face, in the order of ``faces``."""
        return [self._estimate(image_bgr, face) for face in faces]

    def _estimate(self, image_bgr: ImageBGR, face: Face) -> HeadEstimate:
        if not np.isfinite(face.keypoints[:2]).all():
            return HeadEstimate(pose_from_keypoints(face))  # the crop of the mesh network needs both eyes
        mesh = self._mesh(image_bgr, face)
        pose = None if mesh is None else pose_from_mesh(mesh.points)
        if mesh is None or pose is None:
            return HeadEstimate(pose_from_keypoints(face), mesh_fits=False)
        pose = replace(pose, error_deg=mesh_error_deg(face.size_px))
        if face.size_px < self._eyes_min_face_px:
            return HeadEstimate(pose, mesh_fits=True)
        width_px = min(eye_width_px(mesh.xy[list(corners)]) for corners in (RIGHT_CORNERS, LEFT_CORNERS))
        if not are_eyes_readable(pose, width_px):
            return HeadEstimate(pose, mesh_fits=True)
        return HeadEstimate(pose, eye_aspect_ratio(self._eyes.contours(image_bgr, mesh.xy)), mesh_fits=True)

    def _mesh(self, image_bgr: ImageBGR, face: Face) -> Mesh | None:
        eyes = face.keypoints[:2]
        if face.size_px >= MIN_TWO_PASS_PX:
            return self._meshes.find_two_pass(image_bgr, face.box_xyxy, eyes)
        mesh = self._meshes.find(image_bgr, face.box_xyxy, eyes)
        return mesh if mesh.presence >= MIN_PRESENCE else None


def mesh_error_deg(size_px: float) -> float:
    """Half-width of the 90 % interval of the pose of a face of this size from its mesh, degrees."""
    return next(error for least_px, error in MESH_ERRORS_DEG if size_px >= least_px)
