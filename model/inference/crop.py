"""Live faces cut out the way FER2013's were, so that the model meets what it was trained on.

The numbers are medians over Training faces in which MediaPipe's short-range BlazeFace found a face
(``benchmarks/crop_geometry.py`` prints them): where its key points fall in a 48 × 48 tile.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

CROP_PX = 48

# Of 6,000 faces BlazeFace found 97 %. Distances are medians over the frontal 67 % (nose within 15 % of
# the inter-eye distance of the eyes' middle), because a turn shortens what is measured here.
EYE_DISTANCE_PX = 17.9
EYES_TO_MOUTH_PX = 18.6
# The point half way between the eyes' middle and the mouth; medians over all found. The eyes' middle
# is at (24.0, 19.0), the mouth at (24.2, 37.1).
CENTRE_PX = (24.1, 28.1)
# BlazeFace's box, for detections without key points: its middle and its side.
BOX_CENTRE_PX = (24.1, 27.7)
BOX_SIDE_PX = 40.1

# Roll is not removed: the tiles have it too (a quarter of them more than 11°), so that a levelled
# head would be the unusual one. Only position and size are set.

_RIGHT_EYE, _LEFT_EYE, _MOUTH = 0, 1, 3
# Pixels around the square that cubic interpolation looks at.
_MARGIN_PX = 2

Square = tuple[float, float, float]
"""``(x, y, side)``: left, top and side in pixels of the frame; x and y may lie outside it."""


def square_from_keypoints(keypoints: NDArray[np.float32]) -> Square | None:
    """The square of the frame that FER2013 would have shown; None where an eye or the mouth is missing.

    ``keypoints`` (6, 2) in BlazeFace's order. The size follows from the larger of inter-eye distance
    and eyes-to-mouth distance, each in units of its median: a turned head shortens the first, a nod the
    second, and neither should make the face appear nearer. Of box, distances, their mean and their
    hypotenuse this varied least over FER2013's tiles apart from the ears, which are often hidden.
    """
    right, left, mouth = (keypoints[i].astype(np.float64) for i in (_RIGHT_EYE, _LEFT_EYE, _MOUTH))
    eyes = (right + left) / 2
    distances = math.dist(right, left) / EYE_DISTANCE_PX, math.dist(eyes, mouth) / EYES_TO_MOUTH_PX
    # Asked of both: max(1, nan) is 1.
    if not all(map(math.isfinite, distances)) or max(distances) <= 0:
        return None
    size = max(distances)
    centre = (eyes + mouth) / 2
    return float(centre[0] - CENTRE_PX[0] * size), float(centre[1] - CENTRE_PX[1] * size), CROP_PX * size


def square_from_box(box_xyxy: tuple[float, float, float, float]) -> Square:
    """The same from a detector's box alone, by the longer side, so that nothing is squeezed."""
    x1, y1, x2, y2 = box_xyxy
    size = max(x2 - x1, y2 - y1) / BOX_SIDE_PX
    x, y = (x1 + x2) / 2 - BOX_CENTRE_PX[0] * size, (y1 + y2) / 2 - BOX_CENTRE_PX[1] * size
    return x, y, CROP_PX * size


def crop_square(image_bgr: NDArray[np.uint8], square: Square) -> NDArray[np.uint8]:
    """The square as (48, 48) uint8 grey; what lies outside the frame repeats its edge."""
    x, y, side = square
    left, top = math.floor(x) - _MARGIN_PX, math.floor(y) - _MARGIN_PX
    count = math.ceil(side) + 2 * _MARGIN_PX + 1
    height, width = image_bgr.shape[:2]
    columns = np.clip(np.arange(left, left + count), 0, width - 1)
    rows = np.clip(np.arange(top, top + count), 0, height - 1)
    # Grey after cutting: the whole frame would cost a millisecond a frame for nothing.
    grey = cv2.cvtColor(image_bgr[rows[:, None], columns], cv2.COLOR_BGR2GRAY)
    if side > CROP_PX:
        # A shift of under half a source pixel is under half a pixel of the crop too.
        start_x, start_y, whole = round(x) - left, round(y) - top, round(side)
        grey = grey[start_y : start_y + whole, start_x : start_x + whole]
        return np.asarray(cv2.resize(grey, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA), np.uint8)
    step = side / CROP_PX
    # Output pixel u shows the frame at x + (u + 0.5) · step; OpenCV counts from pixel middles.
    matrix = np.array([[step, 0, x - left + step / 2 - 0.5], [0, step, y - top + step / 2 - 0.5]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(grey, matrix, (CROP_PX, CROP_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


def crop_face(
    image_bgr: NDArray[np.uint8],
    box_xyxy: tuple[float, float, float, float],
    keypoints: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """One face of a frame as the model was trained on faces.

    ``image_bgr`` (H, W, 3) uint8; ``box_xyxy`` pixels of the frame; ``keypoints`` (6, 2) pixels, BlazeFace's
    order (right eye, left eye, nose, mouth, right ear, left ear), NaN where unseen: without eyes and mouth
    the box decides. Returns (48, 48) uint8 grey with eyes and mouth where FER2013 has them. Faces at the
    edge are filled up with the edge's pixels; small ones enlarged by cubic, large ones reduced by area.
    """
    square = square_from_keypoints(keypoints)
    return crop_square(image_bgr, square_from_box(box_xyxy) if square is None else square)
