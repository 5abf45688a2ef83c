"""A drawn hall: walls and desks with features, and people drawn as magenta ovals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.types import Box, Face, ImageBGR
from tests.helpers.faces import face

WIDTH, HEIGHT = 960, 540

SEATS: dict[str, Box] = {
    "B1": (180.0, 210.0, 220.0, 260.0),
    "B2": (640.0, 210.0, 680.0, 260.0),
    "A1": (180.0, 400.0, 220.0, 450.0),
    "A2": (640.0, 400.0, 680.0, 450.0),
}
"""Face boxes, pixels of the hall; 40 x 50 each, in two rows."""

_PERSON_BGR = (255, 0, 255)
_NOSE_BGR = (90, 0, 90)


def room(seed: int = 1) -> ImageBGR:
    """Walls, windows and desks: blurred rectangles of many sizes and colours."""
    rng = np.random.default_rng(seed)
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for _ in range(150):
        x, y, w, h = rng.integers(0, (WIDTH, HEIGHT, 160, 120))
        cv2.rectangle(image, (x, y), (x + w, y + h), rng.integers(0, 256, 3).tolist(), -1)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), np.uint8)


def hall(people: Mapping[str, Box], sample: int = 0) -> ImageBGR:
    """The room in grey with a magenta oval in each box. The noses move with ``sample``, because faces that
    never move count as static."""
    image = cv2.cvtColor(cv2.cvtColor(room(), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    for x1, y1, x2, y2 in people.values():
        middle = (round((x1 + x2) / 2), round((y1 + y2) / 2))
        cv2.ellipse(image, middle, (round((x2 - x1) / 2), round((y2 - y1) / 2)), 0, 0, 360, _PERSON_BGR, -1)
        nose = (middle[0] + round(10 * np.sin(2.5 * sample)), middle[1] + round(12 * np.cos(1.7 * sample)))
        cv2.circle(image, nose, 8, _NOSE_BGR, -1)
    return np.asarray(image, np.uint8)


def camera(x: float = 0.0, y: float = 0.0, zoom: float = 1.0) -> NDArray[np.float64]:
    """The similarity from the room to the frame, ``(2, 3)``."""
    return np.array([[zoom, 0.0, WIDTH / 2 * (1 - zoom) + x], [0.0, zoom, HEIGHT / 2 * (1 - zoom) + y]])


def seen(matrix: NDArray[np.float64], scene: ImageBGR | None = None) -> ImageBGR:
    """The frame that a camera gives of the scene, by default the empty room."""
    image = cv2.warpAffine(
        room() if scene is None else scene, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(image, np.uint8)


def people_in(image_bgr: ImageBGR) -> NDArray[np.bool_]:
    """Mask ``(H, W)`` of the pixels with the colour of people."""
    blue, green, red = (image_bgr[..., channel].astype(int) for channel in range(3))
    return (blue > green + 60) & (red > green + 60)


class OvalDetector:
    """Detects the ovals as verified faces, because no face mesh fits them; keeps the images that it was
    given."""

    version = "ovals"

    def __init__(self) -> None:
        self.pictures: list[ImageBGR] = []

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        self.pictures.append(image_bgr)
        components = cv2.connectedComponentsWithStats(people_in(image_bgr).astype(np.uint8))
        return [
            replace(face(float(x) + w / 2, float(y) + h / 2, float(w)), verified=True)
            for x, y, w, h, area in components[2][1:].tolist()
            if area > 300
        ]
