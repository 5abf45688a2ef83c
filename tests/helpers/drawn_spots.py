"""Images and candidates for tests of template matching."""

from __future__ import annotations

import numpy as np

from monitor.detection.nms import Candidates
from monitor.types import ImageBGR


def spots(seed: int = 1, height: int = 200, width: int = 300) -> ImageBGR:
    """Random squares of 5 pixels: enough detail to distinguish positions, none finer than that of a face."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (height // 5, width // 5, 3), dtype=np.uint8)
    return np.ascontiguousarray(coarse.repeat(5, axis=0).repeat(5, axis=1))


def spot(x: float, y: float = 80.0, side: float = 40.0, score: float = 0.7) -> Candidates:
    """A candidate with its corner at ``(x, y)`` and all keypoints at its centre."""
    box = np.array([[x, y, x + side, y + side]], np.float32)
    points = np.full((1, 6, 2), (x + side / 2, y + side / 2), np.float32)
    return Candidates(box, np.array([score], np.float32), points)
