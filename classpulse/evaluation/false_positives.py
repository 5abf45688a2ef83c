"""Detections and tracks on distractors of the ground truth, such as posters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from classpulse.evaluation.matching import FrameMatch, interpolate_box, locate_time, match_boxes
from classpulse.simulation.ground_truth import GroundTruth
from monitor.types import Box


@dataclass(frozen=True)
class FalsePositives:
    """Scores of the distractors.

    ``appearances``: visible distractors, summed over all frames; ``false_positives``: those detected as a
    face; ``tracked_distractors``: distractors that were assigned to a student at least once; ``students``:
    the number of these students.
    """

    distractors: int
    appearances: int
    false_positives: int
    tracked_distractors: int
    students: int


def score_false_positives(ground_truth: GroundTruth, matches: Sequence[FrameMatch]) -> FalsePositives | None:
    """How often distractors were detected as a face and tracked as a student; None without distractors."""
    if not ground_truth.distractors:
        return None
    times = ground_truth.times
    appearances = false_positives = 0
    tracked, students = set[int](), set[int]()
    for frame in matches:
        visible = {
            number: box
            for number, distractor in enumerate(ground_truth.distractors)
            if (box := _box_at(distractor.boxes_xyxy, times, frame.media_s)) is not None
        }
        pairs = match_boxes(list(visible.values()), [face.box_xyxy for face in frame.false_positives])
        appearances += len(visible)
        false_positives += len(pairs)
        for row, column in pairs.items():
            if (student := frame.false_positives[column].student) is not None:
                tracked.add(list(visible)[row])
                students.add(student)
    return FalsePositives(
        len(ground_truth.distractors), appearances, false_positives, len(tracked), len(students)
    )


def _box_at(boxes: Sequence[Box | None], times: Sequence[float], t_s: float) -> Box | None:
    index, share = locate_time(times, t_s)
    before, after = boxes[index], boxes[min(index + 1, len(boxes) - 1)]
    if before is None or after is None:
        return before
    return interpolate_box(before, after, share)
