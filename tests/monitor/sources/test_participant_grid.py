from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.participant_grid import MAX_TILES, TILE_SIZE_PX, Participant, ParticipantList, TileGrid


@given(st.integers(1, MAX_TILES), st.data())
def test_a_box_belongs_to_the_place_that_its_middle_is_on(places: int, data) -> None:
    gallery = TileGrid(places)
    tile = data.draw(st.integers(0, places - 1))
    x, y = gallery.corner(tile)
    middle = data.draw(st.floats(0, TILE_SIZE_PX[0] - 0.1)), data.draw(st.floats(0, TILE_SIZE_PX[1] - 0.1))
    box = (x + middle[0] - 20, y + middle[1] - 20, x + middle[0] + 20, y + middle[1] + 20)
    assert gallery.tile_of(box) == tile


@given(st.integers(1, MAX_TILES))
def test_all_places_fit_into_the_picture_and_none_meets_another(places: int) -> None:
    gallery = TileGrid(places)
    width, height = gallery.size_px
    corners = [gallery.corner(tile) for tile in range(places)]
    assert len(set(corners)) == places
    assert all(x + TILE_SIZE_PX[0] < width and y + TILE_SIZE_PX[1] < height for x, y in corners)
    assert all(
        abs(a[0] - b[0]) >= TILE_SIZE_PX[0] or abs(a[1] - b[1]) >= TILE_SIZE_PX[1]
        for n, a in enumerate(corners)
        for b in corners[:n]
    )


@pytest.mark.parametrize(
    "middle", [(-5, 50), (50, -5), (4, 50), (332, 50), (5000, 50), (400, 300), (50, 5000)]
)
def test_beside_the_places_is_nobody(middle: tuple[float, float]) -> None:
    x, y = middle
    assert TileGrid(3).tile_of((x - 20, y - 20, x + 20, y + 20)) is None


@pytest.mark.parametrize("places", [0, -1, MAX_TILES + 1])
def test_a_gallery_has_a_place_and_not_too_many(places: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to"):
        TileGrid(places)


def test_who_is_shown_is_told_by_place() -> None:
    here = (Participant(0, "Robin", None, True, 7), Participant(1, "Mia", 4, False, 3))
    assert ParticipantList(4, here).active_tiles == {0}
