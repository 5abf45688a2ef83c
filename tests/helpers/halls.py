"""A hall that does not exist: walls and desks to hold on to, and people who are magenta ovals."""

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
"""Where the faces are, in the hall's pixels; 40 x 50 each, in two rows."""

_PERSON_BGR = (255, 0, 255)
_NOSE_BGR = (90, 0, 90)


def room(seed: int = 1) -> ImageBGR:
    """Walls, windows and desks: rectangles of many sizes, in every colour but that of people."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for _ in range(150):
        x, y, w, h = rng.integers(0, (WIDTH, HEIGHT, 160, 120))
        cv2.rectangle(picture, (x, y), (x + w, y + h), rng.integers(0, 256, 3).tolist(), -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), np.uint8)


def hall(people: Mapping[str, Box], sample: int = 0) -> ImageBGR:
    """The room with an oval in each box; it is grey, so that nothing but people has their colour. Their
    noses are somewhere else in each sample: who never moves is a picture."""
    picture = cv2.cvtColor(cv2.cvtColor(room(), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    for x1, y1, x2, y2 in people.values():
        middle = (round((x1 + x2) / 2), round((y1 + y2) / 2))
        cv2.ellipse(picture, middle, (round((x2 - x1) / 2), round((y2 - y1) / 2)), 0, 0, 360, _PERSON_BGR, -1)
        nose = (middle[0] + round(10 * np.sin(2.5 * sample)), middle[1] + round(12 * np.cos(1.7 * sample)))
        cv2.circle(picture, nose, 8, _NOSE_BGR, -1)
    return np.asarray(picture, np.uint8)


def camera(x: float = 0.0, y: float = 0.0, zoom: float = 1.0) -> NDArray[np.float64]:
    """Room to picture, (2, 3)."""
    return np.array([[zoom, 0.0, WIDTH / 2 * (1 - zoom) + x], [0.0, zoom, HEIGHT / 2 * (1 - zoom) + y]])


def seen(matrix: NDArray[np.float64], scene: ImageBGR | None = None) -> ImageBGR:
    """The scene, by default the empty room, through a camera."""
    picture = cv2.warpAffine(
        room() if scene is None else scene, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(picture, np.uint8)


def people_in(image_bgr: ImageBGR) -> NDArray[np.bool_]:
    """(H, W) where a picture has the colour of people."""
    blue, green, red = (image_bgr[..., channel].astype(int) for channel in range(3))
    return (blue > green + 60) & (red > green + 60)


class OvalDetector:
    """Finds the ovals and confirms them as faces, which no face mesh would; keeps every picture that it was
    shown."""

    version = "ovals"

    def __init__(self) -> None:
        self.pictures: list[ImageBGR] = []

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        self.pictures.append(image_bgr)
        found = cv2.connectedComponentsWithStats(people_in(image_bgr).astype(np.uint8))
        return [
            replace(face(float(x) + w / 2, float(y) + h / 2, float(w)), verified=True)
            for x, y, w, h, area in found[2][1:].tolist()
            if area > 300
        ]
