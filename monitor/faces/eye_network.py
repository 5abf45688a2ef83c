"""The contour of an eye, from MediaPipe's iris network.

The face mesh does not show whether an eye is closed: in the mesh, a closed eye is still two thirds as high as
an open one (``docs/explanation/attention.md``). The input of this network is a crop of the eye, as in
mediapipe's ``modules/iris_landmark/*.pbtxt``, release 0.10.21: a square of 2.3 times the eye's width, the
subject's left eye mirrored. Source: Ablavatski et al. 2020, "Real-time pupil tracking from monocular video
for digital puppetry", arXiv 2006.11341.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.networks import IRIS_LANDMARK
from monitor.faces.mesh import MediaPipeNetwork
from monitor.imaging import RotatedCrop
from monitor.types import ImageBGR

POINTS = 71
CROP_SCALE = 2.3
"""The side of the crop over the width of the eye: ``iris_landmark_landmarks_to_roi.pbtxt``."""

RIGHT_CORNERS, LEFT_CORNERS = (33, 133), (362, 263)
"""The corners of the subject's right and left eye in the face mesh, from left to right in the image."""


class EyeNetwork:
    """Finds eye contours in a face whose mesh is known. Raises NetworkFileError if the network is
    missing."""

    def __init__(self) -> None:
        self._network = MediaPipeNetwork(IRIS_LANDMARK)

    def contours(self, image_bgr: ImageBGR, mesh_xy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Both eyes, ``(2, 71, 2)`` float32: the subject's right, then left, points in pixels of a crop in
        which every eye is a right eye of the same size. ``mesh_xy`` is ``(468, 2)`` pixels."""
        right = self._contour(image_bgr, mesh_xy[list(RIGHT_CORNERS)], mirrored=False)
        left = self._contour(image_bgr, mesh_xy[list(LEFT_CORNERS)], mirrored=True)
        return np.stack([right, left])

    def _contour(
        self, image_bgr: ImageBGR, corners: NDArray[np.float32], *, mirrored: bool
    ) -> NDArray[np.float32]:
        side_px = CROP_SCALE * eye_width_px(corners)
        square = RotatedCrop.aligned_to(
            corners.mean(axis=0), side_px, corners, self._network.input_px
        ).extract_rgb(image_bgr)
        outputs = self._network.run(square[:, ::-1] if mirrored else square)
        return outputs[POINTS * 3].reshape(POINTS, 3)[:, :2]


def eye_width_px(corners: NDArray[np.float32]) -> float:
    """The distance between an eye's corners ``(2, 2)``, pixels; at least 1, so that the crop is not empty."""
    return max(1.0, float(np.hypot(*(corners[1] - corners[0]))))
