"""What was taken for people and is none: boxes on the things that the truth names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from classpulse.evaluation.matching import FrameMatch, interpolate_box, locate_time, match_boxes
from classpulse.simulation.ground_truth import GroundTruth
from monitor.types import Box


@dataclass(frozen=True)
class FalsePositives:
    """``distractors`` were in the picture ``appearances`` times in all; ``false_positives`` are the sightings of nobody that lay
    on one, ``tracked_distractors`` the things that were a student at any time, ``students`` how many such there were."""

    distractors: int
    appearances: int
    false_positives: int
    tracked_distractors: int
    students: int


def score_false_positives(ground_truth: GroundTruth, matches: Sequence[FrameMatch]) -> FalsePositives | None:
    """How often a thing was taken for a face, and for a student; None where the truth names no thing."""
    if not ground_truth.distractors:
        return None
    times = ground_truth.times
    shown = boxes = 0
    mistaken, students = set[int](), set[int]()
    for moment in matches:
        places = {
            number: box
            for number, thing in enumerate(ground_truth.distractors)
            if (box := _box_at(thing.boxes_xyxy, times, moment.media_s)) is not None
        }
        found = match_boxes(list(places.values()), [stray.box_xyxy for stray in moment.false_positives])
        shown += len(places)
        boxes += len(found)
        for row, column in found.items():
            if (student := moment.false_positives[column].student) is not None:
                mistaken.add(list(places)[row])
                students.add(student)
    return FalsePositives(len(ground_truth.distractors), shown, boxes, len(mistaken), len(students))


def _box_at(boxes: Sequence[Box | None], times: Sequence[float], t_s: float) -> Box | None:
    index, share = locate_time(times, t_s)
    before, after = boxes[index], boxes[min(index + 1, len(boxes) - 1)]
    if before is None or after is None:
        return before
    return interpolate_box(before, after, share)
