from __future__ import annotations

import numpy as np
import pytest

from classpulse.evaluation.matching import box_iou_matrix, match_frames, truth_at
from classpulse.simulation.ground_truth import GroundTruthSample as Known
from tests.helpers.films import BOXES, film, frame, seen


def test_overlap_is_intersection_over_union() -> None:
    shares = box_iou_matrix([(0, 0, 10, 10)], [(0, 0, 10, 10), (5, 0, 15, 10), (20, 0, 30, 10)])
    np.testing.assert_allclose(shares, [[1.0, 1 / 3, 0.0]])
    assert box_iou_matrix([], [(0, 0, 1, 1)]).shape == (0, 1)


def test_every_face_goes_with_the_sighting_that_lies_on_it() -> None:
    (moment,) = match_frames(film("11", "11"), [frame(0.0, seen(8, 1, BOXES[1]), seen(5, 0, BOXES[0]))])
    assert [match.face.student for match in moment.matches if match.face] == [0, 1]
    assert moment.false_positives == ()
    assert moment.absent_students == ()


def test_what_lies_on_nobody_is_a_stray() -> None:
    (moment,) = match_frames(film("11"), [frame(0.0, seen(1, 0, (300.0, 0.0, 340.0, 40.0)))])
    assert moment.matches[0].face is None
    assert len(moment.false_positives) == 1


def test_one_sighting_serves_one_face() -> None:
    (moment,) = match_frames(film("11"), [frame(0.0, seen(1, 0, BOXES[0]), seen(2, 1, BOXES[0]))])
    assert len(moment.false_positives) == 1


def test_a_track_is_its_owner_s_from_its_first_sample_on() -> None:
    found = match_frames(
        film("111"), [frame(t / 2, seen(4, 9 if t == 2 else None, BOXES[0])) for t in range(3)]
    )
    assert [m.matches[0].face.student for m in found if m.matches[0].face] == [9, 9, 9]


def test_who_is_away_is_absent_and_who_is_hidden_need_not_be_found() -> None:
    found = match_frames(film("10h~"), [frame(t / 2) for t in range(4)])
    assert [moment.absent_students for moment in found] == [(), (0,), (), ()]
    assert [[match.is_scored for match in moment.matches] for moment in found] == [
        [True],
        [],
        [False],
        [False],
    ]


def test_between_two_samples_the_box_is_on_its_way() -> None:
    first = Known(0.0, True, True, True, None, None, None, None, (0.0, 0.0, 10.0, 10.0))
    second = Known(1.0, True, True, True, None, None, None, None, (20.0, 0.0, 30.0, 10.0))
    assert truth_at([first, second], [0.0, 1.0], 0.25).box_xyxy == pytest.approx((5.0, 0.0, 15.0, 10.0))
    gone = Known(1.0, False, False, True, None, None, None, None, None)
    between = truth_at([first, gone], [0.0, 1.0], 0.5)
    assert (between.present, between.settled) == (True, False)
    assert truth_at([first, gone], [0.0, 1.0], 0.0).settled


def test_frames_after_the_truth_are_left_out() -> None:
    assert len(match_frames(film("11"), [frame(0.0), frame(0.9), frame(5.0)])) == 2
