"""What is known about a class film: who is where, seen or not, turned how, with which expression, and when.

``Truth.to_json()`` writes, and ``read_ground_truth`` reads, this document (times in seconds of the film, boxes in
pixels of the frame, angles in degrees, positive to the subject's left)::

    {"version": 3, "length_s": 75.0, "fps": 10, "width": 1280, "height": 720, "step_s": 0.5,
     "students": [{"student": 0, "seat": "Seat 1", "seat_xyxy": [8, 8, 424, 356], "flag": false,
                   "samples": [{"t_s": 0.0, "present": true, "visible": true, "settled": true,
                                "expression": "neutral", "resembles": "neutral", "facing": true,
                                "yaw_deg": 1.2, "pitch_deg": -0.4,
                                "box_xyxy": [122.1, 110.4, 285.9, 283.0]}, ...]}, ...],
     "events": [{"kind": "leave", "start_s": 20.0, "end_s": 48.5, "students": [3]}, ...],
     "things": [{"kind": "poster", "boxes_xyxy": [[901.5, 40.2, 940.1, 92.7], null, ...]}, ...]}

``seat_xyxy`` is where a student belongs at the beginning, null for one who comes from outside. ``visible``
is whether the face can be seen at all: false while it is bowed or hidden. ``settled`` is false during a
change (of expression, of direction, of place, behind something that half hides it), when either answer is
right. ``expression``, ``resembles``, ``facing``, ``yaw_deg``, ``pitch_deg`` (positive looks up) and
``box_xyxy`` are null while a student is away; all but the last also where nobody knows them, as with people
in a photograph. ``distractors`` are what may be taken for people and are none: the box of the face on a poster at
the time of each sample, null out of the picture. A film of version 2 knew no ``pitch_deg`` and no ``distractors``.

What must hold of the places that a truth names. Every fault is a ``ValueError``, one line.

What can go wrong with simulated classes.

The one error of the demo.
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
    """A film cannot be made; the message says what was wrong and what to do."""


class GroundTruthError(UserError):
    """A file that should tell the truth of a film, or of a photograph, does not; one line."""


MAX_BOX_OVERLAP = 0.9
"""Two seats, or two people at one time, whose boxes share more than this, as intersection over union, are one
and the same. Somebody who walks past another covers most of them only for a moment, and seldom so exactly."""


def check_box(name: str, box_xyxy: Box, width: int, height: int) -> None:
    """The box of ``name`` has an inside, and some of it is in a picture of ``width`` by ``height`` pixels."""
    x1, y1, x2, y2 = box_xyxy
    if not (x2 > x1 and y2 > y1):
        raise ValueError(f"the box {box_xyxy} of {name} is empty; expected x2 > x1 and y2 > y1")
    if not (x1 < width and y1 < height and x2 > 0 and y2 > 0):
        raise ValueError(
            f"{name} is at {tuple(round(edge) for edge in box_xyxy)}, outside the picture of "
            f"{width} x {height}"
        )


def check_no_overlap(boxes: Mapping[str, Box], when: str) -> None:
    """No two names have one place; ``when`` ends the message."""
    # From left to right: a box can share much only with those that begin before it ends.
    ordered = sorted(boxes.items(), key=lambda one: one[1][0])
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
"""A head turned less than this faces the camera. The script's turns are 52 degrees and its sway at most 4.5,
so the truth does not depend on where the border lies between them."""


FINITE_NUMBERS = ConfigDict(allow_inf_nan=False)
"""JSON has no NaN and no infinity, but Python writes and reads them."""


@dataclass(frozen=True)
class GroundTruthSample:
    """One student at one time; see the module for the meaning of each value."""

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
            raise ValueError("exactly a student who is present has a box_xyxy")
        if self.resembles is not None and self.resembles not in EMOTIONS:
            raise ValueError(f"resembles {self.resembles!r}; expected one of {', '.join(EMOTIONS)}")
        if self.visible and not self.present:
            raise ValueError("a student who is not present is not visible")


@dataclass(frozen=True)
class StudentGroundTruth:
    """One student's samples in order of time, and whether a teacher should be told of her."""

    __pydantic_config__: ClassVar[ConfigDict] = FINITE_NUMBERS

    student: Annotated[int, Ge(0)]
    seat: str
    seat_xyxy: Box | None
    expected_flag: bool
    samples: tuple[GroundTruthSample, ...]


@dataclass(frozen=True)
class GroundTruthEvent:
    """Something that happened to ``students`` from ``start_s`` to ``end_s``."""

    __pydantic_config__: ClassVar[ConfigDict] = FINITE_NUMBERS

    kind: str
    start_s: float
    end_s: float
    students: tuple[int, ...]


@dataclass(frozen=True)
class Distractor:
    """Something that may be taken for a person, and where in the picture it is at each sample's time."""

    __pydantic_config__: ClassVar[ConfigDict] = FINITE_NUMBERS

    kind: str
    boxes_xyxy: tuple[Box | None, ...]


@dataclass(frozen=True)
class GroundTruth:
    """The whole film's truth, a sample of everyone every ``step_s`` seconds."""

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
            raise ValueError("students are numbered from 0 in their order")
        if len({known.seat for known in self.students}) < len(self.students):
            raise ValueError("two students have one seat; expected a seat, with a name of its own, for each")
        times = self.times
        if not times:
            raise ValueError("nobody is in it; expected a student with samples")
        if any([sample.t_s for sample in known.samples] != times for known in self.students):
            raise ValueError("every student has samples at the same times")
        if any(later <= earlier for earlier, later in itertools.pairwise(times)):
            raise ValueError("the samples are not in order of time")
        if times[-1] > self.length_s:
            raise ValueError(f"a sample at {times[-1]:g} s lies after the end at {self.length_s:g} s")
        self._check_events_and_distractors()
        self._check_boxes()
        self._check_overlaps()

    @property
    def times(self) -> list[float]:
        """When there is a sample of everybody, seconds; empty without students."""
        return [sample.t_s for sample in self.students[0].samples] if self.students else []

    def _check_events_and_distractors(self) -> None:
        """Events are of students who are there, and things have a place at every time."""
        for event in self.events:
            if not set(event.students) <= set(range(len(self.students))):
                raise ValueError(
                    f"an event ({event.kind}) is of a student who is not in the list of students"
                )
            if event.end_s < event.start_s:
                raise ValueError(f"an event ({event.kind}) ends before it starts")
        for thing in self.distractors:
            if len(thing.boxes_xyxy) != len(self.times):
                raise ValueError(f"a {thing.kind} has {len(thing.boxes_xyxy)} boxes; expected one a sample")

    def _check_boxes(self) -> None:
        """Every box has an inside, some of it in the picture."""
        lines = [(one.seat, (one.seat_xyxy, *(s.box_xyxy for s in one.samples))) for one in self.students]
        for name, boxes in [*lines, *((f"a {thing.kind}", thing.boxes_xyxy) for thing in self.distractors)]:
            for box in boxes:
                if box is not None:
                    check_box(name, box, self.width, self.height)

    def _check_overlaps(self) -> None:
        """Nobody sits, or is, where somebody else does."""
        check_no_overlap({one.seat: one.seat_xyxy for one in self.students if one.seat_xyxy}, "to sit in")
        for index, t_s in enumerate(self.times):
            here = [(known, known.samples[index]) for known in self.students]
            boxes = {
                known.seat: sample.box_xyxy
                for known, sample in here
                if sample.box_xyxy is not None and sample.visible and sample.settled
            }
            check_no_overlap(boxes, f"at {t_s:g} s")

    def to_json(self) -> str:
        """The document described above."""
        return json.dumps(asdict(self), separators=(",", ":"))


def read_ground_truth(path: Path) -> GroundTruth:
    """The truth written beside a film. Raises ``GroundTruthError`` if the file is not one."""
    try:
        return TypeAdapter(GroundTruth).validate_json(path.read_bytes())
    except ValidationError as error:
        raise GroundTruthError(
            f"{path} is not the truth of a film: {first_validation_error(error)}"
        ) from None
    except OSError as error:
        raise GroundTruthError(
            f"{path} cannot be read ({error.strerror}); expected the truth.json beside a film"
        ) from None


def first_validation_error(error: ValidationError) -> str:
    """The first of what pydantic found, as ``students.0.samples: Field required``."""
    fault = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    what = fault["msg"].removeprefix("Value error, ")
    return f"{place}: {what}" if place else what


class DemoError(SimulationError):
    """The demo class cannot be made or scored; the message says what was wrong and what to do."""
