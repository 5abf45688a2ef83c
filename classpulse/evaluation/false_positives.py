"""What was taken for people and is none: boxes on the things that the truth names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from classpulse.evaluation.matching import Moment, assign_boxes, between, on_the_way
from classpulse.simulation.ground_truth import Truth
from monitor.types import Box


@dataclass(frozen=True)
class Things:
    """``things`` were in the picture ``shown`` times in all; ``boxes`` are the sightings of nobody that lay
    on one, ``mistaken`` the things that were a student at any time, ``students`` how many such there were."""

    things: int
    shown: int
    boxes: int
    mistaken: int
    students: int


def score_things(truth: Truth, seen: Sequence[Moment]) -> Things | None:
    """How often a thing was taken for a face, and for a student; None where the truth names no thing."""
    if not truth.things:
        return None
    times = truth.times
    shown = boxes = 0
    mistaken, students = set[int](), set[int]()
    for moment in seen:
        places = {
            number: box
            for number, thing in enumerate(truth.things)
            if (box := _place(thing.boxes_xyxy, times, moment.media_s)) is not None
        }
        found = assign_boxes(list(places.values()), [stray.box_xyxy for stray in moment.strays])
        shown += len(places)
        boxes += len(found)
        for row, column in found.items():
            if (student := moment.strays[column].student) is not None:
                mistaken.add(list(places)[row])
                students.add(student)
    return Things(len(truth.things), shown, boxes, len(mistaken), len(students))


def _place(boxes: Sequence[Box | None], times: Sequence[float], t_s: float) -> Box | None:
    index, share = between(times, t_s)
    before, after = boxes[index], boxes[min(index + 1, len(boxes) - 1)]
    if before is None or after is None:
        return before
    return on_the_way(before, after, share)
