"""An artificial photograph of a class: the demo's portrait on six seats of a drawn room."""

from __future__ import annotations

import cv2
import numpy as np

from classpulse.simulation.demo.portrait import load_portrait
from classpulse.simulation.room.photo import Photograph

WIDTH, HEIGHT = 1280, 720

FACE_PX = 68
"""Width of a face, pixels: large enough to estimate expressions."""

SEATS_XY = ((230, 190), (640, 175), (1050, 195), (270, 470), (660, 490), (1030, 465))
"""The centres of the faces."""

CLOTHES_BGR = ((40, 40, 170), (150, 60, 20), (40, 130, 40), (20, 150, 170), (130, 40, 120), (120, 120, 120))
"""One colour per seat, by which the appearance of students differs."""


def class_photograph() -> Photograph:
    """Six students in two rows in front of a wall with paintings, and their face boxes."""
    image = _wall()
    boxes = [
        _seat(image, x, y, cloth, mirrored=bool(number % 2))
        for number, ((x, y), cloth) in enumerate(zip(SEATS_XY, CLOTHES_BGR, strict=True))
    ]
    return Photograph(image, np.array(boxes, np.float64))


def _wall() -> np.ndarray:
    """A wall of paintings, squares of random colours, by which a camera view is recognised."""
    rng = np.random.default_rng(7)
    image = np.full((HEIGHT, WIDTH, 3), (165, 175, 170), np.uint8)
    for _ in range(90):
        x, y = (int(value) for value in rng.integers((0, 0), (WIDTH - 70, HEIGHT - 70)))
        squares = rng.integers(60, 240, (int(rng.integers(3, 6)), int(rng.integers(3, 6)), 3)).astype(
            np.uint8
        )
        side = int(rng.integers(7, 14))
        hung = np.repeat(np.repeat(squares, side, axis=0), side, axis=1)
        image[y : y + hung.shape[0], x : x + hung.shape[1]] = hung
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), np.uint8)


def _seat(
    image: np.ndarray, x: int, y: int, cloth_bgr: tuple[int, int, int], *, mirrored: bool
) -> tuple[float, float, float, float]:
    """Draw one student with the centre of the face at (x, y); returns the face box, pixels."""
    portrait = load_portrait()
    x1, y1, x2, y2 = portrait.landmarks.box_xyxy
    scale = FACE_PX / (x2 - x1)
    size = tuple(round(side * scale) for side in portrait.image_bgr.shape[1::-1])
    person = cv2.resize(portrait.image_bgr, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    alpha = cv2.resize(portrait.person_mask, size, interpolation=cv2.INTER_AREA)[..., None]
    # The uniform below the chin gets the colour of the clothing.
    person[round((y2 + 25) * scale) :] *= 0.35
    person[round((y2 + 25) * scale) :] += np.multiply(cloth_bgr, 0.8)
    middle_x = (x1 + x2) / 2
    if mirrored:
        person, alpha = person[:, ::-1], alpha[:, ::-1]
        middle_x = portrait.image_bgr.shape[1] - middle_x
    left, top = round(x - middle_x * scale), round(y - (y1 + y2) / 2 * scale)
    place = image[top : top + size[1], left : left + size[0]]
    share = alpha[: place.shape[0], : place.shape[1]]
    place[:] = np.clip(place * (1 - share) + person[: place.shape[0], : place.shape[1]] * share, 0, 255)
    half_x, half_y = (x2 - x1) * scale / 2, (y2 - y1) * scale / 2
    return (x - half_x, y - half_y, x + half_x, y + half_y)
