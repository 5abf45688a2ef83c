"""State of a live source: connection state machine, gaps, notes and pause requests. No clock of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from monitor.types import Gap, GapReason, Size


class CameraState(StrEnum):
    """State of a live source. The values are printed."""

    CLOSED = "closed"
    """No connection is wanted: before the start, while paused, after the end."""
    OPENING = "opening"
    """A connection is being made; it has not delivered a fresh frame yet."""
    FRESH = "fresh"
    """Fresh frames arrive."""
    STALE = "stale"
    """Connected, but no frames arrive, or only duplicate or black ones."""
    RECONNECTING = "reconnecting"
    """The connection was given up; the next attempt follows after a pause."""
    LOST = "lost"
    """The budget of retries is exhausted; no more frames will come."""


class CameraEvent(StrEnum):
    """Events of a live source."""

    OPEN = "open"
    """Frames are wanted: at the start, and when a pause ends."""
    FRESH_FRAME = "fresh frame"
    NO_FRESH_FRAME = "no fresh frame"
    """No frame or only duplicates for too long, or a black frame."""
    GIVE_UP = "give up"
    """The connection broke, could not be made, or delivered no fresh frame for too long."""
    RETRY = "retry"
    """The pause before the next attempt is over."""
    RETRIES_EXHAUSTED = "retries exhausted"
    CLOSE = "close"
    """No frames are wanted: a pause, or the end."""


S, E = CameraState, CameraEvent

TRANSITIONS: dict[tuple[CameraState, CameraEvent], CameraState] = {
    (S.CLOSED, E.OPEN): S.OPENING,
    (S.OPENING, E.FRESH_FRAME): S.FRESH,
    (S.OPENING, E.NO_FRESH_FRAME): S.STALE,
    (S.OPENING, E.GIVE_UP): S.RECONNECTING,
    (S.FRESH, E.NO_FRESH_FRAME): S.STALE,
    (S.FRESH, E.GIVE_UP): S.RECONNECTING,
    (S.STALE, E.FRESH_FRAME): S.FRESH,
    (S.STALE, E.GIVE_UP): S.RECONNECTING,
    (S.RECONNECTING, E.RETRY): S.OPENING,
    (S.RECONNECTING, E.RETRIES_EXHAUSTED): S.LOST,
    # A caller may ask for frames again, e.g. after the cable was repaired.
    (S.LOST, E.OPEN): S.OPENING,
} | {(state, E.CLOSE): S.CLOSED for state in (S.OPENING, S.FRESH, S.STALE, S.RECONNECTING)}
"""The next state for each state and event; a pair that is missing leaves the state unchanged."""

CONNECTED = frozenset({S.OPENING, S.FRESH, S.STALE})
"""The states with a connection that is open or being opened."""


class CameraStateMachine:
    """The state of one live source. Not thread-safe: one loop owns it."""

    def __init__(self) -> None:
        self.state = CameraState.CLOSED

    def handle(self, event: CameraEvent) -> bool:
        """Apply an event; returns whether the state changed."""
        after = TRANSITIONS.get((self.state, event))
        if after is None:
            return False
        self.state = after
        return True


@dataclass(frozen=True)
class CameraStatus:
    """Snapshot of a live source. ``reason`` states in a few words why no fresh frame arrives, "" while one
    does; ``age_s`` is the age of the last fresh frame, None before the first."""

    state: CameraState
    reason: str
    age_s: float | None


UPDATE_INTERVAL_S = 1.0
"""How often a gap that continues is reported again."""


class GapTracker:
    """The open gap of a live session. Times are media seconds.

    A change of the reason ends one gap and starts the next, so gaps never overlap.
    """

    def __init__(self) -> None:
        self.reason: GapReason | None = None
        """The reason of the open gap; None without one."""
        self._start_s = 0.0
        self._end_s = 0.0

    @property
    def end_s(self) -> float:
        """The end of the last gap so far; 0 before the first."""
        return self._end_s

    def update(self, reason: GapReason, since_s: float, now_s: float) -> list[Gap]:
        """No frame is available since ``since_s``. Returns the gaps to report now, often none.

        ``since_s`` is the start of a new gap; a gap that continues keeps its start.
        """
        if reason is self.reason:
            return self._extend(now_s) if now_s - self._end_s >= UPDATE_INTERVAL_S else []
        before: list[Gap] = []
        if self.reason is not None:
            # A change that is reported late (a resume during a poll) must not overlap the gap before it.
            now_s = max(now_s, self._end_s)
            change_s = min(max(since_s, self._end_s), now_s)
            before = self._extend(change_s)
            since_s = change_s
        self.reason = reason
        self._start_s = self._end_s = min(since_s, now_s)
        return before + self._extend(now_s)

    def end(self, now_s: float) -> list[Gap]:
        """Close the open gap at ``now_s``; returns it, if there is one."""
        last = [] if self.reason is None else self._extend(now_s)
        self.reason = None
        return last

    def _extend(self, end_s: float) -> list[Gap]:
        assert self.reason is not None
        self._end_s = max(end_s, self._end_s)
        return [Gap(self._start_s, self._end_s, self.reason)]


MAX_NOTES = 100
"""The newest notes are kept if no caller takes them, e.g. those of a loose contact."""


class SourceNotes:
    """Notes for the timeline with their media seconds. One thread adds them, any thread may take them."""

    def __init__(self) -> None:
        self.frame_size: Size | None = None
        """The size of the first frame, to which later ones are fitted; None before it."""
        self._notes: deque[tuple[float, str]] = deque(maxlen=MAX_NOTES)
        self._size: Size | None = None
        self._noted: set[str] = set()

    def add_reconnected(self, media_s: float, outage_s: float) -> None:
        """The camera delivers frames again after ``outage_s`` seconds."""
        self._notes.append((media_s, f"camera reconnected after {outage_s:.0f} s"))

    def add_size(self, media_s: float, size: Size) -> Size:
        """Record the size of a frame; a change is a note, each kind of change once. Returns the size of the
        first frame."""
        self.frame_size = self.frame_size or size
        if self._size is not None and size != self._size:
            text = self._size_text(size, self.frame_size)
            if text not in self._noted and len(self._noted) < MAX_NOTES:
                self._noted.add(text)
                self._notes.append((media_s, text))
        self._size = size
        return self.frame_size

    @staticmethod
    def _size_text(size: Size, first_size: Size) -> str:
        now, first = (f"{width}x{height}" for width, height in (size, first_size))
        if size == first_size:
            return f"frame size is {now} again"
        is_larger = size[0] > first_size[0] and size[1] > first_size[1]
        advice = "; start again to analyse it at its full size" if is_larger else ""
        return f"frame size is now {now} instead of {first}{advice}"

    def pop(self) -> list[tuple[float, str]]:
        """The notes that were not taken yet, by time."""
        notes = []
        while self._notes:
            notes.append(self._notes.popleft())
        return notes


@dataclass(frozen=True)
class PauseRequest:
    """A request to pause (or resume) that was made at ``requested_s``, on the clock of the source."""

    pause: bool
    requested_s: float


class PauseRequests:
    """Queue of pause and resume requests from any thread, carried out in order by the loop of the source."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._paused = False
        self._pending: deque[PauseRequest] = deque()

    def add(self, *, pause: bool, age_s: float = 0.0) -> None:
        """Queue a request that was made ``age_s`` seconds ago, unless it repeats the last one."""
        with self._lock:
            if pause is not self._paused:
                self._paused = pause
                self._pending.append(PauseRequest(pause, self._clock() - age_s))

    def clear(self) -> bool:
        """Drop the pending requests; returns whether the last request was a pause."""
        with self._lock:
            self._pending.clear()
            return self._paused

    def __bool__(self) -> bool:
        return bool(self._pending)

    @property
    def next(self) -> PauseRequest:
        """The oldest pending request; it stays pending until ``complete``."""
        return self._pending[0]

    def complete(self) -> None:
        """Remove the oldest request, which was carried out."""
        self._pending.popleft()
