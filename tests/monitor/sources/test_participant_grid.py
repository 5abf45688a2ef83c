from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.participant_grid import MAX_TILES, TILE_SIZE_PX, Participant, ParticipantList, TileGrid


@given(st.integers(1, MAX_TILES), st.data())
def test_tile_of_returns_tile_that_contains_box_centre(tile_count: int, data) -> None:
    grid = TileGrid(tile_count)
    tile = data.draw(st.integers(0, tile_count - 1))
    x, y = grid.corner(tile)
    centre = data.draw(st.floats(0, TILE_SIZE_PX[0] - 0.1)), data.draw(st.floats(0, TILE_SIZE_PX[1] - 0.1))
    box = (x + centre[0] - 20, y + centre[1] - 20, x + centre[0] + 20, y + centre[1] + 20)
    assert grid.tile_of(box) == tile


@given(st.integers(1, MAX_TILES))
def test_tiles_fit_into_grid_and_do_not_overlap(tile_count: int) -> None:
    grid = TileGrid(tile_count)
    width, height = grid.size_px
    corners = [grid.corner(tile) for tile in range(tile_count)]
    assert len(set(corners)) == tile_count
    assert all(x + TILE_SIZE_PX[0] < width and y + TILE_SIZE_PX[1] < height for x, y in corners)
    assert all(
        abs(a[0] - b[0]) >= TILE_SIZE_PX[0] or abs(a[1] - b[1]) >= TILE_SIZE_PX[1]
        for n, a in enumerate(corners)
        for b in corners[:n]
    )


@pytest.mark.parametrize(
    "centre", [(-5, 50), (50, -5), (4, 50), (332, 50), (5000, 50), (400, 300), (50, 5000)]
)
def test_tile_of_outside_of_tiles_returns_none(centre: tuple[float, float]) -> None:
    x, y = centre
    assert TileGrid(3).tile_of((x - 20, y - 20, x + 20, y + 20)) is None


@pytest.mark.parametrize("tile_count", [0, -1, MAX_TILES + 1])
def test_tile_grid_rejects_invalid_tile_count(tile_count: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to"):
        TileGrid(tile_count)


def test_active_tiles_are_those_with_an_image() -> None:
    participants = (Participant(0, "Robin", None, True, 7), Participant(1, "Mia", 4, False, 3))
    assert ParticipantList(4, participants).active_tiles == {0}
