"""The ground truth of a class video: place, visibility, head direction and expression of each student over
time.

``GroundTruth.to_json()`` writes, and ``read_ground_truth`` reads, this document (seconds of the video, boxes
in frame pixels, angles in degrees, positive to the student's left)::

    {"version": 3, "length_s": 75.0, "fps": 10, "width": 1280, "height": 720, "step_s": 0.5,
     "students": [{"student": 0, "seat": "Seat 1", "seat_xyxy": [8, 8, 424, 356], "expected_flag": false,
                   "samples": [{"t_s": 0.0, "present": true, "visible": true, "settled": true,
                                "expression": "neutral", "resembles": "neutral", "facing": true,
                                "yaw_deg": 1.2, "pitch_deg": -0.4,
                                "box_xyxy": [122.1, 110.4, 285.9, 283.0]}, ...]}, ...],
     "events": [{"kind": "leave", "start_s": 20.0, "end_s": 48.5, "students": [3]}, ...],
     "distractors": [{"kind": "poster", "boxes_xyxy": [[901.5, 40.2, 940.1, 92.7], null, ...]}, ...]}

``seat_xyxy`` is the student's seat at the beginning, null for a visitor. ``visible`` is false while the face
is bowed or hidden. ``settled`` is false during a change (of expression, direction or place, or while half
hidden), when either answer is right. ``expression``, ``resembles``, ``facing``, ``yaw_deg``, ``pitch_deg``
(positive looks up) and ``box_xyxy`` are null while a student is absent; all but the last also if unknown, as
for people in a photograph. ``distractors`` may be mistaken for students: the box of the face on a poster at
the time of each sample, null outside of the frame. Version 2 had no ``pitch_deg`` and no ``distractors``.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt
from pydantic import ConfigDict, TypeAdapter, ValidationError

from classpulse.errors import RunError, UserError
from model.emotions import EMOTIONS
from monitor.types import Box


class SimulationError(RunError):
    """A video cannot be created."""


class GroundTruthError(UserError):
    """A file with ground truth, or with the boxes of a photograph, is invalid."""


MAX_BOX_OVERLAP = 0.9
"""Two seats, or two students at one time, whose boxes have a larger intersection over union are at the same
place. A student that walks past another covers most of it only for a moment, and rarely that exactly."""


def check_box(name: str, box_xyxy: Box, width: int, height: int) -> None:
    """Raise ``ValueError`` if the box of ``name`` is empty or outside of a frame of ``width`` by ``height``
    pixels."""
    x1, y1, x2, y2 = box_xyxy
    if not (x2 > x1 and y2 > y1):
        raise ValueError(f"the box {box_xyxy} of {name} is empty (expected x2 > x1 and y2 > y1)")
    if not (x1 < width and y1 < height and x2 > 0 and y2 > 0):
        raise ValueError(
            f"{name} is at {tuple(round(edge) for edge in box_xyxy)}, outside of the frame of "
            f"{width} x {height} pixels"
        )


def check_no_overlap(boxes: Mapping[str, Box], when: str) -> None:
    """Raise ``ValueError`` if two names have the same place; ``when`` ends the message."""
    # From left to right: a box can only overlap with those that begin before it ends.
    ordered = sorted(boxes.items(), key=lambda item: item[1][0])
    for index, (name, box) in enumerate(ordered):
        for other, place in ordered[index + 1 :]:
            if place[0] >= box[2]:
                break
            if _overlap_share(box, place) > MAX_BOX_OVERLAP:
                raise ValueError(f"{name} and {other} have the same place {when}")


def _overlap_share(one: Box, other: Box) -> float:
    """Intersection over union."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, across) * max(0.0, down)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


TRUTH_VERSION: Literal[3] = 3

FACING_YAW_DEG = 20.0
"""A head with less yaw than this faces the camera. Scripted turns are 52 degrees and the sway is at most 4.5,
so the ground truth does not depend on the exact limit."""


HINT = "Use the truth.json that was written beside the video."

FINITE_NUMBERS = ConfigDict(allow_inf_nan=False)
"""JSON has no NaN and no infinity, but Python reads and writes them."""


@dataclass(frozen=True)
class GroundTruthSample:
    """One student at one time; the module describes the fields."""

    __pydantic_config__: ClassVar[ConfigDict] = FINITE_NUMBERS

    t_s: Annotated[float, Ge(0)]
    present: bool
    visible: bool
    settled: bool
    expression: str | None
    resembles: str | None
    facing: bool | None
    yaw_deg: float | None
    box_xyxy: Box | None
    pitch_deg: float | None = None

    def __post_init__(self) -> None:
        if self.present != (self.box_xyxy is not None):
            raise ValueError("a student has a box_xyxy exactly if present")
        if self.resembles is not None and self.resembles not in EMOTIONS:
            raise ValueError(f"resembles {self.resembles!r} (expected one of {', '.join(EMOTIONS)})")
        if self.visible and not self.present:
            raise ValueError("an absent student cannot be visible")


@dataclass(frozen=True)
class StudentGroundTruth:
    """One student's samples in order of time, and whether the student should be flagged."""

    __pydantic_config__: ClassVar[ConfigDict] = FINITE_NUMBERS

    student: Annotated[int, Ge(0)]
    seat: str
    seat_xyxy: Box | None
    expected_flag: bool
    samples: tuple[GroundTruthSample, ...]


@dataclass(frozen=True)
class GroundTruthEvent:
    """An event of ``students`` from ``start_s`` to ``end_s``."""

    __pydantic_config__: ClassVar[ConfigDict] = FINITE_NUMBERS

    kind: str
    start_s: float
    end_s: float
    students: tuple[int, ...]


@dataclass(frozen=True)
class Distractor:
    """An object that may be mistaken for a student, and its box at the time of each sample."""

    __pydantic_config__: ClassVar[ConfigDict] = FINITE_NUMBERS

    kind: str
    boxes_xyxy: tuple[Box | None, ...]


@dataclass(frozen=True)
class GroundTruth:
    """The ground truth of a whole video, with a sample of every student every ``step_s`` seconds."""

    __pydantic_config__: ClassVar[ConfigDict] = FINITE_NUMBERS

    length_s: Annotated[float, Gt(0)]
    fps: Annotated[float, Gt(0)]
    width: Annotated[int, Gt(0)]
    height: Annotated[int, Gt(0)]
    step_s: Annotated[float, Gt(0)]
    students: tuple[StudentGroundTruth, ...]
    events: tuple[GroundTruthEvent, ...] = ()
    distractors: tuple[Distractor, ...] = ()
    version: Literal[2, 3] = TRUTH_VERSION

    def __post_init__(self) -> None:
        if [known.student for known in self.students] != list(range(len(self.students))):
            raise ValueError("students are not numbered from 0 in order")
        if len({known.seat for known in self.students}) < len(self.students):
            raise ValueError("two students have the same seat name")
        times = self.times
        if not times:
            raise ValueError("there is no student with samples")
        if any([sample.t_s for sample in known.samples] != times for known in self.students):
            raise ValueError("the students' samples are not at the same times")
        if any(later <= earlier for earlier, later in itertools.pairwise(times)):
            raise ValueError("the samples are not in order of time")
        if times[-1] > self.length_s:
            raise ValueError(f"a sample at {times[-1]:g} s is after the end at {self.length_s:g} s")
        self._check_events_and_distractors()
        self._check_boxes()
        self._check_overlaps()

    @property
    def times(self) -> list[float]:
        """The times of the samples in seconds; empty without students."""
        return [sample.t_s for sample in self.students[0].samples] if self.students else []

    def _check_events_and_distractors(self) -> None:
        """Check that events have known students and that distractors have a box, or None, at every time."""
        for event in self.events:
            if not set(event.students) <= set(range(len(self.students))):
                raise ValueError(f"an event ({event.kind}) has an unknown student")
            if event.end_s < event.start_s:
                raise ValueError(f"an event ({event.kind}) ends before it starts")
        for distractor in self.distractors:
            boxes = len(distractor.boxes_xyxy)
            if boxes != len(self.times):
                raise ValueError(f"a {distractor.kind} has {boxes} boxes for {len(self.times)} samples")

    def _check_boxes(self) -> None:
        """Check every box."""
        named_boxes = [
            *(
                (student.seat, (student.seat_xyxy, *(s.box_xyxy for s in student.samples)))
                for student in self.students
            ),
            *((f"a {distractor.kind}", distractor.boxes_xyxy) for distractor in self.distractors),
        ]
        for name, boxes in named_boxes:
            for box in boxes:
                if box is not None:
                    check_box(name, box, self.width, self.height)

    def _check_overlaps(self) -> None:
        """Check that no two students have the same seat or place."""
        check_no_overlap(
            {student.seat: student.seat_xyxy for student in self.students if student.seat_xyxy}, "as seat"
        )
        for index, t_s in enumerate(self.times):
            samples = [(known.seat, known.samples[index]) for known in self.students]
            boxes = {
                seat: sample.box_xyxy
                for seat, sample in samples
                if sample.box_xyxy is not None and sample.visible and sample.settled
            }
            check_no_overlap(boxes, f"at {t_s:g} s")

    def to_json(self) -> str:
        """The JSON document; the module describes its keys."""
        return json.dumps(asdict(self), separators=(",", ":"))


def read_ground_truth(path: Path) -> GroundTruth:
    """The ground truth written beside a video. Raises ``GroundTruthError`` if the file is invalid."""
    try:
        return TypeAdapter(GroundTruth).validate_json(path.read_bytes())
    except ValidationError as error:
        raise GroundTruthError(
            f"{path} is not the ground truth of a video: {first_validation_error(error)}.", HINT
        ) from None
    except OSError as error:
        raise GroundTruthError(f"{path} cannot be read ({error.strerror}).", HINT) from None


def first_validation_error(error: ValidationError) -> str:
    """The first error of pydantic, as ``students.0.samples: Field required``."""
    first = error.errors(include_url=False)[0]
    location = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{location}: {message}" if location else message


class DemoError(SimulationError):
    """The demo class cannot be created or scored."""
