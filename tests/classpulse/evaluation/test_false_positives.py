from __future__ import annotations

from dataclasses import replace

from classpulse.evaluation.false_positives import FalsePositives, score_false_positives
from classpulse.evaluation.matching import match_frames
from classpulse.evaluation.table import tracking_table
from classpulse.evaluation.tracking import score_tracking
from classpulse.simulation.ground_truth import Distractor
from tests.helpers.scripted import BOXES, frame_result, scripted_truth, tracked_face

POSTER = (400.0, 20.0, 440.0, 70.0)
NEXT_TO_POSTER = (405.0, 22.0, 445.0, 72.0)


def test_score_false_positives_counts_boxes_and_students() -> None:
    truth = replace(scripted_truth("111"), distractors=(Distractor("poster", (POSTER,) * 3),))
    results = [
        frame_result(
            t / 2, tracked_face(1, 0, BOXES[0]), tracked_face(7, 3 if t == 2 else None, NEXT_TO_POSTER)
        )
        for t in range(3)
    ]
    assert score_false_positives(truth, match_frames(truth, results)) == FalsePositives(1, 3, 3, 1, 1)
    text = tracking_table(score_tracking(truth, results))
    assert "(3 of 6 boxes are false positives)" in text
    assert "3 on the 1 distractors" in text


def test_score_false_positives_undetected_and_invisible_posters() -> None:
    posters = (Distractor("poster", (POSTER, None, None)), Distractor("poster", (None, None, None)))
    truth = replace(scripted_truth("111"), distractors=posters)
    results = [frame_result(t / 2, tracked_face(9, 4, (500.0, 200.0, 540.0, 240.0))) for t in range(3)]
    assert score_false_positives(truth, match_frames(truth, results)) == FalsePositives(2, 1, 0, 0, 0)


def test_score_false_positives_interpolates_the_box() -> None:
    far = (480.0, 20.0, 520.0, 70.0)
    truth = replace(scripted_truth("11"), distractors=(Distractor("poster", (POSTER, far)),))
    halfway = frame_result(0.25, tracked_face(7, None, (440.0, 20.0, 480.0, 70.0)))
    assert score_false_positives(truth, match_frames(truth, [halfway])) == FalsePositives(1, 1, 1, 0, 0)


def test_score_false_positives_without_distractors_is_none() -> None:
    truth = scripted_truth("1")
    assert score_false_positives(truth, match_frames(truth, [frame_result(0.0)])) is None
    assert "distractors" not in tracking_table(score_tracking(truth, [frame_result(0.0)]))
