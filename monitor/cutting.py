"""A square cut out of a picture, turned upright, as MediaPipe cuts what its landmark networks look at.

Source: mediapipe's ``ImageToTensorCalculator`` and the ``*_to_roi.pbtxt`` of its modules, release 0.10.21: a
square about a centre, turned so that a line of the face is level, the picture's edge repeated beyond it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.domain import ImageBGR

Points = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Cutting:
    """``to_cutting`` ``(2, 3)`` maps pixels of the picture to those of a square of ``px``."""

    to_cutting: NDArray[np.float64]
    px: int

    @classmethod
    def upright(cls, centre: Points, side_px: float, line: Points, px: int) -> Cutting:
        """The square of ``side_px`` about ``centre`` ``(2,)``, on which ``line`` ``(2, 2)``, from its first
        point to its second, is level and points right. Pixels of the picture, ``px`` of the cutting."""
        across, down = line[1] - line[0]
        roll_deg = math.degrees(math.atan2(down, across))
        middle = (float(centre[0]), float(centre[1]))
        turn = np.asarray(cv2.getRotationMatrix2D(middle, roll_deg, px / side_px), np.float64)
        turn[:, 2] += px / 2 - np.array(middle)
        return cls(turn, px)

    def rgb(self, image_bgr: ImageBGR) -> NDArray[np.float32]:
        """The cutting as a network takes it: ``(px, px, 3)`` float32, red-green-blue, 0..1."""
        cut = cv2.warpAffine(image_bgr, self.to_cutting, (self.px, self.px), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.cvtColor(cut, cv2.COLOR_BGR2RGB), np.float32) / 255

    def back(self, points: Points) -> Points:
        """Points ``(N, 3)`` of the cutting (z in its pixels) in the picture."""
        back = cv2.invertAffineTransform(self.to_cutting)
        scale = float(np.hypot(back[0, 0], back[1, 0]))
        return np.column_stack([points[:, :2] @ back[:, :2].T + back[:, 2], points[:, 2] * scale]).astype(
            np.float32
        )
