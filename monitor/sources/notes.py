"""What a live source has to say on the timeline, until somebody asks for it."""

from __future__ import annotations

from collections import deque

from monitor.sources.fitting import Size

MAX_NOTES = 100
"""Of a loose contact that nobody asks about, the newest are kept."""


class SourceNotes:
    """Notes with their media seconds. One thread adds, any may take."""

    def __init__(self) -> None:
        self._notes: deque[tuple[float, str]] = deque(maxlen=MAX_NOTES)
        self._first: Size | None = None
        self._size: Size | None = None

    def back(self, media_s: float, gone_s: float) -> None:
        """The camera gives pictures again after ``gone_s`` seconds."""
        self._notes.append((media_s, f"camera back after {gone_s:.0f} s"))

    def size(self, media_s: float, size: Size) -> None:
        """Of each picture; the first is what the session is counted in, and a change is worth a note."""
        self._first = self._first or size
        if self._size is not None and size != self._size:
            now, first = (f"{width}x{height}" for width, height in (size, self._first))
            again = f"picture is {now} again" if now == first else f"picture is now {now} instead of {first}"
            self._notes.append((media_s, again))
        self._size = size

    def pop(self) -> list[tuple[float, str]]:
        """All that were not taken yet, by time."""
        notes = []
        while self._notes:
            notes.append(self._notes.popleft())
        return notes
