"""Students before their own cameras, laid out as one picture: a place for each, the same all lesson. Pure.

Which place is whose, and whether anything is to be seen there, comes with each picture from whoever receives
the students' pictures (``classpulse.online``). So who is who needs no comparing of faces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitor.types import Box

TILE_SIZE_PX = (320, 240)
"""Width and height of a place, pixels: a face before a laptop's camera is a quarter to a half as high, more
than the 48 pixels of the network that reads expressions."""

GAP_PX = 8
MAX_TILES = 49
"""Seven by seven: 2304 by 1744 pixels. A larger class needs two lessons."""


@dataclass(frozen=True)
class Participant:
    """The student of place ``tile``. ``student_id`` is the number of one who is on the class's roster, None
    of one who is known in this lesson alone. ``active_tiles``: whether a fresh picture of theirs is there;
    ``image_number`` is its number, which grows with each."""

    tile: int
    pseudonym: str
    student_id: int | None
    has_image: bool
    image_number: int


@dataclass(frozen=True)
class TileFace:
    """Where the face of place ``tile`` was in picture ``image_number``: ``relative_box`` as shares 0..1 of that picture's
    width and height (left, top, right, bottom), None where none was found."""

    tile: int
    image_number: int
    relative_box: Box | None


@dataclass(frozen=True)
class PlacedFrame:
    """Picture ``image_number`` as it hangs on a place: ``area`` are its left and upper edge on the place, its
    width and height, pixels."""

    image_number: int
    area: tuple[int, int, int, int]

    def to_relative(self, x: float, y: float) -> tuple[float, float]:
        """A point of the place as shares of the picture's width and height, 0..1."""
        left, top, width, height = self.area
        return min(1.0, max(0.0, (x - left) / width)), min(1.0, max(0.0, (y - top) / height))


@dataclass(frozen=True)
class ParticipantList:
    """Everybody who has joined, of ``tile_count`` places; ``erased_tiles`` are the places of those who want nothing
    kept of them, which are nobody else's ever after."""

    tile_count: int
    participants: tuple[Participant, ...] = ()
    erased_tiles: frozenset[int] = frozenset()

    @property
    def active_tiles(self) -> frozenset[int]:
        """The places with something to see."""
        return frozenset(one.tile for one in self.participants if one.has_image)


@dataclass(frozen=True)
class TileGrid:
    """A grid of ``tile_count`` places, as square as can be, row by row. Raises ValueError for none or more than
    ``MAX_TILES``."""

    tile_count: int

    def __post_init__(self) -> None:
        if not 1 <= self.tile_count <= MAX_TILES:
            raise ValueError(f"{self.tile_count} places; expected 1 to {MAX_TILES}")

    @property
    def columns(self) -> int:
        """How many places a row has."""
        return math.isqrt(self.tile_count - 1) + 1

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the picture, pixels."""
        rows = -(-self.tile_count // self.columns)
        return self.columns * (TILE_SIZE_PX[0] + GAP_PX) + GAP_PX, rows * (TILE_SIZE_PX[1] + GAP_PX) + GAP_PX

    def corner(self, tile: int) -> tuple[int, int]:
        """The left and upper edge of a place, pixels."""
        row, column = divmod(tile, self.columns)
        return GAP_PX + column * (TILE_SIZE_PX[0] + GAP_PX), GAP_PX + row * (TILE_SIZE_PX[1] + GAP_PX)

    def tile_of(self, box_xyxy: Box) -> int | None:
        """The place that the middle of a box lies in; None beside all."""
        x, y = (box_xyxy[0] + box_xyxy[2]) / 2, (box_xyxy[1] + box_xyxy[3]) / 2
        column, left = divmod(x - GAP_PX, TILE_SIZE_PX[0] + GAP_PX)
        row, top = divmod(y - GAP_PX, TILE_SIZE_PX[1] + GAP_PX)
        tile = int(row) * self.columns + int(column)
        inside = 0 <= column < self.columns and row >= 0 and left < TILE_SIZE_PX[0] and top < TILE_SIZE_PX[1]
        return tile if inside and tile < self.tile_count else None
