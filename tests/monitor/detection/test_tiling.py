from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.detection.tiling import MAX_ASPECT, MIN_INPUT_FACE_PX, PyramidLevel, pyramid_levels

TILE_PX = 192
MARGIN_PX = 12


def holds(level: PyramidLevel, box: tuple[float, float, float, float]) -> bool:
    """Whether a box of the frame is inside one tile of the level, up to a pixel of rounding."""
    x1, y1, x2, y2 = (side * level.scale for side in box)
    return any(
        x - 1 <= x1 and y - 1 <= y1 and x2 <= x + TILE_PX + 1 and y2 <= y + TILE_PX + 1
        for x, y in level.corners
    )


@st.composite
def frames_and_boxes(draw):
    width, height = draw(st.integers(32, 4000)), draw(st.integers(32, 2300))
    min_face = draw(st.integers(12, 100))
    short = draw(st.floats(min_face, max(min_face, min(width, height))))
    long = draw(st.floats(short, short * MAX_ASPECT))
    w, h = draw(st.permutations([short, long]))
    w, h = min(w, width), min(h, height)
    assume(min(w, h) >= min_face)
    x, y = draw(st.floats(0, width - w)), draw(st.floats(0, height - h))
    return width, height, min_face, (x, y, x + w, y + h)


@given(frames_and_boxes())
def test_every_face_is_whole_and_large_enough_in_a_tile(case):
    width, height, min_face, box = case
    side = min(box[2] - box[0], box[3] - box[1])
    plan = pyramid_levels(width, height, min_face, TILE_PX)
    enough = [level for level in plan if side * level.scale >= min(MIN_INPUT_FACE_PX, side) - 0.5]
    assert any(holds(level, box) for level in enough)


@given(st.integers(1, 4000), st.integers(1, 2300), st.integers(12, 512))
def test_tiles_are_inside_level_and_reach_its_edges(width, height, min_face):
    for level in pyramid_levels(width, height, min_face, TILE_PX):
        assert 0 < level.scale <= 1
        assert level.width >= 1
        assert level.height >= 1
        assert len(set(level.corners)) == len(level.corners)
        for axis, side in enumerate((level.width, level.height)):
            starts = [corner[axis] for corner in level.corners]
            assert min(starts) == 0
            assert max(starts) == max(0, side + MARGIN_PX - TILE_PX)


@given(st.integers(16, 4000), st.integers(16, 2300), st.integers(12, 512))
def test_last_level_is_whole_frame_in_one_tile(width, height, min_face):
    last = pyramid_levels(width, height, min_face, TILE_PX)[-1]
    assert last.corners == ((0, 0),)
    assert max(last.width, last.height) <= TILE_PX - MARGIN_PX
    assert last.width / last.scale == pytest.approx(width, abs=0.51 / last.scale)


@pytest.mark.parametrize(
    ("width", "height", "min_face_px", "tiles"),
    [
        (1920, 1080, 24, [32, 2, 1]),
        (1280, 720, 24, [15, 1]),
        (640, 360, 24, [3, 1]),
        (3840, 2160, 24, [135, 8, 1]),
        (1920, 1080, 48, [8, 1]),
        (100, 100, 24, [1]),
        (1, 1, 24, [1]),
    ],
)
def test_pyramid_levels_tile_counts(width, height, min_face_px, tiles):
    """The number of tiles determines the detector's speed."""
    assert [len(level.corners) for level in pyramid_levels(width, height, min_face_px, TILE_PX)] == tiles


def test_frame_smaller_than_model_input_is_not_enlarged():
    assert pyramid_levels(100, 60, 24, TILE_PX)[-1] == PyramidLevel(1.0, 100, 60, TILE_PX, ((0, 0),))
