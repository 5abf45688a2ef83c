"""Posters with a face on the wall of a simulated room: distractors that look like a student."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.demo.portrait import load_portrait
from classpulse.simulation.ground_truth import SimulationError
from monitor.types import Box, ImageBGR

FACE_PX = (25.0, 70.0)
"""Smallest and largest width of a face, evenly spaced: those of people in a lecture hall."""

FACE_CROP_MARGINS = (0.45, 0.75, 0.4)
"""Margins around the face: to each side in face widths, up and down in face heights."""

FRAME_SHARE = 0.06
"""Width of the picture frame relative to the picture."""

FRAMES_BGR = ((38, 44, 58), (205, 208, 210), (70, 120, 165))
"""Dark wood, white, brass."""

POSTER_TONES: tuple[tuple[float, tuple[float, float, float]], ...] = (
    (1.0, (1.0, 1.0, 1.0)),
    (0.0, (0.95, 0.95, 0.95)),
    (0.0, (0.72, 0.88, 1.0)),
    (0.6, (1.1, 0.95, 0.8)),
    (0.8, (0.75, 0.8, 0.85)),
)
"""Saturation (0 is grey) and factors for blue, green and red: unchanged, grey, sepia, cool, dark."""

EDGE_SHARE = 0.08
"""Free margin at the sides, in frame widths: the camera drifts and must not lose the posters."""

MARGIN_ABOVE_HEADS = 0.15
"""Smallest distance of a poster from the highest head, in poster heights; the largest is twice that."""


@dataclass(frozen=True)
class Poster:
    """A framed ``image`` with its upper left corner at ``corner_xy`` of the scene; ``face_xyxy`` is the face
    on it, scene pixels."""

    image: ImageBGR
    corner_xy: tuple[int, int]
    face_xyxy: Box


def place_posters(count: int, width: int, max_heads_y: float, seed: int) -> tuple[Poster, ...]:
    """``count`` posters side by side above the row ``max_heads_y``, which no head reaches, in a scene
    ``width`` pixels wide.

    Raises ``SimulationError`` if there is no room for them.
    """
    rng = np.random.default_rng((seed, 23))
    # The centres of as many equal parts: a single poster is of medium size.
    faces_px = FACE_PX[0] + (np.arange(count) + 0.5) / count * (FACE_PX[1] - FACE_PX[0])
    return tuple(
        _place_poster(number, count, face_px, width, max_heads_y, rng)
        for number, face_px in enumerate(rng.permutation(faces_px).tolist())
    )


def draw_posters(room_bgr: ImageBGR, posters: tuple[Poster, ...]) -> ImageBGR:
    """The room with the posters on its wall."""
    drawn = room_bgr.copy()
    for poster in posters:
        x, y = poster.corner_xy
        height, width = poster.image.shape[:2]
        drawn[y : y + height, x : x + width] = poster.image
    return drawn


def _place_poster(
    number: int, count: int, face_px: float, width: int, max_heads_y: float, rng: np.random.Generator
) -> Poster:
    """One poster at a random place in its own section of the wall."""
    picture, (left, top, right, low) = _frame_portrait(face_px, number, rng)
    tall, wide = picture.shape[:2]
    start, stretch = EDGE_SHARE * width, (1 - 2 * EDGE_SHARE) * width / count
    y = round(max_heads_y - (1 + MARGIN_ABOVE_HEADS * rng.uniform(1, 2)) * tall)
    if y < 0 or wide > stretch:
        raise SimulationError(
            f"There is no room for {count} posters: only {width} x {max(0, max_heads_y):.0f} pixels of the "
            "image are above all heads.",
            "Choose fewer posters, a larger frame, or a photograph with more wall.",
        )
    x = round(start + number * stretch + rng.uniform(0, stretch - wide))
    return Poster(picture, (x, y), (x + left, y + top, x + right, y + low))


def _frame_portrait(face_px: float, number: int, rng: np.random.Generator) -> tuple[ImageBGR, Box]:
    """The framed portrait with a face ``face_px`` wide, and the face's box in it."""
    portrait = load_portrait()
    x1, y1, x2, y2 = portrait.landmarks.box_xyxy
    side, up, down = FACE_CROP_MARGINS
    left, right = x1 - side * (x2 - x1), x2 + side * (x2 - x1)
    top, low = max(0.0, y1 - up * (y2 - y1)), y2 + down * (y2 - y1)
    cut = portrait.image_bgr[round(top) : round(low), round(left) : round(right)]
    scale = face_px / (x2 - x1)
    size = (round(cut.shape[1] * scale), round(cut.shape[0] * scale))
    small = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
    face = [(x1 - round(left)) * scale, (y1 - round(top)) * scale]
    if rng.integers(2):
        small = np.ascontiguousarray(small[:, ::-1])
        face[0] = size[0] - face[0] - face_px
    frame_px = max(2, round(FRAME_SHARE * size[0]))
    colour = FRAMES_BGR[int(rng.integers(len(FRAMES_BGR)))]
    sides = (frame_px, frame_px, frame_px, frame_px)
    framed = cv2.copyMakeBorder(_apply_tone(small, number), *sides, cv2.BORDER_CONSTANT, value=colour)
    x, y = face[0] + frame_px, face[1] + frame_px
    return np.asarray(framed, np.uint8), (x, y, x + face_px, y + (y2 - y1) * scale)


def _apply_tone(image: ImageBGR, number: int) -> NDArray[np.uint8]:
    colourful, factors = POSTER_TONES[number % len(POSTER_TONES)]
    grey = image.mean(axis=2, keepdims=True)
    return np.asarray(np.clip((grey + colourful * (image - grey)) * factors, 0, 255), np.uint8)
