"""People that walk past close to the camera of a simulated room: large, dark or striped, without a face."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from monitor.types import Box, ImageBGR

CROSSING_S = (1.5, 4.0)
"""Shortest and longest time in seconds for crossing the frame."""

WIDTH_SHARE = (0.18, 0.36)
"""Smallest and largest width, in frame widths: one to two metres from the lens."""

TOP_SHARE = (-0.25, 0.3)
"""Highest and lowest top of the head, in frame heights; below 0 the frame cuts the head off."""

HAIR_BGR = (26, 24, 30)


@dataclass(frozen=True)
class PasserBy:
    """A person that crosses the frame from ``start_s`` to ``end_s``, seconds.

    ``width`` is the width of the body and ``top`` the top of the head in scene pixels, ``leftwards`` the
    direction, ``coat_bgr`` and ``stripe_bgr`` the colours of the coat.
    """

    start_s: float
    end_s: float
    width: float
    top: float
    leftwards: bool
    coat_bgr: tuple[int, int, int]
    stripe_bgr: tuple[int, int, int]

    def box_at(self, t_s: float, scene_px: int) -> Box | None:
        """The box of body and head at ``t_s`` in a scene ``scene_px`` wide; None before and after. Its lower
        edge is infinite."""
        if not self.start_s <= t_s < self.end_s:
            return None
        share = (t_s - self.start_s) / (self.end_s - self.start_s)
        share = 1 - share if self.leftwards else share
        left = -self.width + share * (scene_px + self.width)
        return left, self.top, left + self.width, float("inf")


def plan_passers_by(count: int, length_s: float, width: int, height: int, seed: int) -> tuple[PasserBy, ...]:
    """``count`` passers-by at random times in a scene of ``width`` x ``height`` pixels, in order of time."""
    rng = np.random.default_rng((seed, 29))
    return tuple(
        _draw_random_passer_by(start_s, width, height, rng)
        for start_s in sorted(rng.uniform(0, max(0.0, length_s - CROSSING_S[1]), count).tolist())
    )


def _draw_random_passer_by(start_s: float, width: int, height: int, rng: np.random.Generator) -> PasserBy:
    coat, stripe = (rng.integers(15, top, 3).tolist() for top in (110, 200))
    return PasserBy(
        start_s,
        start_s + float(rng.uniform(*CROSSING_S)),
        width * float(rng.uniform(*WIDTH_SHARE)),
        height * float(rng.uniform(*TOP_SHARE)),
        bool(rng.integers(2)),
        (coat[0], coat[1], coat[2]),
        (stripe[0], stripe[1], stripe[2]),
    )


def draw_passer_by(image: ImageBGR, passer_by: PasserBy, t_s: float) -> None:
    """Draw the passer-by onto ``image``, seen from behind, if visible at ``t_s``."""
    height, width = image.shape[:2]
    box = passer_by.box_at(t_s, width)
    if box is None:
        return
    left, top, right, _ = box
    middle, shoulders = round((left + right) / 2), round(top + 0.75 * passer_by.width)
    cv2.rectangle(image, (round(left), shoulders), (round(right), height), passer_by.coat_bgr, -1)
    half, down = round(passer_by.width / 2), round(0.2 * passer_by.width)
    cv2.ellipse(image, (middle, shoulders), (half, down), 0, 0, 360, passer_by.coat_bgr, -1)
    step = max(4, round(0.18 * passer_by.width))
    for y in range(shoulders + step, height, 2 * step):
        cv2.rectangle(image, (round(left), y), (round(right), y + step // 3), passer_by.stripe_bgr, -1)
    head = (middle, round(top + 0.36 * passer_by.width))
    axes = (round(0.27 * passer_by.width), round(0.36 * passer_by.width))
    cv2.ellipse(image, head, axes, 0, 0, 360, HAIR_BGR, -1)
