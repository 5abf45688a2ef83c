"""How a frame is cut so that every face is large enough in some cutting. Pure arithmetic.

A detector with a small square input finds a face only if it is some pixels large *in that input*; a
lecture hall shrunk to 192 pixels has none left. So the frame is laid out in levels. The finest
shows the smallest face wanted at the smallest size that the model finds, in overlapping tiles; each
next level is coarser and takes over where faces no longer fit into the overlap; the last is the
whole frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FINDABLE_PX = 12
"""The smallest face side, in pixels of the model's input, that the full-range model finds reliably."""

OVERLAP = 1 / 3
"""What two neighbouring tiles share, as a share of a tile. A half would cut faces more rarely but
needs 1.8 times the tiles; at a quarter the next level has to begin earlier."""

MARGIN = 1 / 16
"""What a tile at the right or lower edge of the frame shows beyond it (black), as a share of a tile. The
model is nearly blind in the last pixels of its input: of faces of 24 px within 40 px of the lower right
corner of a 1280 x 720 frame it saw 9 in 30 without this, and all 30 with it."""

ELONGATION = 1.4
"""The longest side of a face's box over its shortest, at most."""


@dataclass(frozen=True)
class Level:
    """The frame at one size and where its tiles begin.

    The frame is enlarged by ``scale`` (at most 1) to ``width`` x ``height`` pixels; each tile is a
    square of ``tile_px`` of them with its corner at one of ``corners`` (x, y). What a tile shows
    beyond the level is empty.
    """

    scale: float
    width: int
    height: int
    tile_px: int
    corners: tuple[tuple[int, int], ...]


def levels(width: int, height: int, min_face_px: int, tile_px: int) -> tuple[Level, ...]:
    """The levels for a frame of ``width`` x ``height`` pixels, the finest first, the whole frame last.

    Every box inside the frame with sides of at least ``min_face_px``, no more than ``ELONGATION``
    apart, lies wholly in a tile in which its shorter side has at least ``FINDABLE_PX`` pixels (less
    half a pixel of rounding), or in the whole frame if it is too large for any tile.

    Args:
        width: of the frame, pixels.
        height: of the frame, pixels.
        min_face_px: the smallest side wanted, pixels of the frame.
        tile_px: the side of the model's square input.
    """
    found = []
    side = tile_px * max(1.0, min_face_px / FINDABLE_PX)
    step = tile_px * OVERLAP / FINDABLE_PX / ELONGATION
    whole = (tile_px - _margin(tile_px)) / max(width, height)
    while tile_px / side > whole:
        found.append(_level(width, height, tile_px / side, tile_px))
        side *= step
    found.append(_level(width, height, min(1.0, whole), tile_px))
    return tuple(found)


def _level(width: int, height: int, scale: float, tile_px: int) -> Level:
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    corners = tuple((x, y) for y in _starts(down, tile_px) for x in _starts(across, tile_px))
    return Level(scale, across, down, tile_px, corners)


def _margin(tile_px: int) -> int:
    return math.ceil(tile_px * MARGIN)


def _starts(length: int, tile_px: int) -> list[int]:
    """Where tiles begin along a side: evenly, the last ending a margin beyond the side."""
    rest = length + _margin(tile_px) - tile_px
    if rest <= 0:
        return [0]
    stride = tile_px - math.ceil(tile_px * OVERLAP)
    gaps = math.ceil(rest / stride)
    return [rest * index // gaps for index in range(gaps + 1)]
