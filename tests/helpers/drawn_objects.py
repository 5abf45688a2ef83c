"""Drawn objects that a face detector may take for faces: pencil cases, hands, lettering, dotted ovals.

No object is a face. ``drawn_object`` is deterministic for each seed; the tests search for seeds that fool a
detector.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.types import ImageBGR

CANVAS_PX = 240
"""Size at which objects are drawn before they are shrunk, so that edges are smooth."""

_SKIN_BGR = ((120, 150, 210), (90, 120, 180), (60, 85, 130), (150, 180, 230))
_WORDS = ("8:8", "O.O", "oTo", "(:)", "B8", "OO", "%o%", "a:e", "QUO", "@ @")

Canvas = NDArray[np.uint8]


def drawn_object(seed: int, side_px: int) -> tuple[ImageBGR, NDArray[np.float32]]:
    """An object as ``(side_px, side_px, 3)`` uint8 colours and its opacity ``(side_px, side_px, 1)`` float32
    in 0..1."""
    rng = np.random.default_rng((seed, 41))
    image = np.zeros((CANVAS_PX, CANVAS_PX, 3), np.uint8)
    mask = np.zeros((CANVAS_PX, CANVAS_PX), np.uint8)
    draw = (_pencil_case, _dotted_oval, _hand, _lettering)[seed % 4]
    draw(image, mask, rng)
    shade = np.linspace(rng.uniform(0.7, 1.0), rng.uniform(0.7, 1.0), CANVAS_PX)[:, None, None]
    shade = shade * np.linspace(rng.uniform(0.7, 1.0), rng.uniform(0.7, 1.0), CANVAS_PX)[None, :, None]
    turn = cv2.getRotationMatrix2D((CANVAS_PX / 2, CANVAS_PX / 2), rng.uniform(-20, 20), 1.0)
    size, small = (CANVAS_PX, CANVAS_PX), (side_px, side_px)
    turned = cv2.warpAffine((image * shade).astype(np.uint8), turn, size, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(mask, turn, size).astype(np.float32) / 255
    shrunk = cv2.resize(turned, small, interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.uint8), np.asarray(
        cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)[..., None], np.float32
    )


def _colour(rng: np.random.Generator, low: int = 20, high: int = 236) -> tuple[int, int, int]:
    blue, green, red = rng.integers(low, high, 3).tolist()
    return blue, green, red


def _oval(
    image: Canvas, centre: NDArray[np.float64], axes: tuple[float, float], colour: tuple[int, ...]
) -> None:
    centre_px = (round(float(centre[0])), round(float(centre[1])))
    cv2.ellipse(image, centre_px, (max(1, round(axes[0])), max(1, round(axes[1]))), 0, 0, 360, colour, -1)


def _pencil_case(image: Canvas, mask: Canvas, rng: np.random.Generator) -> None:
    """A rounded rectangle with two buttons, a zip and a label."""
    half = np.array([rng.uniform(50, 85), rng.uniform(50, 85)])
    centre = np.array([CANVAS_PX / 2, CANVAS_PX / 2])
    corner = rng.uniform(15, 45)
    low, high = (centre - half + corner).astype(int).tolist(), (centre + half - corner).astype(int).tolist()
    cv2.rectangle(mask, low, high, 255, round(2 * corner))
    cv2.rectangle(mask, low, high, 255, -1)
    image[:] = _colour(rng, 40)
    dark = _colour(rng, 0, 90)
    apart, up = rng.uniform(0.25, 0.6) * half[0], rng.uniform(-0.1, 0.5) * half[1]
    radius = rng.uniform(0.08, 0.2) * half[0]
    for side in (-1, 1):
        _oval(image, centre + np.array([side * apart, -up]), (radius, radius), dark)
    zip_y = centre[1] + rng.uniform(0.1, 0.7) * half[1]
    _oval(image, np.array([centre[0], zip_y]), (rng.uniform(0.3, 0.9) * half[0], 0.06 * half[1]), dark)
    image[:] = cv2.GaussianBlur(image, (0, 0), rng.uniform(1, 6))


def _dotted_oval(image: Canvas, mask: Canvas, rng: np.random.Generator) -> None:
    """A ball, bag or plate with a few dots and stripes anywhere on it."""
    half = np.array([rng.uniform(50, 75), rng.uniform(60, 95)])
    centre = np.array([CANVAS_PX / 2, CANVAS_PX / 2])
    _oval(mask, centre, (half[0], half[1]), (255,))
    image[:] = _SKIN_BGR[int(rng.integers(4))] if rng.random() < 0.5 else _colour(rng, 60)
    for _ in range(int(rng.integers(3, 8))):
        at = centre + rng.uniform(-0.7, 0.7, 2) * half
        _oval(image, at, (rng.uniform(4, 22), rng.uniform(3, 14)), _colour(rng, 0, 110))
    image[:] = cv2.GaussianBlur(image, (0, 0), rng.uniform(1, 6))


def _hand(image: Canvas, mask: Canvas, rng: np.random.Generator) -> None:
    """A palm with bent fingers and the shadows between them."""
    skin = np.array(_SKIN_BGR[int(rng.integers(4))], float)
    image[:] = skin
    centre = np.array([CANVAS_PX / 2, CANVAS_PX * 0.58])
    width = rng.uniform(40, 60)
    _oval(mask, centre, (width, rng.uniform(50, 70)), (255,))
    shadow = tuple(int(v) for v in skin * rng.uniform(0.3, 0.6))
    for finger in range(4):
        x = centre[0] + (finger - 1.5) * 0.5 * width
        tip = (round(x + rng.uniform(-8, 8)), round(centre[1] - rng.uniform(40, 110)))
        base = (round(x), round(centre[1] - 20))
        cv2.line(mask, base, tip, 255, round(0.45 * width))
        cv2.line(
            image,
            (base[0] + round(0.25 * width), base[1]),
            (tip[0] + round(0.25 * width), tip[1]),
            shadow,
            4,
        )
    for _ in range(int(rng.integers(2, 7))):
        at = centre + rng.uniform(-0.6, 0.6, 2) * (width, 60)
        _oval(image, at, (rng.uniform(5, 16), rng.uniform(2, 7)), shadow)
    image[:] = cv2.GaussianBlur(image, (0, 0), rng.uniform(2, 5))


def _lettering(image: Canvas, mask: Canvas, rng: np.random.Generator) -> None:
    """A word on a label."""
    image[:] = _colour(rng, 90)
    mask[30:-30, 20:-20] = 255
    for row in range(int(rng.integers(1, 3))):
        word = _WORDS[int(rng.integers(len(_WORDS)))]
        font, scale = int(rng.integers(0, 5)), rng.uniform(1.5, 3.5)
        (width, height), _ = cv2.getTextSize(word, font, scale, 8)
        at = (round((CANVAS_PX - width) / 2), round(80 + height / 2 + 80 * row))
        cv2.putText(image, word, at, font, scale, _colour(rng, 0, 90), round(rng.uniform(4, 14)))
    image[:] = cv2.GaussianBlur(image, (0, 0), rng.uniform(1, 4))


def textured(width: int, height: int, seed: int) -> ImageBGR:
    """A desk or wall: smooth noise of several sizes, in which camera motion can be measured."""
    rng = np.random.default_rng((seed, 43))
    base = np.full((height, width, 3), rng.uniform(90, 150, 3), np.float32)
    for cell in (8, 24, 80):
        noise = rng.normal(0, 12, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        base += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(base, 0, 255), np.uint8)


def place_object(
    image_bgr: ImageBGR,
    thing: tuple[ImageBGR, NDArray[np.float32]],
    x: float,
    y: float,
    roll_deg: float = 0.0,
) -> ImageBGR:
    """A copy of the image with the object centred at ``(x, y)`` with sub-pixel accuracy, rotated by
    ``roll_deg``."""
    image, alpha = thing
    side = image.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), roll_deg, 1.0)
    turn[:, 2] += (x - side / 2, y - side / 2)
    size = (image_bgr.shape[1], image_bgr.shape[0])
    drawn = cv2.warpAffine(image, turn, size, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    share = cv2.warpAffine(alpha, turn, size)[..., None]
    return np.asarray(image_bgr * (1 - share) + drawn * share, np.uint8)
