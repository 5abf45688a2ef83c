"""Students before their own cameras, laid out as one picture: a place for each, the same all lesson. Pure.

Which place is whose, and whether anything is to be seen there, comes with each picture from whoever receives
the students' pictures (``classpulse.online``). So who is who needs no comparing of faces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitor.types import Box

TILE = (320, 240)
"""Width and height of a place, pixels: a face before a laptop's camera is a quarter to a half as high, more
than the 48 pixels of the network that reads expressions."""

GAP_PX = 8
MOST_PLACES = 49
"""Seven by seven: 2304 by 1744 pixels. A larger class needs two lessons."""


@dataclass(frozen=True)
class Place:
    """The student of place ``tile``. ``student_id`` is the number of one who is on the class's roster, None
    of one who is known in this lesson alone. ``shown``: whether a fresh picture of theirs is there;
    ``picture`` is its number, which grows with each."""

    tile: int
    pseudonym: str
    student_id: int | None
    shown: bool
    picture: int


@dataclass(frozen=True)
class FaceAt:
    """Where the face of place ``tile`` was in picture ``picture``: ``box`` as shares 0..1 of that picture's
    width and height (left, top, right, bottom), None where none was found."""

    tile: int
    picture: int
    box: Box | None


@dataclass(frozen=True)
class Hung:
    """Picture ``picture`` as it hangs on a place: ``area`` are its left and upper edge on the place, its
    width and height, pixels."""

    picture: int
    area: tuple[int, int, int, int]

    def share(self, x: float, y: float) -> tuple[float, float]:
        """A point of the place as shares of the picture's width and height, 0..1."""
        left, top, width, height = self.area
        return min(1.0, max(0.0, (x - left) / width)), min(1.0, max(0.0, (y - top) / height))


@dataclass(frozen=True)
class Attendance:
    """Everybody who has joined, of ``places`` places; ``erased`` are the places of those who want nothing
    kept of them, which are nobody else's ever after."""

    places: int
    here: tuple[Place, ...] = ()
    erased: frozenset[int] = frozenset()

    @property
    def shown(self) -> frozenset[int]:
        """The places with something to see."""
        return frozenset(one.tile for one in self.here if one.shown)


@dataclass(frozen=True)
class Gallery:
    """A grid of ``places`` places, as square as can be, row by row. Raises ValueError for none or more than
    ``MOST_PLACES``."""

    places: int

    def __post_init__(self) -> None:
        if not 1 <= self.places <= MOST_PLACES:
            raise ValueError(f"{self.places} places; expected 1 to {MOST_PLACES}")

    @property
    def columns(self) -> int:
        """How many places a row has."""
        return math.isqrt(self.places - 1) + 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, pixels."""
        rows = -(-self.places // self.columns)
        return self.columns * (TILE[0] + GAP_PX) + GAP_PX, rows * (TILE[1] + GAP_PX) + GAP_PX

    def corner(self, tile: int) -> tuple[int, int]:
        """The left and upper edge of a place, pixels."""
        row, column = divmod(tile, self.columns)
        return GAP_PX + column * (TILE[0] + GAP_PX), GAP_PX + row * (TILE[1] + GAP_PX)

    def tile_of(self, box_xyxy: Box) -> int | None:
        """The place that the middle of a box lies in; None beside all."""
        x, y = (box_xyxy[0] + box_xyxy[2]) / 2, (box_xyxy[1] + box_xyxy[3]) / 2
        column, left = divmod(x - GAP_PX, TILE[0] + GAP_PX)
        row, top = divmod(y - GAP_PX, TILE[1] + GAP_PX)
        tile = int(row) * self.columns + int(column)
        inside = 0 <= column < self.columns and row >= 0 and left < TILE[0] and top < TILE[1]
        return tile if inside and tile < self.places else None
