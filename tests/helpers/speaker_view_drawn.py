"""Drawn frames of a call in speaker view: a strip of small tiles, and a large tile that repeats one."""

from __future__ import annotations

import cv2
import numpy as np

from monitor.types import Box, ImageBGR

WIDTH, HEIGHT, GAP = 1280, 720, 8
SIDES = ("above", "below", "left", "right")
"""Where the large tile is, seen from the strip."""


def person(number: int, time_s: float = 0.0) -> ImageBGR:
    """A tile of 480 x 360 pixels: a head that sways in front of a background, both of their own."""
    rng = np.random.default_rng((number, 3))
    tile = np.full((360, 480, 3), rng.integers(60, 220, 3), np.uint8)
    for _ in range(14):
        x, y = rng.integers(0, 480), rng.integers(0, 360)
        size = rng.integers(20, 110, 2)
        cv2.rectangle(tile, (x, y), (x + size[0], y + size[1]), rng.integers(0, 255, 3).tolist(), -1)
    x, y = head_centre(number, time_s)
    cv2.ellipse(tile, (x, y), (60, 80), 0, 0, 360, rng.integers(120, 230, 3).tolist(), -1)
    for _ in range(6):
        dx, dy = rng.integers(-40, 40), rng.integers(-60, 60)
        cv2.circle(tile, (x + dx, y + dy), int(rng.integers(5, 16)), rng.integers(0, 255, 3).tolist(), -1)
    return tile


def head_centre(number: int, time_s: float) -> tuple[int, int]:
    """The middle of the head in ``person``."""
    return round(240 + 12 * np.sin(0.9 * time_s + number)), round(180 + 6 * np.cos(1.3 * time_s + number))


def speaker_view(
    side: str, strip: list[int], speaker: int, time_s: float = 0.0
) -> tuple[ImageBGR, list[Box], Box]:
    """The frame at ``time_s`` seconds, the faces of the ``strip``, and the face of the ``speaker`` in the
    large tile."""
    frame = np.full((HEIGHT, WIDTH, 3), 32, np.uint8)
    count = len(strip)
    if side in ("above", "below"):
        width = min(200, (WIDTH - GAP * (count + 1)) // count)
        height = width * 3 // 4
        left, top = (WIDTH - count * (width + GAP)) // 2, GAP if side == "below" else HEIGHT - height - GAP
        corners = [(left + place * (width + GAP), top) for place in range(count)]
        large_height = HEIGHT - height - 4 * GAP
        large = (WIDTH - large_height * 4 // 3) // 2, height + 3 * GAP if side == "below" else GAP
    else:
        height = min(140, (HEIGHT - GAP * (count + 1)) // count)
        width = height * 4 // 3
        left, top = GAP if side == "right" else WIDTH - width - GAP, (HEIGHT - count * (height + GAP)) // 2
        corners = [(left, top + place * (height + GAP)) for place in range(count)]
        large_height = HEIGHT - 4 * GAP
        large = (width + 4 * GAP if side == "right" else 4 * GAP), 2 * GAP
    faces = [
        _draw(frame, number, time_s, corner, height) for number, corner in zip(strip, corners, strict=True)
    ]
    return frame, faces, _draw(frame, speaker, time_s, large, large_height)


def _draw(frame: ImageBGR, number: int, time_s: float, corner: tuple[int, int], height: int) -> Box:
    """Draw a tile; returns the box of its face."""
    scale = height / 360
    small = cv2.resize(person(number, time_s), (round(480 * scale), height), interpolation=cv2.INTER_AREA)
    x, y = corner
    frame[y : y + height, x : x + small.shape[1]] = small[: frame.shape[0] - y, : frame.shape[1] - x]
    middle_x, middle_y = head_centre(number, time_s)
    return (
        x + (middle_x - 56) * scale,
        y + (middle_y - 70) * scale,
        x + (middle_x + 56) * scale,
        y + (middle_y + 70) * scale,
    )
