"""YuNet, run by OpenCV: an alternative detector on the whole frame.

Wu et al. 2023, "YuNet: A Tiny Millisecond-level Face Detector"; ``face_detection_yunet`` of opencv_zoo.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from model.networks import FACE_DETECTION_YUNET
from monitor.detection.base import DetectionSettings
from monitor.detection.nms import Floats
from monitor.types import Face, ImageBGR

MIN_INPUT_FACE_PX = 16
"""The smallest face side, in pixels of the model's input. Of four faces of 24 px in a frame of 1280 x 720 it
finds one when they are scaled to 12 px, three at 14 and all at 16; in the lecture hall 22 to 23 of 24 at
each. The time grows with the square."""

MARGIN_PX = 16
"""Black pixels beyond the right and lower edge, where the model is as blind as BlazeFace (see ``tiling``)."""

STRIDE_PX = 32
MIN_SIDE_PX = 128

VERIFIED_SCORE = 0.7
"""From this score on a face counts as verified (``Face.confirmed``): there is no second network. Of the 24
faces that YuNet finds in the lecture hall, 1920 wide, 23 reach it (19 reach 0.8), and all five in
``group.jpg``. Heuristic, chosen on these."""

NMS_IOU = 0.3
TOP_K = 1000


class YuNetDetector:
    """YuNet on the whole frame, scaled so that the smallest face to detect is just large enough. Raises
    NetworkFileError if its file is missing or damaged."""

    def __init__(self, settings: DetectionSettings) -> None:
        self._scale = min(1.0, MIN_INPUT_FACE_PX / settings.min_face_px)
        network = np.frombuffer(FACE_DETECTION_YUNET.read(), np.uint8)
        no_config = np.empty(0, np.uint8)
        with _without_opencv_warnings():
            self._net = cv2.FaceDetectorYN.create(
                "onnx", network, no_config, (320, 320), settings.min_score, NMS_IOU, TOP_K
            )
        self.version = f"yunet ({FACE_DETECTION_YUNET.label}; opencv {cv2.__version__})"

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """See ``Detector.detect``. YuNet has no keypoints for ears: they are NaN."""
        height, width = image_bgr.shape[:2]
        across, down = max(1, round(width * self._scale)), max(1, round(height * self._scale))
        small = (
            cv2.resize(image_bgr, (across, down), interpolation=cv2.INTER_AREA)
            if self._scale < 1
            else image_bgr
        )
        right, below = _padded(across) - across, _padded(down) - down
        framed = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_CONSTANT)
        self._net.setInputSize((across + right, down + below))
        _, rows = self._net.detect(framed)
        if rows is None:
            return []
        # For frames of a few pixels OpenCV returns boxes of infinite size.
        table = np.asarray(rows, dtype=np.float32)
        table = table[np.isfinite(table).all(axis=1)]
        faces = [_face(row, width / across, height / down, width, height) for row in table]
        return sorted((face for face in faces if face is not None), key=lambda face: -face.score)


def _padded(length: int) -> int:
    """The side of the model's input: with the margin, and a multiple of the stride. OpenCV would pad to that
    itself, but its boxes for frames of a few pixels then change from call to call."""
    return max(MIN_SIDE_PX, -(-(length + MARGIN_PX) // STRIDE_PX) * STRIDE_PX)


@contextmanager
def _without_opencv_warnings() -> Iterator[None]:
    """Within the block, OpenCV logs errors only: version 5 warns whenever a network is opened with a target,
    and ``FaceDetectorYN`` always names one."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _face(row: Floats, x_scale: float, y_scale: float, width: int, height: int) -> Face | None:
    """A face from YuNet's 15 numbers: x, y, w, h; right eye, left eye, nose, right and left mouth corner;
    score. None for a box outside of the frame."""
    x, y, w, h = row[:4] * (x_scale, y_scale, x_scale, y_scale)
    box = (
        max(0.0, float(x)),
        max(0.0, float(y)),
        min(float(width), float(x + w)),
        min(float(height), float(y + h)),
    )
    if not (box[2] > box[0] and box[3] > box[1]):
        return None
    points = row[4:14].reshape(5, 2) * (x_scale, y_scale)
    ears = np.full((2, 2), np.nan)
    keypoints = np.concatenate([points[:3], points[3:].mean(axis=0, keepdims=True), ears]).astype(np.float32)
    score = float(row[14])
    return Face(box, score, keypoints, score >= VERIFIED_SCORE)
