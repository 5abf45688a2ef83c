from __future__ import annotations

import numpy as np
import pytest

from classpulse.evaluation.matching import box_iou_matrix, match_frames, truth_at
from classpulse.simulation.ground_truth import GroundTruthSample
from tests.helpers.scripted import BOXES, frame_result, scripted_truth, tracked_face


def test_box_iou_matrix() -> None:
    shares = box_iou_matrix([(0, 0, 10, 10)], [(0, 0, 10, 10), (5, 0, 15, 10), (20, 0, 30, 10)])
    np.testing.assert_allclose(shares, [[1.0, 1 / 3, 0.0]])
    assert box_iou_matrix([], [(0, 0, 1, 1)]).shape == (0, 1)


def test_match_frames_assigns_faces_by_overlap() -> None:
    (frame,) = match_frames(
        scripted_truth("11", "11"),
        [frame_result(0.0, tracked_face(8, 1, BOXES[1]), tracked_face(5, 0, BOXES[0]))],
    )
    assert [match.face.student for match in frame.matches if match.face] == [0, 1]
    assert frame.false_positives == ()
    assert frame.absent_students == ()


def test_match_frames_unmatched_face_is_false_positive() -> None:
    (frame,) = match_frames(
        scripted_truth("11"), [frame_result(0.0, tracked_face(1, 0, (300.0, 0.0, 340.0, 40.0)))]
    )
    assert frame.matches[0].face is None
    assert len(frame.false_positives) == 1


def test_match_frames_uses_each_face_once() -> None:
    (frame,) = match_frames(
        scripted_truth("11"), [frame_result(0.0, tracked_face(1, 0, BOXES[0]), tracked_face(2, 1, BOXES[0]))]
    )
    assert len(frame.false_positives) == 1


def test_match_frames_applies_late_assignments() -> None:
    frames = match_frames(
        scripted_truth("111"),
        [frame_result(t / 2, tracked_face(4, 9 if t == 2 else None, BOXES[0])) for t in range(3)],
    )
    assert [frame.matches[0].face.student for frame in frames if frame.matches[0].face] == [9, 9, 9]


def test_match_frames_absent_and_hidden_students() -> None:
    frames = match_frames(scripted_truth("10h~"), [frame_result(t / 2) for t in range(4)])
    assert [frame.absent_students for frame in frames] == [(), (0,), (), ()]
    assert [[match.is_scored for match in frame.matches] for frame in frames] == [
        [True],
        [],
        [False],
        [False],
    ]


def test_truth_at_interpolates_the_box() -> None:
    first = GroundTruthSample(0.0, True, True, True, None, None, None, None, (0.0, 0.0, 10.0, 10.0))
    second = GroundTruthSample(1.0, True, True, True, None, None, None, None, (20.0, 0.0, 30.0, 10.0))
    assert truth_at([first, second], [0.0, 1.0], 0.25).box_xyxy == pytest.approx((5.0, 0.0, 15.0, 10.0))
    absent = GroundTruthSample(1.0, False, False, True, None, None, None, None, None)
    between = truth_at([first, absent], [0.0, 1.0], 0.5)
    assert (between.present, between.settled) == (True, False)
    assert truth_at([first, absent], [0.0, 1.0], 0.0).settled


def test_match_frames_omits_frames_after_the_truth() -> None:
    assert (
        len(match_frames(scripted_truth("11"), [frame_result(0.0), frame_result(0.9), frame_result(5.0)]))
        == 2
    )
