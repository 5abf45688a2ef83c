"""Synthetic faces for tests."""

from __future__ import annotations

import numpy as np

from monitor.types import Face


def face(x: float, y: float, width: float = 40.0) -> Face:
    """A frontal face centred on ``(x, y)``, 1.25 times as high as wide."""
    height = 1.25 * width
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    offsets = [(-0.2, -0.15), (0.2, -0.15), (0, 0.05), (0, 0.25), (-0.45, -0.1), (0.45, -0.1)]
    points = np.array([(x + dx * width, y + dy * height) for dx, dy in offsets], dtype=np.float32)
    return Face(box, 0.9, points)
