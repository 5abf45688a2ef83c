"""Truths and sightings of a few seconds, written as strings."""

from __future__ import annotations

from classpulse.simulation.ground_truth import (
    GroundTruth,
    GroundTruthEvent,
    GroundTruthSample,
    StudentGroundTruth,
)
from monitor.types import Box, TrackedFace
from monitor.types import FrameResult as Looked

BOXES: tuple[Box, ...] = ((0.0, 0.0, 30.0, 40.0), (100.0, 0.0, 150.0, 60.0), (200.0, 0.0, 290.0, 100.0))

_MARKS = {
    "1": (True, True, True),
    "0": (False, False, True),
    "h": (True, False, True),
    "~": (True, True, False),
}
"""Seen, away, hidden, on the way: present, visible, settled."""


def film(*scripts: str, events: tuple[GroundTruthEvent, ...] = ()) -> GroundTruth:
    """A sample each half second of everybody: 1 to be seen, 0 away, h hidden, ~ on the way. Digits from
    2 on are to be seen at the place of that number less two, that is, of another student."""
    lines = []
    for number, script in enumerate(scripts):
        samples = []
        for step, mark in enumerate(script):
            place = int(mark) - 2 if mark in "23456789" else number
            present, visible, settled = _MARKS.get(mark, (True, True, True))
            box = BOXES[place] if present else None
            samples.append(
                GroundTruthSample(step / 2, present, visible, settled, None, None, None, None, box)
            )
        lines.append(StudentGroundTruth(number, f"Seat {number + 1}", BOXES[number], False, tuple(samples)))
    return GroundTruth(len(scripts[0]) / 2, 4, 640, 360, 0.5, tuple(lines), events)


def seen(track_id: int, student: int | None, box_xyxy: Box) -> TrackedFace:
    """One sighting."""
    return TrackedFace(track_id, student, box_xyxy)


def frame(media_s: float, *sightings: TrackedFace) -> Looked:
    """What one frame gave."""
    return Looked(media_s, (), len(sightings), (640, 360), sightings)


def watched(*scripts: str) -> list[Looked]:
    """Half a second a character; each line is a place, a letter says who sits there, ``.`` nobody."""
    frames = []
    for step in range(len(scripts[0])):
        here = [
            seen(ord(script[step]), ord(script[step]) - ord("a"), BOXES[place])
            for place, script in enumerate(scripts)
            if script[step] != "."
        ]
        frames.append(frame(step / 2, *here))
    return frames
