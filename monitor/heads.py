"""What a face tells of its head: by its mesh where it is large enough, else by the detector's keypoints."""

from __future__ import annotations

import numpy as np

from monitor.attention import AttentionSettings, head_pose
from monitor.domain import Face, HeadReading, ImageBGR
from monitor.eyenet import LEFT_CORNERS, RIGHT_CORNERS, EyeNetwork, eye_width_px
from monitor.eyes import can_be_read, opening
from monitor.mesh import Mesh, MeshNetwork
from monitor.meshpose import mesh_pose


class MeshHeads:
    """Reads heads one by one; each mesh takes two looks and each eye one. Raises DetectorError where the
    networks are missing."""

    def __init__(self, settings: AttentionSettings) -> None:
        self._min_face_px = settings.mesh_min_face_px
        self._meshes, self._eyes = MeshNetwork(), EyeNetwork()

    @property
    def version(self) -> str:
        """For the record of a session."""
        return f"MediaPipe's face mesh and iris from {self._min_face_px} px on, else keypoints"

    def read(self, image_bgr: ImageBGR, faces: list[Face]) -> list[HeadReading]:
        """Where each head points and how far its eyes are open, in the order of ``faces``."""
        return [self._read(image_bgr, face) for face in faces]

    def _read(self, image_bgr: ImageBGR, face: Face) -> HeadReading:
        mesh = self._mesh(image_bgr, face)
        pose = None if mesh is None else mesh_pose(mesh.points)
        if mesh is None or pose is None or face.size_px < self._min_face_px:
            return HeadReading(head_pose(face), None, mesh is not None)
        width_px = min(eye_width_px(mesh.xy[list(corners)]) for corners in (RIGHT_CORNERS, LEFT_CORNERS))
        if not can_be_read(pose, width_px):
            return HeadReading(pose, None, mesh_fits=True)
        return HeadReading(pose, opening(self._eyes.contours(image_bgr, mesh.xy)), mesh_fits=True)

    def _mesh(self, image_bgr: ImageBGR, face: Face) -> Mesh | None:
        eyes = face.keypoints[:2]
        if not np.isfinite(eyes).all():
            return None
        return self._meshes.settle(image_bgr, face.box_xyxy, eyes)
