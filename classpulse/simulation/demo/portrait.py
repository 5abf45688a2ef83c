"""The face of the demo: matplotlib's public-domain portrait of Grace Hopper, segmented, with face-mesh
landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.ground_truth import DemoError
from model.networks import SELFIE_SEGMENTATION
from monitor.detection.base import DetectionSettings
from monitor.detection.factory import load_detector
from monitor.faces.mesh import LEFT_EYE_CORNER, RIGHT_EYE_CORNER, MediaPipeNetwork, Mesh, MeshNetwork
from monitor.types import Box, ImageBGR


@dataclass(frozen=True, eq=False)
class PortraitLandmarks(Mesh):
    """The 468 face-mesh landmarks of the portrait."""

    @property
    def unit_px(self) -> float:
        """The distance between the outer corners of the eyes in pixels, the unit of all warps."""
        return float(np.linalg.norm(self.xy[LEFT_EYE_CORNER] - self.xy[RIGHT_EYE_CORNER]))


def find_landmarks(image_bgr: ImageBGR, box_xyxy: Box, eyes: NDArray[np.float32]) -> PortraitLandmarks:
    """The mesh of the face inside ``box_xyxy``, pixels.

    ``eyes`` is ``(2, 2)`` pixels, the subject's right eye first. Raises ``DemoError`` if no face is found.
    """
    mesh = MeshNetwork().find_two_pass(image_bgr, box_xyxy, eyes)
    if mesh is None:
        raise DemoError(
            "No face mesh was found in the portrait of matplotlib's sample data.", "Reinstall matplotlib."
        )
    return PortraitLandmarks(mesh.points, mesh.presence)


PORTRAIT_FILE = "grace_hopper.jpg"
SEGMENTATION_PX = 256

MIN_FACE_PX = 96
"""The face is 190 pixels wide; searching for small faces only takes longer."""

SHOWN_ROWS = 470
"""No tile shows more of the portrait."""

FACE_MARGIN_PX = 60
"""Space below the chin for an opening mouth."""


@dataclass(frozen=True)
class Portrait:
    """``image_bgr (470, 512, 3)`` uint8; ``person_mask (470, 512)`` float32, 1 on the person and 0 in the
    background; ``landmarks`` in the image."""

    image_bgr: ImageBGR
    person_mask: NDArray[np.float32]
    landmarks: PortraitLandmarks

    @property
    def face_area(self) -> tuple[slice, slice]:
        """Rows and columns of the face with a margin: the only area that is painted on."""
        x1, y1, x2, y2 = self.landmarks.box_xyxy
        return (slice(int(y1), int(y2) + FACE_MARGIN_PX), slice(int(x1), int(x2)))

    def crop_to_face(self) -> Portrait:
        """The portrait cropped to ``face_area``."""
        rows, columns = self.face_area
        shift = np.array([columns.start, rows.start, 0], np.float32)
        face = PortraitLandmarks(self.landmarks.points - shift, self.landmarks.presence)
        return Portrait(
            np.ascontiguousarray(self.image_bgr[self.face_area]), self.person_mask[self.face_area], face
        )


@lru_cache(maxsize=1)
def load_portrait() -> Portrait:
    """Read, measure and segment the portrait (about 0.3 s; cached).

    Raises ``DemoError`` if matplotlib's sample data is missing, ``NetworkFileError`` if a network is.
    """
    path = Path(matplotlib.get_data_path()) / "sample_data" / PORTRAIT_FILE
    picture = cv2.imread(str(path))
    if picture is None:
        raise DemoError(f"{path} of matplotlib's sample data is missing.", "Reinstall matplotlib.")
    image_bgr = np.ascontiguousarray(picture[:SHOWN_ROWS], np.uint8)
    faces = load_detector(DetectionSettings(min_face_px=MIN_FACE_PX)).detect(image_bgr)
    if not faces:
        raise DemoError(f"No face was found in {path}.", "Reinstall matplotlib.")
    face = find_landmarks(image_bgr, faces[0].box_xyxy, faces[0].keypoints[:2])
    return Portrait(image_bgr, _segment_person(image_bgr), face)


def _segment_person(image_bgr: ImageBGR) -> NDArray[np.float32]:
    """The person mask of MediaPipe's selfie segmentation.

    Smoothed, then steepened about 0.6, because parts of the flag beside the cap get some tenths, in streaks.
    (``cv2.grabCut`` was tried first: it keeps the flag's dark stripe and cuts the hair square.)
    """
    small = cv2.resize(image_bgr, (SEGMENTATION_PX, SEGMENTATION_PX), interpolation=cv2.INTER_AREA)
    network = MediaPipeNetwork(SELFIE_SEGMENTATION)
    mask = network.run(small[:, :, ::-1].astype(np.float32) / np.float32(255))[SEGMENTATION_PX**2]
    height, width = image_bgr.shape[:2]
    full = cv2.resize(mask.reshape(SEGMENTATION_PX, -1), (width, height), interpolation=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(full, (0, 0), 2.5)
    return np.asarray(np.clip((smooth - 0.6) / 0.35 + 0.5, 0, 1), np.float32)
