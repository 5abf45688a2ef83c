"""An image of a room with two seats, for tests of seat plans."""

from __future__ import annotations

import cv2
import numpy as np

BOXES = {"A1": (100.0, 200.0, 140.0, 250.0), "A2": (300.0, 200.0, 340.0, 250.0)}


def room_picture() -> np.ndarray:
    """An image with enough corners for keypoints."""
    rng = np.random.default_rng(3)
    return cv2.resize(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8), (640, 480))


def coded(image: np.ndarray, kind: str = ".png") -> bytes:
    return cv2.imencode(kind, image)[1].tobytes()
