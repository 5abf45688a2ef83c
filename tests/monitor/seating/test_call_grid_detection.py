"""The grid of a call is detected in one frame; a room has none."""

import numpy as np
import pytest

from monitor.seating.call_grid_detection import find_grid
from monitor.types import Box
from tests.helpers.tiles_drawn import ROOMS, STYLES, drawn_call, drawn_room


def by_place(tiles: list[Box] | tuple[Box, ...]) -> list[Box]:
    return sorted(tiles, key=lambda tile: (round(tile[1] / 50), tile[0]))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [2, 3, 4, 5, 9, 12, 25])
def test_find_grid_in_a_call_of_any_style(count: int, style: str) -> None:
    """Two of three drawn calls: in some, clothing or furniture has the colour of the gutter."""
    right = 0
    for seed in range(3):
        image, tiles, _ = drawn_call(
            count, STYLES[style], seed=seed, people=[100 * seed + item for item in range(count)]
        )
        grid = find_grid(image)
        if grid is not None and len(grid.tiles) == count:
            off = np.subtract(by_place(grid.tiles), by_place(tiles))
            right += bool(np.abs(off).max() <= STYLES[style].gutter + 0.01 * image.shape[1])
    assert right >= 2


@pytest.mark.parametrize("kind", ROOMS)
@pytest.mark.parametrize("size", [(1280, 720), (640, 480)])
def test_find_grid_in_a_room_is_none(kind: str, size: tuple[int, int]) -> None:
    for seed in range(3):
        image, faces = drawn_room(kind, seed=seed, size=size)
        grid = find_grid(image)
        assert grid is None or not grid.matches_faces(faces), "or people stand across its borders"


def test_find_grid_in_a_plain_or_tiny_frame_is_none() -> None:
    assert find_grid(np.full((720, 1280, 3), 40, np.uint8)) is None
    assert find_grid(np.zeros((20, 30, 3), np.uint8)) is None
