"""What is known about a demo film: who is where, turned how, with which expression, at every time.

``Truth.to_json()`` writes, and ``read_truth`` reads, this document (times in seconds of the film, boxes in
pixels of the frame, angles in degrees, positive to the subject's left)::

    {"version": 1, "length_s": 75.0, "fps": 10, "width": 1280, "height": 720, "step_s": 0.5,
     "students": [{"student": 0, "seat": "Seat 1", "tile_xyxy": [8, 8, 424, 356], "flag": false,
                   "samples": [{"t_s": 0.0, "present": true, "settled": true, "expression": "neutral",
                                "resembles": "neutral", "facing": true, "yaw_deg": 1.2,
                                "box_xyxy": [122.1, 110.4, 285.9, 283.0]}, ...]}, ...]}

``expression``, ``resembles``, ``facing``, ``yaw_deg`` and ``box_xyxy`` are null while a student is away.
``settled`` is false during a change (of expression, of direction, of place), when either answer is right.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from classpulse.demo.errors import DemoError
from monitor.domain import Box

VERSION = 1

FACING_DEG = 20.0
"""A head turned less than this faces the camera. The script's turns are 52 degrees and its sway at most 4.5,
so the truth does not depend on where the border lies between them."""


@dataclass(frozen=True)
class Sample:
    """One student at one time; see the module for the meaning of each value."""

    t_s: float
    present: bool
    settled: bool
    expression: str | None
    resembles: str | None
    facing: bool | None
    yaw_deg: float | None
    box_xyxy: Box | None


@dataclass(frozen=True)
class StudentTruth:
    """One student's samples in order of time, and whether a teacher should be told of her."""

    student: int
    seat: str
    tile_xyxy: tuple[int, int, int, int]
    flag: bool
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Truth:
    """The whole film's truth, a sample of everyone every ``step_s`` seconds."""

    length_s: float
    fps: int
    width: int
    height: int
    step_s: float
    students: tuple[StudentTruth, ...]

    def to_json(self) -> str:
        """The document described above."""
        return json.dumps({"version": VERSION, **asdict(self)}, indent=1)


def read_truth(path: Path) -> Truth:
    """The truth written beside a demo film. Raises ``DemoError`` if the file is not one."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != VERSION:
            raise DemoError(f"{path}: version {document['version']}; expected {VERSION}: make the demo again")
        return _truth(document)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DemoError(f"{path} is not the truth of a demo film ({error!r}); make the demo again") from error


def _truth(document: dict[str, Any]) -> Truth:
    students = tuple(
        StudentTruth(
            student["student"],
            student["seat"],
            tuple(student["tile_xyxy"]),
            student["flag"],
            tuple(_sample(sample) for sample in student["samples"]),
        )
        for student in document["students"]
    )
    size = (document["length_s"], document["fps"], document["width"], document["height"], document["step_s"])
    return Truth(*size, students)


def _sample(sample: dict[str, Any]) -> Sample:
    box = sample["box_xyxy"]
    return Sample(**{**sample, "box_xyxy": None if box is None else tuple(box)})
