"""Six rooms to sit in, drawn: what a tile shows when nobody is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from monitor.domain import ImageBGR

BLUR_PX = 1.8
"""A little out of focus, as a room behind a person is."""


def draw_backdrop(name: str, width: int, height: int) -> ImageBGR:
    """The room called ``name`` as ``(height, width, 3)`` uint8; the same pixels every time."""
    room = BACKDROPS[name](width, height)
    return np.asarray(cv2.GaussianBlur(room, (0, 0), BLUR_PX), np.uint8)


def _gradient(width: int, height: int, top: tuple[int, ...], bottom: tuple[int, ...]) -> ImageBGR:
    share = np.linspace(0, 1, height)[:, None, None]
    rows = np.array(top) + (np.array(bottom) - np.array(top)) * share
    return np.ascontiguousarray(np.broadcast_to(rows, (height, width, 3)).astype(np.uint8))


def _shelves(width: int, height: int) -> ImageBGR:
    room = _gradient(width, height, (120, 145, 160), (95, 115, 130))
    spines = np.random.default_rng(1)
    for shelf in range(4):
        bottom = height * (shelf + 1) // 4
        x = 4
        while x < width:
            thick, tall = int(spines.integers(8, 20)), int(spines.integers(height // 8, height // 5))
            colour = spines.integers(40, 190, 3).tolist()
            cv2.rectangle(room, (x, bottom - tall), (x + thick - 2, bottom), colour, -1)
            x += thick
        cv2.rectangle(room, (0, bottom - 4), (width, bottom + 4), (60, 85, 110), -1)
    return room


def _window(width: int, height: int) -> ImageBGR:
    room = _gradient(width, height, (150, 160, 165), (125, 135, 140))
    left, right, foot = width // 14, width * 6 // 14, height * 2 // 3
    room[10:foot, left:right] = _gradient(right - left, foot - 10, (245, 225, 200), (225, 235, 225))
    for x in (left, (left + right) // 2, right):
        cv2.line(room, (x, 10), (x, foot), (235, 238, 240), 7)
    for y in (10, foot):
        cv2.line(room, (left, y), (right, y), (235, 238, 240), 7)
    return room


def _wall(width: int, height: int) -> ImageBGR:
    room = _gradient(width, height, (175, 195, 185), (150, 170, 160))
    left, right, foot = width * 5 // 7, width * 13 // 14, height // 2
    cv2.rectangle(room, (left, 24), (right, foot), (70, 90, 105), -1)
    cv2.rectangle(room, (left + 8, 32), (right - 8, foot - 8), (190, 205, 215), -1)
    cv2.circle(room, (width * 23 // 28, height // 4), height // 11, (120, 150, 200), -1)
    return room


def _curtain(width: int, height: int) -> ImageBGR:
    room = _gradient(width, height, (135, 120, 150), (110, 95, 125))
    folds = 1 + 0.16 * np.sin(np.arange(width) / 11.0) + 0.06 * np.sin(np.arange(width) / 4.3)
    return np.asarray(np.clip(room * folds[None, :, None], 0, 255), np.uint8)


def _board(width: int, height: int) -> ImageBGR:
    room = _gradient(width, height, (170, 175, 180), (150, 155, 160))
    cv2.rectangle(room, (14, 22), (width - 14, height * 3 // 4), (75, 100, 120), -1)
    cv2.rectangle(room, (22, 30), (width - 22, height * 3 // 4 - 8), (72, 92, 68), -1)
    for row in range(5):
        end = width // 2 - 40 * (row % 2)
        cv2.line(room, (40, 60 + 34 * row), (end, 58 + 34 * row), (165, 180, 168), 2, cv2.LINE_AA)
    return room


def _lamp(width: int, height: int) -> ImageBGR:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    lamp_x, lamp_y = int(width * 0.86), int(height * 0.3)
    glow = np.exp(-((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / (2 * (0.42 * height) ** 2))[..., None]
    room = np.asarray(np.clip((58, 66, 84) + glow * (70, 120, 150), 0, 255), np.uint8)
    cv2.ellipse(room, (lamp_x, lamp_y), (34, 26), 0, 0, 360, (190, 230, 250), -1)
    cv2.line(room, (lamp_x, lamp_y + 24), (lamp_x, height), (40, 46, 56), 7)
    return room


BACKDROPS: Mapping[str, Callable[[int, int], ImageBGR]] = {
    "shelves": _shelves,
    "window": _window,
    "wall": _wall,
    "curtain": _curtain,
    "board": _board,
    "lamp": _lamp,
}
"""Every room by the name that a ``Look`` gives."""
