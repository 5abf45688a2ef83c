"""MediaPipe's face detection networks, run with LiteRT.

MediaPipe's own detector (``monitor.detection.mediapipe_backend``) scales the whole frame to 128 pixels. Here
the same networks run on slices, and return the scores that verification needs.
Source: BlazeFace, Bazarevsky et al. 2019, arXiv 1907.05047; anchors and decoding as in mediapipe's
``modules/face_detection/*.pbtxt``, release 0.10.21.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from model.inference.litert import open_interpreter
from model.networks import FACE_DETECTION_FULL_RANGE, FACE_DETECTION_SHORT_RANGE, BundledNetwork
from monitor.detection.nms import Candidates, Floats
from monitor.types import ImageBGR

LOGIT_LIMIT = 80.0
"""Logits are clipped before the sigmoid. MediaPipe's ``score_clipping_thresh`` is 100, at which float32
overflows; beyond 17 the sigmoid is 1 in float32."""


@dataclass(frozen=True)
class BlazeFaceModel:
    """A network, the side of its square input, and its anchor grids as (cells along a side, anchors per
    cell)."""

    network: BundledNetwork
    input_px: int
    grids: tuple[tuple[int, int], ...]


SHORT_RANGE = BlazeFaceModel(FACE_DETECTION_SHORT_RANGE, 128, ((16, 2), (8, 6)))
"""For faces within some 2 m of the camera: large in the image."""

FULL_RANGE = BlazeFaceModel(FACE_DETECTION_FULL_RANGE, 192, ((48, 1),))
"""For faces within some 5 m: down to a sixteenth of the image's side."""


class BlazeFace:
    """Runs one network on square crops. Raises NetworkFileError if its file is missing or damaged."""

    def __init__(self, model: BlazeFaceModel, threads: int) -> None:
        self.input_px = model.input_px
        self._anchors = _anchors(model)
        self._interpreter = open_interpreter(model.network.read(), threads)
        self._input = self._interpreter.get_input_details()[0]["index"]
        by_width = {int(out["shape"][-1]): out["index"] for out in self._interpreter.get_output_details()}
        self._regressors, self._logits = by_width[16], by_width[1]

    def candidates(self, tile_bgr: ImageBGR, min_score: float) -> Candidates:
        """The candidates of at least ``min_score`` in a crop of ``(input_px, input_px, 3)`` or less (the rest
        is black, as in MediaPipe's letterbox), in pixels of the crop; without non-maximum suppression."""
        square = np.zeros((1, self.input_px, self.input_px, 3), dtype=np.float32)
        height, width = tile_bgr.shape[:2]
        rgb = cv2.cvtColor(tile_bgr, cv2.COLOR_BGR2RGB)
        square[0, :height, :width] = rgb
        square /= 127.5
        square -= 1.0
        self._interpreter.set_tensor(self._input, square)
        self._interpreter.invoke()
        scores = _sigmoid(self._interpreter.get_tensor(self._logits)[0, :, 0])
        likely = scores >= min_score
        return _decode(
            self._interpreter.get_tensor(self._regressors)[0][likely],
            scores[likely],
            self._anchors[likely] * self.input_px,
        )


def _anchors(model: BlazeFaceModel) -> Floats:
    """The centres of all anchors, ``(N, 2)`` x, y as shares of the input, row by row; every anchor has size
    1."""
    rows = []
    for cells, per_cell in model.grids:
        middle = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        y, x = np.meshgrid(middle, middle, indexing="ij")
        rows.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), per_cell, axis=0))
    return np.concatenate(rows)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -LOGIT_LIMIT, LOGIT_LIMIT))), dtype=np.float32)


def _decode(rows: Floats, scores: Floats, anchors_px: Floats) -> Candidates:
    """Decode regressor rows ``(N, 16)``: centre x, y, width, height, six keypoints x, y, all in pixels of the
    input relative to the anchor."""
    points = rows.reshape(-1, 8, 2)
    centre, half = points[:, 0] + anchors_px, points[:, 1] / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    return Candidates(boxes, scores, points[:, 2:] + anchors_px[:, None])
