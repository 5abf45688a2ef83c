"""What is known about a class film: who is where, seen or not, turned how, with which expression, and when.

``Truth.to_json()`` writes, and ``read_truth`` reads, this document (times in seconds of the film, boxes in
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
in a photograph. ``things`` are what may be taken for people and are none: the box of the face on a poster at
the time of each sample, null out of the picture. A film of version 2 knew no ``pitch_deg`` and no ``things``.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt
from pydantic import TypeAdapter, ValidationError

from classpulse.simulation.errors import TruthError
from monitor.domain import Box

VERSION: Literal[3] = 3

FACING_DEG = 20.0
"""A head turned less than this faces the camera. The script's turns are 52 degrees and its sway at most 4.5,
so the truth does not depend on where the border lies between them."""


@dataclass(frozen=True)
class Sample:
    """One student at one time; see the module for the meaning of each value."""

    t_s: float
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
        if self.visible and not self.present:
            raise ValueError("a student who is not present is not visible")
        if self.box_xyxy is not None:
            _check_box(self.box_xyxy)


@dataclass(frozen=True)
class StudentTruth:
    """One student's samples in order of time, and whether a teacher should be told of her."""

    student: Annotated[int, Ge(0)]
    seat: str
    seat_xyxy: Box | None
    flag: bool
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Event:
    """Something that happened to ``students`` from ``start_s`` to ``end_s``."""

    kind: str
    start_s: float
    end_s: float
    students: tuple[int, ...]


@dataclass(frozen=True)
class Thing:
    """Something that may be taken for a person, and where in the picture it is at each sample's time."""

    kind: str
    boxes_xyxy: tuple[Box | None, ...]

    def __post_init__(self) -> None:
        for box in self.boxes_xyxy:
            if box is not None:
                _check_box(box)


@dataclass(frozen=True)
class Truth:
    """The whole film's truth, a sample of everyone every ``step_s`` seconds."""

    length_s: Annotated[float, Gt(0)]
    fps: Annotated[float, Gt(0)]
    width: Annotated[int, Gt(0)]
    height: Annotated[int, Gt(0)]
    step_s: Annotated[float, Gt(0)]
    students: tuple[StudentTruth, ...]
    events: tuple[Event, ...] = ()
    things: tuple[Thing, ...] = ()
    version: Literal[2, 3] = VERSION

    def __post_init__(self) -> None:
        if [known.student for known in self.students] != list(range(len(self.students))):
            raise ValueError("students are numbered from 0 in their order")
        times = {tuple(sample.t_s for sample in known.samples) for known in self.students}
        if len(times) > 1:
            raise ValueError("every student has samples at the same times")
        for line in times:
            if any(later <= earlier for earlier, later in itertools.pairwise(line)):
                raise ValueError("the samples are not in order of time")
        for known in self.students:
            self._check_places(known.seat, (known.seat_xyxy, *(sample.box_xyxy for sample in known.samples)))
        for thing in self.things:
            self._check_places(f"a {thing.kind}", thing.boxes_xyxy)
            if self.students and len(thing.boxes_xyxy) != len(self.students[0].samples):
                raise ValueError(f"a {thing.kind} has {len(thing.boxes_xyxy)} boxes; expected one a sample")

    @property
    def times(self) -> list[float]:
        """When there is a sample of everybody, seconds; empty without students."""
        return [sample.t_s for sample in self.students[0].samples] if self.students else []

    def _check_places(self, name: str, boxes: tuple[Box | None, ...]) -> None:
        for box in boxes:
            if box is not None and not (
                box[0] < self.width and box[1] < self.height and box[2] > 0 and box[3] > 0
            ):
                raise ValueError(
                    f"{name} is at {tuple(round(edge) for edge in box)}, outside the picture of "
                    f"{self.width} x {self.height}"
                )

    def to_json(self) -> str:
        """The document described above."""
        return json.dumps(asdict(self), separators=(",", ":"))


def read_truth(path: Path) -> Truth:
    """The truth written beside a film. Raises ``TruthError`` if the file is not one."""
    try:
        return TypeAdapter(Truth).validate_json(path.read_bytes())
    except ValidationError as error:
        raise TruthError(f"{path} is not the truth of a film: {first_fault(error)}") from None
    except OSError as error:
        raise TruthError(
            f"{path} cannot be read ({error.strerror}); expected the truth.json beside a film"
        ) from None


def first_fault(error: ValidationError) -> str:
    """The first of what pydantic found, as ``students.0.samples: Field required``."""
    fault = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    what = fault["msg"].removeprefix("Value error, ")
    return f"{place}: {what}" if place else what


def _check_box(box_xyxy: Box) -> None:
    x1, y1, x2, y2 = box_xyxy
    if not (x2 > x1 and y2 > y1):
        raise ValueError(f"box_xyxy {box_xyxy} is empty; expected x2 > x1 and y2 > y1")
