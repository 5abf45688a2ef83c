"""Ground truth and frame results of a few seconds, written as strings."""

from __future__ import annotations

from classpulse.simulation.ground_truth import (
    GroundTruth,
    GroundTruthEvent,
    GroundTruthSample,
    StudentGroundTruth,
)
from monitor.types import Box, FrameResult, TrackedFace

BOXES: tuple[Box, ...] = ((0.0, 0.0, 30.0, 40.0), (100.0, 0.0, 150.0, 60.0), (200.0, 0.0, 290.0, 100.0))

_STATES = {
    "1": (True, True, True),
    "0": (False, False, True),
    "h": (True, False, True),
    "~": (True, True, False),
}
"""Visible, absent, hidden, moving: present, visible, settled."""


def scripted_truth(*scripts: str, events: tuple[GroundTruthEvent, ...] = ()) -> GroundTruth:
    """One script per student, one character per half second: 1 visible, 0 absent, h hidden, ~ moving.

    A digit n from 2 on is visible at the place of student n - 2.
    """
    students = []
    for number, script in enumerate(scripts):
        samples = []
        for step, mark in enumerate(script):
            place = int(mark) - 2 if mark in "23456789" else number
            present, visible, settled = _STATES.get(mark, (True, True, True))
            box = BOXES[place] if present else None
            samples.append(
                GroundTruthSample(step / 2, present, visible, settled, None, None, None, None, box)
            )
        students.append(
            StudentGroundTruth(number, f"Seat {number + 1}", BOXES[number], False, tuple(samples))
        )
    return GroundTruth(len(scripts[0]) / 2, 4, 640, 360, 0.5, tuple(students), events)


def tracked_face(track_id: int, student: int | None, box_xyxy: Box) -> TrackedFace:
    """A tracked face."""
    return TrackedFace(track_id, student, box_xyxy)


def frame_result(media_s: float, *faces: TrackedFace) -> FrameResult:
    """The result of one frame."""
    return FrameResult(media_s, (), len(faces), (640, 360), faces)


def scripted_results(*scripts: str) -> list[FrameResult]:
    """One script per place, one character per half second: the letter of the student tracked there, or
    ``.``."""
    results = []
    for step in range(len(scripts[0])):
        faces = [
            tracked_face(ord(script[step]), ord(script[step]) - ord("a"), BOXES[place])
            for place, script in enumerate(scripts)
            if script[step] != "."
        ]
        results.append(frame_result(step / 2, *faces))
    return results
