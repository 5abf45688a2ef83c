"""The grid of a video call: where everybody's tile lies."""

from __future__ import annotations

import math
from dataclasses import dataclass

from classpulse.demo.errors import DemoError

GAP_PX = 8

SMALLEST_TILE = (96, 72)
"""Width and height, pixels; not tuned. In a smaller tile the name would cover the face."""

Tile = tuple[int, int, int, int]
"""Edges in pixels of the frame: left, top, right, bottom."""


@dataclass(frozen=True)
class Mosaic:
    """``columns`` by ``rows`` equal tiles in a frame of ``width`` by ``height`` pixels, both even.

    Raises ``DemoError`` where a tile would be too small for a face and a name.
    """

    width: int
    height: int
    columns: int
    rows: int

    def __post_init__(self) -> None:
        if self.tile_width < SMALLEST_TILE[0] or self.tile_height < SMALLEST_TILE[1]:
            raise DemoError(
                f"{self.columns} x {self.rows} tiles in {self.width} x {self.height} would have "
                f"{self.tile_width} x {self.tile_height} pixels; expected {SMALLEST_TILE[0]} x "
                f"{SMALLEST_TILE[1]} or more: fewer seats or a larger picture"
            )

    @property
    def tile_width(self) -> int:
        """Of every tile, pixels."""
        return (self.width - (self.columns + 1) * GAP_PX) // self.columns

    @property
    def tile_height(self) -> int:
        """Of every tile, pixels."""
        return (self.height - (self.rows + 1) * GAP_PX) // self.rows

    def tile_xyxy(self, index: int) -> Tile:
        """The ``index``-th tile, row by row."""
        row, column = divmod(index, self.columns)
        x = GAP_PX + column * (self.tile_width + GAP_PX)
        y = GAP_PX + row * (self.tile_height + GAP_PX)
        return (x, y, x + self.tile_width, y + self.tile_height)


DEMO_MOSAIC = Mosaic(1280, 720, columns=3, rows=2)
"""The demo's six tiles of 416 x 348."""


def square_mosaic(seats: int, width: int, height: int) -> Mosaic:
    """As many columns as rows, or one more, for ``seats`` tiles."""
    columns = math.isqrt(seats - 1) + 1
    return Mosaic(width, height, columns, -(-seats // columns))
