"""Notes for the timeline on what is unusual about a recorded file, each kind once. Pure."""

from __future__ import annotations

from collections import Counter, deque
from enum import Enum


class Oddity(Enum):
    """A kind of unusual input; the value is the text for repetitions, which their number follows."""

    OUTLIER = "further frames or groups of frames with a wrong timestamp, which were dropped"
    PAUSE = "further intervals without frames"
    CLOCK_AHEAD = "further jumps ahead of the clock, which were not counted"
    CLOCK_RESTART = "further times at which the clock goes back, after which the time is counted on"
    CLOCK_STOPPED = "further times at which the clock stands still"
    NO_TIMES = "further intervals without usable timestamps"
    FRAME_SIZE = "further changes of the frame size"
    PIXEL_ASPECT = "further implausible pixel aspect ratios"
    ORIENTATION = "further unusual orientations"
    FRAME_RATE = "further implausible frame rates"
    TRACKS = "further notes on tracks"
    SHORT_PICTURE = "further notes on the end of the picture"


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
        self._notes.append((round(media_s, 3), text))

    def finish(self, media_s: float) -> None:
        """The recording has ended at ``media_s``: add the counts of the repetitions."""
        for kind, count in self._repetitions.items():
            if count:
                self._notes.append((round(media_s, 3), f"{kind.value}: {count}"))
        self._repetitions.clear()

    def pop(self) -> list[tuple[float, str]]:
        """The notes that were not taken yet: media seconds and text."""
        notes = []
        while self._notes:
            notes.append(self._notes.popleft())
        return notes
