"""The grid of an online lesson: one tile per student, the same for the whole lesson. Pure.

The dashboard (``classpulse.online``) sends the student of each tile and whether the tile has an image. The
identity of a face therefore follows from its tile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from monitor.types import Box

TILE_SIZE_PX = (320, 240)
"""Width and height of a tile, pixels: a face in front of a laptop is a quarter to a half as high, more than
the 48 pixels of the expression network."""

GAP_PX = 8
MAX_TILES = 49
"""Seven by seven: 2304 x 1744 pixels. A larger class needs two lessons."""


@dataclass(frozen=True)
class Participant:
    """The student of ``tile``. ``student_id`` is the student's number on the roster of the class, None for a
    student of this lesson only. ``has_image``: whether a fresh image exists; ``image_number`` increases with
    each."""

    tile: int
    pseudonym: str
    student_id: int | None
    has_image: bool
    image_number: int


@dataclass(frozen=True)
class TileFace:
    """The face of ``tile`` in image ``image_number``: ``relative_box`` as shares 0..1 of the image's width
    and height (left, top, right, bottom), None if no face was detected."""

    tile: int
    image_number: int
    relative_box: Box | None


@dataclass(frozen=True)
class PlacedFrame:
    """Image ``image_number`` in its tile: ``area`` is its left and upper edge in the tile, its width and
    height, pixels."""

    image_number: int
    area: tuple[int, int, int, int]

    def to_relative(self, x: float, y: float) -> tuple[float, float]:
        """A point of the tile as shares of the image's width and height, 0..1."""
        left, top, width, height = self.area
        return min(1.0, max(0.0, (x - left) / width)), min(1.0, max(0.0, (y - top) / height))


@dataclass(frozen=True)
class ParticipantList:
    """The students who have joined, of ``tile_count`` tiles. ``erased_tiles`` belong to students who withdrew
    their consent; these tiles are not reused."""

    tile_count: int
    participants: tuple[Participant, ...] = ()
    erased_tiles: frozenset[int] = frozenset()

    @property
    def active_tiles(self) -> frozenset[int]:
        """The tiles with an image."""
        return frozenset(student.tile for student in self.participants if student.has_image)


@dataclass(frozen=True)
class TileGrid:
    """A grid of ``tile_count`` tiles, as square as possible, row by row. Raises ValueError if ``tile_count``
    is not in 1..``MAX_TILES``."""

    tile_count: int

    def __post_init__(self) -> None:
        if not 1 <= self.tile_count <= MAX_TILES:
            raise ValueError(f"{self.tile_count} tiles; expected 1 to {MAX_TILES}")

    @property
    def columns(self) -> int:
        """The number of tiles in a row."""
        return math.isqrt(self.tile_count - 1) + 1

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the grid, pixels."""
        rows = -(-self.tile_count // self.columns)
        return self.columns * (TILE_SIZE_PX[0] + GAP_PX) + GAP_PX, rows * (TILE_SIZE_PX[1] + GAP_PX) + GAP_PX

    def corner(self, tile: int) -> tuple[int, int]:
        """The left and upper edge of a tile, pixels."""
        row, column = divmod(tile, self.columns)
        return GAP_PX + column * (TILE_SIZE_PX[0] + GAP_PX), GAP_PX + row * (TILE_SIZE_PX[1] + GAP_PX)

    def tile_of(self, box_xyxy: Box) -> int | None:
        """The tile that contains the centre of a box; None outside of all tiles."""
        x, y = (box_xyxy[0] + box_xyxy[2]) / 2, (box_xyxy[1] + box_xyxy[3]) / 2
        column, left = divmod(x - GAP_PX, TILE_SIZE_PX[0] + GAP_PX)
        row, top = divmod(y - GAP_PX, TILE_SIZE_PX[1] + GAP_PX)
        tile = int(row) * self.columns + int(column)
        inside = 0 <= column < self.columns and row >= 0 and left < TILE_SIZE_PX[0] and top < TILE_SIZE_PX[1]
        return tile if inside and tile < self.tile_count else None
