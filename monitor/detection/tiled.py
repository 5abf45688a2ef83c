"""The default detector: MediaPipe's models in overlapping tiles, with a second look."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import cv2
import numpy as np

from monitor.detection.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace
from monitor.detection.candidates import Candidates, join
from monitor.detection.merging import merge, overlaps
from monitor.detection.settings import DetectionSettings
from monitor.detection.tiling import Level, levels
from monitor.domain import Face, ImageBGR

LOOK_SCORE = 0.3
"""A candidate of the first look below this is not looked at again."""

SURE_SCORE = 0.75
"""A candidate of the first look from here on needs no second look."""

SECOND_LOOK = 6.0
"""The side of the second look's cutting over the side of the box."""

EDGE_PX = 2
"""A box that reaches this far beyond a tile's edge inside the frame belongs to a face that was cut."""


class TiledDetector:
    """Full-range BlazeFace on every tile, short-range on the whole frame, merged, then confirmed.

    Raises:
        DetectorError: mediapipe's model files are not there.
    """

    def __init__(self, settings: DetectionSettings) -> None:
        self._full = BlazeFace(FULL_RANGE, settings.threads)
        self._short = BlazeFace(SHORT_RANGE, settings.threads)
        self._min_score = settings.min_score
        self._min_face_px = settings.min_face_px
        self.version = f"blazeface tiled 1 (mediapipe {_installed('mediapipe')})"

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """See ``Detector.detect``. Boxes are BlazeFace's, widened by ``WIDEN`` and kept in the frame."""
        height, width = image_bgr.shape[:2]
        found = merge(self._first_look(image_bgr))
        found = merge(self._second_look(image_bgr, found))
        return _faces(found, width, height)

    def _first_look(self, image_bgr: ImageBGR) -> Candidates:
        height, width = image_bgr.shape[:2]
        plan = levels(width, height, self._min_face_px, self._full.input_px)
        near = levels(width, height, max(width, height), self._short.input_px)[-1:]
        looks = [(level, self._full) for level in plan] + [(level, self._short) for level in near]
        return join([part for level, model in looks for part in self._on_level(image_bgr, level, model)])

    def _on_level(self, image_bgr: ImageBGR, level: Level, model: BlazeFace) -> list[Candidates]:
        image = _resized(image_bgr, level.width, level.height)
        parts = []
        for x, y in level.corners:
            tile = image[y : y + level.tile_px, x : x + level.tile_px]
            found = _uncut(model.candidates(tile, LOOK_SCORE), level, x, y)
            parts.append(found.to_frame(level.scale, x, y))
        return parts

    def _second_look(self, image_bgr: ImageBGR, found: Candidates) -> Candidates:
        sure = found.scores >= SURE_SCORE
        again = [self._confirmed(image_bgr, found.pick(np.array([index]))) for index in np.flatnonzero(~sure)]
        every = join([found.pick(sure), *again])
        return every.pick(every.scores >= self._min_score)

    def _confirmed(self, image_bgr: ImageBGR, one: Candidates) -> Candidates:
        """``one`` with the mean of its score and of what the model says when it looks straight at it."""
        cutting, scale, x, y = _around(image_bgr, one, self._full.input_px)
        seen = self._full.candidates(cutting, LOOK_SCORE / 2).to_frame(scale, x, y)
        iou, _ = overlaps(one.boxes_xyxy[0], seen.boxes_xyxy)
        second = np.max(seen.scores[iou > 0.3], initial=0.0)
        scores = np.asarray((one.scores + second) / 2, dtype=np.float32)
        return Candidates(one.boxes_xyxy, scores, one.keypoints)


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _resized(image_bgr: ImageBGR, width: int, height: int) -> ImageBGR:
    if (width, height) == (image_bgr.shape[1], image_bgr.shape[0]):
        return image_bgr
    smaller = width < image_bgr.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image_bgr, (width, height), interpolation=way), dtype=np.uint8)


def _uncut(found: Candidates, level: Level, x: int, y: int) -> Candidates:
    """Without the boxes that cross a tile's edge inside the frame: another tile holds the whole face."""
    x1, y1, x2, y2 = found.boxes_xyxy.T
    low, high = -EDGE_PX, level.tile_px + EDGE_PX
    cut = ((x1 < low) & (x > 0)) | ((y1 < low) & (y > 0))
    cut |= ((x2 > high) & (x + level.tile_px < level.width)) | (
        (y2 > high) & (y + level.tile_px < level.height)
    )
    return found.pick(~cut)


def _around(image_bgr: ImageBGR, one: Candidates, side_px: int) -> tuple[ImageBGR, float, float, float]:
    """A cutting of ``side_px`` around a box, black beyond the frame; its scale and its corner."""
    x1, y1, x2, y2 = (float(value) for value in one.boxes_xyxy[0])
    scale = side_px / (SECOND_LOOK * max(x2 - x1, y2 - y1))
    x, y = (x1 + x2) / 2 * scale - side_px / 2, (y1 + y2) / 2 * scale - side_px / 2
    matrix = np.array([[scale, 0, -x], [0, scale, -y]], dtype=np.float64)
    cutting = cv2.warpAffine(image_bgr, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR)
    return np.asarray(cutting, dtype=np.uint8), scale, x, y


def _faces(found: Candidates, width: int, height: int) -> list[Face]:
    faces = []
    for box, score, points in zip(found.boxes_xyxy, found.scores, found.keypoints, strict=True):
        x1, y1 = max(0.0, float(box[0])), max(0.0, float(box[1]))
        x2, y2 = min(float(width), float(box[2])), min(float(height), float(box[3]))
        if x2 > x1 and y2 > y1:
            faces.append(Face((x1, y1, x2, y2), float(score), points))
    return faces
