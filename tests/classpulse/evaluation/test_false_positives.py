from __future__ import annotations

from dataclasses import replace

from classpulse.evaluation.false_positives import FalsePositives, score_false_positives
from classpulse.evaluation.matching import match_frames
from classpulse.evaluation.table import tracking_table
from classpulse.evaluation.tracking import score_tracking
from classpulse.simulation.ground_truth import Distractor
from tests.helpers.films import BOXES, film, frame, seen

ON_THE_WALL = (400.0, 20.0, 440.0, 70.0)
ASIDE = (405.0, 22.0, 445.0, 72.0)


def test_boxes_on_posters_are_counted_and_the_students_they_became() -> None:
    truth = replace(film("111"), distractors=(Distractor("poster", (ON_THE_WALL,) * 3),))
    looked = [frame(t / 2, seen(1, 0, BOXES[0]), seen(7, 3 if t == 2 else None, ASIDE)) for t in range(3)]
    assert score_false_positives(truth, match_frames(truth, looked)) == FalsePositives(1, 3, 3, 1, 1)
    text = tracking_table(score_tracking(truth, looked))
    assert "(3 of 6 boxes on nobody)" in text
    assert "3 on the 1 things that only look like people" in text


def test_a_poster_that_nobody_took_for_a_face_and_one_out_of_the_picture() -> None:
    things = (Distractor("poster", (ON_THE_WALL, None, None)), Distractor("poster", (None, None, None)))
    truth = replace(film("111"), distractors=things)
    looked = [frame(t / 2, seen(9, 4, (500.0, 200.0, 540.0, 240.0))) for t in range(3)]
    assert score_false_positives(truth, match_frames(truth, looked)) == FalsePositives(2, 1, 0, 0, 0)


def test_a_poster_moves_with_the_camera_between_two_samples() -> None:
    far = (480.0, 20.0, 520.0, 70.0)
    truth = replace(film("11"), distractors=(Distractor("poster", (ON_THE_WALL, far)),))
    halfway = frame(0.25, seen(7, None, (440.0, 20.0, 480.0, 70.0)))
    assert score_false_positives(truth, match_frames(truth, [halfway])) == FalsePositives(1, 1, 1, 0, 0)


def test_without_things_there_is_nothing_to_say() -> None:
    truth = film("1")
    assert score_false_positives(truth, match_frames(truth, [frame(0.0)])) is None
    assert "only look like people" not in tracking_table(score_tracking(truth, [frame(0.0)]))
