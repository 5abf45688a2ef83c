"""The 468 face-mesh landmarks of one face, by MediaPipe's bundled landmark network."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.demo.bundled import infer
from monitor.domain import Box, ImageBGR

MODEL = "face_landmark/face_landmark.tflite"
POINTS = 468
INPUT_PX = 192
CROP_SCALE = 1.5
"""How much larger than the face box the crop is: ``face_detection_front_detection_to_roi.pbtxt``."""

RIGHT_EYE_CORNER, LEFT_EYE_CORNER = 33, 263
"""The outer corners of the subject's right and left eye, between which the crop's roll is measured."""


@dataclass(frozen=True)
class Landmarks:
    """One face's mesh. ``points`` is ``(468, 3)`` float32: x and y in pixels of the picture, z in pixels of
    the same scale, negative towards the camera. ``presence_logit`` is positive where there is a face."""

    points: NDArray[np.float32]
    presence_logit: float

    @property
    def xy(self) -> NDArray[np.float32]:
        """The points in the picture, ``(468, 2)`` pixels."""
        return self.points[:, :2]

    @property
    def unit_px(self) -> float:
        """The distance between the outer corners of the eyes, the yardstick of every warp, pixels."""
        return float(np.linalg.norm(self.xy[LEFT_EYE_CORNER] - self.xy[RIGHT_EYE_CORNER]))

    @property
    def box_xyxy(self) -> Box:
        """The smallest upright box around all points, pixels."""
        (x1, y1), (x2, y2) = self.xy.min(axis=0), self.xy.max(axis=0)
        return (float(x1), float(y1), float(x2), float(y2))


def find_landmarks(image_bgr: ImageBGR, box_xyxy: Box, eyes: NDArray[np.float32]) -> Landmarks:
    """The mesh of the face inside ``box_xyxy``, pixels.

    ``eyes`` is ``(2, 2)`` pixels, the subject's right eye first. Two passes: the network was trained on crops
    that its own landmarks steer, so the first pass's mesh draws the crop of the second.
    """
    first = _one_pass(image_bgr, box_xyxy, eyes)
    return _one_pass(image_bgr, first.box_xyxy, first.xy[[RIGHT_EYE_CORNER, LEFT_EYE_CORNER]])


def _one_pass(image_bgr: ImageBGR, box_xyxy: Box, eyes: NDArray[np.float32]) -> Landmarks:
    to_crop, scale = _crop_transform(box_xyxy, eyes)
    crop = cv2.warpAffine(image_bgr, to_crop, (INPUT_PX, INPUT_PX), borderMode=cv2.BORDER_REPLICATE)
    outputs = infer(MODEL, crop[:, :, ::-1].astype(np.float32) / 255)
    mesh = outputs[POINTS * 3].reshape(POINTS, 3)
    back = cv2.invertAffineTransform(to_crop)
    xy = mesh[:, :2] @ back[:, :2].T + back[:, 2]
    points = np.column_stack([xy, mesh[:, 2] / scale]).astype(np.float32)
    return Landmarks(points, float(outputs[1][0]))


def _crop_transform(box_xyxy: Box, eyes: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """The affine ``(2, 3)`` from picture to crop, and its scale: a square round the face, upright."""
    x1, y1, x2, y2 = box_xyxy
    centre = ((x1 + x2) / 2, (y1 + y2) / 2)
    scale = INPUT_PX / (CROP_SCALE * max(x2 - x1, y2 - y1))
    (right_x, right_y), (left_x, left_y) = eyes
    roll_deg = float(np.degrees(np.arctan2(left_y - right_y, left_x - right_x)))
    transform = np.asarray(cv2.getRotationMatrix2D(centre, roll_deg, scale), np.float64)
    transform[:, 2] += INPUT_PX / 2 - np.array(centre)
    return transform, scale
