"""Crops of live faces with the geometry of FER2013, on which the model was trained.

The constants are medians over Training faces in which MediaPipe's short-range BlazeFace detects a face: the
positions of its keypoints in a 48 × 48 tile (printed by ``benchmarks/crop_geometry.py``).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

CROP_PX = 48

# BlazeFace detected 97 % of 6,000 faces. Distances are medians over the 67 % that are frontal (nose within
# 15 % of the inter-eye distance from the eyes' midpoint), because yaw shortens them.
EYE_DISTANCE_PX = 17.9
EYES_TO_MOUTH_PX = 18.6
# Midpoint between the eyes' midpoint (24.0, 19.0) and the mouth (24.2, 37.1); median over all detections.
CENTRE_PX = (24.1, 28.1)
# Centre and side of BlazeFace's box, for detections without keypoints.
BOX_CENTRE_PX = (24.1, 27.7)
BOX_SIDE_PX = 40.1

# Roll is not removed: the training tiles have it too (a quarter of them more than 11°).

_RIGHT_EYE, _LEFT_EYE, _MOUTH = 0, 1, 3
# Pixels around the square that cubic interpolation reads.
_MARGIN_PX = 2

Square = tuple[float, float, float]
"""``(x, y, side)``: left, top and side in frame pixels; x and y may lie outside of the frame."""


def square_from_keypoints(keypoints: NDArray[np.float32]) -> Square | None:
    """The square of the frame that corresponds to a FER2013 tile; None if an eye or the mouth is missing.

    ``keypoints`` (6, 2) in BlazeFace's order. The size follows from the larger of the inter-eye and the
    eyes-to-mouth distance, each relative to its median: yaw shortens the first, pitch the second. Of box,
    distances, their mean and their hypotenuse this varied least over FER2013's tiles, except for the distance
    of the ears, which are often hidden.
    """
    right, left, mouth = (keypoints[i].astype(np.float64) for i in (_RIGHT_EYE, _LEFT_EYE, _MOUTH))
    eyes = (right + left) / 2
    distances = math.dist(right, left) / EYE_DISTANCE_PX, math.dist(eyes, mouth) / EYES_TO_MOUTH_PX
    # Both are checked: max(1, nan) is 1.
    if not all(map(math.isfinite, distances)) or max(distances) <= 0:
        return None
    size = max(distances)
    centre = (eyes + mouth) / 2
    return float(centre[0] - CENTRE_PX[0] * size), float(centre[1] - CENTRE_PX[1] * size), CROP_PX * size


def square_from_box(box_xyxy: tuple[float, float, float, float]) -> Square:
    """The square for a detector's box alone, from its longer side, which keeps the face's aspect ratio."""
    x1, y1, x2, y2 = box_xyxy
    size = max(x2 - x1, y2 - y1) / BOX_SIDE_PX
    x, y = (x1 + x2) / 2 - BOX_CENTRE_PX[0] * size, (y1 + y2) / 2 - BOX_CENTRE_PX[1] * size
    return x, y, CROP_PX * size


def crop_square(image_bgr: NDArray[np.uint8], square: Square) -> NDArray[np.uint8]:
    """The square of an image (H, W, 3) uint8 BGR as (48, 48) uint8 grey; outside of the frame its edge is
    repeated."""
    x, y, side = square
    left, top = math.floor(x) - _MARGIN_PX, math.floor(y) - _MARGIN_PX
    count = math.ceil(side) + 2 * _MARGIN_PX + 1
    height, width = image_bgr.shape[:2]
    columns = np.clip(np.arange(left, left + count), 0, width - 1)
    rows = np.clip(np.arange(top, top + count), 0, height - 1)
    # Converted to grey after cropping: converting the whole frame takes a millisecond.
    grey = cv2.cvtColor(image_bgr[rows[:, None], columns], cv2.COLOR_BGR2GRAY)
    if side > CROP_PX:
        # A shift of under half a source pixel is under half a pixel of the crop too.
        start_x, start_y, whole = round(x) - left, round(y) - top, round(side)
        grey = grey[start_y : start_y + whole, start_x : start_x + whole]
        return np.asarray(cv2.resize(grey, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA), np.uint8)
    step = side / CROP_PX
    # Output pixel u shows the frame at x + (u + 0.5) · step; OpenCV's origin is a pixel centre.
    matrix = np.array([[step, 0, x - left + step / 2 - 0.5], [0, step, y - top + step / 2 - 0.5]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(grey, matrix, (CROP_PX, CROP_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


def crop_face(
    image_bgr: NDArray[np.uint8],
    box_xyxy: tuple[float, float, float, float],
    keypoints: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """The crop of one face, (48, 48) uint8 grey, with eyes and mouth where FER2013 has them.

    ``image_bgr`` (H, W, 3) uint8; ``box_xyxy`` in frame pixels; ``keypoints`` (6, 2) in frame pixels,
    BlazeFace's order (right eye, left eye, nose, mouth, right ear, left ear), NaN if unknown: without eyes
    and mouth the box is used. Outside of the frame its edge is repeated. Small faces are enlarged by cubic
    interpolation, large ones reduced by area averaging.
    """
    square = square_from_keypoints(keypoints)
    return crop_square(image_bgr, square_from_box(box_xyxy) if square is None else square)
