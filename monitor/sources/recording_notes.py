"""Notes for the timeline on what is unusual about a recorded file, each kind once. Pure."""

from __future__ import annotations

from collections import Counter, deque
from enum import Enum


class Oddity(Enum):
    """A kind of unusual input; the value is the text for repetitions, with their number."""

    OUTLIER = "frames with a wrong time occur {} more times; they were dropped"
    PAUSE = "{} more such intervals without frames follow"
    CLOCK_AHEAD = "the clock of the recording jumps ahead {} more times; the jumps were not counted"
    CLOCK_RESTART = "the clock of the recording goes back {} more times; the time is counted on"
    CLOCK_STOPPED = "the clock of the recording stands still {} more times"
    NO_TIMES = "timestamps are missing {} more times"
    FRAME_SIZE = "the frame size changes {} more times"
    PIXEL_ASPECT = "the pixel aspect ratio changes {} more times"
    ORIENTATION = "the orientation changes {} more times"
    FRAME_RATE = "the frame rate is implausible {} more times"
    TRACKS = "the tracks are unusual in {} more ways"
    SHORT_PICTURE = "the end of the picture is unusual in {} more ways"


class RecordingNotes:
    """Collects notes: the first of each kind in its own words, the others as a count at the end.

    A damaged recorder repeats the same fault thousands of times, and the report lists every note. One thread
    adds, any thread may take.
    """

    def __init__(self) -> None:
        self._notes: deque[tuple[float, str]] = deque()
        self._repetitions: Counter[Oddity] = Counter()

    def add(self, kind: Oddity, media_s: float, text: str) -> None:
        """Add a note on the recording at ``media_s``, seconds."""
        if kind in self._repetitions:
            self._repetitions[kind] += 1
            return
        self._repetitions[kind] = 0
        self._notes.append((media_s, text))

    def finish(self, media_s: float) -> None:
        """The recording has ended at ``media_s``: add the counts of the repetitions."""
        for kind, count in self._repetitions.items():
            if count:
                self._notes.append((media_s, kind.value.format(count)))
        self._repetitions.clear()

    def pop(self) -> list[tuple[float, str]]:
        """The notes that were not taken yet: media seconds and text."""
        notes = []
        while self._notes:
            notes.append(self._notes.popleft())
        return notes
