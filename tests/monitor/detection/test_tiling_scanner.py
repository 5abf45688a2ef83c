from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detection.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace
from monitor.detection.incremental import MAX_MOVE
from monitor.detection.nms import Candidates, concat_candidates, matches_any, weighted_nms
from monitor.detection.tiling import MAX_ASPECT, MIN_CANDIDATE_SCORE, FrameSlices, SliceScanner
from tests.helpers.drawn_spots import spot
from tests.helpers.pictures import pasted, pasted_box


def plan(width: int, height: int, min_face_px: int = 24) -> FrameSlices:
    """The slices, without loading models."""
    full, short = (SimpleNamespace(input_px=model.input_px) for model in (FULL_RANGE, SHORT_RANGE))
    return SliceScanner(full, short, min_face_px).slices(width, height)  # type: ignore[arg-type]


@st.composite
def frames_and_faces(draw: Any) -> tuple[int, int, int, np.ndarray]:
    """Width and height of a frame, ``min_face_px``, and the box of a face of at least that size."""
    width, height = draw(st.integers(32, 4000)), draw(st.integers(32, 2300))
    least = draw(st.integers(12, min(100, width, height)))
    short = draw(st.floats(least, min(width, height)))
    w, h = draw(st.permutations([short, min(short * draw(st.floats(1, MAX_ASPECT)), width, height)]))
    x, y = draw(st.floats(0, width - w)), draw(st.floats(0, height - h))
    return width, height, least, np.array([[x, y, x + w, y + h]], np.float32)


@given(frames_and_faces())
def test_every_face_is_whole_in_a_suitable_slice(case: Any) -> None:
    width, height, least, box = case
    slices = plan(width, height, least)
    areas = slices.areas_xyxy[slices.around(box, reach=0.0)]
    # At most this many pixels of the frame are one of the finest level; corners are whole pixels of a level.
    slack = 1.5 * max(1.0, least / 12)
    assert ((areas[:, :2] <= box[:, :2] + slack) & (areas[:, 2:] >= box[:, 2:] - slack)).all(axis=1).any()


@given(st.integers(1, 4000), st.integers(1, 2300), st.integers(12, 512))
def test_slices_are_inside_frame_and_last_two_cover_it(width: int, height: int, least: int) -> None:
    slices = plan(width, height, least)
    assert (slices.areas_xyxy[:, :2] >= 0).all()
    assert (slices.areas_xyxy[:, :2] < slices.areas_xyxy[:, 2:]).all()
    assert (slices.areas_xyxy[:, 2:] <= (width, height)).all()
    assert slices.areas_xyxy[-2:].tolist() == [[0, 0, width, height]] * 2
    assert np.isinf(slices.face_sides_px[-2:, 1]).all()


STRIPS = FrameSlices(
    np.array([(0, 0, 100, 100), (90, 0, 190, 100), (180, 0, 280, 100), (0, 0, 280, 100)], np.float32),
    np.array([(9, 60), (9, 60), (9, 60), (50, np.inf)], np.float32),
)


@pytest.mark.parametrize(
    ("x", "side", "reach", "around"),
    [
        (30, 20, 0.0, [0]),
        (85, 20, 0.0, [0, 1]),
        (140, 20, 0.0, [1]),
        (140, 20, 2.0, [1, 2]),
        (30, 20, 3.0, [0, 1]),
        (30, 20, 9.0, [0, 1, 2]),
        (30, 55, 0.0, [0, 3]),
        (30, 80, 0.0, [3]),
        (30, 8, 9.0, []),
        (330, 20, 1.0, []),
        (330, 20, 3.0, [2]),
    ],
)
def test_around_returns_slices_in_reach_of_face(
    x: float, side: float, reach: float, around: list[int]
) -> None:
    face = spot(x, 40, side)
    assert STRIPS.around(face.boxes_xyxy, reach).tolist() == around


def test_around_several_boxes_is_union() -> None:
    both = np.concatenate([spot(30, 40, 20).boxes_xyxy, spot(230, 40, 20).boxes_xyxy])
    assert STRIPS.around(both, 0.0).tolist() == [0, 2]
    assert STRIPS.around(both[:0], MAX_MOVE).tolist() == []


def test_around_small_face_returns_few_slices() -> None:
    slices = plan(1920, 1080)
    around = slices.around(spot(900, 500, 30).boxes_xyxy, MAX_MOVE)
    assert 1 <= len(around) <= len(slices) / 4


@pytest.fixture(scope="module")
def scan() -> SliceScanner:
    return SliceScanner(BlazeFace(FULL_RANGE, 2), BlazeFace(SHORT_RANGE, 2), 24)


def whole(face_px: float, x: int, y: int) -> Candidates:
    x1, _, x2, y2 = pasted_box(face_px, x, y)
    # BlazeFace's square extends from brow to chin.
    return spot(x1, y2 - (x2 - x1), x2 - x1)


@pytest.mark.parametrize(
    ("face_px", "x", "y"), [(24, 0, 0), (24, 905, 333), (40, 611, 180), (90, 340, 100), (200, 500, 60)]
)
def test_face_is_found_only_in_slices_around_it(scan: SliceScanner, face_px: float, x: int, y: int) -> None:
    frame, face = pasted(1280, 720, face_px, [(x, y)]), whole(face_px, x, y)
    slices = scan.slices(1280, 720)
    everywhere = scan.candidates(frame, np.arange(len(slices)))
    around = scan.candidates(frame, slices.around(face.boxes_xyxy, 0.0))
    assert matches_any(face, everywhere)
    assert matches_any(face, around)
    (x1, y1, x2, y2), areas = face.boxes_xyxy[0], slices.areas_xyxy
    beside = (areas[:, 2] < x1) | (areas[:, 0] > x2) | (areas[:, 3] < y1) | (areas[:, 1] > y2)
    assert not matches_any(face, scan.candidates(frame, np.flatnonzero(beside)))


def test_candidates_of_all_slices_equal_union(scan: SliceScanner) -> None:
    places = [(0, 0), (905, 333), (641, 5)]
    frame = pasted(1280, 720, 40, places)
    slices = scan.slices(1280, 720)
    everywhere = scan.candidates(frame, np.arange(len(slices)))
    each = weighted_nms(
        concat_candidates([scan.candidates(frame, np.array([index])) for index in range(len(slices))])
    )
    np.testing.assert_allclose(each.scores, everywhere.scores)
    np.testing.assert_allclose(each.boxes_xyxy, everywhere.boxes_xyxy, atol=2)
    assert all(matches_any(whole(40, x, y), everywhere) for x, y in places)
    assert everywhere.scores.min() >= MIN_CANDIDATE_SCORE


def test_candidates_of_no_slice_are_empty(scan: SliceScanner) -> None:
    scan.slices(640, 360)
    assert len(scan.candidates(pasted(640, 360, 40, [(100, 50)]), np.zeros(0, np.intp))) == 0
