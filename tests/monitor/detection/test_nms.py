from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detection.nms import (
    Candidates,
    box_overlaps,
    concat_candidates,
    is_contained,
    matches_any,
    weighted_nms,
)


def candidates(*rows: tuple[float, float, float, float, float]) -> Candidates:
    """Boxes with scores; all keypoints of a box are at its centre."""
    table = np.array(rows, dtype=np.float32).reshape(-1, 5)
    centres = (table[:, None, :2] + table[:, None, 2:4]) / 2
    return Candidates(table[:, :4], table[:, 4], np.repeat(centres, 6, axis=1).astype(np.float32))


@pytest.mark.parametrize(
    ("other", "iou", "share", "size"),
    [
        ((0, 0, 10, 10), 1, 1, 1),
        ((5, 0, 15, 10), 1 / 3, 0.5, 1),
        ((10, 0, 20, 10), 0, 0, 1),
        ((2, 2, 7, 7), 0.25, 1, 0.25),
        ((-10, -10, 20, 20), 1 / 9, 1, 1 / 9),
        ((30, 30, 40, 40), 0, 0, 1),
    ],
)
def test_box_overlaps_of_two_boxes(other, iou, share, size):
    box, boxes = np.array((0, 0, 10, 10), np.float32), np.array([other], np.float32)
    assert [float(values[0]) for values in box_overlaps(box, boxes)] == pytest.approx([iou, share, size])


@pytest.mark.parametrize(
    ("rows", "scores"),
    [
        ([], []),
        ([(0, 0, 10, 10, 0.9)], [0.9]),
        ([(0, 0, 10, 10, 0.6), (30, 0, 40, 10, 0.9)], [0.9, 0.6]),
        ([(0, 0, 10, 10, 0.6), (1, 0, 11, 10, 0.9)], [0.9]),
        ([(0, 0, 10, 10, 0.9), (6, 0, 16, 10, 0.8)], [0.9, 0.8]),
        # Half a face, cut by the edge of a slice, inside the whole one.
        ([(0, 0, 20, 20, 0.9), (1, 1, 9, 12, 0.8)], [0.9]),
        # A face inside the apparent head and shoulders of a nearer person.
        ([(0, 0, 60, 60, 0.9), (20, 5, 40, 25, 0.8)], [0.9, 0.8]),
        # A, B and C overlap in a row: C is suppressed by B only if B itself is kept.
        ([(0, 0, 10, 10, 0.9), (4, 0, 14, 10, 0.8), (8, 0, 18, 10, 0.7)], [0.9, 0.7]),
    ],
    ids=["none", "one", "apart", "same", "neighbours", "part", "head and shoulders", "row"],
)
def test_weighted_nms_keeps_one_per_face_best_first(rows, scores):
    assert weighted_nms(candidates(*rows)).scores.tolist() == pytest.approx(scores)


def test_weighted_nms_averages_box_and_keypoints_by_score():
    merged = weighted_nms(candidates((0, 0, 10, 10, 0.75), (2, 0, 12, 10, 0.25)))
    assert merged.boxes_xyxy[0].tolist() == pytest.approx([0.5, 0, 10.5, 10])
    assert merged.keypoints[0, 2].tolist() == pytest.approx([5.5, 5])


def test_weighted_nms_contained_box_does_not_shift_mean():
    merged = weighted_nms(candidates((0, 0, 20, 20, 0.9), (1, 1, 9, 12, 0.8)))
    assert merged.boxes_xyxy[0].tolist() == [0, 0, 20, 20]


@pytest.mark.parametrize(
    ("other", "same", "part"),
    [
        ((0, 0, 20, 20), True, True),
        ((4, 0, 24, 20), True, True),
        ((14, 0, 34, 20), False, False),
        ((1, 1, 11, 11), False, True),
        ((-9, -9, 31, 31), False, True),
        ((1, 1, 6, 6), False, False),
        ((-40, -5, 60, 95), False, False),
    ],
    ids=["same", "shifted", "neighbour", "a part", "the whole", "too small a part", "head and shoulders"],
)
def test_matches_any_and_is_contained(other, same, part):
    known = candidates((100, 0, 120, 20, 0.9), (*other, 0.5))
    candidate = candidates((0, 0, 20, 20, 0.9))
    assert (matches_any(candidate, known), is_contained(candidate, known)) == (same, part)
    assert not matches_any(candidate, candidates())
    assert not is_contained(candidate, candidates())


coordinate = st.floats(0, 100, width=32)
extent = st.floats(1, 50, width=32)
row = st.tuples(coordinate, coordinate, extent, extent, st.floats(0.125, 1, width=32)).map(
    lambda r: (r[0], r[1], r[0] + r[2], r[1] + r[3], r[4])
)


@given(st.lists(row, max_size=25))
def test_weighted_nms_keeps_best_and_covers_all_candidates(rows):
    before = candidates(*rows)
    after = weighted_nms(before)
    assert len(after) <= len(before)
    assert after.scores.tolist() == sorted(after.scores.tolist(), reverse=True)
    assert set(after.scores.tolist()) <= set(before.scores.tolist())
    assert (len(after) == 0) == (len(before) == 0)
    if rows:
        assert after.scores[0] == before.scores.max()
        low, high = before.boxes_xyxy.min(axis=0), before.boxes_xyxy.max(axis=0)
        assert (after.boxes_xyxy >= low - 1e-3).all()
        assert (after.boxes_xyxy <= high + 1e-3).all()


@given(st.lists(row, max_size=15), st.randoms())
def test_weighted_nms_does_not_depend_on_order(rows, random):
    rows = list({row[4]: row for row in rows}.values())
    shuffled = random.sample(rows, len(rows))
    first, second = weighted_nms(candidates(*rows)), weighted_nms(candidates(*shuffled))
    np.testing.assert_allclose(first.boxes_xyxy, second.boxes_xyxy, atol=1e-3)


@given(st.lists(row, min_size=1, max_size=10), st.floats(0.1, 10), coordinate, coordinate)
def test_to_frame_scales_and_shifts_candidates(rows, scale, x, y):
    before = candidates(*rows)
    after = before.to_frame(scale, x, y)
    np.testing.assert_allclose(after.boxes_xyxy * scale - [x, y, x, y], before.boxes_xyxy, atol=1e-2)
    np.testing.assert_allclose(after.keypoints * scale - [x, y], before.keypoints, atol=1e-2)
    assert (after.scores == before.scores).all()


def test_concat_and_select():
    parts = [candidates((0, 0, 1, 1, 0.5)), candidates((5, 5, 6, 6, 0.25), (7, 7, 8, 8, 0.75))]
    every = concat_candidates(parts)
    assert every.scores.tolist() == [0.5, 0.25, 0.75]
    assert every.select(every.scores > 0.3).boxes_xyxy[:, 0].tolist() == [0, 7]
    assert every.select(np.array([2, 0])).scores.tolist() == [0.75, 0.5]
    assert len(concat_candidates([])) == 0
    assert concat_candidates([]).keypoints.shape == (0, 6, 2)
