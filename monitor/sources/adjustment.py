"""What ``capture.rotate`` and ``capture.aspect`` state. Pure; ``monitor.sources.geometry`` applies it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

Rotation = Literal["0", "90", "180", "270", "mirrored", "mirrored 90", "mirrored 180", "mirrored 270"]

ROTATIONS: tuple[Rotation, ...] = get_args(Rotation)
"""Degrees clockwise; a mirrored image is mirrored left to right before it is rotated."""

MAX_ASPECT = Fraction(4)
"""The widest and the highest image, as a ratio of its sides. Three cameras in a row have 48:9."""


@dataclass(frozen=True)
class Adjustment:
    """What is done to every image of a source besides what it states itself.

    ``aspect``: width by height at which the image is displayed, before it is rotated; None leaves it as it
    is.
    """

    rotate: Rotation = "0"
    aspect: Fraction | None = None

    @property
    def is_identity(self) -> bool:
        """Whether images stay as they are."""
        return self.rotate == "0" and self.aspect is None

    @property
    def is_mirrored(self) -> bool:
        """Whether the image is mirrored left to right before it is rotated."""
        return self.rotate.startswith("mirrored")

    @property
    def quarter_turns(self) -> int:
        """How often the image is rotated by 90° clockwise, 0..3."""
        return int(self.rotate.removeprefix("mirrored") or 0) // 90


UNADJUSTED = Adjustment()


def parse_aspect(text: str) -> Fraction:
    """The ratio in ``16:9``, ``4/3`` or ``1.78``. Raises ValueError unless it is between 1:4 and 4:1."""
    match = re.fullmatch(r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*(?:[:/]\s*(\d{1,6}(?:\.\d{1,6})?)\s*)?", text)
    divisor = Fraction(match[2] or "1") if match else Fraction(0)
    if match is None or not divisor:
        raise ValueError("expected a ratio such as 16:9")
    aspect = Fraction(match[1]) / divisor
    if not 1 / MAX_ASPECT <= aspect <= MAX_ASPECT:
        raise ValueError("expected a ratio between 1:4 and 4:1")
    return aspect
