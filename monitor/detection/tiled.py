"""The default detector: MediaPipe's models in overlapping tiles, with a second look."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import cv2
import numpy as np

from monitor.detection.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace
from monitor.detection.candidates import Candidates, Floats, join
from monitor.detection.merging import SAME_FACE_IOU, merge, overlaps
from monitor.detection.settings import DetectionSettings
from monitor.detection.tiling import Level, levels
from monitor.domain import Face, ImageBGR

LOOK_SCORE = 0.3
"""A candidate of the first look below this is not looked at again: on the lecture hall it would be
three times as many, one in ten of them a face."""

SURE_SCORE = 0.85
"""A candidate of the first look from here on needs no second look. The highest score of something
that was no face (the dot of an i in nobody.mp4) was 0.76, of 239 such candidates."""

SECOND_LOOKS = (4.0, 9.0)
"""Sides of the second looks' cuttings over the side of the box. Things that look like a face do so at
one size and place: a candidate must hold, in the mean of all looks, when it is centred and shown at
48 and at 21 of the model's 192 pixels. Of 178 faces and 239 other candidates in the lecture hall (at
five sizes) and the webcam clips, the first look alone parts 127 faces from all others, one second
look by the same model at best 153 (by the short-range model 143), these two 159."""

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
        found = self._second_looks(image_bgr, merge(self._first_look(image_bgr)))
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

    def _second_looks(self, image_bgr: ImageBGR, found: Candidates) -> Candidates:
        scores = [self._mean_score(image_bgr, *one) for one in zip(found.boxes_xyxy, found.scores, strict=True)]
        kept = np.asarray(scores, dtype=np.float32)
        return Candidates(found.boxes_xyxy, kept, found.keypoints).pick(kept >= self._min_score)

    def _mean_score(self, image_bgr: ImageBGR, box_xyxy: Floats, score: float) -> float:
        """The mean of the first look's score and of what the model says on looking straight at the box;
        looks that can no longer change the outcome are spared."""
        if score >= SURE_SCORE:
            return score
        total, looks = score, 1 + len(SECOND_LOOKS)
        for done, share in enumerate(SECOND_LOOKS, start=1):
            if (total + looks - done) / looks < self._min_score:
                return 0.0
            cutting, scale, x, y = _around(image_bgr, box_xyxy, share, self._full.input_px)
            seen = self._full.candidates(cutting, LOOK_SCORE / 2).to_frame(scale, x, y)
            iou, _ = overlaps(box_xyxy, seen.boxes_xyxy)
            total += float(np.max(seen.scores[iou >= SAME_FACE_IOU], initial=0.0))
        return total / looks


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


def _around(
    image_bgr: ImageBGR, box_xyxy: Floats, share: float, side_px: int
) -> tuple[ImageBGR, float, float, float]:
    """A cutting ``share`` times the box, as a square of ``side_px``, black beyond the frame; then its
    scale and its corner on the frame enlarged by that scale."""
    x1, y1, x2, y2 = (float(value) for value in box_xyxy)
    scale = side_px / (share * max(x2 - x1, y2 - y1))
    x, y = ((x1 + x2) * scale - side_px) / 2, ((y1 + y2) * scale - side_px) / 2
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
