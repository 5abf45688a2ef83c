"""The default detector: MediaPipe's networks on overlapping slices, with verification passes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from monitor.detection.base import DetectionSettings
from monitor.detection.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace
from monitor.detection.incremental import IncrementalDetector
from monitor.detection.nms import Candidates
from monitor.detection.tiling import SliceScanner
from monitor.detection.verification import CandidateVerifier
from monitor.types import Face, ImageBGR

MIN_SIZE_SHARE = 2 / 3
"""The side of the smallest accepted box, relative to ``min_face_px``. Boxes of one face vary by a fifth; a
smaller one is more likely a button than a student, and no expression could be read from it."""

BOX_MARGINS = (0.0, 0.13, 0.0, 0.05)
"""The margins added to BlazeFace's square (brow to chin) on the left, above, on the right and below, as
shares of its side, to extend it from forehead to chin: medians of the differences to hand-drawn boxes in the
lecture hall (above 0.11 to 0.15 at five sizes, below 0.03 to 0.08; the sides agree to 0.04)."""


class TiledDetector:
    """Full-range BlazeFace on every slice and short-range on the whole frame, merged and verified; between
    scans known faces are tracked. One detector serves one source.

    Raises NetworkFileError if a network is missing.
    """

    def __init__(self, settings: DetectionSettings) -> None:
        self._full = BlazeFace(FULL_RANGE, settings.threads)
        self._short = BlazeFace(SHORT_RANGE, settings.threads)
        self._verifier = CandidateVerifier(self._full, self._short, settings.min_score)
        self._min_face_px = settings.min_face_px
        self._incremental = IncrementalDetector(
            SliceScanner(self._full, self._short, settings.min_face_px),
            self._verifier,
            settings.full_scan_interval,
        )
        networks = f"full range: {FULL_RANGE.network.label}; short range: {SHORT_RANGE.network.label}"
        self.version = f"blazeface tiled 3 ({networks})"

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """See ``Detector.detect``. Boxes are BlazeFace's, widened by ``BOX_MARGINS`` and clipped to the
        frame."""
        height, width = image_bgr.shape[:2]
        detected = self._incremental.detect(image_bgr)
        return widened_faces(detected.faces, detected.verified, width, height, self._min_face_px)


def widened_faces(
    candidates: Candidates, verified: NDArray[np.bool_], width: int, height: int, min_face_px: int
) -> list[Face]:
    """The candidates as faces, in the same order: boxes of BlazeFace, widened by ``BOX_MARGINS`` and clipped
    to the frame of ``width`` x ``height`` pixels. Boxes outside of it, and those smaller than
    ``MIN_SIZE_SHARE`` of ``min_face_px``, are dropped. ``verified`` ``(N,)`` is ``Face.verified`` of each."""
    low, high = np.zeros(4), np.array([width, height, width, height])
    sides = np.tile(candidates.boxes_xyxy[:, 2:] - candidates.boxes_xyxy[:, :2], 2)
    wide = np.clip(candidates.boxes_xyxy + sides * BOX_MARGINS * np.array([-1, -1, 1, 1]), low, high)
    faces = [
        Face((float(x1), float(y1), float(x2), float(y2)), float(score), points, bool(is_confirmed))
        for (x1, y1, x2, y2), score, points, is_confirmed in zip(
            wide, candidates.scores, candidates.keypoints, verified, strict=True
        )
        if x2 > x1 and y2 > y1
    ]
    return [face for face in faces if face.size_px >= MIN_SIZE_SHARE * min_face_px]
