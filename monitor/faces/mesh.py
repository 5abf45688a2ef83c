"""The mesh of a face, from MediaPipe's landmark network: 468 points with depth.

Cropped and decoded as in mediapipe's ``modules/face_landmark/*.pbtxt``, release 0.10.21; on the same box it
returns MediaPipe's own points to 0.05 px (``docs/explanation/attention.md``). Source: Kartynnik et al. 2019,
"Real-time facial surface geometry from monocular video on mobile GPUs", arXiv 1907.06724. The wheel's other
network, with attention to lips and eyes, needs operations that LiteRT does not have.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.inference.litert import open_interpreter
from model.networks import FACE_LANDMARK, BundledNetwork
from monitor.imaging import RotatedCrop
from monitor.types import Box, ImageBGR


class MediaPipeNetwork:
    """A network of MediaPipe's with one image as its input, run with LiteRT: flat vectors out.

    Raises NetworkFileError if its file is missing or damaged.
    """

    def __init__(self, network: BundledNetwork, threads: int = 1) -> None:
        self._interpreter = open_interpreter(network.read(), threads)
        details = self._interpreter.get_input_details()[0]
        self._input, self.input_px = details["index"], int(details["shape"][1])
        outputs = self._interpreter.get_output_details()
        self._outputs = {int(np.prod(out["shape"])): out["index"] for out in outputs}

    def run(self, square_rgb: NDArray[np.float32]) -> dict[int, NDArray[np.float32]]:
        """The outputs for an image ``(input_px, input_px, 3)``, float32 in 0..1, by their length, which is
        unique."""
        self._interpreter.set_tensor(self._input, square_rgb[None])
        self._interpreter.invoke()
        return {
            length: np.asarray(self._interpreter.get_tensor(index), np.float32).ravel()
            for length, index in self._outputs.items()
        }


POINTS = 468
CROP_SCALE = 1.5
"""The side of the crop over that of the face box: ``face_detection_front_detection_to_roi.pbtxt``."""

MIN_PRESENCE = 0.5
"""Below this presence MediaPipe returns no points either (its default ``min_tracking_confidence``)."""

RIGHT_EYE_CORNER, LEFT_EYE_CORNER = 33, 263
"""The outer corners of the subject's right and left eye, which determine the roll of the crop."""

LOGIT_LIMIT = 80.0
"""``math.exp`` overflows at 710; beyond 40 the presence is 0 or 1 anyway."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """The mesh of one face. ``points`` is ``(468, 3)`` float32: x and y in pixels of the image, z in the same
    scale, negative towards the camera. ``presence`` is the network's confidence in a face, 0..1."""

    points: NDArray[np.float32]
    presence: float

    @property
    def xy(self) -> NDArray[np.float32]:
        """The points in the image, ``(468, 2)`` pixels."""
        return self.points[:, :2]

    @property
    def box_xyxy(self) -> Box:
        """The smallest upright box around all points, pixels."""
        (x1, y1), (x2, y2) = self.xy.min(axis=0), self.xy.max(axis=0)
        return (float(x1), float(y1), float(x2), float(y2))


class MeshNetwork:
    """Finds the mesh of a detected face. Raises NetworkFileError if the network is missing."""

    def __init__(self) -> None:
        self._network = MediaPipeNetwork(FACE_LANDMARK)

    def find(self, image_bgr: ImageBGR, box_xyxy: Box, eyes: NDArray[np.float32]) -> Mesh:
        """The mesh in ``box_xyxy``, pixels, whether it contains a face (``Mesh.presence``) or not.

        ``eyes`` is ``(2, 2)`` pixels, the subject's right eye first; they determine the roll only.
        """
        x1, y1, x2, y2 = box_xyxy
        centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2], np.float32)
        side_px = CROP_SCALE * max(x2 - x1, y2 - y1)
        crop = RotatedCrop.aligned_to(centre, side_px, eyes, self._network.input_px)
        outputs = self._network.run(crop.extract_rgb(image_bgr))
        logit = min(max(float(outputs[1][0]), -LOGIT_LIMIT), LOGIT_LIMIT)
        return Mesh(crop.to_frame(outputs[POINTS * 3].reshape(POINTS, 3)), 1 / (1 + math.exp(-logit)))

    def find_two_pass(self, image_bgr: ImageBGR, box_xyxy: Box, eyes: NDArray[np.float32]) -> Mesh | None:
        """The mesh of a face from two passes; None if the presence of either is below ``MIN_PRESENCE``.

        The network was trained on crops around its own points, so the mesh of the first pass defines the crop
        of the second. The result is then independent of the detector's box.
        """
        return self.refine(image_bgr, self.find(image_bgr, box_xyxy, eyes))

    def refine(self, image_bgr: ImageBGR, mesh: Mesh) -> Mesh | None:
        """The mesh of a second pass, with a crop around ``mesh``; None if the presence of either is too
        low."""
        if mesh.presence < MIN_PRESENCE:
            return None
        corners = mesh.xy[[RIGHT_EYE_CORNER, LEFT_EYE_CORNER]]
        second = self.find(image_bgr, mesh.box_xyxy, corners)
        return second if second.presence >= MIN_PRESENCE else None
